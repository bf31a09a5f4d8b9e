package cli

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestListsComeInUnchanged: what a list prints in each format for programs is what an import finds there, whatever
// characters the texts have.
func TestListsComeInUnchanged(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	e.sql(awkward(rand.New(rand.NewPCG(1, 2))))
	for _, resource := range []string{"customer --archived", "contract", "payment --voided", "event --cancelled", "employee --inactive"} {
		for _, format := range [][]string{{"-o", "csv"}, {"-o", "csv", "--csv-style", "excel-fr"}, {"-o", "jsonl"}} {
			name, flags, _ := strings.Cut(resource, " ")
			t.Run(name+" "+strings.Join(format, " "), func(t *testing.T) {
				printed := e.must(t, append(append([]string{name, "list"}, strings.Fields(flags)...), format...)...)
				file := filepath.Join(t.TempDir(), "printed")
				if err := os.WriteFile(file, []byte(printed), 0o600); err != nil {
					t.Fatal(err)
				}
				count := e.must(t, append([]string{name, "list", "--count", "-o", "csv", "--no-header"}, strings.Fields(flags)...)...)
				r := e.crm("", name, "import", file, "--fields", "unchanged,added,updated,skipped,refused", "-o", "csv", "--no-header")
				if want := strings.TrimSpace(count) + ",0,0,0,0\n"; r.code != 0 || r.out != want {
					t.Errorf("exit %d, %q instead of %q: %s", r.code, r.out, want, r.err)
				}
			})
		}
	}
}

// awkward returns SQL that fills the texts with what readers and writers of files stumble over.
func awkward(random *rand.Rand) string {
	parts := []string{
		`"`, `""`, `'`, `=`, `+`, `-`, `@`, `;`, `,`, "\t", `\n`, `\`, `é`, `œ`, `€`, `😀`, ` `, "\u00a0", `#N/A.`, `007`, `1/2`, `10:30`, `VRAI`, `x`, `Z`,
		`<b>`, `&amp;`, `%`, `{`, `}`, `null`, `import_error`, `sep=;`, `0x1F`, `3E10`, `'=1`, `''`,
	}
	line := func() string {
		var text strings.Builder
		for range 1 + random.IntN(6) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		text.WriteString("a") // never blank, and no space at the end
		return "'" + strings.ReplaceAll(strings.TrimLeft(strings.ReplaceAll(text.String(), "\t", " "), " \u00a0"), "'", "''") + "'"
	}
	var sql strings.Builder
	sql.WriteString("SET session_replication_role = replica;") // without the triggers, by which some of it never changes
	for id := 1; id <= 14; id++ {
		fmt.Fprintf(&sql, "UPDATE customer SET fullname = %s, company = %s, address = %s WHERE id = %d;", line(), line(), line(), id)
		fmt.Fprintf(&sql, "UPDATE event SET name = %s, location = %s, note = %s || E'\\n' || %s, start_at = start_at + interval '0.5 seconds' WHERE id = %d;", line(), line(), line(), line(), id)
		if id == 2 { // both ends in the hour that the clocks show twice, by which they are at one time
			sql.WriteString("UPDATE event SET start_at = '2026-10-25T00:30:15Z', end_at = '2026-10-25T01:30:45Z' WHERE id = 2;")
		}
		fmt.Fprintf(&sql, "UPDATE employee SET fullname = %s WHERE id = %d;", line(), id)
		fmt.Fprintf(&sql, "UPDATE payment SET reference = %s WHERE id = (SELECT id FROM payment ORDER BY id LIMIT 1 OFFSET %d);", line(), id)
	}
	fmt.Fprintf(&sql, "UPDATE payment SET void_reason = %s, voided_at = '2026-10-25T01:30:00Z' WHERE voided_at IS NOT NULL;", line())
	fmt.Fprintf(&sql, "UPDATE event SET cancel_reason = %s, cancelled_at = '2026-10-25T01:30:00Z' WHERE cancelled_at IS NOT NULL;", line())
	fmt.Fprintf(&sql, "UPDATE contract SET cancel_reason = %s, cancelled_at = '2026-10-25T00:30:00Z' WHERE number = (SELECT min(number) FROM contract WHERE NOT signed);", line())
	sql.WriteString("UPDATE customer SET archived_at = '2026-10-25T01:30:00Z' WHERE archived_at IS NOT NULL; RESET session_replication_role;")
	return sql.String()
}

// TestGuardedCellsAndEmptiedOnes: in a file with semicolons an apostrophe stands before what a spreadsheet would change, #N/A
// too, which else empties; a joined column takes each of its cells so.
func TestGuardedCellsAndEmptiedOnes(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	e.sql("UPDATE customer SET company = '#N/A', address = $$'#N/A$$ WHERE id = 3;")
	file := filepath.Join(t.TempDir(), "printed")
	if err := os.WriteFile(file, []byte(e.must(t, "customer", "detail", "3", "--fields", "id,fullname,company,address", "-o", "csv", "--csv-style", "excel-fr")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := e.must(t, "customer", "import", file, "--fields", "unchanged", "-o", "csv", "--no-header"); got != "1\n" {
		t.Errorf("%q are unchanged", got)
	}
	const labels = "First+Last=fullname,A+B=company,Street++City=address,Email=email"
	header := []string{"First", "Last", "A", "B", "Street", "City", "Email"}
	for _, c := range []struct {
		comma string
		cells []string
		want  string // full name, company, address
	}{
		{";", []string{"'=Zoé", "'007", "#N/A", "'-x", "'1/2", "'#N/A"}, "=Zoé 007,-x,\"1/2, #N/A\"\n"},
		{",", []string{"'=Zoé", "'007", "#N/A", "'-x", "'1/2", "'#N/A"}, "'=Zoé '007,'-x,\"'1/2, '#N/A\"\n"},
		{",", []string{"Zoé", "#N/A", "x", "", "#N/A", "York"}, "Zoé,x,York\n"},
		{",", []string{"Zoé", "", "#N/A", "#N/A", "#N/A", ""}, "Zoé,,\n"}, // emptied, after x and York
		{",", []string{"Zoé", "", "x", "", "", "York"}, "Zoé,x,York\n"},
		{",", []string{"Zoé", "", "", "", "", ""}, "Zoé,x,York\n"}, // kept
	} {
		text := strings.Join(header, c.comma) + "\n" + strings.Join(append(c.cells, "zoe@joined.example"), c.comma) + "\n"
		r := e.crm(text, "customer", "import", "-", "--map", labels, "--match", "email", "--on-match", "update", "--commercial", "commercial1")
		if r.code != 0 {
			t.Fatalf("%s: exit %d: %s", text, r.code, r.err)
		}
		if got := e.must(t, "customer", "list", "--search", "joined.example", "--fields", "fullname,company,address", "-o", "csv", "--no-header"); got != c.want {
			t.Errorf("%s became %s instead of %s", text, got, c.want)
		}
	}
	r := e.crm("First,Last,Email\n#N/A,#N/A,zoe@joined.example\n", "customer", "import", "-", "--map", "First+Last=fullname", "--match", "email", "--on-match", "update")
	if r.code != 6 || !strings.Contains(r.err, "line 2: fullname: It cannot be emptied.") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}
