package service_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// TestD14EventsTakePlace has a range take the events that take place in it, if only in part: a fair of two days on its
// second too, until its end and not at it.
func TestD14EventsTakePlace(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("DELETE FROM event")
	p.exec(`INSERT INTO event (name, contract_id, start_at, end_at) SELECT name, $1, start_at::timestamptz, end_at::timestamptz FROM (VALUES
			('fair', '2027-03-05 09:00+01', '2027-03-07 00:00+01'), ('gig', '2027-03-06 00:00+01', NULL), ('toast', '2027-03-05 12:00+01', '2027-03-05 12:00+01'),
			('some day', NULL, NULL)) AS event (name, start_at, end_at)`, ownSigned)
	s := p.as("none1")
	for _, tc := range []struct{ from, to, want string }{
		{"", "", "fair toast gig some day"},
		{"2027-03-06", "2027-03-07", "fair gig"},
		{"2027-03-05", "2027-03-06", "fair toast"},
		{"2027-03-07", "", ""},
		{"", "2027-03-05", ""},
		{"", "2027-03-06", "fair toast"},
		{"2027-03-06", "", "fair gig"},
		{"2027-03-05T13:00:00", "2027-03-05T13:00:01", "fair"},
		{"2027-03-05T12:00:00", "2027-03-05T12:00:01", "fair toast"},
		{"2027-03-07", "2027-03-05", ""},
	} {
		at := func(typed string) *time.Time {
			if typed == "" {
				return nil
			}
			return new(must[time.Time](t)(value.ParseTime(typed, time.Now().In(time.FixedZone("", 3600)))))
		}
		var names []string
		for _, event := range must[[]gen.EventView](t)(all(s.EventList(t.Context(), gen.EventListParams{FromAt: at(tc.from), ToAt: at(tc.to)}))) {
			names = append(names, event.Name)
		}
		if got := strings.Join(names, " "); got != tc.want {
			t.Errorf("from %s to %s: %q, want %q", tc.from, tc.to, got, tc.want)
		}
	}
}

// TestEventFilters states what the other filters let pass, apart from the query.
func TestEventFilters(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("commercial1")
	before := must[[]gen.EventView](t)(all(s.EventList(t.Context(), gen.EventListParams{})))
	mine, now := s.EmployeeID(), time.Now()
	changed := must[service.Change[gen.EventView]](t)(p.as("administrator1").EventSetSupport(t.Context(), gen.EventSetSupportParams{ID: 3, Support: "support2"})).Now
	if !changed.UpdatedAt.After(before[2].UpdatedAt) {
		t.Errorf("an event that was changed is from %v", changed.UpdatedAt)
	}
	events := must[[]gen.EventView](t)(all(s.EventList(t.Context(), gen.EventListParams{})))
	for name, filter := range map[string]struct {
		params gen.EventListParams
		pass   func(gen.EventView) bool
	}{
		"id":         {gen.EventListParams{IDBegins: new("1")}, func(e gen.EventView) bool { return e.ID == 1 || e.ID == 10 }},
		"mine":       {gen.EventListParams{CommercialID: &mine}, func(e gen.EventView) bool { return e.Commercial == "commercial1" }},
		"commercial": {gen.EventListParams{Commercial: new("commercial2")}, func(e gen.EventView) bool { return e.Commercial == "commercial2" }},
		"customer":   {gen.EventListParams{CustomerID: new(int64(ownCustomer))}, func(e gen.EventView) bool { return e.CustomerID == ownCustomer }},
		"contract":   {gen.EventListParams{ContractID: &foreignSigned}, func(e gen.EventView) bool { return e.Contract == foreignSigned }},
		"changed":    {gen.EventListParams{ChangedSince: &changed.UpdatedAt}, func(e gen.EventView) bool { return e.ID == 3 }},
		"not over":   {gen.EventListParams{NotOverAt: &now}, func(e gen.EventView) bool { return e.Start == nil || e.End.After(now) }},
	} {
		want := slices.DeleteFunc(slices.Clone(events), func(e gen.EventView) bool { return !filter.pass(e) })
		if len(want) == 0 || len(want) == len(events) {
			t.Errorf("%s: %d of %d", name, len(want), len(events))
		}
		same(t, name, must[[]gen.EventView](t)(all(s.EventList(t.Context(), filter.params))), want)
	}
}

// TestListFilters states what the filters let pass, apart from the queries.
func TestListFilters(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("commercial1")
	ctx := t.Context()
	contracts := must[[]gen.ContractView](t)(all(s.ContractList(ctx, gen.ContractListParams{})))
	if len(contracts) != 20 {
		t.Fatalf("%d contracts", len(contracts))
	}
	mine := s.EmployeeID()
	for name, filter := range map[string]struct {
		params gen.ContractListParams
		pass   func(gen.ContractView) bool
	}{
		"not signed": {gen.ContractListParams{NotSigned: true}, func(c gen.ContractView) bool { return !c.Signed && c.SignedAt == nil }},
		"not paid":   {gen.ContractListParams{NotPaid: true}, func(c gen.ContractView) bool { return c.TotalDue > 0 }},
		"signed":     {gen.ContractListParams{Signed: true}, func(c gen.ContractView) bool { return c.SignedAt != nil }},
		"status":     {gen.ContractListParams{Status: new(gen.ContractStatusPaid)}, func(c gen.ContractView) bool { return c.Signed && c.TotalDue == 0 }},
		"signed from": {gen.ContractListParams{SignedFrom: new(value.Date("2026-09-01"))}, func(c gen.ContractView) bool {
			return c.SignedAt != nil && !c.SignedAt.Before(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))
		}},
		"signed to": {gen.ContractListParams{SignedTo: new(value.Date("2026-01-20"))}, func(c gen.ContractView) bool { return c.Number == "2026-0001" }},
		"overdue":   {gen.ContractListParams{Overdue: true}, func(c gen.ContractView) bool { return c.DaysDue != nil && *c.DaysDue > 0 }},
		"changed": {gen.ContractListParams{ChangedSince: new(time.Date(2026, 9, 20, 0, 0, 0, 0, time.UTC))}, func(c gen.ContractView) bool {
			return c.UpdatedAt.After(time.Date(2026, 9, 20, 0, 0, 0, 0, time.UTC))
		}},
		"mine":       {gen.ContractListParams{CommercialID: &mine}, func(c gen.ContractView) bool { return c.Commercial == "commercial1" }},
		"commercial": {gen.ContractListParams{Commercial: new("commercial3")}, func(c gen.ContractView) bool { return c.Commercial == "commercial3" }},
		"customer":   {gen.ContractListParams{CustomerID: new(int64(ownCustomer))}, func(c gen.ContractView) bool { return c.CustomerID == ownCustomer }},
		"search":     {gen.ContractListParams{Search: new("  lumiere ")}, func(c gen.ContractView) bool { return c.Customer == "Zoé Lefèvre" }},
		"number":     {gen.ContractListParams{NumberBegins: new("2026-001")}, func(c gen.ContractView) bool { return strings.HasPrefix(c.Number, "2026-001") }},
		"id": {gen.ContractListParams{FirstID: new(uuid.MustParse("b0f94adc-0ac3-46cb-bb52-cecbf41673e5")), LastID: new(uuid.Max)}, func(c gen.ContractView) bool {
			return c.ID.String() >= "b0f94adc-0ac3-46cb-bb52-cecbf41673e5"
		}},
		"wildcard": {gen.ContractListParams{Search: new("%")}, func(gen.ContractView) bool { return false }},
	} {
		want := slices.DeleteFunc(slices.Clone(contracts), func(c gen.ContractView) bool { return !filter.pass(c) })
		same(t, name, must[[]gen.ContractView](t)(all(s.ContractList(ctx, filter.params))), want)
	}
	// What everyone may see of an employee is not the password hash.
	text, err := json.Marshal(must[[]gen.EmployeeView](t)(all(s.EmployeeList(ctx, gen.EmployeeListParams{}))))
	if err != nil || strings.Contains(string(text), "argon2") {
		t.Errorf("employees: %s, %v", text, err)
	}
}
