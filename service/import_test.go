package service_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// rowsOf gives rows as a caller does that has them.
func rowsOf[P any](rows ...P) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// written returns why rows were not taken in, a refused one too. A row that is somebody else's is refused as an operation is.
func written(result service.ImportResult, err error) error {
	if err != nil || len(result.Refusals) == 0 {
		return err
	}
	refusal := &failure.Error{Code: failure.Conflict, Message: result.Refusals[0].Reason}
	if strings.Contains(refusal.Message, "in the charge of commercial") {
		refusal.Code = failure.PermissionDenied
	}
	return refusal
}

var byID = service.ImportParams{Key: new(gen.ImportKeyID), OnMatch: gen.ImportOnMatchFail}

func TestCustomerImport(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	there := stored[gen.CustomerView](p, "customer_view", ownCustomer)
	same1 := gen.CustomerImportStageParams{Line: 2, ID: &there.ID, Fullname: &there.Fullname, Company: there.Company, Email: there.Email, Phone: there.Phone, Address: there.Address, Commercial: &there.Commercial}
	other := same1
	other.Line, other.Fullname = 3, new("Somebody Else")
	fresh := gen.CustomerImportStageParams{Line: 4, Fullname: new("Zoé Œuf"), Email: new("zoe@œuf.example"), Commercial: new("commercial2")}
	unreached := gen.CustomerImportStageParams{Line: 5, Fullname: new("Nobody"), Commercial: new("commercial2")}
	nameless := gen.CustomerImportStageParams{Line: 6, Email: new("a@b.example"), Commercial: new("commercial2")}
	unknown := gen.CustomerImportStageParams{Line: 7, Fullname: new("X"), Email: new("a@b.example"), Commercial: new("nobody9")}
	manager := gen.CustomerImportStageParams{Line: 8, Fullname: new("X"), Email: new("a@b.example"), Commercial: new("support1")}
	gone := gen.CustomerImportStageParams{Line: 9, ID: new(int64(4711)), Fullname: new("X"), Email: new("a@b.example"), Commercial: new("commercial1")}
	rows := []gen.CustomerImportStageParams{same1, other, fresh, unreached, nameless, unknown, manager, gone}

	result, err := s.CustomerImport(t.Context(), byID, rowsOf(rows...))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(result.Refusals, func(a, b service.ImportRefusal) int { return int(a.Line - b.Line) })
	same(t, "result", result, service.ImportResult{Added: 1, Unchanged: 1, Refused: 6, Refusals: []service.ImportRefusal{
		{Line: 3, Field: "id", Reason: "Line 2 has the same id."},
		{Line: 3, Field: "id", Reason: "Customer 1 is there already, with another fullname."},
		{Line: 5, Reason: unreachable},
		{Line: 6, Field: "fullname", Reason: "A value is needed."},
		{Line: 7, Field: "commercial", Reason: "There is no employee nobody9."},
		{Line: 8, Reason: "A customer is in the charge of an employee whose role is commercial."},
		{Line: 9, Field: "id", Reason: "There is no customer 4711; --keep-ids adds one under this id."},
	}})
	if held := one[int64](p, "SELECT count(*) FROM customer WHERE fullname = 'Zoé Œuf'"); held != 0 {
		t.Errorf("%d customers were written of a refused import", held)
	}

	partly := byID
	partly.Partly = true
	result, err = s.CustomerImport(t.Context(), partly, rowsOf(rows...))
	if err != nil || !result.Written || result.Added != 1 || result.Refused != 6 || result.Batch == nil {
		t.Fatalf("%+v, %v", result, err)
	}
	if held := one[int64](p, "SELECT count(*) FROM customer_import"); held != 0 {
		t.Errorf("%d rows were left where they waited", held)
	}
	if undone := must[[]gen.UndoRow](t)(s.Undo(t.Context(), gen.UndoParams{Batch: *result.Batch})); len(undone) != 1 {
		t.Errorf("%d rows were undone", len(undone))
	}
	p.refuses(failure.Usage, "The lines of an import increase.", func() error {
		return second(s.CustomerImport(t.Context(), byID, rowsOf(other, same1)))
	})
	bad := fresh
	bad.Phone = new(value.Phone("+33012345678"))
	p.refuses(failure.Usage, "Phone number \"+33012345678\" is not valid: write 01 23 45 67 89, or +44 20 7946 0958 for another country", func() error {
		return second(s.CustomerImport(t.Context(), byID, rowsOf(bad)))
	})
}

// pooled is a Service with connections of its own, as a program has.
func pooled(p *env) *service.Service {
	pool, err := service.Connect(p.Context(), p.config, time.Minute)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(pool.Close)
	return service.New(pool, testKey)
}

// TestCutImportWritesNothing: whoever gives the rows fails or goes away in the middle, near and over a wire.
func TestCutImportWritesNothing(t *testing.T) {
	t.Parallel()
	p := sample(t)
	token := p.token("administrator1")
	svc := pooled(p)
	before := one[int64](p, "SELECT count(*) FROM customer")
	fails := errors.New("the disk is gone")
	for name, by := range map[string]way{"near": near, "far": far} {
		s, err := by(t, svc).As(token)
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		for what, end := range map[string]func() error{
			"fails": func() error { return fails },
			"leaves": func() error {
				leave()
				return context.Canceled
			},
		} {
			rows := func(yield func(gen.CustomerImportStageParams, error) bool) {
				for line := range int64(2500) {
					if !yield(gen.CustomerImportStageParams{Line: line + 1, Fullname: new("Zoé"), Email: new("z@o.example"), Commercial: new("commercial1")}, nil) {
						return
					}
				}
				yield(gen.CustomerImportStageParams{}, end())
			}
			if what == "fails" {
				_, err = s.CustomerImport(t.Context(), byID, rows)
			} else {
				_, err = s.CustomerImport(ctx, byID, rows)
			}
			if err == nil || what == "fails" && !errors.Is(err, fails) {
				t.Errorf("%s, who gives the rows %s: %v", name, what, err)
			}
		}
		whole, err := s.CustomerImport(t.Context(), byID, rowsOf(gen.CustomerImportStageParams{Line: 2, Fullname: new("Zoé"), Email: new("z@o.example"), Commercial: new("commercial1")}))
		if before++; err != nil || !whole.Written || one[int64](p, "SELECT count(*) FROM customer") != before {
			t.Errorf("%s: %+v, %v, %d customers", name, whole, err, one[int64](p, "SELECT count(*) FROM customer"))
		}
	}
	if held := one[int64](p, "SELECT count(*) FROM customer_import"); held != 0 {
		t.Errorf("%d rows were left where they waited", held)
	}
}

// TestLeftImportWritesNothing: whoever leaves once all rows are given, while they are being written, has written nothing.
func TestLeftImportWritesNothing(t *testing.T) {
	t.Parallel()
	p := sample(t)
	token := p.token("administrator1")
	svc := pooled(p)
	for name, by := range map[string]way{"near": near, "far": far} {
		s, err := by(t, svc).As(token)
		if err != nil {
			t.Fatal(err)
		}
		holding := must[pgx.Tx](t)(p.conn.Begin(t.Context()))
		if _, err := holding.Exec(t.Context(), "LOCK TABLE customer IN SHARE MODE"); err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		failed := make(chan error, 1)
		go func() {
			failed <- second(s.CustomerImport(ctx, byID, func(yield func(gen.CustomerImportStageParams, error) bool) {
				for line := range int64(2500) { // more than a server reads at once
					if !yield(gen.CustomerImportStageParams{
						Line: line + 1, Fullname: new("Zoé"), Email: new("left@o.example"), Commercial: new("commercial1"), Address: new(strings.Repeat("a", 300)),
					}, nil) {
						return
					}
				}
			}))
		}()
		waiting := func() bool {
			return one[int](p, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'customer'::regclass") == 1
		}
		eventually(t, name+": an import that waits", waiting)
		leave()
		if err := <-failed; err == nil {
			t.Errorf("%s: the import succeeded", name)
		}
		eventually(t, name+": the end of an import whose client has left", func() bool { return !waiting() })
		if err := holding.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](p, "SELECT count(*) FROM customer WHERE email = 'left@o.example'"); n != 0 {
		t.Errorf("%d rows were written", n)
	}
}

// TestImportAtOnce: two imports with the same lines do not see each other's rows, and none waits for the other.
func TestImportAtOnce(t *testing.T) {
	t.Parallel()
	p := sample(t)
	svc := pooled(p)
	before := one[int64](p, "SELECT count(*) FROM customer")
	results := make(chan error)
	const together = 4
	for i := range together {
		s := p.asOn(svc, "administrator1")
		go func() {
			var rows []gen.CustomerImportStageParams
			for line := range int64(1500) {
				rows = append(rows, gen.CustomerImportStageParams{Line: line + 1, Fullname: new("Zoé"), Email: new(fmt.Sprintf("z%d@o%d.example", line, i)), Commercial: new("commercial1")})
			}
			result, err := s.CustomerImport(t.Context(), byID, rowsOf(rows...))
			if err == nil && result.Added != 1500 {
				err = fmt.Errorf("%d were added", result.Added)
			}
			results <- err
		}()
	}
	for range together {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := one[int64](p, "SELECT count(*) FROM customer") - before; n != together*1500 {
		t.Errorf("%d customers", n)
	}
}
