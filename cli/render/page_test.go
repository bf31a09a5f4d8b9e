package render

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"github.com/epicevents/crm/internal/value"
)

// pageRowOfTest is a row of a report.
type pageRowOfTest struct {
	Name   string `json:"name"`
	Pieces int64  `json:"pieces"`
	Amount int64  `json:"amount"`
}

type amountRow struct {
	Name   string      `json:"name"`
	Pieces int64       `json:"pieces"`
	Amount value.Cents `json:"amount"`
}

var amountReport = Resource[amountRow]{
	Name: "report", Title: "Amounts by name", Hue: Green, Bars: "amount",
	Looks: []Look{{Column: "pieces", Adds: true}, {Column: "amount", Adds: true}},
}

func amountRows(rows []pageRowOfTest) (all []amountRow) {
	for _, r := range rows {
		all = append(all, amountRow{r.Name, r.Pieces, value.Cents(r.Amount)})
	}
	return all
}

func pageOfTest(t *testing.T, rows []pageRowOfTest) []byte {
	t.Helper()
	o, out, _ := testOutput(t, Page)
	if err := List(o, amountReport, rowsOf(amountRows(rows))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPage: a page is whole, says its numbers as in French, and nothing that is stored becomes markup.
func TestPage(t *testing.T) {
	t.Parallel()
	page := string(pageOfTest(t, []pageRowOfTest{{`A<b> & "C" ` + "\x1b[2J", 1200, 123456789}, {"Nothing", 0, 0}, {"Élan", 3, 50}}))
	for _, want := range []string{
		"1\u202f234\u202f567,89\u00a0€</td>", "1\u202f200</td>", "0,50\u00a0€</td>", "1\u202f234\u202f568,39\u00a0€</td>", "<title>Amounts by name</title>",
		"A&lt;b&gt; &amp; &#34;C&#34; ", `width="100.00%"`, `width="0.00%"`, "a bar for each of 3 rows; the longest is 1\u202f234\u202f567,89\u00a0€ of A&lt;b&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %q in\n%s", want, page)
		}
	}
	for _, no := range []string{"\x1b", "<script", "http-equiv=\"refresh\"", "src=", "href=", "url(", "@import"} {
		if strings.Contains(page, no) {
			t.Errorf("there is %q in the page", no)
		}
	}
	// The body is as strict as XML, so that no reader has to guess.
	decoder := xml.NewDecoder(strings.NewReader(page[strings.Index(page, "<body>"):strings.Index(page, "</html>")]))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if empty := string(pageOfTest(t, nil)); !strings.Contains(empty, "Nothing to add up.") || strings.Contains(empty, "<svg") {
		t.Errorf("a report without rows is\n%s", empty)
	}
	other := amountReport
	other.Bars = ""
	o, _, _ := testOutput(t, Page)
	if err := List(o, other, rowsOf(amountRows(nil))); err == nil {
		t.Error("what is no report is a page")
	}
}

// TestBars: at every width of a terminal a table with bars is as wide as the terminal at most, each bar as long as its
// number says, and what is not nothing is seen.
func TestBars(t *testing.T) {
	t.Parallel()
	rows := amountRows([]pageRowOfTest{{"Anaïs Morel", 2, 80_000_00}, {"Élan", 1, 40_000_00}, {"Rémi", 1, 1}, {"Zoé", 0, 0}})
	for _, ascii := range []bool{false, true} {
		withBars := 0
		for width := 20; width <= 200; width++ {
			o, out, _ := testOutput(t, "table")
			o.Width, o.ASCII = width, ascii
			if err := List(o, amountReport, rowsOf(rows)); err != nil {
				t.Fatal(err)
			}
			var lengths []int
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			for _, line := range lines {
				if width >= 50 && displaywidth.String(line) > width {
					t.Fatalf("%d cells in a terminal of %d:\n%s", displaywidth.String(line), width, out)
				}
				if displaywidth.String(line) != displaywidth.String(lines[0]) {
					t.Fatalf("the lines of a box in a terminal of %d differ:\n%s", width, out)
				}
				if cells := strings.Split(line, "│"); len(cells) == 6 {
					length := 0
					for _, r := range strings.TrimSpace(cells[4]) {
						if eighths := strings.IndexRune("▏▎▍▌▋▊▉█", r) / len("▏"); !ascii && eighths >= 0 {
							length += eighths + 1
						} else {
							length += 8
						}
					}
					lengths = append(lengths, length)
				}
			}
			if len(lengths) == 0 {
				continue
			}
			withBars++
			bars := lengths[1:5] // after the header
			if full := bars[0]; full%8 != 0 || full < 8*barLeast || full > 8*barMost || bars[1] < full/2-8 || bars[1] > full/2+8 || bars[2] == 0 || bars[2] > 8 || bars[3] != 0 {
				t.Fatalf("bars of %v in a terminal of %d:\n%s", bars, width, out)
			}
		}
		if withBars < 130 {
			t.Errorf("bars in %d terminals", withBars)
		}
	}
}
