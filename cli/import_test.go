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
	sql.WriteString("ALTER TABLE event DISABLE TRIGGER event_cancelled;")
	for id := 1; id <= 14; id++ {
		fmt.Fprintf(&sql, "UPDATE customer SET fullname = %s, company = %s, address = %s WHERE id = %d;", line(), line(), line(), id)
		fmt.Fprintf(&sql, "UPDATE event SET name = %s, location = %s, note = %s || E'\\n' || %s, start_at = start_at + interval '0.5 seconds' WHERE id = %d;", line(), line(), line(), line(), id)
		fmt.Fprintf(&sql, "UPDATE employee SET fullname = %s WHERE id = %d;", line(), id)
	}
	return sql.String()
}
