package service_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// TestEventClash: a support runs one event at a time, unless it is meant; that it is meant ends with the support and the
// time for which it was.
func TestEventClash(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	administrator, support := p.as("administrator1"), p.as("support1")
	p.exec(`UPDATE event SET start_at = '2030-06-20 20:00+02', end_at = '2030-06-20 23:00+02' WHERE id = 1;
		UPDATE event SET start_at = '2030-06-20 23:00+02', end_at = '2030-06-21 02:00+02' WHERE id = 8;
		UPDATE event SET start_at = '2030-06-20 19:00+02', end_at = '2030-06-20 20:00+02' WHERE id = 10;
		UPDATE event SET start_at = '2030-06-20 20:00+02', end_at = NULL WHERE id = 9`)
	assign := func(id int64, to string, allow *bool) error {
		return second(administrator.EventSetSupport(ctx, gen.EventSetSupportParams{ID: id, Support: to, AllowClash: allow}))
	}
	clashes := func(want ...int64) {
		t.Helper()
		var got []int64
		for _, row := range must[[]gen.EventClash](t)(all(administrator.EventClashes(ctx, gen.EventClashesParams{}))) {
			got = append(got, row.ID, row.OtherID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("clashes: %v, want %v", got, want)
		}
	}
	good := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	good(assign(8, "support1", nil))  // it begins when the other ends
	good(assign(10, "support1", nil)) // and this ends when that begins
	clashes()
	const refusal = `The support of event 9, "Gala du Ski Club", runs another one then: event 1, "Séminaire annuel Marsh", 2030-06-20 18:00 - 21:00.`
	p.refuses(failure.Conflict, refusal, func() error { return assign(9, "support1", nil) })
	p.refuses(failure.Conflict, refusal, func() error { return assign(9, "support1", new(false)) })
	good(assign(9, "support1", new(true)))
	clashes(9, 1)
	good(assign(9, "support1", nil)) // again the same: it is meant still
	clashes(9, 1)

	// Another time has to be meant anew; another name has not.
	move := func(id int64, to string, allow *bool) error {
		at := must[time.Time](t)(time.Parse(time.RFC3339, to))
		return second(support.EventUpdate(ctx, gen.EventUpdateParams{ID: id, StartAt: &at, AllowClash: allow}))
	}
	good(second(support.EventUpdate(ctx, gen.EventUpdateParams{ID: 9, Name: new("Gala"), StartAt: p.event(9).Start})))
	good(second(support.EventUpdate(ctx, gen.EventUpdateParams{ID: 1, Attendees: new(int32(3))})))
	p.refuses(failure.Conflict, `The support of event 9, "Gala", runs another one then: event 10, "Inauguration de l'atelier", 2030-06-20 17:00 - 18:00.`,
		func() error { return move(9, "2030-06-20T19:30:00+02:00", nil) })
	p.refuses(failure.Conflict, `The support of event 1, "Séminaire annuel Marsh", runs another one then: event 9, "Gala", 2030-06-20 18:00.`,
		func() error {
			end := p.event(1).End.Add(-time.Hour)
			return second(support.EventUpdate(ctx, gen.EventUpdateParams{ID: 1, EndAt: &end}))
		})
	good(move(9, "2030-06-20T19:30:00+02:00", new(true)))
	clashes(9, 10)
	good(move(9, "2030-06-22T19:30:00+02:00", nil))
	clashes()
	if one[bool](p, "SELECT bool_or(clash_allowed) FROM event") {
		t.Error("a clash that is over is meant still")
	}

	// A handover is refused before anything of it is done, and takes along what clashes with each other.
	good(assign(9, "support2", nil))
	good(second(p.as("support2").EventUpdate(ctx, gen.EventUpdateParams{ID: 9, StartAt: p.event(1).Start})))
	p.refuses(failure.Conflict, `The support of event 9, "Gala", runs another one then: event 1, "Séminaire annuel Marsh", 2030-06-20 18:00 - 21:00. Nothing was handed over.`,
		func() error { return second(administrator.EmployeeHandover(ctx, handover("support2", "support1"))) })
	good(assign(9, "support1", new(true)))
	good(second(administrator.EmployeeHandover(ctx, handover("support1", "support2"))))
	clashes(9, 1)
	if n := one[int](p, "SELECT count(*) FROM event_view WHERE support = 'support2' AND start > '2030-01-01'"); n != 4 {
		t.Errorf("%d events were handed over", n)
	}
	// And so does taking it back.
	batch := one[[16]byte](p, "SELECT batch FROM change WHERE command = 'employee handover' ORDER BY id DESC LIMIT 1")
	for _, row := range must[[]gen.UndoRow](t)(administrator.Undo(ctx, gen.UndoParams{Batch: batch})) {
		if !row.Undone {
			t.Errorf("kept: %+v", row)
		}
	}
	// What is cancelled does not clash.
	good(second(administrator.EventCancel(ctx, gen.EventCancelParams{ID: 1, Reason: "rain"})))
	clashes()
	if n := must[int64](t)(administrator.EventClashesCount(ctx, gen.EventClashesParams{})); n != 0 {
		t.Errorf("%d clashes", n)
	}
}

// TestAssignedAtOnce: of two administrators who assign the same support to two events of one time, one is refused, and
// told of the other's event.
func TestAssignedAtOnce(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	svc := p.limited(20*time.Second, func(*pgx.ConnConfig) {})
	one, other := p.asOn(svc, "administrator1"), p.asOn(svc, "administrator2")
	for range 20 {
		p.exec("UPDATE event SET support_id = NULL, start_at = '2030-06-20 20:00+02', end_at = '2030-06-20 23:00+02' WHERE id IN (8, 9)")
		errs := make(chan error, 2)
		for id, by := range map[int64]*service.Session{8: one, 9: other} {
			go func() {
				errs <- second(by.EventSetSupport(ctx, gen.EventSetSupportParams{ID: id, Support: "support1"}))
			}()
		}
		first, last := <-errs, <-errs
		if (first == nil) == (last == nil) {
			t.Fatalf("not one of the two was refused: %v, %v", first, last)
		}
		refused := failure.Of(first)
		if first == nil {
			refused = failure.Of(last)
		}
		if refused.Code != failure.Conflict || !strings.Contains(refused.Message, "runs another one then: event ") || refused.Hint == "" {
			t.Fatalf("%+v: %v", refused, refused.Err)
		}
	}
}
