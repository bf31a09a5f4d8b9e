package render

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

var updateGolden = flag.Bool("update-golden", false, "write testdata anew")

type stage string

// sample has a field of every type that a column can hold.
type sample struct {
	ID          uuid.UUID    `json:"id"`
	CustomerID  int64        `json:"customer_id"`
	Customer    string       `json:"customer"`
	Company     *string      `json:"company"`
	Phone       *value.Phone `json:"phone"`
	Stage       stage        `json:"stage"`
	Signed      bool         `json:"signed"`
	Attendees   *int32       `json:"attendees"`
	TotalAmount value.Cents  `json:"total_amount"`
	TotalDue    value.Cents  `json:"total_due"`
	CreatedAt   time.Time    `json:"created_at"`
	SignedAt    *time.Time   `json:"signed_at"`
	Note        *string      `json:"note"`
	Secret      string       `json:"secret"`
}

var samples = Resource[sample]{
	Name: "sample", Title: "Samples", Hue: Green, Charge: "customer_id",
	Looks: []Look{
		{Column: "id", Label: "ID"},
		{Column: "customer_id", DataOnly: true},
		{Column: "company", Rank: 2},
		{Column: "phone", Rank: 5},
		{Column: "stage", Rank: 4, Whole: true},
		{Column: "attendees", Rank: 3},
		{Column: "total_amount", Label: "Total", Rank: 1},
		{Column: "total_due", Label: "Due"},
		{Column: "created_at", Rank: 6},
		{Column: "signed_at", Rank: 7},
		{Column: "note", Multiline: true, Rank: 8},
		{Column: "secret", Hidden: true},
	},
}

var nastyTexts = []string{
	"Johanna Baker",
	"Zoé \"la Reine\" d'Œuvre; fils, et Cie",
	"=HYPERLINK(\"http://x\";\"y\")",
	"\x1b[31mred\x1b[0m\x07\u009b2J\x7f",
	"abc\u202edcba\u202c \u2066x\u2069",
	"👨‍👩‍👧‍👦 family 🇫🇷 ❤️ 👍🏽 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
	"東京都港区株式会社エピック・イベント",
	"e\u0301e\u0301 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍a̴̵̞ \u0301",
	strings.Repeat("Société Générale des Événements ", 12) + "fin",
	"[/foo] %s %d {{x}} <b>&amp;</b> |pipe| `code` *bold* [a](javascript:b) \\",
	"  leading and trailing  ",
	"",
	`\.`,
	"\U000f0000\U000f0001 private use \ue000",
	"שלום עולם مرحبا",
	"क्षि ன் ก็",
}

func nastyRows() []sample {
	paris, _ := time.LoadLocation("Europe/Paris")
	start := time.Date(2026, 3, 29, 1, 30, 0, 0, paris)
	amounts := []value.Cents{0, 1, 45000, 99999999999, 12345678}
	notes := []string{"first line\nsecond line\r\nthird; \"quoted\"", "\n=1+1", "@SUM(A1)", "-2", "+33"}
	phones := []value.Phone{"+33123456789", "+442079460958", "not a phone"}
	var rows []sample
	for i, name := range nastyTexts {
		s := sample{
			ID:          uuid.MustParse(fmt.Sprintf("0f%02x4e5d-9b1c-4c7e-8a57-1d2f3a4b5c6d", i)),
			CustomerID:  int64(i + 1),
			Customer:    name,
			Stage:       "planned",
			TotalAmount: amounts[i%len(amounts)],
			CreatedAt:   start.Add(time.Duration(i) * time.Hour),
		}
		if i%2 == 0 {
			count := int32(i * 1000)
			at := start.Add(time.Duration(i)*time.Minute + 123456*time.Microsecond).UTC()
			s.Company = &nastyTexts[(i+5)%len(nastyTexts)]
			s.Phone, s.Note = &phones[i%len(phones)], &notes[i%len(notes)]
			s.Signed, s.SignedAt, s.Attendees = true, &at, &count
			s.TotalDue = s.TotalAmount / 2
		}
		rows = append(rows, s)
	}
	return rows
}

func rowsOf[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// testOutput is an output with its two buffers.
func testOutput(t *testing.T, format string) (o Output, out, notices *bytes.Buffer) {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	out, notices = &bytes.Buffer{}, &bytes.Buffer{}
	return Output{Format: format, Zone: paris, Out: out, Err: notices}, out, notices
}

func TestGolden(t *testing.T) {
	t.Parallel()
	type variant struct {
		file string
		set  func(*Output)
	}
	var variants []variant
	for _, width := range []int{0, 60, 80, 160} {
		variants = append(variants, variant{fmt.Sprintf("table-%d", width), func(o *Output) { o.Width = width }})
	}
	variants = append(variants,
		variant{"table-160-color", func(o *Output) { o.Width, o.Color = 160, true }},
		variant{"table-fields", func(o *Output) { o.Width, o.Fields = 60, []string{"id", "total_due", "customer_id", "note"} }},
		variant{"json", func(o *Output) { o.Format = "json" }},
		variant{"jsonl", func(o *Output) { o.Format = "jsonl" }},
		variant{"csv", func(o *Output) { o.Format = "csv" }},
		variant{"csv-excel", func(o *Output) { o.Format, o.Excel = "csv", true }},
		variant{"csv-fields-no-header", func(o *Output) {
			o.Format, o.NoHeader, o.Fields = "csv", true, []string{"note"}
		}},
		variant{"markdown", func(o *Output) { o.Format = "markdown" }},
	)
	rows := nastyRows()
	for _, v := range variants {
		for _, what := range []string{"list", "detail"} {
			t.Run(what+"-"+v.file, func(t *testing.T) {
				t.Parallel()
				o, out, notices := testOutput(t, "table")
				v.set(&o)
				var err error
				if what == "list" {
					err = List(o, samples, rowsOf(rows))
				} else {
					one := rows[0]
					one.Company = &nastyTexts[8]
					before := one
					before.Company, before.Note = nil, new("before")
					err = Detail(o, samples, one, &before)
				}
				if err != nil {
					t.Fatal(err)
				}
				got := out.String()
				if notices.Len() > 0 {
					got += "--- stderr ---\n" + notices.String()
				}
				golden(t, filepath.Join("testdata", what+"-"+v.file+".golden"), got)
			})
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *updateGolden {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestListEmpty(t *testing.T) {
	t.Parallel()
	const header = "id,customer_id,customer,company,phone,stage,signed,attendees,total_amount,total_due,created_at,signed_at,note\n"
	for format, want := range map[string]struct{ out, err string }{
		"table":    {"", "No data to display.\n"},
		"markdown": {"", "No data to display.\n"},
		"json":     {"[]\n", ""},
		"jsonl":    {"", ""},
		"csv":      {header, ""},
	} {
		o, out, notices := testOutput(t, format)
		if err := List(o, samples, rowsOf[sample](nil)); err != nil {
			t.Fatal(err)
		}
		if out.String() != want.out || notices.String() != want.err {
			t.Errorf("%s: got %q and %q, want %q and %q", format, out, notices, want.out, want.err)
		}
	}
}

func TestListFailsBeforeTheFirstRow(t *testing.T) {
	t.Parallel()
	failed := errors.New("connection lost")
	for _, format := range Formats {
		o, out, notices := testOutput(t, format)
		err := List(o, samples, func(yield func(sample, error) bool) { yield(sample{}, failed) })
		if !errors.Is(err, failed) || out.Len()+notices.Len() > 0 {
			t.Errorf("%s: error %v, wrote %q and %q", format, err, out, notices)
		}
	}
}

func TestListFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	failed := errors.New("connection lost")
	for _, format := range []string{"json", "jsonl", "csv"} {
		o, out, _ := testOutput(t, format)
		err := List(o, samples, func(yield func(sample, error) bool) {
			for i := range 5000 {
				if !yield(sample{CustomerID: int64(i)}, nil) {
					return
				}
			}
			yield(sample{}, failed)
		})
		if !errors.Is(err, failed) {
			t.Errorf("%s: error %v", format, err)
		}
		if out.Len() == 0 || strings.HasSuffix(out.String(), "]\n") {
			t.Errorf("%s: ends in %q", format, out.String()[max(0, out.Len()-20):])
		}
		if format != "json" && !strings.HasSuffix(out.String(), "\n") {
			t.Errorf("%s: a row is cut", format)
		}
	}
}

type fullDisk struct{ room int }

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	endless := func(yield func(sample, error) bool) {
		for yield(sample{}, nil) {
		}
	}
	for _, format := range Formats {
		o, _, _ := testOutput(t, format)
		o.Out = &fullDisk{}
		if err := List(o, samples, rowsOf(make([]sample, 1))); !errors.Is(err, errFull) {
			t.Errorf("%s list: error %v", format, err)
		}
		if err := Detail(o, samples, sample{}, nil); !errors.Is(err, errFull) {
			t.Errorf("%s detail: error %v", format, err)
		}
	}
	for _, format := range []string{"json", "jsonl", "csv"} {
		o, _, _ := testOutput(t, format)
		o.Out = &fullDisk{room: 200_000}
		if err := List(o, samples, endless); !errors.Is(err, errFull) {
			t.Errorf("%s: error %v", format, err)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fields        []string
		out, err, has string
	}{
		{fields: []string{"stage", "customer_id"}, out: "stage,customer_id\n,7\n"},
		{fields: []string{"stag"}, err: `unknown field "stag", did you mean "stage"?`, has: "customer_id, customer,"},
		{fields: []string{"zzzzzz"}, err: `unknown field "zzzzzz"`, has: "customer_id, customer,"},
		{fields: []string{""}, err: `unknown field ""`, has: "customer_id, customer,"},
		{fields: []string{"stage", "stage"}, err: `field "stage" is named twice`},
	} {
		o, out, _ := testOutput(t, "csv")
		o.Fields = tt.fields
		err := List(o, samples, rowsOf([]sample{{CustomerID: 7}}))
		if out.String() != tt.out || fmt.Sprint(err) != tt.err && tt.err != "" || (err == nil) != (tt.err == "") {
			t.Errorf("%q: got %q and error %v", tt.fields, out, err)
		}
		var usage *failure.Error
		if err != nil && (!errors.As(err, &usage) || !strings.Contains(usage.Hint, tt.has)) {
			t.Errorf("%q: error %#v", tt.fields, err)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	o, _, _ := testOutput(t, "yaml")
	var usage *failure.Error
	if err := List(o, samples, rowsOf[sample](nil)); !errors.As(err, &usage) || !strings.Contains(usage.Hint, "markdown") {
		t.Errorf("error %#v", err)
	}
}

func TestRead(t *testing.T) { // not in parallel, for it counts allocations
	type row struct {
		Stage    stage        `json:"stage"`
		Maybe    *stage       `json:"maybe"`
		Number   int32        `json:"number"`
		Count    *int64       `json:"count"`
		Amount   value.Cents  `json:"amount"`
		Due      *value.Cents `json:"due"`
		Signed   bool         `json:"signed"`
		Paid     *bool        `json:"paid"`
		At       time.Time    `json:"at"`
		Until    *time.Time   `json:"until"`
		ID       uuid.UUID    `json:"id"`
		Other    *uuid.UUID   `json:"other"`
		Phone    value.Phone  `json:"phone"`
		Fax      *value.Phone `json:"fax"`
		Day      value.Date   `json:"day"`
		LastDay  *value.Date  `json:"last_day"`
		Word     *string      `json:"word"`
		Anything [2]int       `json:"anything"`
	}
	fields := Resource[row]{}.fields()
	if last := fields[len(fields)-1]; last.Kind != kindUnknown {
		t.Errorf("%s has the kind %d", last.Name, last.Kind)
	}
	fields = fields[:len(fields)-1]
	word, when := stage("planned"), time.Unix(0, 0)
	full := row{
		"signed", &word, -5, new(int64(5)), 29, new(value.Cents(7)), true, new(true), when, &when, uuid.Max, &uuid.Max,
		"+33123456789", new(value.Phone("+33623456789")), "2026-11-26", new(value.Date("2026-12-31")), new("word"), [2]int{},
	}
	reader := newReader[row](fields)
	for _, step := range []struct {
		row  row
		want []cell
	}{
		{full, []cell{
			{kind: KindText, text: "signed"}, {kind: KindText, text: "planned"},
			{kind: KindInteger, number: -5}, {kind: KindInteger, number: 5},
			{kind: KindAmount, number: 29}, {kind: KindAmount, number: 7},
			{kind: KindBoolean, number: 1}, {kind: KindBoolean, number: 1},
			{kind: KindTime, time: when}, {kind: KindTime, time: when},
			{kind: KindUUID, id: uuid.Max}, {kind: KindUUID, id: uuid.Max},
			{kind: KindPhone, text: "+33123456789"}, {kind: KindPhone, text: "+33623456789"},
			{kind: KindDate, text: "2026-11-26"}, {kind: KindDate, text: "2026-12-31"}, {kind: KindText, text: "word"},
		}},
		// Nothing of the row before is left.
		{row{}, []cell{
			{kind: KindText}, {kind: KindText, null: true},
			{kind: KindInteger}, {kind: KindInteger, null: true},
			{kind: KindAmount}, {kind: KindAmount, null: true},
			{kind: KindBoolean}, {kind: KindBoolean, null: true},
			{kind: KindTime}, {kind: KindTime, null: true},
			{kind: KindUUID}, {kind: KindUUID, null: true},
			{kind: KindPhone}, {kind: KindPhone, null: true},
			{kind: KindDate}, {kind: KindDate, null: true}, {kind: KindText, null: true},
		}},
	} {
		for i, got := range reader.read(step.row) {
			if got != step.want[i] {
				t.Errorf("%s = %+v, want %+v", fields[i].Name, got, step.want[i])
			}
		}
	}
	reader.read(full)
	if again := testing.AllocsPerRun(100, func() { reader.read(full) }); again > 0 {
		t.Errorf("a row costs %v allocations", again)
	}
}

func TestOneColumn(t *testing.T) {
	t.Parallel()
	s := nastyRows()[0]
	for column, want := range map[string]string{
		"customer": "Johanna Baker", "phone": "+33 1 23 45 67 89", "total_amount": "0.00 €", "signed": "yes",
		"created_at": "2026-03-29 00:30", "note": "first line\nsecond line\r\nthird; \"quoted\"",
	} {
		if got, ok := samples.Typed(s, column, time.UTC); got != want || !ok {
			t.Errorf("%s: got %q and %v, want %q", column, got, ok, want)
		}
	}
	if got, ok := samples.Typed(sample{}, "phone", time.UTC); got != "" || !ok {
		t.Errorf("no phone: got %q and %v", got, ok)
	}
	if _, ok := samples.Typed(s, "secret", time.UTC); ok {
		t.Error("a hidden column can be typed")
	}
	if !samples.InChargeOf(s, 1) || samples.InChargeOf(s, 2) {
		t.Error("the row is in the charge of 1")
	}
}

// TestD11PanelIsAsWideAsItsTitle: a panel of little still has its title on one line.
func TestD11PanelIsAsWideAsItsTitle(t *testing.T) {
	t.Parallel()
	type row struct {
		ID int64 `json:"id"`
	}
	for _, name := range []string{"id", "customer", "a rather long kind of thing"} {
		o, out, _ := testOutput(t, "table")
		if err := Detail(o, Resource[row]{Name: name}, row{1}, nil); err != nil {
			t.Fatal(err)
		}
		title := strings.ToUpper(name[:1]) + name[1:]
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 5 || !strings.Contains(lines[1], title+" ") || !strings.Contains(lines[3], "1 ") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestD8LinesInMarkdown: a list and a detail break the lines of a note in the same way.
func TestD8LinesInMarkdown(t *testing.T) {
	t.Parallel()
	type row struct {
		Note *string `json:"note"`
	}
	r := Resource[row]{Name: "event", Title: "Events", Looks: []Look{{Column: "note", Multiline: true}}}
	rows := []row{{new("one\ntwo")}, {nil}}
	o, list, _ := testOutput(t, "markdown")
	if err := List(o, r, rowsOf(rows)); err != nil {
		t.Fatal(err)
	}
	o, detail, _ := testOutput(t, "markdown")
	if err := Detail(o, r, rows[0], nil); err != nil {
		t.Fatal(err)
	}
	if want := "| Note |\n| --- |\n| one<br>two |\n| - |\n"; list.String() != want {
		t.Errorf("%q, want %q", list, want)
	}
	if !strings.Contains(detail.String(), "| Note | one<br>two |") {
		t.Errorf("%q", detail)
	}
}
