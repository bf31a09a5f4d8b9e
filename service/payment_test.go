package service_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// TestPayersAndVoiders: while many pay and many void the payments of one contract, what is due is always the total less
// what is not void, each payment is voided by one of those who try, and a reference of the bank is one payment.
func TestPayersAndVoiders(t *testing.T) {
	t.Parallel()
	p := sample(t)
	const clients, rounds = 16, 4
	var group sync.WaitGroup
	var voided, created sync.Map
	for i := range clients {
		s := p.asOn(service.New(p.connect(p.config), testKey), []string{"commercial1", "administrator1"}[i%2])
		voiders := []*service.Session{
			p.asOn(service.New(p.connect(p.config), testKey), "administrator1"), p.asOn(service.New(p.connect(p.config), testKey), "administrator2"),
		}
		group.Go(func() {
			for round := range rounds {
				reference := "VIR " + string(rune('A'+round))
				paid, err := s.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 1000, Reference: &reference})
				if err != nil {
					t.Error(err)
					return
				}
				if paid.Now.Created {
					if _, twice := created.LoadOrStore(paid.Now.ID, true); twice {
						t.Errorf("%s was created twice", paid.Now.ID)
					}
				}
				if i%4 < 2 {
					continue
				}
				id := uuid.New()
				if _, err := s.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ID: id, ContractID: ownSigned, Amount: value.Cents(1 + i)}); err != nil {
					t.Error(err)
					return
				}
				var pair sync.WaitGroup
				for _, s := range voiders {
					pair.Go(func() {
						change, err := s.PaymentVoid(t.Context(), gen.PaymentVoidParams{ID: id, Reason: "a race"})
						if err != nil {
							t.Error(err)
							return
						}
						if change.Before.VoidedAt == nil {
							if _, twice := voided.LoadOrStore(id, true); twice {
								t.Errorf("%s was voided twice", id)
							}
						}
					})
				}
				pair.Wait()
			}
		})
	}
	group.Wait()
	if n := one[int](p, "SELECT count(*) FROM payment WHERE reference LIKE 'VIR _'"); n != rounds {
		t.Errorf("%d payments of %d references", n, rounds)
	}
	if n := one[int](p, "SELECT count(*) FROM payment WHERE void_reason = 'a race'"); n != clients/2*rounds {
		t.Errorf("%d are void", n)
	}
	if due := p.contract(ownSigned).TotalDue; due != 360_000-rounds*1000 {
		t.Errorf("due is %d", due)
	}
	// The history has each of them once: added, and voided.
	if n := one[int](p, `SELECT count(*) FROM change WHERE resource = 'payment' AND after ->> 'void_reason' = 'a race'`); n != clients/2*rounds {
		t.Errorf("the history has %d voided", n)
	}
	if n := one[int](p, `SELECT count(*) FROM change WHERE resource = 'payment' AND command = 'contract add-payment' AND before IS NULL`); n != clients/2*rounds+rounds {
		t.Errorf("the history has %d added", n)
	}
}

// TestUndoTogether: of two who undo the same batch at once, one does, and the other is told.
func TestUndoTogether(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	must[service.Change[gen.ContractView]](t)(s.ContractUpdate(t.Context(), gen.ContractUpdateParams{ID: ownSigned, TotalAmount: new(value.Cents(99_999_999))}))
	batch := one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id DESC LIMIT 1")
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		s := p.asOn(service.New(p.connect(p.config), testKey), "administrator2")
		group.Go(func() { _, errs[i] = s.Undo(t.Context(), gen.UndoParams{Batch: batch}) })
	}
	group.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if err.Error() != "This was undone already, by administrator2." {
			t.Error(err)
		}
	}
	if done != 1 || p.contract(ownSigned).TotalAmount != 720_000 {
		t.Errorf("%d undid it; the total is %d", done, p.contract(ownSigned).TotalAmount)
	}
}

// TestUndoOfMany: a batch of a thousand rows is undone but for those that were changed since, each of which is named.
func TestUndoOfMany(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(`INSERT INTO customer (fullname, commercial_id, email) SELECT 'Zoé ' || n, commercial_id, 'zoe@example.fr' FROM customer, generate_series(1, 1000) AS n WHERE id = 1`)
	p.exec(`UPDATE customer SET company = 'Zed' WHERE email = 'zoe@example.fr'`)
	batch := one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id DESC LIMIT 1")
	p.exec(`UPDATE customer SET phone = '+33145678901' WHERE fullname IN ('Zoé 7', 'Zoé 8'); UPDATE customer SET phone = NULL WHERE fullname = 'Zoé 8'`)
	s := p.as("administrator1")
	tried := must[[]gen.UndoRow](t)(s.Undo(t.Context(), gen.UndoParams{Batch: batch, DryRun: true}))
	if n := one[int](p, "SELECT count(*) FROM customer WHERE company = 'Zed'"); n != 1000 {
		t.Errorf("a dry run left %d", n)
	}
	rows := must[[]gen.UndoRow](t)(s.Undo(t.Context(), gen.UndoParams{Batch: batch}))
	same(t, "what was foretold", tried, rows)
	if len(rows) != 1000 || rows[0].Undone || rows[0].Name != "Zoé 7" || !rows[1].Undone {
		t.Errorf("%d rows, first %+v, then %+v", len(rows), rows[0], rows[1])
	}
	if n := one[int](p, "SELECT count(*) FROM customer WHERE company = 'Zed'"); n != 1 {
		t.Errorf("%d are left", n)
	}
	if n := one[int](p, "SELECT count(*) FROM change WHERE undoes = $1", batch); n != 999 {
		t.Errorf("the history has %d rows of the undo", n)
	}
}

// TestHintToPayAgain: who repeats a payment as they are told records all that was said of it.
func TestHintToPayAgain(t *testing.T) {
	t.Parallel()
	p := gen.ContractAddPaymentParams{ID: uuid.MustParse("0b7f2a86-6f2e-4a6f-9a0e-0d2a7f2f9c11"), ContractID: ownSigned, Amount: 123456}
	same(t, "hint", service.RepeatHint("ContractAddPayment", p),
		"crm contract add-payment "+ownSigned.String()+" --payment 1234.56 --payment-id "+p.ID.String()+" records it once, however often it is repeated")
	p.ReceivedOn, p.Method, p.Reference = new(value.Date("2026-11-02")), new(gen.PaymentMethodCheque), new("l'avance")
	same(t, "hint", service.RepeatHint("ContractAddPayment", p), "crm contract add-payment "+ownSigned.String()+
		" --payment 1234.56 --received 2026-11-02 --method cheque --reference 'l'\\''avance' --payment-id "+p.ID.String()+" records it once, however often it is repeated")
}
