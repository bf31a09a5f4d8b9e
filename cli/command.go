package cli

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// command is one leaf of the tree while it is declared: its values in the order in which they are asked for, and what
// it does with them.
type command struct {
	*ffcli.Command
	app                           *app
	inputs                        []input
	fields                        []input // of an update, which needs one of them
	run                           func(ctx context.Context) error
	checks                        []func(ctx context.Context) error // what must be so before anything is asked or done
	secret                        func() bool                       // whether the password that the command needs is given; nil where it needs none
	yes                           *bool                             // whether the command's question is answered; nil where it has none
	withoutLogin, withoutSettings bool
	// login is set for a command of somebody who is logged in; allowed once their role is known to be one that may use
	// it, if only on what is in the charge of own.
	login, allowed bool
	own            *int64
}

// input is a value of a command, whatever its type.
type input interface {
	meta() *inputMeta
	take(text string) error // parse and keep
	ask(ctx context.Context) error
	differs(text string) bool // whether what was taken is another value than this text would be
}

// inputMeta is what is known of a value before it is given.
type inputMeta struct {
	name        string
	title       string // in a question, where it is not that of the column of this name
	placeholder string
	help        string
	required    bool // asked for at a terminal, else exit 2
	offered     bool // asked for with the values that are needed, where none of those that are offered was given
	argument    bool // may also be the first argument
	blank       bool // Enter leaves it out
	multiline   bool
	set         bool
	cleared     bool // by a person who emptied it
	text        string
	err         error                                                 // of the last take by flag
	pick        func(ctx context.Context) ([]terminal.Choice, error)  // what there is to choose from, for questions and completion
	find        func(ctx context.Context, s service.Operations) error // turns what was typed into what the service takes; may be nil
	several     bool                                                  // a list of such values, with commas
	present     func(ctx context.Context) (string, error)             // what a question starts with
}

// Value is a value of type T: a flag, perhaps also the first argument, perhaps asked for.
type Value[T any] struct {
	inputMeta
	app   *app
	parse func(string) (T, error)
	got   T
}

func (v *Value[T]) meta() *inputMeta { return &v.inputMeta }

func (v *Value[T]) take(text string) error {
	got, err := v.parse(text)
	if err != nil {
		return namedError(v.name, err)
	}
	v.got, v.set, v.text = got, true, text
	return nil
}

// pointer is nil when the value was not given: the field stays as it is.
func (v *Value[T]) pointer() *T {
	if !v.set {
		return nil
	}
	return &v.got
}

func (v *Value[T]) ask(ctx context.Context) error {
	present := ""
	if v.present != nil {
		var err error
		if present, err = v.present(ctx); err != nil {
			return err
		}
	}
	if v.pick != nil && !v.several {
		choices, err := v.pick(ctx)
		if err != nil {
			return err
		}
		text, err := v.app.Choose(ctx, v.label(), choices, present)
		if err != nil {
			return err
		}
		return v.take(text)
	}
	text, err := v.app.AskText(ctx, terminal.Question{
		Title: v.label(), Help: v.help, Present: present, Blank: v.blank, Multiline: v.multiline, Check: v.check,
	})
	if err != nil {
		return err
	}
	if v.blank && text == "" {
		v.set, v.text = false, ""
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
	return err != nil || !reflect.DeepEqual(v.got, other)
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

// command declares a leaf. usage is what stands behind the command's path.
func (a *app) command(name, help string) *command {
	c := &command{app: a, Command: &ffcli.Command{Name: name, ShortHelp: help, FlagSet: cmdline.NewFlagSet()}}
	c.Exec = func(ctx context.Context, arguments []string) error {
		if err := c.resolve(ctx, arguments); err != nil {
			return err
		}
		return c.run(ctx)
	}
	return c
}

// examples are shown in the help, each a whole command line.
func (c *command) examples(lines ...string) *command {
	c.LongHelp = strings.Join(lines, "\n")
	return c
}

// WithoutLogin is for a command about the session itself: that there is none is its answer, and no reason to ask.
func (c *command) WithoutLogin() *command {
	c.withoutLogin = true
	return c
}

// WithoutSettings is for a command that uses no setting, so that it runs however wrong they are.
func (c *command) WithoutSettings() *command {
	c.withoutSettings = true
	return c
}

// does completes a command.
func (c *command) does(run func(ctx context.Context) error) *ffcli.Command {
	c.run = run
	c.ShortUsage = c.usage()
	c.app.commands[c.Command] = c
	return c.Command
}

// doesAs completes a command of somebody who is logged in.
func (c *command) doesAs(run func(ctx context.Context, s service.Operations) error) *ffcli.Command {
	c.login = true
	return c.does(func(ctx context.Context) error {
		s, err := c.app.Session(ctx)
		if err != nil {
			return err
		}
		if c.secret != nil && !c.secret() || c.yes != nil && !*c.yes || len(c.fields) > 0 && len(given(c.fields...)) == 0 {
			if _, err := c.may(ctx); err != nil {
				return err
			}
		}
		if err := c.findAll(ctx, s); err != nil {
			return err
		}
		return run(ctx, s)
	})
}

// findAll looks up what was typed of the values that need it.
func (c *command) findAll(ctx context.Context, s service.Operations) error {
	for _, in := range c.inputs {
		if m := in.meta(); m.set && m.find != nil {
			if err := m.find(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// may refuses a command to an employee whose role may never use it. It comes before the first question, and says in
// whose charge must be what the command is about; nil where that does not matter.
func (c *command) may(ctx context.Context) (own *int64, err error) {
	if !c.login || c.allowed {
		return c.own, nil
	}
	s, err := c.app.Session(ctx)
	if err != nil {
		return nil, err
	}
	c.own, err = s.May(ctx, strings.TrimPrefix(cmdline.Path(c.app.root, c.Command), c.app.root.Name+" "))
	c.allowed = err == nil
	return c.own, err
}

// asksFirst declares the flag that answers the question which the command asks before it does anything.
func (c *command) asksFirst() {
	c.yes = c.Switch("yes", "do not ask")
}

// updates declares the fields of which an update needs one: given, or chosen by a person in edit.
func (c *command) updates(fields ...input) { c.fields = fields }

// groupOf declares a resource with its commands.
func groupOf(name, help string, commands ...*ffcli.Command) *ffcli.Command {
	return &ffcli.Command{Name: name, ShortHelp: help, FlagSet: cmdline.NewFlagSet(), Exec: group, Subcommands: commands}
}

// usage is the line under the command's name: <argument> [flags].
func (c *command) usage() string {
	var words []string
	for _, in := range c.inputs {
		m := in.meta()
		if m.argument {
			word := "<" + m.name + ">"
			if !m.required {
				word = "[" + m.name + "]"
			}
			words = append(words, word)
		}
	}
	return strings.Join(append(words, "[flags]"), " ")
}

// flagOf declares a value that may be left out.
func flagOf[T any](c *command, name, placeholder, help string, parse func(string) (T, error)) *Value[T] {
	v := &Value[T]{app: c.app, parse: parse, inputMeta: inputMeta{name: name, placeholder: placeholder, help: help}}
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

// Titled sets what a question calls the value, where that is not the name of its column.
func (v *Value[T]) Titled(title string) *Value[T] {
	v.title = title
	return v
}

// From offers choices in questions and completion.
func (v *Value[T]) From(choices func(ctx context.Context) ([]terminal.Choice, error)) *Value[T] {
	v.pick = choices
	return v
}

// OneOf offers these values in questions and completion.
func (v *Value[T]) OneOf(values ...string) *Value[T] { return v.From(fixed(values)) }

// Several lets completion go on after a comma. What the flag takes is for its parser to say.
func (v *Value[T]) Several() *Value[T] {
	v.several = true
	return v
}

// Switch adds a flag that is on or off.
func (c *command) Switch(name, help string) *bool { return c.FlagSet.Bool(name, false, help) }

// Checks adds what must be so before anything is asked or done.
func (c *command) Checks(check func(ctx context.Context) error) { c.checks = append(c.checks, check) }

// Excludes refuses a flag beside any of the others.
func (c *command) Excludes(name string, others ...string) {
	for i := range others {
		others[i] = cmdline.Dashed(others[i])
	}
	message := fmt.Sprintf("%s excludes %s.", cmdline.Dashed(name), strings.Join(others, " and "))
	if len(others) == 1 {
		message = fmt.Sprintf("%s and %s exclude each other.", cmdline.Dashed(name), others[0])
	}
	c.Checks(func(context.Context) error {
		if c.has(name) && slices.ContainsFunc(others, func(other string) bool { return c.has(strings.TrimLeft(other, "-")) }) {
			return failure.Misuse(message, "")
		}
		return nil
	})
}

// has reports whether a value was given, or a switch is on.
func (c *command) has(flag string) bool {
	for _, in := range c.inputs {
		if m := in.meta(); m.name == flag {
			return m.set
		}
	}
	return c.FlagSet.Lookup(flag).Value.String() == "true"
}

// resolve takes the arguments and sees that nothing is missing, before anything else is done.
func (c *command) resolve(ctx context.Context, arguments []string) error {
	for _, in := range c.inputs {
		if err := in.meta().err; err != nil {
			return err
		}
	}
	for _, in := range c.inputs {
		m := in.meta()
		if !m.argument || len(arguments) == 0 {
			continue
		}
		if m.set && m.text != arguments[0] {
			return failure.Misuse(fmt.Sprintf("--%s and the argument %q name two different things.", m.name, text.Shorten(arguments[0])), "")
		}
		if err := in.take(arguments[0]); err != nil {
			if unquoted := c.unquoted(arguments[0]); unquoted != "" {
				return failure.Misuse(failure.Of(err).Message, unquoted)
			}
			return err
		}
		arguments = arguments[1:]
	}
	if len(arguments) > 0 {
		return failure.Misuse(fmt.Sprintf("unexpected argument %q for %q", text.Shorten(arguments[0]), cmdline.Path(c.app.root, c.Command)),
			cmp.Or(c.unquoted(arguments[0]), cmdline.Path(c.app.root, c.Command)+" --help"))
	}
	for _, check := range c.checks {
		if err := check(ctx); err != nil {
			return err
		}
	}
	var missing []string
	for _, in := range c.inputs {
		if m := in.meta(); m.required && !m.set {
			missing = append(missing, "--"+m.name)
		}
	}
	if c.secret != nil && !c.secret() && !c.app.Interactive() {
		missing = append(missing, "--password-stdin")
	}
	if len(missing) > 0 && !c.app.Interactive() {
		return failure.Misuse("missing "+strings.Join(missing, ", "), cmdline.Path(c.app.root, c.Command)+" --help")
	}
	if len(c.fields) > 0 && len(given(c.fields...)) == 0 && !c.app.Interactive() {
		return nothingToChange(c.fields)
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := c.may(ctx); err != nil {
		return err
	}
	offer := !slices.ContainsFunc(c.inputs, func(in input) bool { return in.meta().offered && in.meta().set })
	for _, in := range c.inputs {
		if m := in.meta(); !m.set && (m.required || m.offered && offer) {
			if err := in.ask(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// unquoted is the hint for a value of several words that was not quoted, so that the second stands as an argument;
// empty where that is not what happened.
func (c *command) unquoted(argument string) string {
	for _, in := range c.inputs {
		m := in.meta()
		at := slices.Index(c.app.args, argument)
		if !m.set || at < 1 {
			continue
		}
		inOne := c.app.args[at-1] == cmdline.Dashed(m.name)+"="+m.text
		if !inOne && (at < 2 || c.app.args[at-1] != m.text || strings.TrimLeft(c.app.args[at-2], "-") != m.name || !cmdline.StartsFlag(c.app.args[at-2])) {
			continue
		}
		more := ""
		if rest := c.app.args[at+1:]; len(rest) > 0 && !cmdline.StartsFlag(rest[0]) {
			more = " ..." // words of the value too, or an argument
		}
		return fmt.Sprintf("quote what has spaces: %s \"%s%s\"", cmdline.Dashed(m.name), text.Shorten(m.text+" "+argument), more)
	}
	return ""
}

func nothingToChange(fields []input) error {
	var flags []string
	for _, field := range fields {
		flags = append(flags, "--"+field.meta().name)
	}
	return failure.Misuse("nothing to change: give at least one of "+strings.Join(flags, ", "), "")
}

// given says whether any of the values was given, and gives the names of those that were.
func given(inputs ...input) (names []string) {
	for _, in := range inputs {
		if in.meta().set {
			names = append(names, strings.ReplaceAll(in.meta().name, "-", "_"))
		}
	}
	return names
}

// asTyped takes any string as it is.
func asTyped(s string) (string, error) { return s, nil }

// lineOf parses one line of text for the flag of this name.
func lineOf(name string) func(string) (string, error) {
	return func(s string) (string, error) { return value.ParseLine("--"+name, s) }
}
