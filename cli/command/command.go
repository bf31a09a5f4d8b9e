// Package command is what commands are made of: values that are a flag, an argument or a question; switches; lists and
// details that show rows in every format; and Env, which has everything that a command works with.
//
// A command is declared in one place, top to bottom: its examples, its values in the order in which a person is asked for
// them, what it shows, and what it does. All else follows from that: help, completion, questions for what is missing, one
// error for what is wrong, the check of permissions before the first question.
package command

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// Command is one leaf of the tree while it is declared: its values in the order in which they are asked for, and what
// it does with them.
type Command struct {
	*ffcli.Command
	env                           *Env
	inputs                        []input
	fields                        []input      // of an update, which needs one of them
	shown                         columnValues // what a person saw of the row that they change
	run                           func(ctx context.Context) error
	before                        func(ctx context.Context) (done bool, err error) // nil where nothing is done before there is a session
	checks                        []func(ctx context.Context) error                // what must be so before anything is asked or done
	secret                        func() bool                                      // whether the password that the command needs is given; nil where it needs none
	yes                           *bool                                            // whether the command's question is answered; nil where it has none
	withoutLogin, withoutSettings bool
	forHost                       bool
	makesPage                     bool   // it is a report, which may be a page
	needsSession                  bool   // the command is of somebody who is logged in
	permitted                     bool   // the role check has passed
	ownerID                       *int64 // set if the role may use the command on its own records only
}

// Command begins a leaf command; Does or DoesAs completes it.
func (e *Env) Command(name, help string) *Command {
	c := &Command{env: e, Command: &ffcli.Command{Name: name, ShortHelp: help, FlagSet: cmdline.NewFlagSet()}}
	c.Exec = func(ctx context.Context, arguments []string) error {
		if e.Config.Output == render.Page && !c.makesPage {
			return failure.Misuse("-o "+render.Page+" is for reports.", "crm report --help")
		}
		if err := c.resolve(ctx, arguments); err != nil {
			return err
		}
		if c.before != nil {
			if done, err := c.before(ctx); done || err != nil {
				return err
			}
		}
		return c.run(ctx)
	}
	return c
}

// Examples are shown in the help, each a whole command line.
func (c *Command) Examples(lines ...string) *Command {
	c.LongHelp = strings.Join(lines, "\n")
	return c
}

// WithoutLogin is for a command about the session itself: that there is none is its answer, and no reason to ask.
func (c *Command) WithoutLogin() *Command {
	c.withoutLogin = true
	return c
}

// WithoutSettings is for a command that uses no setting, so that it runs however wrong they are.
func (c *Command) WithoutSettings() *Command {
	c.withoutSettings = true
	return c
}

// Does completes a command.
func (c *Command) Does(run func(ctx context.Context) error) *ffcli.Command {
	c.run = run
	c.ShortUsage = c.usage()
	c.env.Commands[c.Command] = c
	return c.Command
}

// DoesAs completes a command of somebody who is logged in.
func (c *Command) DoesAs(run func(ctx context.Context, s service.Operations) error) *ffcli.Command {
	c.needsSession = true
	return c.Does(func(ctx context.Context) error {
		s, err := c.env.Session(ctx)
		if err != nil {
			return err
		}
		if c.secret != nil && !c.secret() || c.yes != nil && !*c.yes || len(c.fields) > 0 && len(given(c.fields...)) == 0 {
			if _, err := c.May(ctx); err != nil {
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
func (c *Command) findAll(ctx context.Context, s service.Operations) error {
	for _, in := range c.inputs {
		if m := in.meta(); m.Set && m.find != nil {
			if err := m.find(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// May refuses a command to an employee whose role may never use it. It comes before the first question, and says in
// whose charge must be what the command is about; nil where that does not matter.
func (c *Command) May(ctx context.Context) (own *int64, err error) {
	if !c.needsSession || c.permitted {
		return c.ownerID, nil
	}
	s, err := c.env.Session(ctx)
	if err != nil {
		return nil, err
	}
	c.ownerID, err = s.May(ctx, strings.TrimPrefix(cmdline.Path(c.env.Root, c.Command), c.env.Root.Name+" "))
	c.permitted = err == nil
	return c.ownerID, err
}

// AsksFirst adds --yes, which answers the question which the command asks before it does anything.
func (c *Command) AsksFirst() *bool {
	c.yes = c.Switch("yes", "do not ask")
	return c.yes
}

// NeedsPassword has a script told that a password is missing, before it is told anything else, unless one is given.
func (c *Command) NeedsPassword(given func() bool) { c.secret = given }

// Before is what the command does before it needs a session; done means that there is nothing more to do.
func (c *Command) Before(do func(ctx context.Context) (done bool, err error)) { c.before = do }

// ForHost is for a command about the database itself, which a server keeps to its host.
func (c *Command) ForHost() *Command {
	c.forHost = true
	return c
}

// IsForHost reports whether the command is refused where a server has the database.
func (c *Command) IsForHost() bool { return c != nil && c.forHost }

// MakesPage reports whether the command is a report, which may be a page.
func (c *Command) MakesPage() bool { return c != nil && c.makesPage }

// MayAskLogin reports whether a person without a session is asked to log in for this command.
func (c *Command) MayAskLogin() bool { return c != nil && !c.withoutLogin }

// UsesSettings reports whether what is wrong with the settings is in the way of the command; a group is nil.
func (c *Command) UsesSettings() bool { return c == nil || !c.withoutSettings }

// Updates declares the fields of which an update needs one: given, or chosen by a person in edit. It adds
// --if-unchanged-since, and returns a function that returns what the update expects of the row: that nothing of it changed
// since then, and of a person that it is as it was shown to them.
func (c *Command) Updates(fields ...input) (expected func() *string) {
	c.fields = fields
	since := Flag(c, "if-unchanged-since", "TIME", "only if nothing changed since then: the updated_at that a script has read", c.env.ParseTime)
	return func() *string { return expectation{Shown: c.shown, UnchangedSince: since.Pointer()}.text() }
}

// Clears adds --clear to an update, for those of its fields that may be empty. A person empties them in edit. It returns a
// function that returns the names of the fields to empty.
func (c *Command) Clears(names ...string) (emptied func() []string) {
	fields := c.fields
	for _, in := range fields {
		in.meta().clearable = slices.Contains(names, in.meta().name)
		in.meta().blank = in.meta().clearable
	}
	cleared := fieldNames(c, "clear", "FIELD", "fields to empty: "+strings.Join(names, ", "), names)
	c.fields = append(fields[:len(fields):len(fields)], cleared)
	c.Checks(func(context.Context) error {
		for _, field := range given(fields...) {
			if slices.Contains(cleared.Got, field) {
				return failure.Misuse(fmt.Sprintf("--%s and --clear %s exclude each other.", field, field), "")
			}
		}
		return nil
	})
	return func() []string {
		names := append([]string{}, cleared.Got...)
		for _, in := range fields {
			if m := in.meta(); m.cleared {
				names = append(names, m.name)
			}
		}
		return names
	}
}

// Group returns a resource with its commands.
func Group(name, help string, commands ...*ffcli.Command) *ffcli.Command {
	return &ffcli.Command{Name: name, ShortHelp: help, FlagSet: cmdline.NewFlagSet(), Exec: NoVerb, Subcommands: commands}
}

// usage is the line under the command's name: <argument> [flags].
func (c *Command) usage() string {
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

// Switch adds a flag that is on or off.
func (c *Command) Switch(name, help string) *bool { return c.FlagSet.Bool(name, false, help) }

// Checks adds what must be so before anything is asked or done.
func (c *Command) Checks(check func(ctx context.Context) error) { c.checks = append(c.checks, check) }

// Excludes refuses a flag beside any of the others.
func (c *Command) Excludes(name string, others ...string) {
	message := fmt.Sprintf("%s excludes --%s.", cmdline.Dashed(name), strings.Join(others, " and --"))
	if len(others) == 1 {
		message = fmt.Sprintf("%s and %s exclude each other.", cmdline.Dashed(name), cmdline.Dashed(others[0]))
	}
	c.Checks(func(context.Context) error {
		if c.has(name) && slices.ContainsFunc(others, c.has) {
			return failure.Misuse(message, "")
		}
		return nil
	})
}

// has reports whether a value was given, or a switch is on.
func (c *Command) has(flag string) bool {
	for _, in := range c.inputs {
		if m := in.meta(); m.name == flag {
			return m.Set
		}
	}
	return c.FlagSet.Lookup(flag).Value.String() == "true"
}

// Given returns the names of the flags that were given, also of those that were given as an argument.
func (c *Command) Given() (names []string) {
	c.FlagSet.VisitAll(func(f *flag.Flag) {
		if c.has(f.Name) {
			names = append(names, f.Name)
		}
	})
	return names
}

// Has reports whether the command has a value of this name; a group has none.
func (c *Command) Has(name string) bool {
	return c != nil && slices.ContainsFunc(c.inputs, func(in input) bool { return in.meta().name == name })
}

// resolve takes the arguments and sees that nothing is missing, before anything else is done.
func (c *Command) resolve(ctx context.Context, arguments []string) error {
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
		if m.takesAll {
			arguments = []string{strings.Join(arguments, " ")}
		}
		if m.Set && m.Text != arguments[0] {
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
		return failure.Misuse(fmt.Sprintf("unexpected argument %q for %q", text.Shorten(arguments[0]), cmdline.Path(c.env.Root, c.Command)),
			cmp.Or(c.unquoted(arguments[0]), cmdline.Path(c.env.Root, c.Command)+" --help"))
	}
	for _, check := range c.checks {
		if err := check(ctx); err != nil {
			return err
		}
	}
	var missing []string
	for _, in := range c.inputs {
		m := in.meta()
		if m.required && !m.Set {
			missing = append(missing, "--"+m.name)
		}
		if m.among != nil && in == m.among[0] && len(given(m.among...)) == 0 {
			missing = append(missing, anyOf(m.among))
		}
	}
	if c.secret != nil && !c.secret() && !c.env.Interactive() {
		missing = append(missing, "--password-stdin")
	}
	if len(missing) > 0 && !c.env.Interactive() {
		return failure.Misuse("missing "+strings.Join(missing, ", "), cmdline.Path(c.env.Root, c.Command)+" --help")
	}
	if len(c.fields) > 0 && len(given(c.fields...)) == 0 && !c.env.Interactive() {
		return nothingToChange(c.fields)
	}
	if len(missing) == 0 && c.env.AskFor == "" {
		return nil
	}
	if _, err := c.May(ctx); err != nil {
		return err
	}
	offer := len(missing) > 0 && !slices.ContainsFunc(c.inputs, func(in input) bool { return in.meta().offered && in.meta().Set })
	for _, in := range c.inputs {
		m := in.meta()
		named := m.name == c.env.AskFor
		none := m.among != nil && len(given(m.among...)) == 0
		if m.Set || !m.required && !named && !none && !(m.offered && offer) {
			continue
		}
		// Enter alone would be no answer, or empty what is there.
		m.blank = m.blank && !named && !(none && in == m.among[len(m.among)-1])
		if err := in.Ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

// anyOf names the flags of which one is needed.
func anyOf(inputs []input) string {
	var flags []string
	for _, in := range inputs {
		flags = append(flags, "--"+in.meta().name)
	}
	return strings.Join(flags, " or ")
}

// unquoted is the hint for a value of several words that was not quoted, so that the second stands as an argument;
// empty where that is not what happened.
func (c *Command) unquoted(argument string) string {
	for _, in := range c.inputs {
		m := in.meta()
		at := slices.Index(c.env.Args, argument)
		if !m.Set || at < 1 {
			continue
		}
		inOne := c.env.Args[at-1] == cmdline.Dashed(m.name)+"="+m.Text
		if !inOne && (at < 2 || c.env.Args[at-1] != m.Text || strings.TrimLeft(c.env.Args[at-2], "-") != m.name || !cmdline.StartsFlag(c.env.Args[at-2])) {
			continue
		}
		more := ""
		if rest := c.env.Args[at+1:]; len(rest) > 0 && !cmdline.StartsFlag(rest[0]) {
			more = " ..." // words of the value too, or an argument
		}
		return fmt.Sprintf("quote what has spaces: %s \"%s%s\"", cmdline.Dashed(m.name), text.Shorten(m.Text+" "+argument), more)
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

// given returns the names of the values that were given.
func given(inputs ...input) (names []string) {
	for _, in := range inputs {
		if in.meta().Set {
			names = append(names, strings.ReplaceAll(in.meta().name, "-", "_"))
		}
	}
	return names
}

// NoVerb is the Exec of a command that only has subcommands; run answers before it is reached.
func NoVerb(context.Context, []string) error { return flag.ErrHelp }

// Fixed are choices that need no description.
func Fixed(values []string) terminal.Choices {
	choices := make([]terminal.Choice, len(values))
	for i, v := range values {
		choices[i] = terminal.Choice{Label: v, Value: v}
	}
	return terminal.Among(choices)
}
