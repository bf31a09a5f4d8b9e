package render

import (
	"strings"
	"testing"
)

// TestD6TextThatASpreadsheetChanges: it stands behind an apostrophe, and what is only text does not.
func TestD6TextThatASpreadsheetChanges(t *testing.T) {
	t.Parallel()
	type row struct {
		Text string `json:"text"`
	}
	for text, guarded := range map[string]bool{
		"14/07": true, "007": true, "3E10": true, "10:30": true, "1-2-3": true, "mars 2026": true, "50%": true, "1234567890123456789": true,
		"=1+1": true, "+33": true, "-2": true, "@SUM(A1)": true, "12 €": true, "1 234,56": true, "3 décembre": true, "lundi 3 août 2026": true,
		"10h30": true, "VRAI": true, "false": true, " 007 ": true, "2026-03-01T10:30": true, "1/2": true, "1.5": true, "#N/A": true,
		"12 rue de la Paix": false, "Étoile": false, "": false, "mars": false, "M6 Events": false, "Salle 3": false, "2e étage": false, "n° 1": false,
		"75001 Paris": false, "3D": false, "T1 2026": false, "vrai ami": false,
	} {
		o, out, _ := testOutput(t, "csv")
		o.Excel, o.NoHeader = true, true
		if err := List(o, Resource[row]{Name: "text", Title: "Texts"}, rowsOf([]row{{text}})); err != nil {
			t.Fatal(err)
		}
		cell := strings.TrimPrefix(strings.TrimSuffix(out.String(), "\r\n"), "\ufeff")
		if got := strings.HasPrefix(strings.TrimPrefix(cell, `"`), "'"); got != guarded {
			t.Errorf("%q is written as %s", text, cell)
		}
		o, out, _ = testOutput(t, "csv") // which is exact
		o.NoHeader = true
		if err := List(o, Resource[row]{Name: "text", Title: "Texts"}, rowsOf([]row{{text}})); err != nil || strings.Contains(out.String(), "'") {
			t.Errorf("%q is written as %s, %v", text, out, err)
		}
	}
}
