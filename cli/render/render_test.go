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
	id         uuid.UUID
	customerID int64
	customer   string
	company    *string
	phone      *string
	stage      stage
	signed     bool
	attendees  *int32
	total, due int64
	createdAt  time.Time
	signedAt   *time.Time
	note       *string
}

var samples = Resource[sample]{
	Name: "sample", Title: "Samples", Hue: Green,
	Columns: []Column[sample]{
		{Name: "id", Value: func(s sample) any { return s.id }, Label: "ID"},
		{Name: "customer_id", Value: func(s sample) any { return s.customerID }, DataOnly: true},
		{Name: "customer", Value: func(s sample) any { return s.customer }},
		{Name: "company", Value: func(s sample) any { return s.company }, Rank: 2},
		{Name: "phone", Value: func(s sample) any { return s.phone }, Rank: 5, Display: value.FormatPhone, Whole: true},
		{Name: "stage", Value: func(s sample) any { return s.stage }, Rank: 4, Whole: true},
		{Name: "signed", Value: func(s sample) any { return s.signed }},
		{Name: "attendees", Value: func(s sample) any { return s.attendees }, Rank: 3},
		{Name: "total_amount", Value: func(s sample) any { return Amount(s.total) }, Label: "Total", Rank: 1},
		{Name: "total_due", Value: func(s sample) any { return Amount(s.due) }, Label: "Due"},
		{Name: "created_at", Value: func(s sample) any { return s.createdAt }, Rank: 6},
		{Name: "signed_at", Value: func(s sample) any { return s.signedAt }, Rank: 7},
		{Name: "note", Value: func(s sample) any { return s.note }, Multiline: true, Rank: 8},
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
	amounts := []int64{0, 1, 45000, 99999999999, 12345678}
	notes := []string{"first line\nsecond line\r\nthird; \"quoted\"", "\n=1+1", "@SUM(A1)", "-2", "+33"}
	phones := []string{"+33123456789", "+442079460958", "not a phone"}
	var rows []sample
	for i, name := range nastyTexts {
		s := sample{
			id:         uuid.MustParse(fmt.Sprintf("0f%02x4e5d-9b1c-4c7e-8a57-1d2f3a4b5c6d", i)),
			customerID: int64(i + 1),
			customer:   name,
			stage:      "planned",
			total:      amounts[i%len(amounts)],
			createdAt:  start.Add(time.Duration(i) * time.Hour),
		}
		if i%2 == 0 {
			count := int32(i * 1000)
			at := start.Add(time.Duration(i)*time.Minute + 123456*time.Microsecond).UTC()
			s.company = &nastyTexts[(i+5)%len(nastyTexts)]
			s.phone, s.note = &phones[i%len(phones)], &notes[i%len(notes)]
			s.signed, s.signedAt, s.attendees = true, &at, &count
			s.due = s.total / 2
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
					one.company = &nastyTexts[8]
					before := one
					before.company, before.note = nil, new("before")
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
				if !yield(sample{customerID: int64(i)}, nil) {
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
		err := List(o, samples, rowsOf([]sample{{customerID: 7}}))
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

func TestCellOf(t *testing.T) {
	t.Parallel()
	word, number, when := stage("planned"), int64(5), time.Unix(0, 0)
	for _, tt := range []struct {
		in   any
		want cell
	}{
		{"", cell{kind: KindText}},
		{word, cell{kind: KindText, text: "planned"}},
		{&word, cell{kind: KindText, text: "planned"}},
		{(*stage)(nil), cell{kind: KindText, null: true}},
		{int32(-5), cell{kind: KindInteger, number: -5}},
		{&number, cell{kind: KindInteger, number: 5}},
		{(*int32)(nil), cell{kind: KindInteger, null: true}},
		{Amount(5), cell{kind: KindAmount, number: 5}},
		{(*Amount)(nil), cell{kind: KindAmount, null: true}},
		{true, cell{kind: KindBoolean, number: 1}},
		{when, cell{kind: KindTime, time: when}},
		{(*time.Time)(nil), cell{kind: KindTime, null: true}},
		{uuid.Max, cell{kind: KindUUID, id: uuid.Max}},
	} {
		if got := cellOf(tt.in); got != tt.want {
			t.Errorf("cellOf(%#v) = %+v, want %+v", tt.in, got, tt.want)
		}
	}
}
