package cli

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
)

// completeCommand is what the completion scripts call: crm __complete WORD..., the last word being the one to complete.
const completeCommand = "__complete"

// completionTime is how long somebody waits at most after pressing tab.
var completionTime = 300 * time.Millisecond

// completionMax is how many candidates are of use.
const completionMax = 200

var (
	//go:embed completion/crm.bash
	completionBash string
	//go:embed completion/crm.zsh
	completionZsh string
	//go:embed completion/crm.fish
	completionFish string
)

func (a *app) completionCommand() *ffcli.Command {
	scripts := map[string]string{"bash": completionBash, "zsh": completionZsh, "fish": completionFish}
	shells := []string{"bash", "zsh", "fish"}
	c := a.Command("completion", "print the script that completes crm's commands, flags and values in a shell").
		WithoutSettings().Examples(
		"source <(crm completion bash)",
		"mkdir -p ~/.zfunc; crm completion zsh > ~/.zfunc/_crm",
		"mkdir -p ~/.config/fish/completions; crm completion fish > ~/.config/fish/completions/crm.fish",
	)
	shell := command.Flag(c, "shell", "SHELL", "bash, zsh or fish", func(s string) (string, error) {
		if scripts[s] == "" {
			return "", cmdline.UnknownValue("shell", s, shells)
		}
		return s, nil
	}).AsArgument()
	shell.Pick = command.Fixed(shells)
	return c.Does(func(context.Context) error {
		_, err := io.WriteString(a.Out, scripts[shell.Got])
		return err
	})
}

// complete prints the candidates for the last word, each with a tab and a description if it has one. It is silent when
// nobody is logged in, when the database does not answer at once, and on any error.
func (a *app) complete(ctx context.Context, words []string) {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	a.Err = io.Discard
	a.NeverStart = true
	if len(words) == 0 {
		words = []string{""}
	}
	before, typed := words[:len(words)-1], words[len(words)-1]
	_, _ = a.caught(func() error {
		a.Root = a.newRoot()
		line := cmdline.Read(a.Root, before)
		if err := errors.Join(a.configure(globalFlags(line)), a.Config.Fault); err != nil {
			cancel() // what is in the database is not known; the rest completes all the same
		}
		a.Config.DatabaseReset = false
		return a.printCandidates(a.candidates(ctx, line, before, typed), typed)
	})
}

func (a *app) printCandidates(choices []terminal.Choice, typed string) error {
	var b strings.Builder
	for _, c := range startingWith(choices, typed) {
		b.WriteString(text.Escape(c.Value))
		if description := c.Description(); description != "" {
			b.WriteString("\t" + text.Escape(description))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(a.Out, b.String())
	return err
}

// globalFlags are the global flags of an unfinished line, as far as they are complete.
func globalFlags(line *cmdline.Line) (args []string) {
	root := line.Path[0]
	for _, f := range line.Flags {
		if owner, defined := line.Lookup(f.Name); owner == root && (f.HasValue || cmdline.IsSwitch(defined)) {
			args = append(args, f.Normal(root.FlagSet, defined))
		}
	}
	return args
}

// candidates are what the word to complete may be. Those that do not begin as it does are taken out later.
func (a *app) candidates(ctx context.Context, line *cmdline.Line, before []string, typed string) []terminal.Choice {
	if len(line.Flags) > 0 {
		last := line.Flags[len(line.Flags)-1]
		if defined := line.Guess(last.Name); defined != nil && !last.HasValue && !cmdline.IsSwitch(defined) {
			return a.flagValues(ctx, line, last.Name, typed)
		}
	}
	selected := line.Command()
	mayBeFlag := !endsFlags(a.Root, before)
	switch name, value, hasValue := strings.Cut(typed, "="); {
	case mayBeFlag && cmdline.StartsFlag(typed) && hasValue:
		choices := a.flagValues(ctx, line, strings.TrimLeft(name, "-"), value)
		for i, c := range choices {
			choices[i] = terminal.Choice{Label: c.Description(), Value: name + "=" + c.Value}
		}
		return choices
	case mayBeFlag && strings.HasPrefix(typed, "-"):
		return a.flagNames(selected, typed)
	case len(selected.Subcommands) > 0 && len(line.Arguments) == 0:
		return subcommands(selected)
	}
	return a.argumentValues(ctx, line, typed)
}

// endsFlags says whether a "--" has ended the flags, and is not itself the value of one.
func endsFlags(root *ffcli.Command, before []string) bool {
	flags := func(words []string) int { return len(cmdline.Read(root, words).Flags) }
	return flags(append(before[:len(before):len(before)], "-o=table")) == flags(before)
}

func (a *app) flagNames(selected *ffcli.Command, typed string) (choices []terminal.Choice) {
	add := func(f *flag.Flag) {
		_, help := describeFlag(f)
		choices = append(choices, terminal.Choice{Label: help, Value: cmdline.Dashed(f.Name)})
	}
	selected.FlagSet.VisitAll(add)
	if selected == a.Root {
		return choices
	}
	a.Root.FlagSet.VisitAll(func(f *flag.Flag) {
		key := strings.Contains(f.Name, ".") // rarely typed
		if selected.FlagSet.Lookup(f.Name) == nil && (!key || strings.HasPrefix(typed, "--"+f.Name[:1])) {
			add(f)
		}
	})
	return choices
}

func subcommands(group *ffcli.Command) (choices []terminal.Choice) {
	for _, sub := range group.Subcommands {
		choices = append(choices, terminal.Choice{Label: sub.ShortHelp, Value: sub.Name})
	}
	return choices
}

// argumentValues are the values that the first argument may have; after crm help also the words of a command.
func (a *app) argumentValues(ctx context.Context, line *cmdline.Line, typed string) []terminal.Choice {
	if len(line.Arguments) > 0 {
		if line.Command().Name != "help" {
			return nil
		}
		explained := a.Root
		for _, word := range line.Arguments {
			if explained = cmdline.Find(explained, word); explained == nil {
				return nil
			}
		}
		return subcommands(explained)
	}
	return a.Commands[line.Command()].ArgumentCompletions(ctx, typed)
}

// flagValues are the values that a flag may have.
func (a *app) flagValues(ctx context.Context, line *cmdline.Line, name, typed string) []terminal.Choice {
	var choices []terminal.Choice
	switch name {
	case "o", "output":
		choices, _ = command.Fixed(render.Formats)(ctx)
		return choices
	case "csv-style":
		choices, _ = command.Fixed([]string{config.CSVPlain, config.CSVExcelFr})(ctx)
		return choices
	case "config":
		return []terminal.Choice{{Value: command.Files}}
	}
	return a.Commands[line.Command()].Completions(ctx, name, typed)
}

// startingWith keeps the candidates that begin as the word does, no more of them than are of use; first the one that is
// the word.
func startingWith(choices []terminal.Choice, typed string) (matching []terminal.Choice) {
	exact := slices.IndexFunc(choices, func(c terminal.Choice) bool { return c.Is(typed) && strings.HasPrefix(c.Value, typed) })
	if exact >= 0 {
		matching = append(matching, choices[exact])
	}
	for i, c := range choices {
		if i != exact && (strings.HasPrefix(c.Value, typed) || c.Value == command.Files || strings.HasPrefix(c.Value, "-") && strings.HasSuffix(c.Value, "="+command.Files)) {
			matching = append(matching, c)
		}
		if len(matching) == completionMax {
			break
		}
	}
	return matching
}
