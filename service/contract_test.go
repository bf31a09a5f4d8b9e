package service_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

const (
	overpaid    = "The payments would exceed the total amount: "
	badTotal    = "A total amount is between 0 and 999 999 999.99 €."
	foreignHint = "The customer of contract b0f94adc-0ac3-46cb-bb52-cecbf41673e5 is in the charge of commercial2, not of commercial1."
)

var missing = uuid.MustParse("4711aaaa-0000-4000-8000-000000000000")

const missingContract = "There is no contract 4711aaaa-0000-4000-8000-000000000000."

func (p *env) contract(id uuid.UUID) gen.ContractView {
	p.Helper()
	return stored[gen.ContractView](p, "contract_view", id)
}

func TestContractDetail(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("none1")
	same(t, "contract", must[gen.ContractView](t)(s.ContractDetail(t.Context(), ownSigned)), p.contract(ownSigned))
	p.refuses(failure.NotFound, missingContract, func() error { return second(s.ContractDetail(t.Context(), missing)) })
}

func TestContractFind(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(`INSERT INTO contract (id, customer_id, total_amount) VALUES
		('abcdef01-0000-4000-8000-000000000001', 1, 1), ('abcdef01-0000-4000-8000-000000000002', 1, 1)`)
	s := p.as("none1")
	for typed, want := range map[string]string{
		"b1fca6":                               ownSigned.String(),
		"B1FCA6DE-884D":                        ownSigned.String(),
		" b1fca6de\n":                          ownSigned.String(),
		"AB0469a5-c2ba-4ff7-b9d4-9080df2db07e": "ab0469a5-c2ba-4ff7-b9d4-9080df2db07e",
		"abcdef01-0000-4000-8000-000000000002": "abcdef01-0000-4000-8000-000000000002",
		missing.String():                       missing.String(), // a whole id is not looked up
	} {
		if got, err := s.ContractFind(t.Context(), typed); err != nil || got.String() != want {
			t.Errorf("ContractFind(%q) = %s, %v; want %s", typed, got, err, want)
		}
	}
	for typed, want := range map[string]struct {
		code    failure.Code
		message string
	}{
		" abcdef01 ": {failure.Usage, "abcdef01 may be any of abcdef01-0000-4000-8000-000000000001, abcdef01-0000-4000-8000-000000000002."},
		"abcdef":     {failure.Usage, "abcdef may be any of abcdef01-0000-4000-8000-000000000001, abcdef01-0000-4000-8000-000000000002."},
		"999999\n":   {failure.NotFound, "There is no contract 999999."},
		"abcde":      {failure.Usage, ""},
		"b1fca":      {failure.Usage, ""},
		"":           {failure.Usage, ""},
		"b1fca6%":    {failure.Usage, ""},
	} {
		p.refuses(want.code, want.message, func() error { return second(s.ContractFind(t.Context(), typed)) })
	}
}

func TestContractAdd(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	add := func(customer int64, amount value.Cents) (gen.ContractView, error) {
		return now(s.ContractAdd(t.Context(), gen.ContractAddParams{CustomerID: customer, TotalAmount: amount}))
	}
	for _, amount := range []value.Cents{0, 29, 99_999_999_999} {
		row := must[gen.ContractView](t)(add(ownCustomer, amount))
		same(t, "contract", row, p.contract(row.ID))
		same(t, "contract", row, gen.ContractView{ID: row.ID, CustomerID: ownCustomer, Customer: "Johanna Baker", Company: new("Marsh & Fils"),
			CommercialID: row.CommercialID, Commercial: "commercial1", CommercialFullname: "Désiré Fontaine", Status: gen.ContractStatusDraft,
			Number: row.Number, TotalAmount: amount, TotalDue: amount, CreatedAt: row.CreatedAt, UpdatedAt: row.CreatedAt})
	}
	p.refuses(failure.NotFound, "There is no customer 4711.", func() error { return second(add(4711, 1)) })
	p.refuses(failure.Conflict, badTotal, func() error { return second(add(ownCustomer, -1)) })
	p.refuses(failure.Conflict, badTotal, func() error { return second(add(ownCustomer, 100_000_000_000)) })
}

func TestContractUpdate(t *testing.T) {
	t.Parallel()
	p := sample(t)
	administrator, commercial := p.as("administrator1"), p.as("commercial1")
	update := func(s *service.Session, id uuid.UUID, total *value.Cents, customer *int64) (gen.ContractView, error) {
		return now(s.ContractUpdate(t.Context(), gen.ContractUpdateParams{ID: id, TotalAmount: total, CustomerID: customer}))
	}
	id := func(n int64) *int64 { return &n }
	cents := func(n value.Cents) *value.Cents { return &n }

	want := p.contract(ownSigned)
	want.TotalAmount, want.TotalDue = 360_000, 0
	row := must[gen.ContractView](t)(update(commercial, ownSigned, cents(360_000), nil))
	want.Status, want.UpdatedAt = gen.ContractStatusPaid, row.UpdatedAt
	same(t, "contract", row, want)
	same(t, "contract", row, p.contract(ownSigned))
	row = must[gen.ContractView](t)(update(commercial, ownSigned, nil, id(2))) // another customer of commercial1
	if same(t, "contract", row, p.contract(ownSigned)); row.CustomerID != 2 || row.TotalAmount != 360_000 {
		t.Errorf("moved: %+v", row)
	}

	for _, s := range []*service.Session{commercial, administrator} {
		p.refuses(failure.Conflict, overpaid+"3 600.00 € is paid.", func() error { return second(update(s, ownSigned, cents(359_999), nil)) })
		p.refuses(failure.Conflict, badTotal, func() error { return second(update(s, ownSigned, cents(100_000_000_000), nil)) })
		p.refuses(failure.NotFound, missingContract, func() error { return second(update(s, missing, cents(1), nil)) })
		p.refuses(failure.NotFound, missingContract, func() error { return second(update(s, missing, nil, id(1))) })
		p.refuses(failure.NotFound, missingContract, func() error { return second(update(s, missing, nil, id(4711))) })
		p.refuses(failure.NotFound, "There is no customer 4711.", func() error { return second(update(s, ownSigned, nil, id(4711))) })
	}
	p.refuses(failure.PermissionDenied, foreignHint, func() error { return second(update(commercial, foreignSigned, cents(999_999), nil)) })
	p.refuses(failure.PermissionDenied, foreignHint, func() error { return second(update(commercial, foreignSigned, nil, id(ownCustomer))) })
	p.refuses(failure.PermissionDenied, foreignHint, func() error { return second(update(commercial, foreignSigned, nil, id(4711))) })
	p.refuses(failure.PermissionDenied, "Customer 5 is in the charge of commercial2, not of commercial1.", func() error {
		return second(update(commercial, ownSigned, cents(400_000), id(foreignCustomer)))
	})

	row = must[gen.ContractView](t)(update(administrator, foreignSigned, cents(999_999), id(ownCustomer)))
	if same(t, "contract", row, p.contract(foreignSigned)); row.Commercial != "commercial1" || row.TotalAmount != 999_999 {
		t.Errorf("moved: %+v", row)
	}
}

func TestContractSign(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	commercial, administrator := p.as("commercial1"), p.as("administrator1")
	before := p.contract(ownUnsigned)
	change := must[service.Change[gen.ContractView]](t)(commercial.ContractSign(ctx, ownUnsigned))
	row := change.Now
	if same(t, "before", *change.Before, before); !row.Signed || row.SignedAt == nil || time.Since(*row.SignedAt) > time.Minute {
		t.Fatalf("signed: %+v", row)
	}
	same(t, "contract", row, p.contract(ownUnsigned))

	for _, s := range []*service.Session{commercial, administrator} {
		before := checksum(t, p.conn)
		again := must[service.Change[gen.ContractView]](t)(s.ContractSign(ctx, ownUnsigned))
		if checksum(t, p.conn) != before {
			t.Error("signed again")
		}
		same(t, "change", again, service.Change[gen.ContractView]{Before: &row, Now: row})
		p.refuses(failure.NotFound, missingContract, func() error { return second(s.ContractSign(ctx, missing)) })
	}
	p.refuses(failure.PermissionDenied, foreignHint, func() error { return second(commercial.ContractSign(ctx, foreignSigned)) })
}

func TestContractSignParallel(t *testing.T) {
	t.Parallel()
	p := sample(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	var dates []time.Time
	signed := 0
	for range 8 {
		s := p.asOn(service.New(p.connect(p.config), testKey), "commercial1")
		group.Go(func() {
			change, err := s.ContractSign(t.Context(), ownUnsigned)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			if dates = append(dates, *change.Now.SignedAt); !change.Before.Signed {
				signed++
			}
		})
	}
	group.Wait()
	if len(slices.CompactFunc(dates, time.Time.Equal)) != 1 || signed != 1 {
		t.Errorf("%d signed, at %v", signed, dates)
	}
}

func TestContractAddPayment(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	commercial, administrator := p.as("commercial1"), p.as("administrator1")
	pay := func(s *service.Session, id, contract uuid.UUID, amount value.Cents) (service.RecordedPayment, error) {
		return now(s.ContractAddPayment(ctx, gen.ContractAddPaymentParams{ID: id, ContractID: contract, Amount: amount, AsUsername: "somebody"}))
	}
	id := uuid.New()
	payment := must[service.RecordedPayment](t)(pay(commercial, id, ownSigned, 29))
	want := stored[gen.PaymentView](p, "payment_view", id)
	contract := p.contract(ownSigned)
	same(t, "payment", payment, service.RecordedPayment{
		ReceivedOn: value.DateOf(time.Now()),
		ID:         id, Contract: ownSigned, Number: contract.Number, Customer: contract.Customer, Company: contract.Company, Amount: 29, RecordedBy: "commercial1",
		RecordedByID: new(commercial.EmployeeID()), RecordedAt: want.RecordedAt, Created: true, TotalDue: 359_971})
	if due := contract.TotalDue; due != 359_971 {
		t.Errorf("due is %d", due)
	}

	// Repeated, by whomever, it answers the same and adds nothing.
	for _, s := range []*service.Session{commercial, administrator} {
		before := checksum(t, p.conn)
		again := must[service.RecordedPayment](t)(pay(s, id, ownSigned, 29))
		repeated := payment
		repeated.Created = false
		same(t, "repeated payment", again, repeated)
		if checksum(t, p.conn) != before {
			t.Error("a repeated payment changed rows")
		}
		other := fmt.Sprintf("Payment %s is recorded already, with another amount or contract.", id)
		p.refuses(failure.Conflict, other, func() error { return second(pay(s, id, ownSigned, 30)) })
		p.refuses(failure.Conflict, other, func() error { return second(pay(s, id, ownUnsigned, 29)) })
		p.refuses(failure.Conflict, overpaid+"3 599.71 € is due.", func() error { return second(pay(s, uuid.New(), ownSigned, 359_972)) })
		p.refuses(failure.Conflict, "A payment is more than zero.", func() error { return second(pay(s, uuid.New(), ownSigned, 0)) })
		p.refuses(failure.Conflict, "A payment is more than zero.", func() error { return second(pay(s, uuid.New(), ownSigned, -1)) })
		p.refuses(failure.Usage, "The database cannot store this value.", func() error { return second(pay(s, uuid.New(), ownSigned, 1<<63-1)) })
		p.refuses(failure.NotFound, missingContract, func() error { return second(pay(s, uuid.New(), missing, 1)) })
		p.refuses(failure.NotFound, missingContract, func() error { return second(pay(s, id, missing, 29)) })
	}
	p.refuses(failure.PermissionDenied, foreignHint, func() error { return second(pay(commercial, uuid.New(), foreignSigned, 1)) })
	p.refuses(failure.PermissionDenied, foreignHint, func() error { return second(pay(commercial, id, foreignSigned, 29)) })

	// To the last cent, and the repeat of a payment works when nothing is due any more.
	must[service.RecordedPayment](t)(pay(administrator, uuid.New(), ownSigned, 359_971))
	if again := must[service.RecordedPayment](t)(pay(commercial, id, ownSigned, 29)); again.Created || again.TotalDue != 0 {
		t.Errorf("repeated: %+v", again)
	}
	p.refuses(failure.Conflict, overpaid+"0.00 € is due.", func() error { return second(pay(commercial, uuid.New(), ownSigned, 1)) })

	payments := must[[]gen.PaymentView](t)(all(commercial.PaymentList(ctx, gen.PaymentListParams{ContractID: new(ownSigned)})))
	if len(payments) != 3 || !slices.ContainsFunc(payments, func(p gen.PaymentView) bool { return cmp.Equal(p, want) }) {
		t.Errorf("payments: %+v", payments)
	}
}

// TestPaymentKeepsItsRecorder through changes of usernames, even when a colleague has the name now.
func TestPaymentKeepsItsRecorder(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("administrator1")
	rename := func(from, to string) {
		t.Helper()
		must[gen.EmployeeView](t)(now(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: &from, Username: &to})))
	}
	rename("administrator2", "aside")
	rename("administrator1", "administrator2")
	payment := must[service.RecordedPayment](t)(now(s.ContractAddPayment(ctx,
		gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 1, AsEmployeeID: 999})))
	rename("administrator2", "administrator1")
	rename("aside", "administrator2")
	kept := stored[gen.PaymentView](p, "payment_view", payment.ID)
	if kept.RecordedBy != "administrator2" || kept.RecordedByID == nil || *kept.RecordedByID != s.EmployeeID() {
		t.Errorf("recorded by %s, who is %v", kept.RecordedBy, kept.RecordedByID)
	}
}

// TestContractAddPaymentParallel: the same payment at once is one payment, and different ones are all kept.
func TestContractAddPaymentParallel(t *testing.T) {
	t.Parallel()
	p := sample(t)
	const clients = 16
	repeated := uuid.New()
	created := make([]bool, clients)
	var group sync.WaitGroup
	for i := range clients {
		s := p.asOn(service.New(p.connect(p.config), testKey), []string{"commercial1", "administrator1"}[i%2])
		group.Go(func() {
			payment, err := s.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ID: repeated, ContractID: ownSigned, Amount: 1000})
			if err != nil {
				t.Error(err)
			}
			created[i] = payment.Now.Created
			if _, err := s.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	rows := one[int](p, "SELECT count(*) FROM payment WHERE id = $1", repeated)
	if first := strings.Count(fmt.Sprint(created), "true"); rows != 1 || first != 1 {
		t.Errorf("%d rows, %d say they made it, want 1", rows, first)
	}
	if due := p.contract(ownSigned).TotalDue; due != 360_000-1000-clients {
		t.Errorf("due is %d", due)
	}
}
