package manual

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

//go:embed help/*.txt
var helpTexts embed.FS

// flagsTopic is the topic that is made from the flags themselves.
const flagsTopic = "flags"

// Topics are what crm help explains beside the commands.
func Topics() []string {
	names := append(writtenTopics(), flagsTopic)
	slices.Sort(names)
	return names
}

// writtenTopics are those that are a text.
func writtenTopics() (names []string) {
	entries, err := helpTexts.ReadDir("help")
	if err != nil {
		panic("cli: " + err.Error())
	}
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".txt"))
	}
	return names
}

// TopicText is the text of a topic: a title and what there is to say. It is empty where there is no such topic.
func (m Manual) TopicText(name string) string {
	if name == flagsTopic {
		return m.globalFlagsText()
	}
	if !slices.Contains(writtenTopics(), name) {
		return ""
	}
	text, err := helpTexts.ReadFile("help/" + name + ".txt")
	if err != nil {
		panic("cli: " + err.Error())
	}
	return string(text)
}

// HelpCommand takes a topic or the words of a command, or writes all of it as manual pages of this version of crm.
func (m Manual) HelpCommand(version string) *ffcli.Command {
	c := m.Command("help", "explain a topic or a command").
		WithoutSettings().Examples(
		"crm help money",
		"crm help contract list",
		"crm help --man man1",
	)
	folder := command.Flag(c, "man", "FOLDER", "write the manual pages of crm and of each command into this folder", command.AsTyped)
	topic := command.Flag(c, "topic", "TOPIC", "what to explain: a command, or "+strings.Join(Topics(), ", "), command.AsTyped).MaybeArgument()
	topic.From(func(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
		var choices []terminal.Choice
		for _, t := range Topics() {
			choices = append(choices, terminal.Choice{Label: "", Value: t})
		}
		for _, sub := range m.Root.Subcommands {
			choices = append(choices, terminal.Choice{Label: sub.ShortHelp, Value: sub.Name})
		}
		return terminal.Among(choices)(ctx, typed, limit)
	})
	done := c.Does(nil)
	c.Exec = func(_ context.Context, words []string) error {
		if folder.Set {
			if topic.Set || len(words) > 0 {
				return failure.Misuse("--man writes all pages, and takes no topic.", "crm help --man FOLDER")
			}
			return m.WritePages(folder.Got, m.date(), version)
		}
		if topic.Set {
			words = append([]string{topic.Got}, words...)
		}
		out := m.Output().Out
		if len(words) > 0 {
			if text := m.TopicText(words[0]); text != "" {
				if len(words) > 1 {
					return failure.Misuse("crm help explains one topic at a time.", "crm help "+words[0])
				}
				return m.writeHelp(out, text)
			}
		}
		line := &cmdline.Line{Path: []*ffcli.Command{m.Root}}
		for i, word := range words {
			selected := line.Command()
			sub := cmdline.Find(selected, word)
			switch {
			case sub != nil:
				line.Path = append(line.Path, sub)
			case i == 0:
				return cmdline.UnknownValue("help topic", word, append(cmdline.Names(selected.Subcommands), Topics()...))
			case len(selected.Subcommands) == 0:
				return failure.Misuse(fmt.Sprintf("%q has no commands of its own, such as %q.", line.Name(), text.Shorten(word)), line.Name()+" --help")
			default:
				line.Arguments = words[i:]
				return line.Unknown()
			}
		}
		return m.PrintHelp(out, line.Command())
	}
	return done
}
