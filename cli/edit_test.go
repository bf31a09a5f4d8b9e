//go:build unix

package cli

import (
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/epicevents/crm/internal/dbtest"
)

// sql runs statements in the database.
func (e *env) sql(statements string) {
	e.t.Helper()
	if _, err := dbtest.Connect(e.t, e.config).Exec(e.t.Context(), statements); err != nil {
		e.t.Fatal(err)
	}
}

// TestEdit: an update without a field asks which, starts from what is there, and changes what comes out different.
func TestEdit(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.sql(`UPDATE event SET note = E'Deux\nlignes', location = 'Parc Floral', attendees = 60, start_at = '2026-05-01 18:30:15+02', end_at = NULL WHERE id = 1`)
	done := step{"What to change", enter}
	for _, edit := range []struct {
		username, command string
		steps             []step
		exit              int
		check             string // a query that gives 1 afterwards
	}{
		{"commercial1", "customer update 1", []step{{"Full name: Johanna Baker", "company" + enter}, {"name of the company", " SARL" + enter},
			{"Company: Marsh & Fils SARL", ""}, done, {"* Company: Marsh & Fils → Marsh & Fils SARL", ""}},
			0, "SELECT count(*) FROM customer WHERE id = 1 AND company = 'Marsh & Fils SARL' AND fullname = 'Johanna Baker'"},
		{"commercial1", "customer update 1", []step{{"Full name: Johanna Baker", enter}, {"first and last name", ctrlU + enter},
			{"Full name must not be blank", "Johanna Baker" + enter}, done, {"Nothing was changed.", ""}},
			0, "SELECT count(*) FROM customer WHERE id = 1 AND fullname = 'Johanna Baker'"},
		{"commercial1", "customer update 1", []step{{"What to change", "done" + enter}, {"Nothing was changed.", ""}}, 0, "SELECT 1"},
		{"commercial1", "customer update 1", []step{{"What to change", "phone" + enter}, {"phone number", ctrlC}, {"Interrupted", ""}}, 130, "SELECT 1"},
		{"administrator1", "contract update ab0469", []step{{"Total amount: 12 500.00 €", enter}, {"such as 1234.50", ctrlU + "13000" + enter},
			{"Total amount: 13000", ""}, {"What to change", "customer" + enter}, {"Johanna Baker", "lumiere" + enter}, done, {"* Customer id", ""}},
			0, "SELECT count(*) FROM contract WHERE id::text LIKE 'ab0469%' AND total_amount = 1300000 AND customer_id <> 1"},
		{"administrator1", "contract update b0f94a", []step{{"Due on: ", "due on" + enter}, {"is to be paid", "2027-01-31" + enter}, done, {"* Due on: 2027-01-31", ""}},
			0, "SELECT count(*) FROM contract WHERE id::text LIKE 'b0f94a%' AND due_on = '2027-01-31'"},
		{"administrator1", "contract update b0f94a", []step{{"Total amount", "customer" + enter}, {"Inès Ribeiro", enter}, done, {"Nothing was changed.", ""}}, 0, "SELECT 1"},
		{"administrator1", "employee update 9", []step{{"Username: none1", enter}, {"first and last name", "x" + enter}, done, {"* Full name", ""}},
			0, "SELECT count(*) FROM employee WHERE username = 'none1' AND fullname LIKE '%x'"},
		// What is in somebody else's charge is refused before anything is asked.
		{"commercial2", "customer update 1", []step{{"crm: Customer 1 is in the charge of commercial1", ""}}, 4, "SELECT 1"},
		{"commercial2", "contract update ab0469", []step{{"is in the charge of commercial1", ""}}, 4, "SELECT 1"},
		{"support2", "event update 1", []step{{"crm: Event 1 is in the charge of support1", ""}}, 4, "SELECT 1"},
		{"administrator1", "employee update nemo", []step{{`There is no employee "nemo"`, ""}}, 5, "SELECT 1"},
		{"support1", "event update 1", []step{{"Start: 2026-05-01 18:30", "location" + enter}, {"where it is held", ctrlU + enter},
			{"What to change", "note" + enter}, {"Alt-Enter", "!" + enter}, {"What to change", "start" + enter}, {"when it starts", enter},
			done, {"* Location: Parc Floral → -", ""}, {"* Note", ""}},
			0, `SELECT count(*) FROM event WHERE id = 1 AND location IS NULL AND note = E'Deux\nlignes!' AND start_at = '2026-05-01 18:30:15+02'`},
		{"support1", "event update 1", []step{{"What to change", "end" + enter}, {"when it ends", "2020" + enter}, {"2020", ctrlU + enter}, done, {"Nothing was changed.", ""}}, 0, "SELECT 1"},
		// E2: a flag without a value is asked for, and nothing else is.
		{"commercial1", "customer update 3 --company", []step{{"name of the company", enter}, {"must not be blank", "Étoile SARL" + enter}, {"* Company: ", ""}},
			0, "SELECT count(*) FROM customer WHERE id = 3 AND company = 'Étoile SARL'"},
		{"support1", "event update 1 --attendees 70 --note", []step{{"Alt-Enter", "Trois" + enter}, {"* Attendees", ""}},
			0, "SELECT count(*) FROM event WHERE id = 1 AND attendees = 70 AND note = 'Trois'"},
		// Who may be there already is told of, and added only if that is meant.
		{"commercial1", "customer add --fullname Baker --phone 0145678901", []step{{"customer 1, Johanna Baker", ""}, {"Add another one?", enter}, {"You answered no", ""}},
			130, "SELECT 1 - count(*) FROM customer WHERE fullname = 'Baker'"},
		{"commercial1", "customer add --fullname Baker --phone 01.45.67.89.01", []step{{"customer 1, Johanna Baker", ""}, {"Add another one?", "y" + enter}, {"Full name: ", ""}},
			0, "SELECT count(*) FROM customer WHERE fullname = 'Baker'"},
		{"commercial1", "contract list --customer-id", []step{{"Johanna Baker", "1" + enter}, {"Contracts", ""}}, 0, "SELECT 1"},
	} {
		t.Run(edit.command, func(t *testing.T) {
			e.login(edit.username)
			s := startPTY(t, screens["80x24"], e.command(strings.Fields(edit.command)...))
			s.follow(edit.steps...)
			s.ends(edit.exit)
			if e.number(edit.check) != 1 {
				t.Errorf("not so: %s", edit.check)
			}
		})
	}
	t.Run("on a plain terminal", func(t *testing.T) {
		e.sql("UPDATE event SET note = NULL, location = 'Parc Floral', attendees = 60 WHERE id = 1")
		e.login("support1")
		s := startPTY(t, pty.Winsize{}, e.command("event", "update", "1"))
		s.follow(step{"What to change, or text to search for:", "location" + enter}, step{"Location [Parc Floral, - empties it]:", "-" + enter},
			step{"[done]:", "attendees" + enter}, step{"Attendees [60, - empties it]:", enter},
			step{"[done]:", "note" + enter}, step{"Note [Enter leaves it out]:", "Bal" + enter}, step{"[done]:", enter}, step{"* Note:", ""})
		s.ends(0)
		if e.number("SELECT count(*) FROM event WHERE id = 1 AND location IS NULL AND attendees = 60 AND note = 'Bal'") != 1 {
			t.Error("not changed so")
		}
	})
}

// TestSomebodyElseWasFaster: what changed while a person was asked is told with both values, and nothing is written over it.
func TestSomebodyElseWasFaster(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	done := step{"What to change", enter}
	for _, edit := range []struct {
		username, command string
		first             []step
		meanwhile         string
		then              []step
		exit              int
		check             string
	}{
		{"commercial1", "customer update 1", []step{{"Full name: Johanna Baker", "company" + enter}, {"name of the company", " SARL" + enter}, {"Company: Marsh & Fils SARL", ""}},
			"UPDATE customer SET phone = '+33612345678' WHERE id = 1",
			[]step{done, {"Somebody else was faster, and nothing was changed: phone was +33145678901 and is +33612345678 now, by sql:", ""}},
			6, "SELECT count(*) FROM customer WHERE id = 1 AND company = 'Marsh & Fils'"},
		// What was not shown may change.
		{"administrator1", "contract update b0f94a", []step{{"Total amount: 9 900.50 €", enter}, {"such as 1234.50", ctrlU + "13000" + enter}, {"Total amount: 13000", ""}},
			"INSERT INTO payment (id, contract_id, amount, recorded_by) SELECT gen_random_uuid(), id, 100, 'other' FROM contract WHERE id::text LIKE 'b0f94a%'",
			[]step{done, {"* Total amount: 9 900.50 € → 13 000.00 €", ""}},
			0, "SELECT count(*) FROM contract WHERE id::text LIKE 'b0f94a%' AND total_amount = 1300000"},
		{"administrator1", "contract update b0f94a", []step{{"Total amount: 13 000.00 €", "due on" + enter}, {"is to be paid", "2027-01-31" + enter}, {"Due on: 2027-01-31", ""}},
			"UPDATE contract SET total_amount = 1400000 WHERE id::text LIKE 'b0f94a%'",
			[]step{done, {"total_amount was 13000.00 and is 14000.00 now", ""}},
			6, "SELECT count(*) FROM contract WHERE id::text LIKE 'b0f94a%' AND due_on IS NULL"},
		{"support1", "event update 1", []step{{"Start: ", "attendees" + enter}, {"number of guests", ctrlU + "80" + enter}, {"Attendees: 80", ""}},
			"UPDATE event SET start_at = start_at + interval '1 hour' WHERE id = 1",
			[]step{done, {"start was 2026-02-12T09:00:00+01:00 and is 2026-02-12T10:00:00+01:00 now", ""}},
			6, "SELECT count(*) FROM event WHERE id = 1 AND attendees = 75"},
		{"administrator1", "employee update none1", []step{{"Username: none1", "full name" + enter}, {"first and last name", "x" + enter}, {"Kléberx", ""}},
			"UPDATE employee SET fullname = 'Other' WHERE username = 'none1'",
			[]step{done, {"fullname was Inès Kléber and is Other now", ""}},
			6, "SELECT count(*) FROM employee WHERE fullname = 'Other'"},
		// Two who want the same do not disagree.
		{"commercial1", "customer update 1", []step{{"Full name: Johanna Baker", "company" + enter}, {"name of the company", " SARL" + enter}, {"Company: Marsh & Fils SARL", ""}},
			"UPDATE customer SET company = 'Marsh & Fils SARL' WHERE id = 1", []step{done, {"Company: ", ""}}, 0, "SELECT 1"},
	} {
		t.Run(edit.command, func(t *testing.T) {
			e.login(edit.username)
			s := startPTY(t, pty.Winsize{Cols: 200, Rows: 50}, e.command(strings.Fields(edit.command)...))
			s.follow(edit.first...)
			e.sql(edit.meanwhile)
			s.follow(edit.then...)
			s.ends(edit.exit)
			if e.number(edit.check) != 1 {
				t.Errorf("not so: %s", edit.check)
			}
		})
	}
}

// TestOfferedValues: who is asked for what is needed is asked for the rest too, which Enter leaves out.
func TestOfferedValues(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("commercial1")
	s := startPTY(t, screens["80x24"], e.command("event", "add"))
	s.follow(step{"Contract", "771c41" + enter}, step{"Contract: 2026-0002", ""}, step{"Name", "Bal" + enter}, step{"Name: Bal", ""},
		step{"Start", "2026-02-30" + enter}, step{"2026-02-30", ctrlU + "2026-06-20 18:30" + enter}, step{"when it ends", enter},
		step{"number of guests", "many" + enter}, step{"Attendees", ctrlU + "80" + enter}, step{"where it is held", enter}, step{"Alt-Enter", enter},
		step{"Attendees: 80", ""})
	s.ends(0)
	s.showsNot("--attendees")
	if e.number("SELECT count(*) FROM event WHERE name = 'Bal' AND attendees = 80 AND start_at = '2026-06-20 18:30+02' AND num_nulls(end_at, location, note) = 3") != 1 {
		t.Error("not added so")
	}
	s = startPTY(t, screens["80x24"], e.command("event", "add", "--contract-uuid", "771c41", "--attendees", "5"))
	s.follow(step{"Name", "Fest" + enter}, step{"Attendees:", ""})
	s.ends(0)

	e.login("administrator1")
	s = startPTY(t, screens["80x24"], e.command("employee", "add"))
	s.follow(step{"Full name", "Léa Martin" + enter}, step{"Username", "lea" + enter}, step{"Role", down + enter}, step{"Role: commercial", ""}, step{"One-time password", ""})
	s.ends(0)
	s = startPTY(t, screens["80x24"], e.command("employee", "set-role", "support1"))
	s.follow(step{"> support", ctrlC})
	s.ends(130)
}

// TestYourself: a question about who asks it says so.
func TestYourself(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	s := startPTY(t, screens["80x24"], e.command("employee", "delete", "administrator1"))
	s.follow(step{"You are administrator1 yourself: delete your own account?", "n" + enter})
	s.ends(130)
	s = startPTY(t, screens["80x24"], e.command("employee", "set-role", "administrator1", "--role", "support"))
	s.follow(step{"You are administrator1 yourself: change your own role to support?", "non" + enter})
	s.ends(130)
	if code, stdout, stderr := e.crm("", "employee", "set-role", "administrator1", "--role", "none"); code != 2 || stdout != "" || !strings.Contains(stderr, "--yes") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	for _, args := range [][]string{{"administrator2", "--role", "none"}, {"administrator1", "--role", "administrator"}, {"administrator1", "--role", "none", "--yes"}} {
		if code, _, stderr := e.crm("", append([]string{"employee", "set-role"}, args...)...); code != 0 {
			t.Errorf("%v: exit %d, %q", args, code, stderr)
		}
	}
}
