package cli

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/cli/render"
)

// lists are the commands that list a resource, with the fields of their rows.
var lists = []struct {
	line     string
	shape    shape
	sortable []string
}{
	{"employee list", shapeOf(employees), employees.Sortable()},
	{"customer list", shapeOf(customers), customers.Sortable()},
	{"contract list", shapeOf(contracts), contracts.Sortable()},
	{"contract payments 6384e0", shapeOf(payments), payments.Sortable()},
	{"event list", shapeOf(events), events.Sortable()},
}

func TestListFlags(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "none1")
	found := lists[0]
	found.line, found.shape, found.sortable = "find e", shapeOf(finds), finds.Sortable()
	for _, c := range append(slices.Clone(lists), found) {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			run := func(args ...string) string { return e.must(t, append(strings.Fields(c.line), args...)...) }
			rows := func(args ...string) []row {
				t.Helper()
				got, err := rowsFrom(c.shape, "json", run(append(args, "-o", "json")...), false)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			all := rows()
			for _, format := range []string{"table", "csv", "json", "jsonl", "markdown"} {
				got := strings.TrimPrefix(run("--count", "-o", format), "count\n")
				if n := strconv.Itoa(len(all)); got != n+"\n" && got != `{"count": `+n+"}\n" {
					t.Errorf("--count -o %s is %q for %d rows", format, got, len(all))
				}
			}
			if diff := cmp.Diff(all[:2], rows("--limit", "2")); diff != "" {
				t.Errorf("--limit 2 is not the beginning:\n%s", diff)
			}
			for _, f := range c.shape.fields {
				lines, err := csv.NewReader(strings.NewReader(run("--fields", f.Name, "-o", "csv"))).ReadAll()
				if err != nil || len(lines) != len(all)+1 || lines[0][0] != f.Name || len(lines[0]) != 1 {
					t.Errorf("--fields %s: %v, %q", f.Name, err, lines)
				}
			}
			var reversed []string
			for _, f := range slices.Backward(c.shape.fields) {
				reversed = append(reversed, f.Name)
			}
			fields := strings.Join(reversed, ",")
			if got, _, _ := strings.Cut(run("--fields", fields, "-o", "csv"), "\n"); got != fields {
				t.Errorf("--fields %s gives %s", fields, got)
			}
			for _, name := range c.sortable {
				f := c.shape.fields[slices.IndexFunc(c.shape.fields, func(f render.Field) bool { return f.Name == name })]
				checkSorted(t, f, all, rows("--sort", name), rows("--sort", name+":desc"))
			}
		})
	}
}

// checkSorted holds an ascending and a descending list to the same rows, opposite orders, and absent values at the end.
func checkSorted(t *testing.T, f render.Field, all, up, down []row) {
	t.Helper()
	values := func(rows []row) (got []string) {
		absent := false
		for _, r := range rows {
			absent = absent || r[f.Name] == ""
			if absent != (r[f.Name] == "") {
				t.Fatalf("--sort %s: a value comes after an absent one", f.Name)
			}
			if !absent {
				got = append(got, r[f.Name])
			}
		}
		return got
	}
	ids := func(rows []row) (got []string) {
		for _, r := range rows {
			got = append(got, r["id"])
		}
		slices.Sort(got)
		return got
	}
	if !slices.Equal(ids(all), ids(up)) || !slices.Equal(ids(all), ids(down)) {
		t.Errorf("--sort %s loses rows", f.Name)
	}
	rising, falling := values(up), values(down)
	slices.Reverse(falling)
	if diff := cmp.Diff(rising, falling); diff != "" {
		t.Errorf("--sort %s and --sort %s:desc are not opposite:\n%s", f.Name, f.Name, diff)
	}
	seen := map[string]bool{}
	for i, value := range rising {
		if i > 0 && rising[i-1] != value && seen[value] {
			t.Errorf("--sort %s: %q comes in two places", f.Name, value)
		}
		seen[value] = true
		switch f.Kind {
		case render.KindInteger, render.KindAmount:
			if i > 0 && len(rising[i-1]) > len(value) {
				t.Errorf("--sort %s: %s before %s", f.Name, rising[i-1], value)
			}
		case render.KindDate, render.KindTime, render.KindUUID:
			if i > 0 && rising[i-1] > value {
				t.Errorf("--sort %s: %s before %s", f.Name, rising[i-1], value)
			}
		}
	}
}

const manyCustomers = `
	INSERT INTO customer (fullname, company, commercial_id, email, phone)
	SELECT 'Zoé n° ' || n, 'Société "' || n || '"; et Cie', 4, 'c' || n || '@many.example', '+33145678901' FROM generate_series(1, 10000) AS n;`

// manyContracts brings their numbers along: to give as many out, one after the other, takes the longest. It wants the
// customer, the total and the signature of the contract n, and how many there are.
const manyContracts = `
	ALTER TABLE contract DISABLE TRIGGER contract_number;
	INSERT INTO contract (number, customer_id, total_amount, signed_at)
	SELECT '1999-' || to_char(n, 'FM999990000'), %s FROM generate_series(1, %d) AS n;
	ALTER TABLE contract ENABLE TRIGGER contract_number;`

// manyRows puts 10 000 rows of each resource into a database. What the sample holds comes on top.
var manyRows = manyCustomers + fmt.Sprintf(manyContracts, "1 + n % 13, n, CASE n % 2 WHEN 0 THEN now() END", 10_000) + `
	INSERT INTO employee (username, fullname, role, password_hash)
	SELECT 'many' || n, 'Émile n° ' || n, 'commercial', '$argon2id$' FROM generate_series(1, 10000) AS n;
	INSERT INTO event (name, contract_id, note)
	SELECT 'Fête ' || n, 'ab0469a5-c2ba-4ff7-b9d4-9080df2db07e', 'one
two' FROM generate_series(1, 10000) AS n;
	ALTER TABLE payment DISABLE TRIGGER USER;
	INSERT INTO payment (id, contract_id, amount, recorded_by)
	SELECT gen_random_uuid(), '6384e0b3-7b55-4bcb-91f1-20682cc85dc0', n, 'commercial2' FROM generate_series(1, 10000) AS n;
	ALTER TABLE payment ENABLE TRIGGER USER`

func TestManyRowsInAreManyRowsOut(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "none1")
	before := map[string]int{}
	for _, c := range lists {
		before[c.line], _ = strconv.Atoi(strings.TrimSpace(e.must(t, append(strings.Fields(c.line), "--count")...)))
	}
	e.sql(manyRows)
	for _, c := range lists {
		want := before[c.line] + 10000
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			first := c.shape.fields[:3] // are enough: the rest is as with few rows
			s, args := shape{fields: first, panel: first, always: first}, append(strings.Fields(c.line), "--fields", first[0].Name+","+first[1].Name+","+first[2].Name)
			for name, format := range outputFormats {
				got, err := rowsFrom(s, name, e.must(t, append(slices.Clone(args), format...)...), false)
				if err != nil || len(got) != want {
					t.Errorf("%s: %d rows of %d, %v", name, len(got), want, err)
				}
				ids := map[string]bool{}
				for _, r := range got {
					ids[r["id"]] = true
				}
				if len(ids) != want {
					t.Errorf("%s: %d ids of %d", name, len(ids), want)
				}
			}
			if got := e.must(t, append(strings.Fields(c.line), "--count")...); got != strconv.Itoa(want)+"\n" {
				t.Errorf("--count is %q, want %d", got, want)
			}
		})
	}
}
