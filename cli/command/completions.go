package command

import (
	"context"
	"slices"
	"strings"

	"github.com/epicevents/crm/cli/terminal"
)

// CompletionMax is how many candidates are of use.
const CompletionMax = 200

// Files is printed instead of candidates where the name of a file is wanted, which the shell completes best.
const Files = ":files"

// Completions returns the choices for a flag.
func (c *Command) Completions(ctx context.Context, flag, typed string) []terminal.Choice {
	return c.completions(ctx, typed, func(m *inputMeta) bool { return m.name == flag })
}

// ArgumentCompletions returns the choices for the first argument.
func (c *Command) ArgumentCompletions(ctx context.Context, typed string) []terminal.Choice {
	return c.completions(ctx, typed, func(m *inputMeta) bool { return m.argument })
}

func (c *Command) completions(ctx context.Context, typed string, is func(*inputMeta) bool) []terminal.Choice {
	if c == nil {
		return nil
	}
	i := slices.IndexFunc(c.inputs, func(in input) bool { return is(in.meta()) })
	if i < 0 {
		return nil
	}
	return completions(ctx, c.inputs[i].meta(), typed)
}

// completions are the choices of one value. Where several may be given with commas, those before the last comma are kept.
func completions(ctx context.Context, m *inputMeta, typed string) []terminal.Choice {
	if m.placeholder == "FILE" {
		return []terminal.Choice{{Value: Files}}
	}
	if m.pick == nil {
		return nil
	}
	i := strings.LastIndexByte(typed, ',')
	if !m.several {
		i = -1
	}
	choices, err := m.pick(ctx, strings.TrimSpace(typed[i+1:]), CompletionMax)
	if err != nil || i < 0 {
		return choices
	}
	kept := typed[:i+1]
	var more []terminal.Choice
	for _, c := range choices {
		if !slices.Contains(strings.Split(kept, ","), c.Value) {
			more = append(more, terminal.Choice{Label: c.Description(), Value: kept + c.Value})
		}
	}
	return more
}
