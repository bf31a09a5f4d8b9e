//go:build unix

package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
)

// What is typed is looked for by one rule, that of the database: in a list, at a picker and by completion.
func TestD3OneRuleOfSearch(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	conn := dbtest.Connect(t, e.config)
	rows := []struct{ fullname, typed string }{
		{"Inès Ribeiro-Sá", "Ribeiro-Sa Inès"},
		{"Jérôme Lambertin", "lambertin jerome"},
		{"Aimé Sœurette", "soeurette"},
		{"Ulla Groß-Weißmann", "weissmann gross"},
		{"Søren Ångström", "angstrom soren"},
		{"Ayşe Yıldızoğlu", "YILDIZOGLU"},
		{"Þór Guðnason", "gudnason thor"},
		{"Marie Saint‑Angevin", "saint-angevin"},
		{"Paul Du\u00adpontel", "dupontel"},
		{"Nikos Papadopoulakos Γεώργιος", "ΓΕΩΡΓΙΟΣ"},
	}
	for i, row := range rows {
		if _, err := conn.Exec(t.Context(), `INSERT INTO customer (id, fullname, email, commercial_id)
			OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'x@example.fr', 4)`, 1001+i, row.fullname); err != nil {
			t.Fatal(err)
		}
	}
	for i, row := range rows {
		id := fmt.Sprint(1001 + i)
		if code, out, stderr := e.crm("", "customer", "list", "--search", row.typed, "--fields", "id", "-o", "csv", "--no-header"); code != 0 || out != id+"\n" {
			t.Errorf("--search %q: exit %d, %q %s", row.typed, code, out, stderr)
		}
		cmd := e.command("__complete", "customer", "detail", row.typed)
		cmd.Env = append(cmd.Env, patientVariable+"=1")
		if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), id+"\t") || strings.Count(string(out), "\n") != 1 {
			t.Errorf("completion of %q: %q, %v", row.typed, out, err)
		}
		s := startPTY(t, screens["80x24"], e.command("customer", "detail", "--fields", "id"))
		s.expect("type to search")
		s.press(row.typed + enter)
		s.expect("Customer: " + id)
		s.ends(0)
	}
}

// A person is found by their full name too, at a picker and by completion, and by their username first.
func TestPeopleAreFoundByTheirNames(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{[]string{"contract", "list", "--commercial", "desire"}, "commercial1\tDésiré Fontaine (commercial)\n"},
		{[]string{"contract", "list", "--commercial=fontaine des"}, "--commercial=commercial1\tDésiré Fontaine (commercial)\n"},
		{[]string{"event", "list", "--support", "JACQUET"}, "support2\tHélène Jacquet (support)\n"},
		{[]string{"event", "list", "--support", "desire"}, ""},
		{[]string{"customer", "list", "--commercial", "commercial1"}, "commercial1\tDésiré Fontaine (commercial)\n"},
	} {
		cmd := e.command(append([]string{"__complete"}, tt.words...)...)
		cmd.Env = append(cmd.Env, patientVariable+"=1")
		if out, err := cmd.Output(); err != nil || string(out) != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.words, out, err, tt.want)
		}
	}
	s := startPTY(t, screens["80x24"], e.command("event", "set-support", "8"))
	s.follow(step{"support1", "jacquet helene" + enter}, step{"Support's username: support2", ""})
	s.ends(0)
	s = startPTY(t, screens["80x24"], e.command("contract", "detail"))
	s.follow(step{"type to search", "2026-3" + enter}, step{"Contract: 2026-0003", ""})
	s.ends(0)
}
