package service_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// credit is a line of a statement of 2 November 2026.
func credit(line int64, amount value.Cents, label string) gen.ContractReconcileStageParams {
	return gen.ContractReconcileStageParams{Line: line, BookedOn: "2026-11-02", Amount: amount, Label: label}
}

// TestReconcileDecides: what leaves no doubt is matched, and each rule has what it does not let pass. The sample data owe
// 6900.50 of 2026-0003 (Fado & Co), 3600.00 of 2026-0005 and 21000.00 of 2026-0018 (Brasserie de l'Étoile), 450.00 of
// 2026-0004 (Lycée Jean-Moulin), 11700.00 of 2026-0010 and 7375.00 of 2026-0020 (Théâtre du Châtelain).
func TestReconcileDecides(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(`UPDATE customer SET company = 'Étoile' WHERE company IS NULL;
		INSERT INTO contract (customer_id, total_amount, signed_at, created_at)
		SELECT customer_id, 737500, now(), '2026-11-01' FROM contract WHERE number = '2026-0020';
		INSERT INTO contract (number, customer_id, total_amount, signed_at)
		SELECT made.number, customer_id, 99900, now() FROM contract, (VALUES ('2026-1103'), ('2025-0001')) AS made (number) WHERE contract.number = '2026-0003';
		UPDATE contract SET cancelled_at = now(), cancel_reason = 'Over' WHERE number = '2026-0019'`)
	s := p.as("administrator1")
	const (
		nothing = "The label has no number of a contract and no company."
		number  = "The label has the number."
	)
	for _, c := range []struct {
		amount value.Cents
		label  string
		number string // empty: to decide
		why    string
	}{
		{100, "VIR 2026-0005", "2026-0005", number},
		{100, "VIR N°2026‑0005.", "2026-0005", number}, // a hyphen that does not break
		{100, "FAC2026-0005/FEVRIER", "2026-0005", number},
		{100, "VIR 2026-00055", "", "There is no contract 2026-00055."},
		{100, "VIR 12026-0005", "", nothing},
		{100, "VIR 75-2026-0005", "", nothing},
		{100, "VIR 2026-0005-12", "", nothing},
		{100, "VIR 2026-05-12", "", nothing},
		{100, "VIR 2026-9999 BRASSERIE DE L'ETOILE", "", "There is no contract 2026-9999."},
		{100, "VIR 2026-0005 2026-0010", "", "The label has several numbers: 2026-0005, 2026-0010."},
		{100, "VIR 2026-0005 REF 2026-0005", "2026-0005", number},
		{100, "VIR 2026-0019", "", "Contract 2026-0019 is cancelled."},
		{100, "VIR 2026-0001", "", "Contract 2026-0001 is paid."},
		{360_001, "VIR 2026-0005", "", "It is more than what is due of 2026-0005: 3 600.00 €."},
		{360_000, "VIR 2026-0005", "2026-0005", number},
		{100, "VIR 2026-0007", "2026-0007", number}, // not signed: a payment may come before
		// As a bank writes it: the amount or the company agrees.
		{360_000, "VIR 20260005", "2026-0005", "The label has the number, and that is what is due."},
		{360_000, "VIR 2026 0005", "2026-0005", "The label has the number, and that is what is due."},
		{100, "VIR 20260005", "", "It may be meant for 2026-0005, of which another amount is due."},
		{100, "VIR 2026/0005 BRASSERIE DE L ETOILE", "2026-0005", "The label has the number and the company."},
		{100, "VIR 2026 0005 FADO CO", "", "It may be meant for 2026-0005, of which another amount is due."},
		{100, "VIR FR76 3000 2026 0005 1234 BRASSERIE DE L ETOILE", "", "No contract of that company owes just this."},
		{360_000, "VIR 20260005AB", "", nothing},
		{99_900, "VIR 20261103", "2026-1103", "The label has the number, and that is what is due."},
		{100, "FADO & CO LE 20261103", "", "It may be meant for 2026-1103, of which another amount is due."}, // or a day
		// By the company and exactly what is due.
		{690_050, "VIR FADO & CO", "2026-0003", "The label has the company, and that is what is due."},
		{690_050, "VIR DE:FADO-CO,LISBOA", "2026-0003", "The label has the company, and that is what is due."},
		{690_049, "VIR FADO & CO", "", "No contract of that company owes just this."},
		{690_050, "VIR FADO", "", nothing},
		{690_050, "VIR FADOS & CO", "", nothing},
		{690_050, "VIR FADO CO LYCEE JEAN MOULIN", "", "The label has several companies."},
		{45_000, "VIR LYCEE JEAN-MOULIN", "2026-0004", "The label has the company, and that is what is due."},
		{737_500, "THEATRE DU CHATELAIN", "", "Several contracts of that company owe this: 2026-0020, 2026-0021."},
		{2_100_000, "BRASSERIE DE L'ÉTOILE", "2026-0018", "The label has the company, and that is what is due."}, // of which Étoile is a part
		{865_000, "BRASSERIE DE L'ÉTOILE", "", "No contract of that company owes just this."},                    // but Étoile
		{310_000, "BÄCKEREI WEISS", "", "No contract of that company owes just this."},                           // not signed
		{99_900, "FADO CO", "", "Several contracts of that company owe this: 2025-0001, 2026-1103."},
		{1, "", "", nothing},
	} {
		result, err := s.ContractReconcile(t.Context(), service.ReconcileParams{}, rowsOf(credit(7, c.amount, c.label)))
		if err != nil || result.Written || result.Batch != nil || len(result.Lines) != 1 {
			t.Errorf("%q: %+v, %v", c.label, result, err)
			continue
		}
		got := result.Lines[0]
		if number := deref(got.Number); number != c.number || got.Why != c.why || (got.Outcome == gen.StatementOutcomeMatched) != (c.number != "") {
			t.Errorf("%d %q: %s, %q, %q", c.amount, c.label, got.Outcome, number, got.Why)
		}
	}
	if n := one[int64](p, "SELECT count(*) FROM payment WHERE reference LIKE 'bank-%'"); n != 0 {
		t.Errorf("%d payments without --apply", n)
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestReconcileTogether: lines of one statement that pay the same contract, are equal, or are there twice.
func TestReconcileTogether(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	apply := func(rows ...gen.ContractReconcileStageParams) (outcomes []string) {
		t.Helper()
		for _, line := range must[service.ReconcileResult](t)(s.ContractReconcile(t.Context(), service.ReconcileParams{Apply: true}, rowsOf(rows...))).Lines {
			outcomes = append(outcomes, fmt.Sprintf("%d %s %s", line.Line, line.Outcome, deref(line.Number)))
		}
		return outcomes
	}
	late := credit(2, 100_000, "VIR 2026-0005")
	late.BookedOn = "2026-11-03"
	again := func(line, which int64) gen.ContractReconcileStageParams {
		row := credit(line, 100_000, "VIR 2026-0005")
		row.Occurrence = &which
		return row
	}
	statement := []gen.ContractReconcileStageParams{
		late, // the other three were booked before, and are as much as is due
		credit(3, 100_000, "VIR 2026-0005"), credit(4, 100_000, "VIR 2026-0005"), credit(5, 160_000, "VIR 2026-0005"),
		credit(6, 45_000, "LYCEE JEAN MOULIN"), credit(7, 45_000, "VIR LYCEE JEAN MOULIN"), // once is enough
		credit(8, 690_050, "FADO CO"), credit(9, 50, "2026-0003"), // and 6900.00 is due when the number was counted
	}
	want := []string{"2 undecided ", "3 matched 2026-0005", "4 matched 2026-0005", "5 matched 2026-0005", "6 matched 2026-0004", "7 undecided ", "8 undecided ", "9 matched 2026-0003"}
	same(t, "first", apply(statement...), want)
	for i := range want {
		want[i] = strings.Replace(want[i], "matched", "recorded", 1)
	}
	same(t, "second", apply(statement...), want)
	same(t, "one of two", apply(again(2, 2)), []string{"2 recorded 2026-0005"})
	same(t, "a third", apply(again(2, 3)), []string{"2 undecided "})
	same(t, "the same twice", apply(again(2, 1), again(3, 1)), []string{"2 recorded 2026-0005", "3 undecided "})
	named := credit(2, 690_000, "WHO KNOWS")
	named.Named = new("2026-0003")
	same(t, "named", apply(named), []string{"2 matched 2026-0003"})
	named.Named = nil
	same(t, "and known by its label", apply(named), []string{"2 recorded 2026-0003"})
	future := credit(2, 1, "2026-0013")
	future.BookedOn = "2199-01-01"
	same(t, "future", apply(future), []string{"2 undecided "})
	unsorted := []gen.ContractReconcileStageParams{credit(3, 1, "x"), credit(2, 1, "x")}
	p.refuses(failure.Usage, "The lines of an import increase.", func() error {
		return second(s.ContractReconcile(t.Context(), service.ReconcileParams{}, rowsOf(unsorted...)))
	})
	if n := one[int64](p, "SELECT count(*) FROM statement_line"); n != 0 {
		t.Errorf("%d lines were left where they waited", n)
	}
}

// TestReconcileTakenBack: all of a run is one batch. What an undo took back may be recorded anew, what somebody voided is
// for somebody to decide.
func TestReconcileTakenBack(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	run := func() service.ReconcileResult {
		t.Helper()
		return must[service.ReconcileResult](t)(s.ContractReconcile(t.Context(), service.ReconcileParams{Apply: true}, rowsOf(credit(2, 100, "2026-0005"), credit(3, 100, "2026-0003"))))
	}
	first := run()
	if undone := must[[]gen.UndoRow](t)(s.Undo(t.Context(), gen.UndoParams{Batch: *first.Batch})); len(undone) != 2 || !undone[0].Undone {
		t.Fatalf("%+v", undone)
	}
	if second := run(); second.Batch == nil || second.Lines[0].Outcome != gen.StatementOutcomeMatched {
		t.Errorf("after the undo: %+v", second)
	}
	p.exec("UPDATE payment SET voided_at = now(), voided_by = 'administrator1', void_reason = 'Not ours' WHERE voided_at IS NULL AND reference LIKE 'bank-%'")
	if third := run(); third.Batch != nil || third.Lines[1].Why != "Its payment was voided, of 2026-0003: Not ours" {
		t.Errorf("after a void: %+v", third)
	}
	named := credit(2, 100, "2026-0005")
	named.Named = new("2026-0003")
	if result, err := s.ContractReconcile(t.Context(), service.ReconcileParams{Apply: true}, rowsOf(named)); err != nil || result.Batch == nil {
		t.Errorf("named by hand: %+v, %v", result, err)
	}
}

// TestReconcileAddsUp: of any statement, what is matched and what is undecided is what was credited; no contract is paid
// more than was due of it; and a second run changes nothing, nor does one of a part of it.
func TestReconcileAddsUp(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	var labels []string
	for n := range 22 {
		labels = append(labels, fmt.Sprintf("2026-%04d", n), fmt.Sprintf("2026 %04d", n), fmt.Sprintf("2026%04d", n))
	}
	labels = append(labels, "FADO CO", "BRASSERIE DE L ETOILE", "LYCEE JEAN MOULIN", "THEATRE DU CHATELAIN", "SKI CLUB DU LEMAN", "VIR", "CLINIQUE SAINT ANDRE")
	dues := []value.Cents{690_050, 360_000, 45_000, 1_170_000, 737_500, 504_000, 2_100_000, 1_020_000}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		var rows []gen.ContractReconcileStageParams
		for line := range int64(40) {
			row := credit(line+2, value.Cents(1+random.IntN(200_000)), labels[random.IntN(len(labels))])
			if random.IntN(2) == 0 {
				row.Amount = dues[random.IntN(len(dues))]
			}
			if random.IntN(3) == 0 {
				row.Label += " " + labels[random.IntN(len(labels))]
			}
			row.BookedOn = value.Date(fmt.Sprintf("2026-11-%02d", 1+random.IntN(20)))
			rows = append(rows, row)
			if random.IntN(5) == 0 {
				rows[len(rows)-1] = rows[random.IntN(len(rows))] // an equal one
				rows[len(rows)-1].Line = row.Line
			}
		}
		paid := one[int64](p, "SELECT sum(paid_amount) FROM contract")
		seen := must[service.ReconcileResult](t)(s.ContractReconcile(t.Context(), service.ReconcileParams{}, rowsOf(rows...)))
		result := must[service.ReconcileResult](t)(s.ContractReconcile(t.Context(), service.ReconcileParams{Apply: true}, rowsOf(rows...)))
		same(t, "what is shown and what is done", result.Lines, seen.Lines)
		var credited, told, matched value.Cents
		for i, line := range result.Lines {
			credited += rows[i].Amount
			told += line.Amount
			if line.Outcome == gen.StatementOutcomeMatched {
				matched += line.Amount
			}
		}
		if now := one[int64](p, "SELECT sum(paid_amount) FROM contract"); credited != told || now-paid != int64(matched) {
			t.Fatalf("%d credited, %d told, %d matched, %d paid", credited, told, matched, now-paid)
		}
		again := must[service.ReconcileResult](t)(s.ContractReconcile(t.Context(), service.ReconcileParams{Apply: true}, rowsOf(rows...)))
		for i, line := range again.Lines {
			if was := result.Lines[i]; line.Outcome == gen.StatementOutcomeMatched || (was.Outcome == gen.StatementOutcomeUndecided) != (line.Outcome == gen.StatementOutcomeUndecided) {
				t.Errorf("%+v became %+v", was, line)
			}
		}
		part := slices.Clone(rows)
		part = slices.DeleteFunc(part, func(row gen.ContractReconcileStageParams) bool { return row.BookedOn < "2026-11-11" })
		for _, line := range must[service.ReconcileResult](t)(s.ContractReconcile(t.Context(), service.ReconcileParams{Apply: true}, rowsOf(part...))).Lines {
			if line.Outcome == gen.StatementOutcomeMatched && again.Lines[line.Line-2].Outcome == gen.StatementOutcomeRecorded {
				t.Errorf("%+v was recorded before", line)
			}
		}
		p.exec("ALTER TABLE payment DISABLE TRIGGER payment_stays; DELETE FROM payment WHERE reference LIKE 'bank-%'; ALTER TABLE payment ENABLE TRIGGER payment_stays")
	}
}

// TestReconcileAtOnce: of several who bring the same statement, each line is recorded by one.
func TestReconcileAtOnce(t *testing.T) {
	t.Parallel()
	p := sample(t)
	svc := pooled(p)
	open := one[uuid.UUID](p, "SELECT id FROM contract WHERE number = '2026-0018'")
	var rows []gen.ContractReconcileStageParams
	for line := range int64(30) {
		rows = append(rows, credit(line+2, 1000+value.Cents(line/2), "VIR 2026-0018"))
	}
	var wait sync.WaitGroup
	for range 6 {
		s := p.asOn(svc, "administrator1")
		wait.Go(func() {
			if _, err := s.ContractReconcile(t.Context(), service.ReconcileParams{Apply: true}, rowsOf(rows...)); err != nil {
				t.Error(err)
			}
		})
	}
	for range 20 { // while the contract is paid otherwise
		s := p.asOn(svc, "administrator1")
		wait.Go(func() {
			if _, err := s.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: open, Amount: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := one[int64](p, "SELECT count(*) FROM payment WHERE reference LIKE 'bank-%'"); n != 30 {
		t.Errorf("%d payments", n)
	}
}
