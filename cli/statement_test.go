package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/cli/intake"
	"github.com/epicevents/crm/internal/value"
)

// TestStatementsOfBanks reads files in the shapes in which French banks write them: what stands above the header, one
// column of labels or several, debits and credits or signs, days, encodings, separators.
func TestStatementsOfBanks(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	e.sql("UPDATE contract SET total_amount = 99999999 WHERE number = '2026-0004'") // nothing is matched by its amount
	for file, want := range map[string]struct{ lines, told string }{
		"two-columns.csv": {
			"11,2026-11-02,6900.50,VIREMENT EN VOTRE FAVEUR FADO & CO 2026-0003,2026-0003\n19,2026-11-04,450.00,VIREMENT EN VOTRE FAVEUR LYCÉE JEAN-MOULIN,\n",
			"two-columns.csv is not UTF-8, and read as Windows-1252.\n" +
				"Credited, 2 lines of 7 350.50 €: 1 matched (6 900.50 €), 0 recorded already (0.00 €), 1 to decide (450.00 €).\nDebited, 1 line of 3.18 €: not considered.\n",
		},
		"many-labels.csv": {
			"2,2026-11-02,1000.00,FADO & CO VIR SEPA FADO & CO A1B2C3 ACOMPTE 2026-0003,2026-0003\n",
			"Not taken: Type operation, Categorie, Sous categorie, Date operation, Date de valeur, Pointage operation.\n" +
				"Credited, 1 line of 1 000.00 €: 1 matched (1 000.00 €), 0 recorded already (0.00 €), 0 to decide (0.00 €).\nDebited, 1 line of 120.55 €: not considered.\n",
		},
		"signed-preamble.csv": {
			"8,2026-11-02,500.00,VIREMENT DE FADO & CO 2026-0003,2026-0003\n",
			"signed-preamble.csv is not UTF-8, and read as Windows-1252.\n" +
				"Credited, 1 line of 500.00 €: 1 matched (500.00 €), 0 recorded already (0.00 €), 0 to decide (0.00 €).\nDebited, 1 line of 12.30 €: not considered.\n",
		},
		"quoted-account.csv": {
			"4,2026-11-02,250.00,VIR RECU 9604881 VIR RECU 9604881985018 DE: FADO & CO MOTIF: 2026-0003,2026-0003\n",
			"quoted-account.csv is not UTF-8, and read as Windows-1252.\n" +
				"Credited, 1 line of 250.00 €: 1 matched (250.00 €), 0 recorded already (0.00 €), 0 to decide (0.00 €).\nDebited, 1 line of 12.30 €: not considered.\n",
		},
		"iso-dates.csv": {
			"2,2026-11-02,1234.56,VIR SEPA FADO & CO 2026-0003 fado,2026-0003\n",
			"Not taken: dateVal, category, categoryParent, accountNum, accountLabel, accountbalance.\n" +
				"Credited, 1 line of 1 234.56 €: 1 matched (1 234.56 €), 0 recorded already (0.00 €), 0 to decide (0.00 €).\nDebited, 1 line of 12.30 €: not considered.\n",
		},
		"short-years.csv": {
			"2,2026-11-02,75.00,VIR FADO & CO 2026-0003,2026-0003\n",
			"Not taken: Date de valeur, Solde.\n" +
				"Credited, 1 line of 75.00 €: 1 matched (75.00 €), 0 recorded already (0.00 €), 0 to decide (0.00 €).\nDebited, 1 line of 12.30 €: not considered.\n",
		},
	} {
		path, err := filepath.Abs(filepath.Join("testdata", "bank", file))
		if err != nil {
			t.Fatal(err)
		}
		r := e.crm("", "contract", "reconcile", path, "--fields", "line,date,amount,label,number", "-o", "csv", "--no-header")
		told, _, _ := strings.Cut(strings.ReplaceAll(r.err, filepath.Dir(path)+string(filepath.Separator), ""), "Nothing was changed.")
		if diff := cmp.Diff(want.lines+want.told, r.out+told); diff != "" {
			t.Errorf("%s (-want +crm):\n%s", file, diff)
		}
	}
}

// TestStatementAmounts: a sign before or behind, any space, and what is no amount.
func TestStatementAmounts(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]value.Cents{
		"1 234,56": 123456, "1\u00a0234,56": 123456, "1\u202f234,56 €": 123456, "+1234.5": 123450, "+ 12": 1200, "-12,30": -1230, "12,30-": -1230, "\u221212,30": -1230, "0,00": 0,
	} {
		if got, err := parseSigned(typed); err != nil || got != want {
			t.Errorf("%q: %d, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "-", "--1", "1.234,56", "1,234.56", "1,2,3", "+-1", "x", "1e3", "12,345"} {
		if got, err := parseSigned(typed); err == nil {
			t.Errorf("%q is %d", typed, got)
		}
	}
	for typed, want := range map[string]value.Date{"31/12/2026": "2026-12-31", "31/12/26": "2026-12-31", "2026-12-31": "2026-12-31", "31.12.2026": "2026-12-31", "31-12-2026": "2026-12-31"} {
		if got, err := parseBooked(typed); err != nil || got != want {
			t.Errorf("%q: %s, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "12/31/2026", "31/02/2026", "1/12/2026", "2026-13-01", "31/12", "today", "0001-01-01"} {
		if got, err := parseBooked(typed); err == nil {
			t.Errorf("%q is %s", typed, got)
		}
	}
}

// TestStatementSides: a debit is a debit however it is written, and what is neither is refused.
func TestStatementSides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header, cells string
		want          value.Cents
		isEntry, bad  bool
	}{
		{"Date|Libellé|Débit|Crédit", "01/11/2026|x|-5|", -500, true, false},
		{"Date|Libellé|Débit|Crédit", "01/11/2026|x|5|", -500, true, false},
		{"Date|Libellé|Débit|Crédit", "01/11/2026|x|0,00|5", 500, true, false},
		{"Date|Libellé|Débit|Crédit", "01/11/2026|x||-5", -500, true, false},
		{"Date|Libellé|Débit|Crédit", "01/11/2026|x|5|5", 0, true, true},
		{"Date|Libellé|Débit|Crédit", "01/11/2026|x||", 0, false, false},
		{"Date|Libellé|Débit|Crédit", "Total|x|5|5", 0, false, false},
		{"Date|Libellé|Débit|Crédit", "|Solde||5", 0, false, false},
		{"Date|Libellé|Débit|Crédit", "32/11/2026|x||5", 500, true, true},
		{"Date|Libellé|Montant|Sens", "01/11/2026|x|5|D", -500, true, false},
		{"Date|Libellé|Montant|Sens", "01/11/2026|x|5|Crédit", 500, true, false},
		{"Date|Libellé|Montant|Sens", "01/11/2026|x|-5|débit", -500, true, false},
		{"Date|Libellé|Montant|Sens", "01/11/2026|x|5|?", 500, true, true},
		{"Date|Libellé|Montant|Devise", "01/11/2026|x|5|EUR", 500, true, false},
		{"Date|Libellé|Montant|Devise", "01/11/2026|x|5|CHF", 500, true, true},
		{"Date|Libellé|Montant|contract", "01/11/2026|x|5|2026", 500, true, true},
		{"Date|Libellé|Montant|occurrence", "01/11/2026|x|5|0", 500, true, true},
	} {
		s := takenOf(strings.Split(c.header, "|"), nil)
		s.Source = &intake.Source{Comma: ';'}
		e, problems := s.read(intake.Record{Line: 2, Cells: strings.Split(c.cells, "|")})
		if e.isEntry != c.isEntry || (len(problems) > 0) != c.bad || c.isEntry && !c.bad && e.Amount != c.want {
			t.Errorf("%s: %s is %d, %t, %v", c.header, c.cells, e.Amount, e.isEntry, problems)
		}
	}
}
