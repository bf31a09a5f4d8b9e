package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// What the database says to a field of an event that cannot be.
const (
	badName      = "An event name is one line of 1 to 255 characters in Unicode normal form C, without control characters."
	badEnd       = "An event does not end before it starts."
	badAttendees = "The number of attendees is not below zero."
	badLocation  = "A location is one line of 1 to 255 characters in Unicode normal form C, without control characters."
	badNote      = "A note has 1 to 10 000 characters in Unicode normal form C, without control characters but the newline."
)

func (p *env) event(id int64) gen.EventView {
	p.Helper()
	return stored[gen.EventView](p, "event_view", id)
}

func TestEventDetail(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("none1")
	for _, id := range []int64{ownEvent, freeEvent} {
		same(t, "event", must[gen.EventView](t)(s.EventDetail(t.Context(), id)), p.event(id))
	}
	p.refuses(failure.NotFound, "There is no event 4711.", func() error { return second(s.EventDetail(t.Context(), 4711)) })
}

func TestEventAdd(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("commercial1")
	start := time.Date(2030, 6, 1, 10, 0, 0, 0, time.UTC)
	end := start.Add(time.Hour)
	good := gen.EventAddParams{ContractID: ownSigned, Name: "Fête", StartAt: &start, EndAt: &end, Attendees: new(int32(0)),
		Location: new("Orléans"), Note: new("Un\nDeux")}
	row := must[gen.EventView](t)(now(s.EventAdd(t.Context(), good)))
	same(t, "event", row, p.event(row.ID))
	if row.Name != "Fête" || row.Customer != "Anaïs Morel" || row.Commercial != "commercial1" || row.Support != nil ||
		!row.Start.Equal(start) || !row.End.Equal(end) || *row.Attendees != 0 || *row.Location != "Orléans" || *row.Note != "Un\nDeux" {
		t.Errorf("added: %+v", row)
	}
	bare := must[gen.EventView](t)(now(s.EventAdd(t.Context(), gen.EventAddParams{ContractID: ownSigned, Name: "À suivre"})))
	if same(t, "event", bare, p.event(bare.ID)); bare.Start != nil || bare.End != nil || bare.Attendees != nil || bare.Location != nil || bare.Note != nil {
		t.Errorf("added: %+v", bare)
	}

	type change = func(*gen.EventAddParams)
	for _, rule := range []struct {
		code    failure.Code
		message string
		change  change
	}{
		{failure.Conflict, badName, func(p *gen.EventAddParams) { p.Name = "" }},
		{failure.Conflict, badEnd, func(p *gen.EventAddParams) { p.StartAt, p.EndAt = &end, &start }},
		{failure.Conflict, badAttendees, func(p *gen.EventAddParams) { p.Attendees = new(int32(-1)) }},
		{failure.Conflict, badLocation, func(p *gen.EventAddParams) { p.Location = new("Two\nlines") }},
		{failure.Conflict, badNote, func(p *gen.EventAddParams) { p.Note = new(strings.Repeat("é", 10_001)) }},
		{failure.Conflict, "An event belongs to a signed contract (crm contract sign), which then stays signed.",
			func(p *gen.EventAddParams) { p.ContractID = ownUnsigned }},
		{failure.NotFound, missingContract, func(p *gen.EventAddParams) { p.ContractID = missing }},
		{failure.PermissionDenied, foreignHint, func(p *gen.EventAddParams) { p.ContractID = foreignSigned }},
	} {
		bad := good
		rule.change(&bad)
		p.refuses(rule.code, rule.message, func() error { return second(s.EventAdd(t.Context(), bad)) })
	}
}

func TestEventUpdate(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("support1")
	update := func(params gen.EventUpdateParams) (gen.EventView, error) {
		return now(s.EventUpdate(t.Context(), params))
	}

	want := p.event(ownEvent)
	want.Name, want.Attendees = "Renommé", new(int32(80))
	row := must[gen.EventView](t)(update(gen.EventUpdateParams{ID: ownEvent, Name: new("Renommé"), Attendees: new(int32(80))}))
	want.UpdatedAt = row.UpdatedAt
	same(t, "event", row, want)
	same(t, "event", row, p.event(ownEvent))

	start, end := want.Start.Add(time.Hour), want.End.Add(time.Hour)
	want.Start, want.End, want.Location, want.Note = &start, &end, new("Ailleurs"), new("Une\nDeux")
	row = must[gen.EventView](t)(update(gen.EventUpdateParams{ID: ownEvent, StartAt: &start, EndAt: &end, Location: want.Location, Note: want.Note}))
	same(t, "event", row, p.event(ownEvent))
	if !row.Start.Equal(start) || !row.End.Equal(end) || *row.Location != "Ailleurs" || *row.Note != "Une\nDeux" {
		t.Errorf("updated: %+v", row)
	}

	early := start.Add(-time.Second)
	for message, bad := range map[string]gen.EventUpdateParams{
		badName:      {Name: new(" ")},
		badEnd:       {EndAt: &early},
		badAttendees: {Attendees: new(int32(-1))},
		badLocation:  {Location: new("")},
		badNote:      {Note: new("\x07")},
	} {
		bad.ID = ownEvent
		p.refuses(failure.Conflict, message, func() error { return second(update(bad)) })
	}
	p.refuses(failure.NotFound, "There is no event 4711.", func() error { return second(update(gen.EventUpdateParams{ID: 4711, Name: new("X")})) })
	p.refuses(failure.PermissionDenied, "Event 2 is in the charge of support2, not of support1.",
		func() error { return second(update(gen.EventUpdateParams{ID: foreignEvent, Name: new("X")})) })
	p.refuses(failure.PermissionDenied, "Event 8 is in the charge of nobody, not of support1.",
		func() error { return second(update(gen.EventUpdateParams{ID: freeEvent, Name: new("X")})) })

	want = p.event(ownEvent)
	for field, clear := range map[string]func(*gen.EventView){
		"start": func(e *gen.EventView) { e.Start = nil }, "end": func(e *gen.EventView) { e.End = nil },
		"attendees": func(e *gen.EventView) { e.Attendees = nil }, "location": func(e *gen.EventView) { e.Location = nil },
		"note": func(e *gen.EventView) { e.Note = nil },
	} {
		clear(&want)
		row := must[gen.EventView](t)(update(gen.EventUpdateParams{ID: ownEvent, Clear: []string{field}}))
		want.UpdatedAt = row.UpdatedAt
		same(t, "clear "+field, row, want)
		same(t, "clear "+field, p.event(ownEvent), want)
	}
	row = must[gen.EventView](t)(update(gen.EventUpdateParams{ID: ownEvent, Clear: []string{"start", "note"}, EndAt: &end}))
	if row.Start != nil || row.Note != nil || !row.End.Equal(end) {
		t.Errorf("cleared and set: %+v", row)
	}
}

func TestEventSetSupport(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	set := func(id int64, support string) (gen.EventView, error) {
		return now(s.EventSetSupport(t.Context(), gen.EventSetSupportParams{ID: id, Support: support}))
	}
	for _, id := range []int64{freeEvent, ownEvent} {
		row := must[gen.EventView](t)(set(id, "support2"))
		if same(t, "event", row, p.event(id)); *row.Support != "support2" {
			t.Errorf("run by %s", *row.Support)
		}
	}
	p.refuses(failure.NotFound, "There is no event 4711.", func() error { return second(set(4711, "support1")) })
	p.refuses(failure.NotFound, "There is no event 4711.", func() error { return second(set(4711, "nobody")) })
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error { return second(set(ownEvent, "nobody")) })
	for username, role := range map[string]string{"none1": "none", "commercial1": "commercial", "administrator1": "administrator"} {
		p.refuses(failure.Conflict, username+" has the role "+role+"; an event needs a support.",
			func() error { return second(set(ownEvent, username)) })
	}
	former := p.as("support1")
	p.refuses(failure.PermissionDenied, "Event 1 is in the charge of support2, not of support1.", func() error {
		return second(former.EventUpdate(t.Context(), gen.EventUpdateParams{ID: ownEvent, Name: new("X")}))
	})
}

// TestSignedStaysSigned: the database keeps a contract with events signed, whoever tries.
func TestSignedStaysSigned(t *testing.T) {
	t.Parallel()
	p := sample(t)
	_, err := p.conn.Exec(t.Context(), "UPDATE contract SET signed_at = NULL WHERE number = '2026-0009'")
	if err == nil || !strings.Contains(err.Error(), "event_contract_fkey") {
		t.Errorf("unsigned: %v", err)
	}
}
