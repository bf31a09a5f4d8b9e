package remote

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/columns"
)

// fill gives every field of a value something that is not its zero.
func fill(v reflect.Value, n int) {
	switch v.Interface().(type) {
	case uuid.UUID:
		v.Set(reflect.ValueOf(uuid.New()))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 26, 1, 2, n, 123_456_000, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n+i)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n+i)
		}
	case reflect.String:
		v.SetString("Élodie \"<&>\" \\ \u2028\n")
	case reflect.Int64, reflect.Int32:
		v.SetInt(int64(-n - 1))
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic(v.Type())
	}
}

// empty makes everything nil that can be.
func empty(v reflect.Value) {
	for _, f := range columns.Of(v.Type()) {
		if canBeNull(f) {
			f.Field(v).SetZero()
		}
	}
}

// TestParamsComeThrough sends what each operation takes: full, with all that may be missing missing, and with what only
// the server sets, which stays here.
func TestParamsComeThrough(t *testing.T) {
	t.Parallel()
	for operation, wire := range onWire {
		for _, missing := range []bool{false, true} {
			value := reflect.New(reflect.TypeOf(wire.params).Elem()).Elem()
			fill(value, 1)
			if missing {
				empty(value)
			}
			body, err := appendRequest(nil, value.Interface())
			if err != nil || !json.Valid(body) {
				t.Fatalf("%s: %s %v", operation, body, err)
			}
			got := reflect.New(value.Type())
			if err := readRequest(body, got.Interface()); err != nil {
				t.Errorf("%s: %s: %v", operation, body, err)
				continue
			}
			for _, f := range columns.Of(value.Type()) {
				if strings.HasPrefix(f.Name, "as_") {
					f.Field(value).SetZero()
				}
			}
			if diff := cmp.Diff(value.Interface(), got.Elem().Interface()); diff != "" {
				t.Errorf("%s: %s", operation, diff)
			}
			if bytes.Contains(body, []byte(`"as_`)) {
				t.Errorf("%s sends what the server sets: %s", operation, body)
			}
		}
	}
}

// TestResultsComeThrough sends back what each operation has, as one result or as a row.
func TestResultsComeThrough(t *testing.T) {
	t.Parallel()
	for operation, wire := range onWire {
		value := reflect.New(reflect.TypeOf(wire.result).Elem()).Elem()
		fill(value, 1)
		line, err := appendLine(nil, value.Interface())
		if err != nil {
			t.Fatal(operation, err)
		}
		got := reflect.New(value.Type())
		if err := readResult(line, got.Interface()); err != nil {
			t.Errorf("%s: %s: %v", operation, line, err)
		} else if diff := cmp.Diff(value.Interface(), got.Elem().Interface()); diff != "" {
			t.Errorf("%s: %s", operation, diff)
		}
		if fields := map[string]any{}; json.Unmarshal(line, &fields) == nil && len(fields) > 0 {
			for name := range fields {
				lacking := maps.Clone(fields)
				delete(lacking, name)
				line, err := json.Marshal(lacking)
				if err != nil {
					t.Fatal(err)
				}
				if err := readResult(line, got.Interface()); err == nil {
					t.Errorf("%s: %s is missing, and taken for nothing", operation, name)
				}
			}
		}
	}
	r, columns := newRow[gen.EventView]()
	fill(reflect.ValueOf(&r.value).Elem(), 1)
	line, err := r.append(nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := newRowOf[gen.EventView](columns)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.read(line); err != nil || !cmp.Equal(r.value, back.value) {
		t.Errorf("%v %s", err, cmp.Diff(r.value, back.value))
	}
}

// TestNoColumnIsLeftToJSON: a type that appendValue and readValue do not know takes ten times as long as one they know,
// with each row of an export. encoding/json is recognized by the space that it lets stand before a value.
func TestNoColumnIsLeftToJSON(t *testing.T) {
	t.Parallel()
	lists := 0
	for operation, wire := range onWire {
		if !strings.HasSuffix(operation, "List") {
			continue
		}
		lists++
		row := reflect.New(reflect.TypeOf(wire.result).Elem()).Elem()
		for _, column := range columns.Of(row.Type()) {
			if _, err := readValue([]byte(" null,"), column.In(row)); err == nil {
				t.Errorf("%s: %s, of type %v", operation, column.Name, column.Type)
			}
		}
	}
	if lists < 4 {
		t.Errorf("there are only %d lists", lists)
	}
}

// TestColumnsAreMatchedByName: a newer server has more of them, an older one fewer, and neither is read as another.
func TestColumnsAreMatchedByName(t *testing.T) {
	t.Parallel()
	answer := `{"columns":["role","fullname","since","id","username","updated_at","locked_until","password_one_time","last_login_at","active"]}
["support","Zoé",{"a":[1,"]"]},7,"zoe","2026-01-02T03:04:05Z",null,false,null,true]
["none","Léa",null,8,"lea","2026-01-02T03:04:05Z",null,false,null,false]
{"rows":2}
`
	var got []gen.EmployeeView
	err := readRows(strings.NewReader(answer), func(row gen.EmployeeView) bool {
		got = append(got, row)
		return true
	})
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := []gen.EmployeeView{
		{ID: 7, Username: "zoe", Fullname: "Zoé", Role: "support", Active: true, UpdatedAt: at},
		{ID: 8, Username: "lea", Fullname: "Léa", Role: "none", UpdatedAt: at},
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %v", err, got)
	}
	const most = `["id","username","fullname","active","last_login_at","password_one_time","locked_until","updated_at"`
	for _, columns := range []string{most + `]`, most + `,"role","role"]`, `[]`, `null`} {
		err := readRows(strings.NewReader(`{"columns":`+columns+"}\n"+`{"rows":0}`+"\n"), func(gen.EmployeeView) bool { return true })
		if twice := strings.Contains(columns, `"role","role"`); (err == nil) != twice {
			t.Errorf("%s: %v", columns, err)
		}
	}
}

// TestRequestsAreExact: what is missing, unknown, null, double or after the first value is refused, and so is what only
// the server sets.
func TestRequestsAreExact(t *testing.T) {
	t.Parallel()
	id := uuid.Nil.String()
	good := `{"id":"` + id + `","amount":5,"contract_id":"` + id + `"}`
	var p gen.ContractAddPaymentParams
	if err := readRequest([]byte(good), &p); err != nil || p.Amount != 5 || p.ID.String() != id {
		t.Fatal(p, err)
	}
	if err := readRequest([]byte(`{"id":3}`), new(gen.CustomerUpdateParams)); err != nil {
		t.Errorf("what may be null may be missing: %v", err)
	}
	for body, want := range map[string]string{
		``:                                    "it is no object",
		`[]`:                                  "it is no object",
		`null`:                                "it is no object",
		`{"id":"` + id + `","amount":5}`:      `"contract_id" is missing`,
		strings.Replace(good, `5`, `null`, 1): `"amount" is null`,
		strings.Replace(good, `5`, `5.5`, 1):  `"amount" is not what`,
		strings.Replace(good, `5`, `"5"`, 1):  `"amount" is not what`,
		strings.Replace(good, `5`, `5,"amount":6`, 1):       `"amount" is there twice`,
		strings.Replace(good, `5`, `5,"Amount":6`, 1):       `"Amount" is not known`,
		strings.Replace(good, `5`, `5,"as_username":""`, 1): `"as_username" is not known`,
		good + `{}`: "something stands after it",
		good + `x`:  "something stands after it",
		good[:40]:   "it is not JSON",
	} {
		if err := readRequest([]byte(body), new(gen.ContractAddPaymentParams)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
