package service_test

import (
	"iter"
	"slices"
	"strings"
	"testing"

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
