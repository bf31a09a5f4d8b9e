package command

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// input is a value of a command, whatever its type.
type input interface {
	meta() *inputMeta
	take(text string) error // parse and keep
	Ask(ctx context.Context) error
	differs(text string) bool // whether what was taken is another value than this text would be
}

// inputMeta is what is known of a value before it is given.
type inputMeta struct {
	name        string
	title       string // in a question, where it is not that of the column of this name
	placeholder string
	help        string
	required    bool    // asked for at a terminal, else exit 2
	offered     bool    // asked for with the values that are needed, where none of those that are offered was given
	among       []input // one of these is needed, this one among them; nil where that is not so
	argument    bool    // may also be the first argument
	takesAll    bool    // and has all the arguments that there are, as words of one text
	blank       bool    // Enter leaves it out
	multiline   bool
	Set         bool
	cleared     bool   // by a person who emptied it
	column      string // that an update changes, where it is not the name
	clearable   bool   // of an update, which has --clear for it
	Text        string
	err         error                                                 // of the last take by flag
	pick        terminal.Choices                                      // what there is to choose from, for questions and completion
	find        func(ctx context.Context, s service.Operations) error // turns what was typed into what the service takes; may be nil
	several     bool                                                  // a list of such values, with commas
	present     func(ctx context.Context) (string, error)             // what a question starts with
}

// Value is a value of type T: a flag, perhaps also the first argument, perhaps asked for.
type Value[T any] struct {
	inputMeta
	env   *Env
	parse func(string) (T, error)
	Got   T
}

func (v *Value[T]) meta() *inputMeta { return &v.inputMeta }

func (v *Value[T]) take(text string) error {
	got, err := v.parse(text)
	if err != nil {
		err = namedError(v.name, err)
		if problem := failure.Of(err); v.clearable && problem.Hint == "" && strings.TrimSpace(text) == "" {
			return failure.Misuse(problem.Message, "to empty it: --clear "+v.name)
		}
		return err
	}
	v.Got, v.Set, v.Text = got, true, text
	return nil
}

// Pointer is nil when the value was not given: the field stays as it is.
func (v *Value[T]) Pointer() *T {
	if !v.Set {
		return nil
	}
	return &v.Got
}

func (v *Value[T]) Ask(ctx context.Context) error {
	present := ""
	if v.present != nil {
		var err error
		if present, err = v.present(ctx); err != nil {
			return err
		}
	}
	if v.pick != nil && !v.several {
		text, err := v.env.Choose(ctx, v.label(), v.pick, present)
		if err != nil {
			return err
		}
		return v.take(text)
	}
	text, err := v.env.AskText(ctx, terminal.Question{
		Title: v.label(), Help: v.help, Present: present, Blank: v.blank, Multiline: v.multiline, Check: v.check,
	})
	if err != nil {
		return err
	}
	if v.blank && text == "" {
		v.Set, v.Text = false, ""
		return nil
	}
	return v.take(text)
}

// check is parse for a question, whose errors name no flag.
func (v *Value[T]) check(text string) error {
	if v.blank && text == "" {
		return nil
	}
	_, err := v.parse(text)
	if err == nil {
		return nil
	}
	problem := failure.Of(err)
	return failure.Misuse(strings.Replace(problem.Message, "--"+v.name, v.label(), 1), problem.Hint)
}

func (v *Value[T]) differs(text string) bool {
	other, err := v.parse(text)
	return err != nil || !reflect.DeepEqual(v.Got, other)
}

// label is how the value is called in a question: as in a table.
func (m *inputMeta) label() string {
	if m.title != "" {
		return m.title
	}
	return render.LabelOf(strings.ReplaceAll(m.name, "-", "_"))
}

// namedError says which value is wrong.
func namedError(name string, err error) error {
	problem := failure.Of(err)
	if strings.HasPrefix(problem.Message, "--"+name) {
		return err
	}
	return failure.Misuse(fmt.Sprintf("--%s: %s", name, problem.Message), problem.Hint)
}

// Flag adds a value that may be left out: a flag, whose text parse reads.
func Flag[T any](c *Command, name, placeholder, help string, parse func(string) (T, error)) *Value[T] {
	v := &Value[T]{env: c.env, parse: parse, inputMeta: inputMeta{name: name, placeholder: placeholder, help: help}}
	c.inputs = append(c.inputs, v)
	// The error is kept for resolve, which tells it in our words; a flag given twice takes the last.
	c.FlagSet.Func(name, "`"+placeholder+"` "+help, func(text string) error {
		v.err = v.take(text)
		return nil
	})
	return v
}

// Needed makes the value one that the command cannot do without: a person is asked for it, a script fails.
func (v *Value[T]) Needed() *Value[T] {
	v.required = true
	return v
}

// Offered makes the value one that a person who is asked for others is asked for too. Enter leaves it out, where there is
// nothing to choose from.
func (v *Value[T]) Offered() *Value[T] {
	v.offered = true
	v.blank = v.pick == nil
	return v
}

// OneNeeded makes these values of which the command needs at least one: a person is asked for each, a script without any
// fails.
func OneNeeded(inputs ...input) {
	for _, in := range inputs {
		in.meta().among, in.meta().offered, in.meta().blank = inputs, true, true
	}
}

// MaybeArgument makes the value one that may also stand as the first argument, or be left out.
func (v *Value[T]) MaybeArgument() *Value[T] {
	v.argument = true
	return v
}

// AsArgument makes the value one that is needed, and may stand as the first argument.
func (v *Value[T]) AsArgument() *Value[T] {
	v.argument = true
	return v.Needed()
}

// TakesAll makes the value one of several words, which need no quotes where they are arguments.
func (v *Value[T]) TakesAll() *Value[T] {
	v.takesAll = true
	return v
}

// Titled sets what a question calls the value, where that is not the name of its column.
func (v *Value[T]) Titled(title string) *Value[T] {
	v.title = title
	return v
}

// InColumn names the column that an update of the value changes, where it has another name.
func (v *Value[T]) InColumn(name string) *Value[T] {
	v.column = name
	return v
}

// From offers choices in questions and completion.
func (v *Value[T]) From(choices terminal.Choices) *Value[T] {
	v.pick = choices
	return v
}

// OneOf offers these values in questions and completion.
func (v *Value[T]) OneOf(values ...string) *Value[T] { return v.From(Fixed(values)) }

// Multiline lets the answer to a question have several lines.
func (v *Value[T]) Multiline() *Value[T] {
	v.multiline = true
	return v
}

// StartsWith has a question start with an answer, which the person may change.
func (v *Value[T]) StartsWith(present func(ctx context.Context) (string, error)) *Value[T] {
	v.present = present
	return v
}

// Finds turns what was typed into what the service takes, once there is a session.
func (v *Value[T]) Finds(find func(ctx context.Context, s service.Operations) error) *Value[T] {
	v.find = find
	return v
}

// Several lets completion go on after a comma. What the flag takes is for its parser to say.
func (v *Value[T]) Several() *Value[T] {
	v.several = true
	return v
}

// AsTyped takes any string as it is.
func AsTyped(s string) (string, error) { return s, nil }

// Line parses one line of text for the flag of this name.
func Line(name string) func(string) (string, error) {
	return func(s string) (string, error) { return value.ParseLine("--"+name, s) }
}
