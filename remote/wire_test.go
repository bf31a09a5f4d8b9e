package remote

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
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
	for _, f := range fieldsOf(v.Type()) {
		if f.nullable {
			v.FieldByIndex(f.index).SetZero()
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
			for _, f := range fieldsOf(value.Type()) {
				if strings.HasPrefix(f.name, "as_") {
					value.FieldByIndex(f.index).SetZero()
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

// TestColumnsAreMatchedByName: a newer server has more of them, an older one fewer, and neither is read as another.
func TestColumnsAreMatchedByName(t *testing.T) {
	t.Parallel()
	answer := `{"columns":["role","fullname","since","id","username"]}
["support","Zoé",{"a":[1,"]"]},7,"zoe"]
["none","Léa",null,8,"lea"]
{"rows":2}
`
	var got []gen.EmployeeView
	err := readRows(strings.NewReader(answer), func(row gen.EmployeeView) bool {
		got = append(got, row)
		return true
	})
	want := []gen.EmployeeView{{ID: 7, Username: "zoe", Fullname: "Zoé", Role: "support"}, {ID: 8, Username: "lea", Fullname: "Léa", Role: "none"}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %v", err, got)
	}
	for _, columns := range []string{`["id","username","fullname"]`, `["id","username","fullname","role","role"]`, `[]`, `null`} {
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

// TestShape holds the wire to that of the last release: what its programs send and read must stay, unless the protocol
// has another number. The last release is the newest tag before this commit; before the first there is nothing to hold.
func TestShape(t *testing.T) {
	t.Parallel()
	now, err := os.ReadFile("shape.txt")
	if err != nil {
		t.Fatal(err)
	}
	tag, err := exec.Command("git", "describe", "--tags", "--abbrev=0").Output()
	if err != nil {
		t.Log("there is no release")
		return
	}
	before, err := exec.Command("git", "show", strings.TrimSpace(string(tag))+":remote/shape.txt").Output()
	if err != nil {
		t.Logf("%s has no wire", tag)
		return
	}
	for _, broken := range incompatible(string(before), string(now)) {
		t.Errorf("a crm %s does not get along with this: %s; it needs another protocol number in tools/remote", strings.TrimSpace(string(tag)), broken)
	}
}

// incompatible returns the lines that programs of before do not get along with.
func incompatible(before, now string) []string {
	old, new := strings.Split(strings.TrimSpace(before), "\n"), strings.Split(strings.TrimSpace(now), "\n")
	if old[0] != new[0] {
		return nil
	}
	var broken []string
	known := map[string]bool{}
	for _, line := range old {
		known[strings.Fields(line)[0]] = true
		if !slices.Contains(new, line) && !strings.HasSuffix(line, "nothing") {
			broken = append(broken, "gone: "+line)
		}
	}
	for _, line := range new {
		words := strings.Fields(line)
		if !slices.Contains(old, line) && known[words[0]] && words[1] == ">" && !strings.HasSuffix(line, "?") && !strings.HasSuffix(line, "nothing") {
			broken = append(broken, "has to be sent: "+line)
		}
	}
	return broken
}

func TestIncompatible(t *testing.T) {
	t.Parallel()
	const before = "protocol 1\nA > x int64\nA << id uuid\nB > nothing\nB < string\n"
	for now, want := range map[string]string{
		before: "",
		before + "A << name string\nA > y int64?\nC > z int64\n": "",
		strings.Replace(before, "id uuid", "id string", 1):       "gone: A << id uuid",
		strings.Replace(before, "A > x int64\n", "", 1):          "gone: A > x int64",
		before + "A > y int64\n":                                 "has to be sent: A > y int64",
		strings.Replace(before, "B > nothing", "B > y int64", 1): "has to be sent: B > y int64",
		strings.Replace(before, "B < string", "B < nothing", 1):  "gone: B < string",
		"protocol 2\nA > y int64\n":                              "",
	} {
		if got := strings.Join(incompatible(before, now), "; "); got != want {
			t.Errorf("%s%q, want %q", now, got, want)
		}
	}
}
