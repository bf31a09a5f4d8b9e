package manual

import (
	"context"
	_ "embed"
	"flag"
	"io"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
)

var (
	//go:embed completion/crm.bash
	completionBash string
	//go:embed completion/crm.zsh
	completionZsh string
	//go:embed completion/crm.fish
	completionFish string
)

func (m Manual) CompletionCommand() *ffcli.Command {
	scripts := map[string]string{"bash": completionBash, "zsh": completionZsh, "fish": completionFish}
	shells := []string{"bash", "zsh", "fish"}
	c := m.Command("completion", "print the script that completes crm's commands, flags and values in a shell").
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
	}).AsArgument().OneOf(shells...)
	return c.Does(func(context.Context) error {
		_, err := io.WriteString(m.Out, scripts[shell.Got])
		return err
	})
}

// PrintCandidates prints the candidates for the last word of an unfinished line, each with a tab and a description if it
// has one.
func (m Manual) PrintCandidates(ctx context.Context, line *cmdline.Line, before []string, typed string) error {
	choices := m.candidates(ctx, line, before, typed)
	var b strings.Builder
	for _, c := range startingWith(choices, typed) {
		b.WriteString(text.Escape(c.Value))
		if description := c.Description(); description != "" {
			b.WriteString("\t" + text.Escape(description))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(m.Out, b.String())
	return err
}

// GlobalFlags are the global flags of an unfinished line, as far as they are complete.
func GlobalFlags(line *cmdline.Line) (args []string) {
	root := line.Path[0]
	for _, f := range line.Flags {
		if owner, defined := line.Lookup(f.Name); owner == root && (f.HasValue || cmdline.IsSwitch(defined)) {
			args = append(args, f.Normal(root.FlagSet, defined))
		}
	}
	return args
}

// candidates are what the word to complete may be. Those that do not begin as it does are taken out later.
func (m Manual) candidates(ctx context.Context, line *cmdline.Line, before []string, typed string) []terminal.Choice {
	if len(line.Flags) > 0 {
		last := line.Flags[len(line.Flags)-1]
		if defined := line.Guess(last.Name); defined != nil && !last.HasValue && !cmdline.IsSwitch(defined) {
			return m.flagValues(ctx, line, last.Name, typed)
		}
	}
	selected := line.Command()
	mayBeFlag := !endsFlags(m.Root, before)
	switch name, value, hasValue := strings.Cut(typed, "="); {
	case mayBeFlag && cmdline.StartsFlag(typed) && hasValue:
		choices := m.flagValues(ctx, line, strings.TrimLeft(name, "-"), value)
		for i, c := range choices {
			choices[i] = terminal.Choice{Label: c.Description(), Value: name + "=" + c.Value, Found: c.Found}
			if c.Other != "" {
				choices[i].Other = name + "=" + c.Other
			}
		}
		return choices
	case mayBeFlag && strings.HasPrefix(typed, "-"):
		return m.flagNames(selected, typed)
	case len(selected.Subcommands) > 0 && len(line.Arguments) == 0:
		return subcommands(selected)
	}
	return m.argumentValues(ctx, line, typed)
}

// endsFlags reports whether a "--" has ended the flags, and is not itself the value of one.
func endsFlags(root *ffcli.Command, before []string) bool {
	flags := func(words []string) int { return len(cmdline.Read(root, words).Flags) }
	return flags(append(before[:len(before):len(before)], "-o=table")) == flags(before)
}

func (m Manual) flagNames(selected *ffcli.Command, typed string) (choices []terminal.Choice) {
	add := func(f *flag.Flag) {
		_, help := FlagHelp(f)
		choices = append(choices, terminal.Choice{Label: help, Value: cmdline.Dashed(f.Name)})
	}
	selected.FlagSet.VisitAll(add)
	if selected == m.Root {
		return choices
	}
	m.Root.FlagSet.VisitAll(func(f *flag.Flag) {
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
func (m Manual) argumentValues(ctx context.Context, line *cmdline.Line, typed string) []terminal.Choice {
	if len(line.Arguments) > 0 {
		if line.Command().Name != "help" {
			return nil
		}
		explained := m.Root
		for _, word := range line.Arguments {
			if explained = cmdline.Find(explained, word); explained == nil {
				return nil
			}
		}
		return subcommands(explained)
	}
	return m.Commands[line.Command()].ArgumentCompletions(ctx, typed)
}

// flagValues are the values that a flag may have.
func (m Manual) flagValues(ctx context.Context, line *cmdline.Line, name, typed string) []terminal.Choice {
	var choices []terminal.Choice
	switch name {
	case "o", "output":
		formats := render.Formats
		if m.Commands[line.Command()].MakesPage() {
			formats = append(slices.Clip(formats), render.Page)
		}
		choices, _ = command.Fixed(formats)(ctx, typed, command.CompletionMax)
		return choices
	case "csv-style":
		choices, _ = command.Fixed([]string{config.CSVPlain, config.CSVExcelFr})(ctx, typed, command.CompletionMax)
		return choices
	case "config":
		return []terminal.Choice{{Value: command.Files}}
	}
	return m.Commands[line.Command()].Completions(ctx, name, typed)
}

// startingWith keeps the candidates that begin as the word does, no more of them than are of use; first the one that is
// the word. Where none does, they are those that were found by it: a name stands for a username.
func startingWith(choices []terminal.Choice, typed string) (matching []terminal.Choice) {
	exact := slices.IndexFunc(choices, func(c terminal.Choice) bool { return c.Is(typed) && strings.HasPrefix(c.Value, typed) })
	if exact >= 0 {
		matching = append(matching, choices[exact])
	}
	for i, c := range choices {
		if typed != "" && c.Other != "" && strings.HasPrefix(c.Other, typed) && !strings.HasPrefix(c.Value, typed) {
			c.Value = c.Other
		}
		if i != exact && (strings.HasPrefix(c.Value, typed) || c.Value == command.Files || strings.HasPrefix(c.Value, "-") && strings.HasSuffix(c.Value, "="+command.Files)) {
			matching = append(matching, c)
		}
		if len(matching) == command.CompletionMax {
			break
		}
	}
	if len(matching) == 0 {
		matching = slices.DeleteFunc(choices, func(c terminal.Choice) bool { return !c.Found })
	}
	return matching
}
