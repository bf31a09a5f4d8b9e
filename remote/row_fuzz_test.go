package remote

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/value"
)

// allTypes has a field of each type that rows are written and read with, and one that is left to encoding/json.
type allTypes struct {
	Text       string          `json:"text"`
	Role       gen.Role        `json:"role"`
	Long       int64           `json:"long"`
	Short      int32           `json:"short"`
	Yes        bool            `json:"yes"`
	ID         uuid.UUID       `json:"id"`
	At         time.Time       `json:"at"`
	MaybeText  *string         `json:"maybe_text"`
	MaybeRole  *gen.Role       `json:"maybe_role"`
	MaybeLong  *int64          `json:"maybe_long"`
	MaybeInt   *int32          `json:"maybe_int"`
	MaybeYes   *bool           `json:"maybe_yes"`
	MaybeID    *uuid.UUID      `json:"maybe_id"`
	MaybeAt    *time.Time      `json:"maybe_at"`
	Day        value.Date      `json:"day"`
	MaybeDay   *value.Date     `json:"maybe_day"`
	Phone      value.Phone     `json:"phone"`
	MaybePhone *value.Phone    `json:"maybe_phone"`
	Texts      []string        `json:"texts"`
	Other      json.RawMessage `json:"other"`
}

// FuzzRow writes a row, which encoding/json must read as what it writes itself, and which must be read as it was.
func FuzzRow(f *testing.F) {
	f.Add("a\"\\\n\x00é\u2028<&>", "support", int64(-1<<63), int32(7), int64(0), int64(999), []byte("0123456789abcdef"), true)
	f.Add("\xff\xc3(", "", int64(0), int32(-1<<31), int64(253402300799), int64(0), []byte{}, false)
	f.Fuzz(func(t *testing.T, text, role string, long int64, short int32, seconds, nanos int64, bits []byte, some bool) {
		var id uuid.UUID
		copy(id[:], bits)
		at := time.Unix(seconds, nanos).UTC()
		r, names := newRow[allTypes]()
		other, err := json.Marshal(map[string]string{text: role})
		if err != nil {
			t.Fatal(err)
		}
		r.value = allTypes{Text: text, Role: gen.Role(role), Long: long, Short: short, Yes: some, ID: id, At: at, Other: other, Day: value.Date(text)}
		if some {
			enum := gen.Role(role)
			r.value.MaybeText, r.value.MaybeRole, r.value.MaybeLong, r.value.MaybeInt = &text, &enum, &long, &short
			r.value.MaybeDay, r.value.MaybePhone = &r.value.Day, new(value.Phone(text))
			r.value.MaybeYes, r.value.MaybeID, r.value.MaybeAt, r.value.Texts = &some, &id, &at, []string{text, role}
		}
		oracle, errOracle := json.Marshal(r.value)
		line, err := r.append(nil)
		if (err == nil) != (errOracle == nil) {
			t.Fatalf("%v, and encoding/json: %v", err, errOracle)
		}
		if err != nil {
			return
		}
		if n := len(line); line[n-1] != '\n' || !json.Valid(line) {
			t.Fatalf("%q", line)
		}
		var values []any
		var fields map[string]any
		if err := json.Unmarshal(line, &values); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(oracle, &fields); err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			if !reflect.DeepEqual(values[i], fields[name]) {
				t.Errorf("%s is %v, and for encoding/json %v", name, values[i], fields[name])
			}
		}
		var want allTypes
		if err := json.Unmarshal(oracle, &want); err != nil {
			t.Fatal(err)
		}
		back, err := newRowOf[allTypes](names)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.read(line); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if diff := cmp.Diff(want, back.value); diff != "" {
			t.Error(diff)
		}
		// What was handed on stays as it is when the next row is read.
		kept := back.value
		r.value = allTypes{
			MaybeText: new("next"), MaybeRole: new(gen.RoleNone), MaybeLong: new(int64(-1)), MaybeInt: new(int32(-1)), MaybeYes: new(false),
			MaybeID: new(uuid.UUID{1}), MaybeAt: new(time.Unix(1, 0)), MaybeDay: new(value.Date("next")), MaybePhone: new(value.Phone("next")),
			Texts: []string{"next", "next"}, Other: json.RawMessage(`["next"]`),
		}
		if line, err = r.append(line[:0]); err != nil {
			t.Fatal(err)
		}
		if err := back.read(line); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if diff := cmp.Diff(want, kept); diff != "" {
			t.Errorf("the row before is now another: %s", diff)
		}
	})
}

// FuzzReadRow reads any line: what is taken must be JSON that encoding/json reads as the same.
func FuzzReadRow(f *testing.F) {
	r, names := newRow[allTypes]()
	fill(reflect.ValueOf(&r.value.Text).Elem(), 1)
	for range 2 {
		line, err := r.append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
		r.value.MaybeText, r.value.MaybeInt = new("x"), new(int32(5))
	}
	f.Add([]byte("[\"\",\"\",01,2,true]\n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := newRowOf[allTypes](names)
		if err != nil {
			t.Fatal(err)
		}
		if r.read(line) != nil {
			return
		}
		var values []json.RawMessage
		if err := json.Unmarshal(line, &values); err != nil || len(values) != len(names) {
			t.Fatalf("%q is read: %v", line, err)
		}
		var want allTypes
		into := reflect.ValueOf(&want).Elem()
		for i, f := range columns.Of(into.Type()) {
			if err := json.Unmarshal(values[i], f.Field(into).Addr().Interface()); err != nil {
				t.Fatalf("%s: %s: %v", f.Name, values[i], err)
			}
		}
		if diff := cmp.Diff(want, r.value); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	})
}

// contract is a row as there are a million of.
func contract() *row[gen.ContractView] {
	r, _ := newRow[gen.ContractView]()
	r.value = gen.ContractView{
		ID: uuid.New(), CustomerID: 37107, Customer: "Thomas Guérin", Company: new("Guérin & Fils"), CommercialID: 4, Commercial: "commercial1",
		Signed: true, TotalAmount: 123456, TotalDue: 23456, CreatedAt: time.Now(), SignedAt: new(time.Now()),
	}
	return r
}

func BenchmarkAppendRow(b *testing.B) {
	r := contract()
	var line []byte
	for b.Loop() {
		line, _ = r.append(line[:0])
	}
}

func BenchmarkReadRow(b *testing.B) {
	r := contract()
	line, err := r.append(nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := r.read(line); err != nil {
			b.Fatal(err)
		}
	}
}
