package service_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// TestEventStaff: who is free comes first, then who has the fewest events around, then the name; what is cancelled, far
// away, touches or is the event itself counts for nobody.
func TestEventStaff(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	administrator := p.as("administrator1")
	p.exec(`UPDATE employee SET active = true WHERE username = 'support3';
		UPDATE event SET support_id = NULL, start_at = NULL, end_at = NULL WHERE cancelled_at IS NULL;
		UPDATE event SET start_at = '2030-06-20 18:00Z', end_at = '2030-06-20 22:00Z' WHERE id = 8`)
	staff := func(id int64) (rows []string) {
		t.Helper()
		for _, row := range must[service.EventStaff](t)(administrator.EventStaff(ctx, id)).Staff {
			clash := ""
			if row.Free != (row.OtherID == nil) {
				t.Errorf("%s is free: %t, and clashes with %v", row.Support, row.Free, row.OtherID)
			}
			if !row.Free {
				clash = fmt.Sprintf(" clashes with %d, %s", *row.OtherID, *row.Other)
			}
			if row.Assigned {
				clash += " runs it"
			}
			rows = append(rows, fmt.Sprintf("%s %d/%d, %d%s", row.Support, row.EventsThatDay, row.EventsAround, row.EventsOfCustomer, clash))
		}
		return rows
	}
	is := func(why string, id int64, want ...string) {
		t.Helper()
		if got := staff(id); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", why, got, want)
		}
	}
	is("nobody has anything: by name", 8, "support1 0/0, 0", "support2 0/0, 0", "support3 0/0, 0")
	at := func(id int, support, from, to string) {
		t.Helper()
		p.exec(fmt.Sprintf(`UPDATE event SET start_at = '2030-06-%s', end_at = '2030-06-%s',
			support_id = (SELECT id FROM employee WHERE username = '%s') WHERE id = %d`, from, to, support, id))
	}
	at(1, "support1", "20 16:00Z", "20 18:00Z") // it ends when the other begins
	at(2, "support1", "23 23:59Z", "24 02:00Z") // three days after, in UTC
	at(3, "support1", "24 03:00Z", "24 05:00Z") // four
	at(4, "support2", "16 22:00Z", "17 00:00Z") // over when the third day before begins
	is("around", 8, "support2 0/0, 0", "support3 0/0, 0", "support1 1/2, 0")
	at(5, "support3", "20 21:59Z", "20 23:00Z")
	is("who clashes is last", 8, "support2 0/0, 0", "support1 1/2, 0", "support3 1/1, 0 clashes with 5, Mariage Pérez-Roche")
	at(6, "support3", "20 12:00Z", "20 20:00Z")
	is("the first clash is named", 8, "support2 0/0, 0", "support1 1/2, 0", "support3 2/2, 0 clashes with 6, Régate des deux baies")
	p.exec(`UPDATE event SET cancelled_at = now(), cancel_reason = 'x' WHERE id IN (5, 6)`)
	is("what is cancelled frees", 8, "support2 0/0, 0", "support3 0/0, 0", "support1 1/2, 0")
	p.exec(`UPDATE event SET support_id = (SELECT id FROM employee WHERE username = 'support2') WHERE id = 8`)
	is("its own event is in nobody's way", 8, "support2 0/0, 0 runs it", "support3 0/0, 0", "support1 1/2, 0")
	p.exec(`UPDATE event SET contract_id = (SELECT contract_id FROM event WHERE id = 8) WHERE id IN (1, 3)`)
	is("what they ran for the customer before, not after", 8, "support2 0/0, 0 runs it", "support3 0/0, 0", "support1 1/2, 1")
	p.exec(`UPDATE employee SET active = false WHERE username = 'support3'`)
	is("who is inactive is not offered", 8, "support2 0/0, 0 runs it", "support1 1/2, 1")
	is("without a start there is nothing around", 10, "support1 0/0, 0", "support2 0/0, 0")

	p.refuses(failure.NotFound, "There is no event 4711.", func() error { return second(administrator.EventStaff(ctx, 4711)) })
	p.refuses(failure.Conflict, "Event 6 is cancelled: nobody has to run it.", func() error { return second(administrator.EventStaff(ctx, 6)) })
	for _, username := range []string{"none1", "commercial1", "support1"} {
		as := p.as(username)
		p.refuses(failure.PermissionDenied, `"crm event staff" is for the role administrator; `+username+" has the role "+username[:len(username)-1]+".",
			func() error { return second(as.EventStaff(ctx, 8)) })
	}
}
