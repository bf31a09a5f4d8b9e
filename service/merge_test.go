package service_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// secondEntry adds an entry in the charge of a commercial that has but an e-mail address, and returns its id.
func (p *env) secondEntry(commercial string) int64 {
	p.Helper()
	return one[int64](p, `INSERT INTO customer (fullname, commercial_id, email)
		SELECT 'Second', id, 'second@example.fr' FROM employee WHERE username = $1 RETURNING id`, commercial)
}

func merge(keep, drop int64) service.MergeParams {
	return service.MergeParams{CustomerMergeParams: gen.CustomerMergeParams{KeepID: keep, DropID: drop}}
}

// merged is what a merge returns but what it moved.
func merged(change service.Change[gen.CustomerView], _ []gen.CustomerMergeRow, err error) (service.Change[gen.CustomerView], error) {
	return change, err
}

// TestCustomerMerge: what refers to one entry refers to the other, which then has what it lacked; undone, all is as before.
func TestCustomerMerge(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s, administrator := p.as("commercial1"), p.as("administrator1")
	keep := p.secondEntry("commercial1")
	// Also what is changed no more.
	p.exec("UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE id = $1", ownUnsigned)
	p.exec("INSERT INTO note (by, customer_id, text) VALUES ('x', $1, 'Said')", ownCustomer)
	p.exec("INSERT INTO reminder (due_on, for_id, customer_id, text) SELECT '2031-01-02', min(id), $1, 'Call' FROM employee", ownCustomer)
	has := func(id int64) string {
		return one[string](p, "SELECT (SELECT count(*) FROM note WHERE customer_id = $1) || ' ' || (SELECT count(*) FROM reminder WHERE customer_id = $1)", id)
	}
	hadBefore := has(ownCustomer)
	contracts := one[int64](p, "SELECT count(*) FROM contract WHERE customer_id = $1", ownCustomer)
	gone := stored[gen.CustomerView](p, "customer_view", ownCustomer)
	before := checksum(t, p.conn)

	try := merge(keep, ownCustomer)
	try.DryRun = true
	tried, moved, err := s.CustomerMerge(ctx, try)
	if err != nil {
		t.Fatal(err)
	}
	if checksum(t, p.conn) != before {
		t.Error("a dry run changed something")
	}
	change, again, err := s.CustomerMerge(ctx, merge(keep, ownCustomer))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "what was tried", moved, again)
	same(t, "moved", moved[slices.IndexFunc(moved, func(row gen.CustomerMergeRow) bool { return row.Resource == "contract" })].Moved, contracts)
	same(t, "now", change.Now, stored[gen.CustomerView](p, "customer_view", keep))
	want := *change.Before
	want.Company, want.Phone, want.Address, want.UpdatedAt = gone.Company, gone.Phone, gone.Address, change.Now.UpdatedAt
	same(t, "now", change.Now, want)
	tried.Now.UpdatedAt = want.UpdatedAt
	same(t, "what was tried", tried.Now, want)
	if n := one[int64](p, "SELECT count(*) FROM contract WHERE customer_id = $1", keep); n != contracts {
		t.Errorf("%d contracts, want %d", n, contracts)
	}
	same(t, "notes and reminders", has(keep), hadBefore)
	p.refuses(failure.NotFound, "There is no customer 1.", func() error { return second(s.CustomerDetail(ctx, ownCustomer)) })
	p.refuses(failure.NotFound, "There is no customer 1.", func() error { return second(merged(s.CustomerMerge(ctx, merge(keep, ownCustomer)))) })

	// Undone, the other is back with its id and its contracts, and a merge that was undone can be made again.
	for range 2 {
		batch := one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id DESC LIMIT 1")
		for _, row := range must[[]gen.UndoRow](t)(administrator.Undo(ctx, gen.UndoParams{Batch: batch})) {
			if !row.Undone {
				t.Errorf("%+v", row)
			}
		}
	}
	if n := one[int64](p, "SELECT count(*) FROM customer WHERE id = $1", ownCustomer); n != 0 {
		t.Error("the undo of the undo did not merge")
	}
	undone := one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id DESC LIMIT 1")
	must[[]gen.UndoRow](t)(administrator.Undo(ctx, gen.UndoParams{Batch: undone}))
	back := stored[gen.CustomerView](p, "customer_view", ownCustomer)
	back.UpdatedAt = gone.UpdatedAt
	same(t, "who is back", back, gone)
	if n := one[int64](p, "SELECT count(*) FROM contract WHERE customer_id = $1", ownCustomer); n != contracts {
		t.Errorf("%d contracts are back, want %d", n, contracts)
	}
	same(t, "notes and reminders of who is back", has(ownCustomer), hadBefore)
	same(t, "notes and reminders of who was kept", has(keep), "0 0")
	kept := stored[gen.CustomerView](p, "customer_view", keep)
	kept.UpdatedAt = change.Before.UpdatedAt
	same(t, "who was kept", kept, *change.Before)
}

// TestCustomerMergeRefuses: one who is not there, one alone, one in the charge of another, and one who is out of the lists.
func TestCustomerMergeRefuses(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	own := p.secondEntry("commercial1")
	archived := p.secondEntry("commercial1")
	p.exec("UPDATE customer SET archived_at = now() WHERE id = $1", archived)
	commercial, administrator := p.as("commercial1"), p.as("administrator1")
	for _, refusal := range []struct {
		s          *service.Session
		keep, drop int64
		code       failure.Code
		message    string
	}{
		{administrator, own, own, failure.Usage, "Customer 15 is one already: name two."},
		{administrator, own, 99, failure.NotFound, "There is no customer 99."},
		{administrator, 99, own, failure.NotFound, "There is no customer 99."},
		{commercial, own, foreignCustomer, failure.PermissionDenied, "Customer 5 is in the charge of commercial2, not of commercial1."},
		{commercial, foreignCustomer, own, failure.PermissionDenied, "Customer 5 is in the charge of commercial2, not of commercial1."},
		{administrator, archived, own, failure.Conflict,
			"Customer 16 is archived and customer 15 is not: restore the first (crm customer restore 16), or keep the other."},
	} {
		for _, dryRun := range []bool{false, true} {
			params := merge(refusal.keep, refusal.drop)
			params.DryRun = dryRun
			p.refuses(refusal.code, refusal.message, func() error { return second(merged(refusal.s.CustomerMerge(ctx, params))) })
		}
	}
	// An administrator merges across commercials: who is kept stays in the charge of theirs.
	change := must[service.Change[gen.CustomerView]](t)(merged(administrator.CustomerMerge(ctx, merge(own, foreignCustomer))))
	if change.Now.Commercial != "commercial1" {
		t.Error(change.Now.Commercial)
	}
	must[service.Change[gen.CustomerView]](t)(merged(administrator.CustomerMerge(ctx, merge(own, archived))))
}

// TestMergeMovesEverything walks the catalogue: whatever refers to a customer is moved, also what was added since.
func TestMergeMovesEverything(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("CREATE TABLE visit (id bigint, host bigint REFERENCES customer (id), guest bigint REFERENCES customer (id) ON DELETE CASCADE, on_day date)")
	p.exec("INSERT INTO visit VALUES (1, $1, $2), (2, $2, $1)", ownCustomer, foreignCustomer)
	keep := p.secondEntry("commercial1")
	_, moved, err := p.as("administrator1").CustomerMerge(t.Context(), merge(keep, ownCustomer))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int64{}
	for _, row := range moved {
		names[row.Resource] = row.Moved
	}
	for _, table := range strings.Fields(one[string](p, `SELECT string_agg(DISTINCT conrelid::regclass::text, ' ') FROM pg_constraint
		WHERE contype = 'f' AND confrelid = 'customer'::regclass`)) {
		if _, ok := names[table]; !ok {
			t.Errorf("%s refers to customers, and a merge leaves it as it is", table)
		}
	}
	if names["visit"] != 2 || len(names) < 2 {
		t.Errorf("moved: %v", names)
	}
	if n := one[int](p, "SELECT count(*) FROM visit WHERE host = $1 OR guest = $1", keep); n != 2 {
		t.Errorf("%d visits", n)
	}
}

// TestMergeWhileContractIsAdded: a contract that is being added to the one who goes is moved too, and one that comes later
// finds nobody.
func TestMergeWhileContractIsAdded(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	keep := p.secondEntry("commercial1")
	contracts := one[int64](p, "SELECT count(*) FROM contract WHERE customer_id = $1", ownCustomer)
	s := p.as("administrator1")

	adding := must[pgx.Tx](t)(p.conn.Begin(ctx))
	if _, err := adding.Exec(ctx, "INSERT INTO contract (id, customer_id, total_amount) VALUES (gen_random_uuid(), $1, 100)", ownCustomer); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- second(merged(s.CustomerMerge(ctx, merge(keep, ownCustomer)))) }()
	p.waits(p.svcDB)
	if err := adding.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if n := one[int64](p, "SELECT count(*) FROM contract WHERE customer_id = $1", keep); n != contracts+1 {
		t.Errorf("%d contracts, want %d", n, contracts+1)
	}

	merging := must[pgx.Tx](t)(p.conn.Begin(ctx))
	third := p.secondEntry("commercial1")
	if _, err := merging.Exec(ctx, "SELECT merge_customers($1, $2, NULL)", third, keep); err != nil {
		t.Fatal(err)
	}
	go func() {
		result <- second(s.ContractAdd(ctx, gen.ContractAddParams{CustomerID: keep, TotalAmount: 100}))
	}()
	p.waits(p.svcDB)
	if err := merging.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	fails(t, failure.Conflict, "A contract belongs to an existing customer.", <-result)
}

// TestCustomerAddDuplicate: the same address in another case or the same number is told, unless that may be; the same name
// is nobody's business.
func TestCustomerAddDuplicate(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("commercial2")
	there := stored[gen.CustomerView](p, "customer_view", ownCustomer)
	who := "customer 1, " + there.Fullname + ", " + *there.Company + ", in the charge of commercial1"
	email, phone := strings.Replace(*there.Email, "johanna", "JOHANNA", 1), there.Phone
	for message, params := range map[string]gen.CustomerAddParams{
		"This customer may be there already: " + who + " (same e-mail address).":                      {Fullname: "Zoé", Email: &email},
		"This customer may be there already: " + who + " (same telephone number).":                    {Fullname: "Zoé", Phone: phone, Email: new("z@example.com")},
		"This customer may be there already: " + who + " (same e-mail address and telephone number).": {Fullname: "Zoé", Phone: phone, Email: &email},
	} {
		p.refuses(failure.Conflict, message, func() error {
			err := second(s.CustomerAdd(ctx, params))
			if failure.ReasonOf(err) != failure.Duplicate {
				t.Errorf("the reason is %q", failure.ReasonOf(err))
			}
			return err
		})
		params.AllowDuplicate = true
		id := must[gen.CustomerView](t)(now(s.CustomerAdd(ctx, params))).ID
		p.exec("DELETE FROM customer WHERE id = $1", id)
	}
	must[gen.CustomerView](t)(now(s.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: there.Fullname, Company: there.Company, Email: new("z@example.com")})))
	// Who is archived is told of too, and of many the first.
	p.exec("UPDATE customer SET archived_at = now() WHERE email = 'z@example.com'")
	archived := one[int64](p, "SELECT max(id) FROM customer")
	p.refuses(failure.Conflict, "This customer may be there already: customer "+fmt.Sprint(archived)+", "+there.Fullname+", "+*there.Company+
		", in the charge of commercial2, archived (same e-mail address).", func() error {
		return second(s.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: "Zoé", Email: new("Z@example.com")}))
	})
	p.exec("INSERT INTO customer (fullname, commercial_id, phone) SELECT 'Desk ' || n, id, '+33145670102' FROM employee, generate_series(1, 7) AS n WHERE username = 'commercial1'")
	err := second(s.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: "Zoé", Phone: new(value.Phone("+33145670102"))}))
	if message := failure.Of(err).Message; strings.Count(message, "Desk") != 5 || !strings.HasSuffix(message, "; and more.") {
		t.Error(message)
	}
}

// TestCustomersAddedAtOnce: of many who add the same customer at one time one does.
func TestCustomersAddedAtOnce(t *testing.T) {
	t.Parallel()
	p := sample(t)
	const many = 8
	errs := make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		s := p.asOn(service.New(p.connect(p.config), testKey), "commercial1")
		params := gen.CustomerAddParams{Fullname: "Zoé", Email: new("z@example.com"), Phone: new(value.Phone("+33145670102"))}
		if i%2 == 0 { // the two are locked in whatever order they are given
			params.Email = nil
		}
		all.Go(func() { errs[i] = second(s.CustomerAdd(context.WithoutCancel(t.Context()), params)) })
	}
	all.Wait()
	added := 0
	for _, err := range errs {
		if err == nil {
			added++
		} else if failure.ReasonOf(err) != failure.Duplicate {
			t.Error(err)
		}
	}
	if added != 1 {
		t.Errorf("%d were added", added)
	}
}
