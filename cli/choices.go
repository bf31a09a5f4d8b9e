package cli

import (
	"cmp"
	"iter"
	"strings"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/terminal"
)

// choicesOf makes choices of the rows of some lists, each at its first place, until there are enough. The later lists are
// not asked for then.
func choicesOf[T any](typed string, limit int, none string, choice func(T) terminal.Choice, lists ...iter.Seq2[T, error]) ([]terminal.Choice, error) {
	var choices []terminal.Choice
	there := map[string]bool{}
	for _, rows := range lists {
		if rows == nil || len(choices) >= limit {
			continue
		}
		for row, err := range rows {
			if err != nil {
				return nil, err
			}
			if c := choice(row); !there[c.Value] && len(choices) < limit {
				c.Found, there[c.Value] = typed != "", true
				choices = append(choices, c)
			}
		}
	}
	if typed == "" {
		return choices, terminal.ErrIfEmpty(choices, none)
	}
	return choices, nil
}

// onlyIf is a list that is asked for only if something is so.
func onlyIf[T any](so bool, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	if !so {
		return nil
	}
	return rows
}

// begins returns what was typed if it may be the beginning of an id or a number.
func begins(typed string, may func(rune) bool) *string {
	if typed == "" || strings.ContainsFunc(typed, func(r rune) bool { return !may(r) }) {
		return nil
	}
	return &typed
}

// joined is a search for what was typed too.
func joined(search *string, typed string) *string {
	if search == nil || typed == "" {
		return cmp.Or(search, command.Typed(typed))
	}
	return command.Typed(*search + " " + typed)
}

func isID(r rune) bool { return '0' <= r && r <= '9' }

func isNumber(r rune) bool { return isID(r) || r == '-' }
