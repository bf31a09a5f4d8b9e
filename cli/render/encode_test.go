package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/value"
)

func TestAppendAmount(t *testing.T) {
	t.Parallel()
	for cents, want := range map[int64]string{
		0: "0.00", 1: "0.01", 29: "0.29", 100: "1.00", 45000: "450.00", 99999999999: "999999999.99",
		-1: "-0.01", -12345: "-123.45", math.MinInt64: "-92233720368547758.08", math.MaxInt64: "92233720368547758.07",
	} {
		if got := string(appendAmount(nil, cents, '.')); got != want {
			t.Errorf("%d cents = %s, want %s", cents, got, want)
		}
	}
}

func TestAppendUUID(t *testing.T) {
	t.Parallel()
	for _, id := range []uuid.UUID{uuid.Nil, uuid.Max, uuid.MustParse("0f004e5d-9b1c-4c7e-8a57-1d2f3a4b5c6d")} {
		if got := string(appendUUID(nil, id)); got != id.String() {
			t.Errorf("got %s, want %s", got, id)
		}
	}
}

// A day is the same everywhere but in the file for a French Excel.
func TestDates(t *testing.T) {
	t.Parallel()
	type row struct {
		Day   value.Date  `json:"day"`
		Maybe *value.Date `json:"maybe"`
	}
	r := Resource[row]{Name: "day", Title: "Days"}
	rows := []row{{"2026-11-05", nil}, {"2026-12-31", new(value.Date("2027-01-01"))}}
	for format, want := range map[string]string{
		"json":     `[{"day":"2026-11-05","maybe":null},{"day":"2026-12-31","maybe":"2027-01-01"}]`,
		"csv":      "day,maybe 2026-11-05, 2026-12-31,2027-01-01",
		"excel":    "day;maybe 05/11/2026; 31/12/2026;01/01/2027",
		"markdown": "| Day | Maybe | | --- | --- | | 2026-11-05 | - | | 2026-12-31 | 2027-01-01 |",
	} {
		o, out, _ := testOutput(t, format)
		if format == "excel" {
			o.Format, o.Excel = "csv", true
		}
		if err := List(o, r, rowsOf(rows)); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(strings.Fields(strings.TrimPrefix(out.String(), "\ufeff")), " ")
		if format == "json" {
			got = strings.NewReplacer("[ ", "[", ", {", ",{", " ]", "]").Replace(got)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
	want := []FieldDescription{{"day", "date", false}, {"maybe", "date", true}}
	if diff := cmp.Diff(want, Describe(r).Fields); diff != "" {
		t.Error(diff)
	}
}

// The standard decoder reads back what was stored, in both shapes of JSON.
func TestJSONDecodes(t *testing.T) {
	t.Parallel()
	rows := nastyRows()
	o, out, _ := testOutput(t, "json")
	if err := List(o, samples, rowsOf(rows)); err != nil {
		t.Fatal(err)
	}
	var objects []json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &objects); err != nil {
		t.Fatal(err)
	}
	o, lines, _ := testOutput(t, "jsonl")
	if err := List(o, samples, rowsOf(rows)); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(lines.String(), "\n"), "\n") {
		if line != string(objects[i]) {
			t.Errorf("row %d: %s in jsonl, %s in json", i, line, objects[i])
		}
		var got struct {
			ID          uuid.UUID
			CustomerID  int64 `json:"customer_id"`
			Customer    string
			Company     *string
			Phone       *value.Phone
			Stage       stage
			Signed      bool
			Attendees   *int32
			TotalAmount json.Number `json:"total_amount"`
			TotalDue    json.Number `json:"total_due"`
			CreatedAt   time.Time   `json:"created_at"`
			SignedAt    *time.Time  `json:"signed_at"`
			Note        *string
		}
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Fatal(err)
		}
		back := sample{
			ID: got.ID, CustomerID: got.CustomerID, Customer: got.Customer, Company: got.Company, Phone: got.Phone,
			Stage: got.Stage, Signed: got.Signed, Attendees: got.Attendees, CreatedAt: got.CreatedAt,
			SignedAt: got.SignedAt, Note: got.Note, TotalAmount: cents(t, got.TotalAmount), TotalDue: cents(t, got.TotalDue),
		}
		sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
		if diff := cmp.Diff(rows[i], back, sameTime); diff != "" {
			t.Errorf("row %d (-stored +read):\n%s", i, diff)
		}
	}
}

func cents(t *testing.T, n json.Number) value.Cents {
	t.Helper()
	whole, decimals, _ := strings.Cut(string(n), ".")
	var cents value.Cents
	if _, err := fmt.Sscan(whole+decimals, &cents); err != nil || len(decimals) != 2 {
		t.Errorf("%q is not an amount", n)
	}
	return cents
}

func TestJSONIsHarmlessOnATerminal(t *testing.T) {
	t.Parallel()
	o, out, _ := testOutput(t, "json")
	if err := List(o, samples, rowsOf(nastyRows())); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r != '\n' && text.Unprintable(r) {
			t.Fatalf("found %U", r)
		}
	}
	if !strings.Contains(out.String(), "<b>&amp;</b>") {
		t.Error("& and < are escaped")
	}
}

// Every way of opening a quoted cell must be that of encoding/csv.
func TestCSVMatchesStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, comma := range []byte{',', ';'} {
		for _, a := range nastyTexts {
			for _, b := range nastyTexts {
				checkCSV(t, comma, a, b)
			}
		}
	}
}

func checkCSV(t *testing.T, comma byte, texts ...string) {
	t.Helper()
	e := newCSVEncoder(rune(comma), "\n")
	var cells []cell
	for _, s := range texts {
		cells = append(cells, cell{kind: KindText, text: s})
	}
	got := e.row(nil, cells)

	var want bytes.Buffer
	w := csv.NewWriter(&want)
	w.Comma = rune(comma)
	if err := w.Write(texts); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	if len(texts) == 1 && texts[0] == "" {
		want.Reset()
		want.WriteString("\"\"\n")
	}
	if string(got) != want.String() {
		t.Fatalf("%q: got %q, encoding/csv writes %q", texts, got, want.String())
	}
	r := csv.NewReader(bytes.NewReader(got))
	r.Comma = rune(comma)
	back, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range texts { // the reader folds CR LF into LF
		if back[i] != strings.ReplaceAll(s, "\r\n", "\n") {
			t.Fatalf("%q: read back as %q", texts, back)
		}
	}
}

func TestExcelFormulas(t *testing.T) {
	t.Parallel()
	e := newCSVEncoder(';', "\r\n")
	e.excel = true
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+33123456789": "'+33123456789", "-2": "'-2", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'\t=1", "\r=1": "\"'\r=1\"", "\n=1": "\"'\n=1\"", "=\"a\";b": "\"'=\"\"a\"\";b\"",
		"1=1": "1=1", "": `""`, "a,b": "a,b",
	} {
		if got := string(e.row(nil, []cell{{kind: KindText, text: in}})); got != want+"\r\n" {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	e.zone = zone
	for in, want := range map[string]string{ // of the hour that is there twice it says which
		"2026-10-24T23:59:59Z": "25/10/2026 01:59", "2026-10-25T00:00:00Z": "2026-10-25T02:00+02:00", "2026-10-25T01:59:59.5Z": "2026-10-25T02:59+01:00",
		"2026-10-25T02:00:00Z": "25/10/2026 03:00", "2026-03-29T01:00:00Z": "29/03/2026 03:00",
	} {
		at, err := time.Parse(time.RFC3339Nano, in)
		if got := string(e.value(nil, &cell{kind: KindTime, time: at})); err != nil || got != want {
			t.Errorf("%s: got %q, want %q, %v", in, got, want, err)
		}
	}
	if got := string(e.value(nil, &cell{kind: KindAmount, number: -5})); got != "-0,05" {
		t.Errorf("a number got %q", got)
	}
}

func TestMarkdownCells(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a|b": `a\|b`, `a\|b`: `a\\\|b`, "a\nb": "a<br>b", "<script>": `\<script>`, "[a](b)": `[a\](b)`,
		"[/foo] %s {{x}}": "[/foo] %s {{x}}", "&lt;": `\&lt;`,
	} {
		if got := markdownCell.Replace(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range nastyTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := appendJSONString(nil, s)
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%q: %s: %v", s, got, err)
		}
		want := s
		if !utf8.ValidString(s) {
			standard, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(standard, &want); err != nil {
				t.Fatal(err)
			}
		}
		if back != want {
			t.Fatalf("%q: read back from %s as %q", s, got, back)
		}
	})
}

func FuzzCSV(f *testing.F) {
	for i, s := range nastyTexts {
		f.Add(s, nastyTexts[(i+1)%len(nastyTexts)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		checkCSV(t, ',', a, b)
		checkCSV(t, ';', a, b)
		checkCSV(t, ',', a)
	})
}

// A row costs the JSON encoder no allocation, and the CSV encoder one string.
func BenchmarkList(b *testing.B) {
	const rows = 500_000
	row := nastyRows()[0]
	for _, format := range []string{"json", "jsonl", "csv"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o := Output{Format: format, Zone: time.UTC, Out: io.Discard, Err: io.Discard}
				err := List(o, samples, func(yield func(sample, error) bool) {
					for range rows {
						if !yield(row, nil) {
							return
						}
					}
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// TestEveryFormatIsKnown: what has no encoder would silently be a table.
func TestEveryFormatIsKnown(t *testing.T) {
	t.Parallel()
	for _, format := range Formats {
		if newEncoder(Output{Format: format}, nil, false) == nil && format != "table" && format != "markdown" {
			t.Errorf("%s has no encoder", format)
		}
	}
}

// TestPlainCells: what is written past encoding/csv is what it would have written, whatever stands where in a cell.
func TestPlainCells(t *testing.T) {
	for _, comma := range []rune{',', ';'} {
		e := newCSVEncoder(comma, "\n")
		compare := func(texts ...string) {
			t.Helper()
			var cells []cell
			for _, text := range texts {
				cells = append(cells, cell{kind: KindText, text: text})
			}
			var want bytes.Buffer
			w := csv.NewWriter(&want)
			w.Comma = comma
			if err := w.Write(texts); err != nil {
				t.Fatal(err)
			}
			w.Flush()
			if got := string(e.row(nil, cells)); got != want.String() {
				t.Errorf("%q: %q, not %q", texts, got, &want)
			}
		}
		for r := rune(0); r < 0x3100; r++ {
			compare("a", string(r), "b")
			compare(string(r)+"a", "a"+string(r))
			compare("a", "a"+string(r)+"a")
		}
		for _, text := range []string{"", " ", `\.`, `a\.`, "\xff", "a\xff", "\xc3", "\xc3(", "\u00a0x", "=1", "'"} {
			compare("a", text)
			compare(text, "", "a")
		}
	}
}
