//go:build spreadsheet

package render

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/internal/value"
)

// TestD6InLibreOffice opens what crm writes for a French spreadsheet in LibreOffice Calc, which takes it for whatever it
// can: every text is the text that it was, and amounts and days are numbers and dates. Also a text that is not guarded.
func TestD6InLibreOffice(t *testing.T) {
	if _, err := exec.LookPath("soffice"); err != nil {
		t.Fatal("LibreOffice Calc is needed for this test: apt-get install -y --no-install-recommends libreoffice-calc")
	}
	type row struct {
		Text   string      `json:"text"`
		Amount value.Cents `json:"amount"`
		Day    value.Date  `json:"day"`
		At     time.Time   `json:"at"`
	}
	var rows []row
	for text := range strings.Lines(spreadsheetTexts) {
		rows = append(rows, row{strings.TrimSuffix(text, "\n"), 123456, "2026-11-03", time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)})
	}
	o, out, _ := testOutput(t, "csv")
	o.Excel, o.NoHeader = true, true
	if err := List(o, Resource[row]{Name: "text", Title: "Texts"}, rowsOf(rows)); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "texts.csv"), out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// Of the filter: semicolons, quotes, UTF-8, from the first line, French, quoted fields too, everything is looked at.
	convert := exec.Command("soffice", "-env:UserInstallation=file://"+filepath.Join(folder, "profile"), "--headless",
		"--infilter=CSV:59,34,76,1,,1036,false,true", "--convert-to", "fods", "--outdir", folder, filepath.Join(folder, "texts.csv"))
	convert.Env = append(os.Environ(), "HOME="+folder)
	if said, err := convert.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	opened, err := os.ReadFile(filepath.Join(folder, "texts.fods"))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Rows []struct {
			Cells []struct {
				Type    string   `xml:"value-type,attr"`
				Value   string   `xml:"value,attr"`
				Date    string   `xml:"date-value,attr"`
				Formula string   `xml:"formula,attr"`
				Lines   []string `xml:"p"`
			} `xml:"table-cell"`
		} `xml:"body>spreadsheet>table>table-row"`
	}
	if err := xml.Unmarshal(opened, &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Rows) < len(rows) {
		t.Fatalf("%d rows of %d", len(document.Rows), len(rows))
	}
	for i, row := range rows {
		cells := document.Rows[i].Cells
		if len(cells) < 4 || cells[0].Type != "string" || cells[0].Formula != "" {
			t.Errorf("%q has become %+v", row.Text, cells)
			continue
		}
		if cells[1].Value != "1234.56" || cells[2].Date != "2026-11-03" || cells[3].Date != "2026-11-03T10:30:00" {
			t.Errorf("%q: amount, day and time are %+v", row.Text, cells[1:])
		}
	}
}

// spreadsheetTexts are texts, one a line, that look like dates, times, numbers or formulas, or nearly so.
const spreadsheetTexts = `12/2026
3 mars
mars-26
26-mars
10:30:15
1 000
0x10
1,5E3
TRUE
VRAI
½
１２
１４/０７
2026-03-01T10:30
2026-03-01T10:30:00
2026-03-01T10:30:00Z
2026-03-01 10:30
T1 2026
T1/26
12.5 %
(12)
-5-
1'000
1’000
$12
12$
12 F
12F
£12
12 £
¥12
12 €
€12
lun 3
lundi 3
1er mars 2026
1er mars
mars 26
ven. 3 mars 2026
vendredi 3 mars 2026
10h
10 h 30
10h30
10H30
10h30m
10 min
12 USD
12 CHF
CHF 12
#N/A
#REF!
#DIV/0!
1/2/3
1//2
1_000
٣
٣٤
1²
I
e5
1e5
1E+5
1d5
1D5
&H10
1 1/2
3/4
1 3/4
A1
12:00 AM
12 pm
12PM
12 p
31.12.
31.12.26
31.12.2026
1.1
1,1
,5
.5
5,
5.
2026年3月1日
3月1日
mars 2026
Mars-2026
MARS 2026
avr. 26
12 avr. 2026
12-avr
12/avr/2026
12 Août
24:00
25:61
1:2
10:30,5
10:30.5
-
1 -
1-
1+
+1
12 mars 1999 10:30
1E5%
50 %
50%
%50
1 234,56 €
1 234,56 EUR
EUR 12
12 Kč
12 kr
12zł
12 ₽
₹12
₺12
1;2
1 2 3
01 45 67 89 01
0145678901
01.45.67.89.01
01-45-67-89-01
2026
20260301
0007
 7
7 
	7
{1}
[1]
"7"
'7
1=1
12/13/2026
2026/3/1
26/3/1
1 janv
2 févr.
févr 2
sept 2026
jan 2026
may 5
5 may
1 jan
décembre 24
24 décembre
1ᵉ
①
Ⅻ
१२
۱۲
៣
一
二〇二六
ａ１
1‑2‑3
1–2
14⁄07
14∕07
1:2:3
1 E 5
1E 5
P1D
PT1H
1h
1 h
1 j
lundi
mars
mars-avril
12 mars-avril
AM
12 a
12:30a
12:30 am
1e-5
1E-5
0,1
0.1.2
1.2.3
1.2.3.4
192.168.1.1
12,34,56
1,234
1,234.56
1 234.56
`
