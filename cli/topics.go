package cli

import (
	"context"
	"embed"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"
)

//go:embed help/*.txt
var helpTexts embed.FS

// topics are what crm help explains beside the commands.
func topics() (names []string) {
	entries, err := helpTexts.ReadDir("help")
	if err != nil {
		panic("cli: " + err.Error())
	}
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".txt"))
	}
	return names
}

// helpCommand takes a topic or the words of a command.
func (a *app) helpCommand() *ffcli.Command {
	c := a.command("help", "explain a topic ("+strings.Join(topics(), ", ")+") or a command").examples(
		"crm help money",
		"crm help contract list",
	)
	topic := maybeArgument(flagOf(c, "topic", "TOPIC", "what to explain", asTyped))
	topic.pick = func(context.Context) (choices []choice, _ error) {
		for _, t := range topics() {
			choices = append(choices, choice{"", t})
		}
		for _, sub := range a.root.Subcommands {
			choices = append(choices, choice{sub.ShortHelp, sub.Name})
		}
		return choices, nil
	}
	done := c.does(nil)
	c.Exec = func(_ context.Context, words []string) error {
		out := a.output().out
		if topic.set {
			words = append([]string{topic.got}, words...)
		}
		if len(words) == 1 {
			if text, err := helpTexts.ReadFile("help/" + words[0] + ".txt"); err == nil {
				_, err := out.Write(text)
				return err
			}
		}
		selected := a.root
		for _, word := range words {
			sub := findCommand(selected, word)
			if sub == nil {
				known := append(commandNames(selected.Subcommands), topics()...)
				return unknownValue("help topic", word, known)
			}
			selected = sub
		}
		return a.printHelp(out, selected)
	}
	return done
}
