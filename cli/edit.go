package cli

import (
	"context"
	"slices"
	"strings"
	"time"
)

// edit lets a person who named no field of an update choose some, and change them from what they are in the row. It is
// false where nothing is to be changed, which it says.
func edit[T any](ctx context.Context, c *command, r resource[T], read func() (T, error)) (bool, error) {
	if len(given(c.fields...)) > 0 {
		return true, nil
	}
	row, err := read()
	if err != nil {
		return false, err
	}
	if own, err := c.may(ctx); err != nil || own != nil && !r.inChargeOf(row, *own) {
		return err == nil, err // the service says in whose charge it is, before anything is asked
	}
	const done = "done"
	var (
		fields []input
		before []string
		chosen string
	)
	for _, in := range c.fields {
		name := strings.ReplaceAll(in.meta().name, "-", "_")
		if i := slices.IndexFunc(r.columns, func(c column[T]) bool { return c.name == name }); i >= 0 {
			fields = append(fields, in)
			before = append(before, typed(r.columns[i], row, c.app.config.location))
		}
	}
	now := slices.Clone(before)
	for chosen != done {
		var choices []choice
		for i, in := range fields {
			choices = append(choices, choice{in.meta().label() + ": " + now[i], in.meta().name})
		}
		if chosen != "" {
			chosen = done
		}
		chosen, err = c.app.choose(ctx, "What to change", append(choices, choice{"Done", done}), chosen)
		if err != nil {
			return false, err
		}
		if i := slices.IndexFunc(fields, func(in input) bool { return in.meta().name == chosen }); i >= 0 {
			m := fields[i].meta()
			m.present = func(context.Context) (string, error) { return now[i], nil }
			if err := fields[i].ask(ctx); err != nil {
				return false, err
			}
			now[i] = m.text
		}
	}
	changed := false
	for i, in := range fields {
		m := in.meta()
		m.set = m.set && now[i] != before[i] && in.differs(before[i])
		m.cleared = now[i] == "" && before[i] != ""
		changed = changed || m.set || m.cleared
	}
	if !changed {
		c.app.notice("Nothing was changed.")
	}
	return changed, nil
}

// inChargeOf says whether a row is in an employee's charge.
func (r resource[T]) inChargeOf(row T, employee int64) bool {
	i := slices.IndexFunc(r.columns, func(c column[T]) bool { return c.name == r.charge })
	return i >= 0 && cellOf(r.columns[i].value(row)).number == employee
}

// typed is a value as a person would type it.
func typed[T any](c column[T], row T, zone *time.Location) string {
	value := cellOf(c.value(row))
	if value.null {
		return ""
	}
	if value.kind == kindText && c.display == nil {
		return value.text
	}
	return field{kind: value.kind, display: c.display}.show(value, zone)
}
