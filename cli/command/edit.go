package command

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
)

// Edit lets a person who named no field of an update choose some, and change them from what they are in the row. It is
// false where nothing is to be changed, which it says.
func Edit[T any](ctx context.Context, c *Command, r render.Resource[T], read func() (T, error)) (bool, error) {
	if len(given(c.fields...)) > 0 {
		return true, nil
	}
	row, err := read()
	if err != nil {
		return false, err
	}
	if own, err := c.May(ctx); err != nil || own != nil && !r.InChargeOf(row, *own) {
		return err == nil, err // the service says in whose charge it is, before anything is asked
	}
	const done = "done"
	var (
		fields []input
		before []string
		chosen string
	)
	values, err := valuesOf(row)
	if err != nil {
		return false, err
	}
	c.shown = columnValues{}
	for _, in := range c.fields {
		name := cmp.Or(in.meta().column, strings.ReplaceAll(in.meta().name, "-", "_"))
		if typed, ok := r.Typed(row, name, c.env.Config.Location); ok {
			fields = append(fields, in)
			before = append(before, typed)
			c.shown[name] = values[name]
		}
	}
	now := slices.Clone(before)
	for chosen != done {
		var choices []terminal.Choice
		for i, in := range fields {
			choices = append(choices, terminal.Choice{Label: in.meta().label() + ": " + now[i], Value: in.meta().name})
		}
		if chosen != "" {
			chosen = done
		}
		chosen, err = c.env.Choose(ctx, "What to change", terminal.Among(append(choices, terminal.Choice{Label: "Done", Value: done})), chosen)
		if err != nil {
			return false, err
		}
		if i := slices.IndexFunc(fields, func(in input) bool { return in.meta().name == chosen }); i >= 0 {
			m := fields[i].meta()
			m.present = func(context.Context) (string, error) { return now[i], nil }
			if err := fields[i].Ask(ctx); err != nil {
				return false, err
			}
			now[i] = m.Text
		}
	}
	changed := false
	for i, in := range fields {
		m := in.meta()
		m.Set = m.Set && now[i] != before[i] && in.differs(before[i])
		m.cleared = now[i] == "" && before[i] != ""
		changed = changed || m.Set || m.cleared
	}
	if !changed {
		c.env.Notice("Nothing was changed.")
	}
	return changed, nil
}

// valuesOf returns the columns of a row by their names, as JSON and exact.
func valuesOf(row any) (values columnValues, err error) {
	text, err := json.Marshal(row)
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	return values, err
}

// columnValues are values of a row by the names of their columns.
type columnValues map[string]json.RawMessage

// Reckons takes down what an update was reckoned from: these columns of the row that was read. It is refused if one of them
// changed meanwhile, and does no more when it is sent twice.
func (c *Command) Reckons(row any, columns ...string) error {
	values, err := valuesOf(row)
	if err != nil {
		return err
	}
	if c.shown == nil {
		c.shown = columnValues{}
	}
	for _, column := range columns {
		c.shown[column] = values[column]
	}
	return nil
}

// expectation is what the schema compares with a row before an update.
type expectation struct {
	Shown          columnValues `json:"shown,omitempty"`
	UnchangedSince *time.Time   `json:"unchanged_since,omitempty"`
}

// text returns the expectation as the schema reads it; nil where nothing is expected.
func (e expectation) text() *string {
	if e.Shown == nil && e.UnchangedSince == nil {
		return nil
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic("command: " + err.Error()) // it is made of JSON
	}
	return new(string(text))
}
