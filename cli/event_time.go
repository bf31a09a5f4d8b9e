package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) eventUpdate() *ffcli.Command {
	c := a.Command("update", "change an event that you run").Examples(
		`crm event update 5 --attendees 150 --note "Fanfare à 17 h"`,
		`crm event update 5 --shift 2h --add-note "Le traiteur arrive plus tard"`,
		"crm event update 5 --clear note,location",
	)
	id := a.eventArgument(c)
	f := a.addEventFlags(c)
	shift := command.Flag(c, "shift", "SPAN", "how much later it takes place, such as 2h, 3d or -30min: start and end", a.parseShift)
	addNote := command.Flag(c, "add-note", "TEXT", "what to add to the note, on a line of its own", func(s string) (string, error) {
		return value.ParseNote("--add-note", s)
	})
	expected := c.Updates(f.name, f.start, f.end, f.attendees, f.location, f.note, shift, addNote)
	emptied := c.Clears("start", "end", "attendees", "location", "note")
	allowClash := allowClashFlag(c)
	c.Excludes("shift", "start", "end")
	c.Excludes("add-note", "note")
	show := command.ShowsChange(c, events)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		read := func() (gen.EventView, error) {
			row, err := s.EventDetail(ctx, id.Got)
			f.span.stored = row.Start
			return row, err
		}
		if ok, err := command.Edit(ctx, c, events, read); !ok {
			return err
		}
		err := f.settle(func() (*time.Time, error) {
			row, err := read()
			return row.Start, err
		})
		if err != nil {
			return err
		}
		if err := a.settleLater(c, &f, shift, addNote, read); err != nil {
			return err
		}
		change, err := s.EventUpdate(ctx, gen.EventUpdateParams{
			ID: id.Got, Name: f.name.Pointer(), StartAt: f.start.Pointer(), EndAt: f.end.Pointer(),
			Attendees: f.attendees.Pointer(), Location: f.location.Pointer(), Note: f.note.Pointer(),
			Clear: emptied(), Expected: expected(), AllowClash: allowClash,
		})
		if err != nil {
			return err
		}
		return show(change)
	})
}

// settleLater makes start and end of --shift, and the note of --add-note, of what the event is now.
func (a *app) settleLater(c *command.Command, f *eventFlags, shift, addNote *command.Value[string], read func() (gen.EventView, error)) error {
	if !shift.Set && !addNote.Set {
		return nil
	}
	row, err := read()
	if err != nil {
		return err
	}
	if shift.Set {
		if row.Start == nil {
			return &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("Event %d has no start that could be shifted.", row.ID), Hint: "give it one: --start"}
		}
		for _, each := range []struct {
			is *time.Time
			to *command.Value[time.Time]
		}{{row.Start, f.start}, {row.End, f.end}} {
			if each.is == nil {
				continue
			}
			if each.to.Got, err = value.ParseEnd(shift.Got, a.Now(), *each.is); err != nil {
				return failure.Misuse("--shift: "+failure.Of(err).Message, failure.Of(err).Hint)
			}
			each.to.Set = true
		}
		err = c.Reckons(row, "start", "end")
	}
	if addNote.Set && err == nil {
		f.note.Got, f.note.Set = addNote.Got, true
		if row.Note != nil {
			f.note.Got = *row.Note + "\n" + addNote.Got
		}
		err = c.Reckons(row, "note")
	}
	return err
}

// parseShift reads a distance, with its sign.
func (a *app) parseShift(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s != "" && '0' <= s[0] && s[0] <= '9' {
		s = "+" + s
	}
	if !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "-") {
		return "", failure.Misuse(fmt.Sprintf("%q is no span", s), "write 2h, 3d, 1w or -30min")
	}
	_, err := value.ParseEnd(s, a.Now(), a.Now())
	return s, err
}

// allowClashFlag declares that a clash is meant. What it points to is true or false, and there in any case.
func allowClashFlag(c *command.Command) *bool {
	return c.Switch("allow-clash", "also if the support runs another event at that time: it is meant")
}

func (a *app) eventSetSupport() *ffcli.Command {
	c := a.Command("set-support", "assign an event to a support").Examples(
		"crm event set-support 8 --username support2",
		"crm event set-support 8 --username support2 --allow-clash",
	)
	id := a.eventArgument(c)
	support := a.employeeFlag(c, "username", "the support who runs it").Needed().
		Titled("Support's username").From(a.pickEmployee(gen.RoleSupport))
	allowClash := allowClashFlag(c)
	show := command.ShowsChange(c, events)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		return a.setSupport(ctx, s, gen.EventSetSupportParams{ID: id.Got, Support: support.Got, AllowClash: allowClash}, show)
	})
}

// setSupport assigns an event and shows it.
func (a *app) setSupport(ctx context.Context, s service.Operations, p gen.EventSetSupportParams, show func(service.Change[gen.EventView]) error) error {
	change, err := s.EventSetSupport(ctx, p)
	if err != nil {
		return a.suggestUsername(ctx, s, err, p.Support)
	}
	return show(change)
}

func (a *app) eventClashes() *ffcli.Command {
	c := a.Command("clashes", "list events that were allowed to clash, each with one that its support runs at the same time").Examples(
		"crm event clashes --next 30d",
		"crm event clashes --support support1 --from 2026-06-01",
	)
	support := a.employeeFlag(c, "support", "only those of this support").From(a.pickEmployee(gen.RoleSupport))
	when := a.addPeriodFlags(c)
	l := command.ListFlags(c, clashes)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		from, to, err := when()
		if err != nil {
			return err
		}
		if err := a.existingUsername(ctx, s, support); err != nil {
			return err
		}
		p := gen.EventClashesParams{Support: support.Pointer(), FromAt: from, ToAt: to, Sort: l.Order(), RowLimit: l.RowLimit()}
		return command.ShowList(ctx, l, clashes, s.EventClashes(ctx, p), func(ctx context.Context) (int64, error) {
			return s.EventClashesCount(ctx, p)
		})
	})
}

var clashes = render.Resource[gen.EventClash]{
	Name: "clash", Title: "Clashes", Hue: render.Orange, Charge: "support_id",
	Looks: []render.Look{
		{Column: "support_id", DataOnly: true},
		{Column: "support_fullname", Of: "support", Cut: true, SameBy: []string{"support"}},
		{Column: "id", Whole: true},
		{Column: "name", Cut: true, Rank: 1},
		{Column: "start", Weekday: true},
		{Column: "end", Rank: 3},
		{Column: "other_id", Label: "Clashes with", Whole: true},
		{Column: "other", Label: "Its name", Cut: true, Rank: 2},
		{Column: "other_start", Label: "Its start", Weekday: true},
		{Column: "other_end", Label: "Its end", Rank: 4},
	},
}
