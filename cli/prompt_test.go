//go:build unix

package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

const newSecret = "mauve kayaks drift by"

// TestQuestions answers every kind of question, first wrong where that is possible, on two sizes of terminal.
func TestQuestions(t *testing.T) {
	questions := []struct {
		name    string
		command []string
		steps   []step
		exit    int
		check   string // a query that gives 1 afterwards
	}{
		{"text, wrong and then right", []string{"contract", "add", "--customer-id", "5"},
			[]step{{"Total amount", "12.345" + enter}, {"more than two decimals", ctrlU + "77.70" + enter}, {"Total amount: 77.70", ""}, {"Due on", enter}, {"Contract", ""}},
			0, "SELECT count(*) FROM contract WHERE total_amount = 7770"},
		{"text, nothing and then pasted", []string{"contract", "add", "--customer-id", "5"},
			[]step{{"Total amount", enter}, {"write 1234.56", "\x1b[200~88,80\n\x1b[201~"}, {"", enter}, {"Total amount: 88,80", ""}, {"Due on", enter}},
			0, "SELECT count(*) FROM contract WHERE total_amount = 8880"},
		{"list by arrows", []string{"employee", "detail"},
			[]step{{"administrator2", down + down + enter}, {"Username: administrator3", ""}}, 0, "SELECT 1"},
		{"list by search, without accents", []string{"employee", "detail"},
			[]step{{"administrator2", "helene"}, {"", enter}, {"Username: support2", ""}, {"Employee", ""}}, 0, "SELECT 1"},
		{"list, searched in vain and again", []string{"event", "set-support", "8"},
			[]step{{"support1", "zzz" + enter}, {"Nothing in the list", ctrlU}, {"support1", "imbert" + enter}, {"Support's username: support1", ""}},
			0, "SELECT count(*) FROM event_view WHERE id = 8 AND support = 'support1'"},
		{"words that fit one", []string{"customer", "set-commercial", "fado", "--commercial-username", "commercial1"},
			[]step{{"Inès Ribeiro", ""}}, 0, "SELECT count(*) FROM customer_view WHERE id = 5 AND commercial = 'commercial1'"},
		{"words that fit several", []string{"contract", "add", "--customer-id", "mar", "--total-amount", "5", "--due", "today"},
			[]step{{"Solène Roux", "marais" + enter}, {"Customer: 8", ""}}, 0, "SELECT count(*) FROM contract WHERE customer_id = 8 AND total_amount = 500"},
		{"one that is found is opened", []string{"find", "ribeiro"}, []step{{"Due since", ""}}, 0, "SELECT 1"},
		{"one of those found is chosen and opened", []string{"find", "a"},
			[]step{{"type to search", "gala" + enter}, {"Open: event 9", ""}, {"+41 22 345 67 89", ""}}, 0, "SELECT 1"},
		{"who chooses nothing of those found sees all", []string{"find", "mar"}, []step{{"type to search", "\x1b"}, {"Éditions du Marais", ""}}, 0, "SELECT 1"},
		{"one of a list is opened", []string{"contract", "list", "--customer-id", "5", "--open"},
			[]step{{"2026-0016", down + enter}, {"Open: 2026-0016", ""}, {"No payments.", ""}}, 0, "SELECT 1"},
		{"one of a list by its number", []string{"contract", "list", "--not-paid-filter", "--open"},
			[]step{{"type to search", "2026-0004" + enter}, {"Open: 2026-0004", ""}, {"No payments.", ""}}, 0, "SELECT 1"},
		{"one of a list by a name without accents", []string{"customer", "list", "--open"},
			[]step{{"type to search", "senechal" + enter}, {"Open: 9", ""}, {"Due since", ""}}, 0, "SELECT 1"},
		{"one of the payments is opened", []string{"payment", "list", "--open"},
			[]step{{"type to search", "2026-0003" + enter}, {"Open: a2e19158", ""}, {"Recorded at", ""}}, 0, "SELECT 1"},
		{"one of the employees is opened", []string{"employee", "list", "--open"},
			[]step{{"type to search", "jacquet" + enter}, {"Open: support2", ""}, {"Hélène Jacquet", ""}}, 0, "SELECT 1"},
		{"a payment to void is chosen", []string{"payment", "void", "--reason", "typed twice"},
			[]step{{"type to search", "2026-0003" + enter}, {"Payment: ", ""}, {"typed twice", ""}}, 0, "SELECT count(*) FROM payment WHERE void_reason = 'typed twice'"},
		{"a list that is left", []string{"event", "list", "--open"}, []step{{"type to search", ctrlC}}, 130, "SELECT 1"},
		{"roles", []string{"employee", "set-role", "none1"},
			[]step{{"commercial", "supp" + enter}, {"Role: support", ""}}, 0, "SELECT count(*) FROM employee WHERE username = 'none1' AND role = 'support'"},
		{"password twice, once different", []string{"auth", "change-password"},
			[]step{{"Current password", schema.SamplePassword + enter}, {"New password", "short" + enter}, {"15 to 128", ctrlU + newSecret + enter}, {"The same again", newSecret + "!" + enter}, {"differ", ""},
				{"New password", newSecret + enter}, {"The same again", newSecret + enter}, {"Your password is changed", ""}},
			0, "SELECT 1"},
		{"no by Enter", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", enter}, {"You answered no", ""}},
			130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"no by n", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "n" + enter}, {"You answered no", ""}},
			130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"another word", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "hello" + enter}, {"Answer yes or no.", enter}, {"You answered no", ""}},
			130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"letters that turned the choice", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "h" + enter}, {"Answer yes or no.", "l\x7f" + enter},
			{"You answered no", ""}}, 130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"the beginning of a word", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "yess" + enter}, {"Answer yes or no.", ctrlC}},
			130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"no by an arrow and back", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "\x1b[D\x1b[C" + enter}, {"You answered no", ""}},
			130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"yes by arrow", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "\x1b[D" + enter}, {"is deleted", ""}},
			0, "SELECT 1 - count(*) FROM employee WHERE username = 'none1'"},
		{"yes by Tab", []string{"employee", "delete", "temp"}, []step{{"Delete the employee temp?", "\t" + enter}, {"is deleted", ""}},
			0, "SELECT 1 - count(*) FROM employee WHERE username = 'temp'"},
		{"yes by oui, corrected", []string{"employee", "delete", "temp2"}, []step{{"Delete the employee temp2?", "Ouix\x7f" + enter}, {"is deleted", ""}},
			0, "SELECT 1 - count(*) FROM employee WHERE username = 'temp2'"},
		{"an id before what has it inside", []string{"event", "set-support", "--username", "support2"},
			[]step{{"Event", "1" + enter}, {"Event: 1 ", ""}, {"Company", ""}},
			0, "SELECT count(*) FROM event_view WHERE id = 1 AND support = 'support2'"},
		{"an id before a company with it", []string{"customer", "set-commercial", "--commercial-username", "commercial3"},
			[]step{{"Customer", "6" + enter}, {"Customer: 6 ", ""}, {"Company", ""}},
			0, "SELECT count(*) FROM customer_view WHERE id = 6 AND commercial = 'commercial3'"},
		{"several are not chosen by Enter", []string{"employee", "detail"},
			[]step{{"administrator2", "commercial" + enter}, {"3 in the list have this text in them", "2" + enter}, {"Username: commercial2", ""}}, 0, "SELECT 1"},
		{"several, and one by an arrow", []string{"employee", "detail"},
			[]step{{"administrator2", "commercial" + enter}, {"3 in the list have this text in them", down + enter}, {"Username: commercial2", ""}}, 0, "SELECT 1"},
	}
	for name, size := range screens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.login("administrator1")
			for _, name := range []string{"temp", "temp2"} {
				if code, _, stderr := e.crm("", "employee", "add", "--fullname", "Temp", "--username", name); code != 0 {
					t.Fatal(stderr)
				}
			}
			e.sql("UPDATE customer SET company = 'M6 Events' WHERE id = 3")
			for _, q := range questions {
				t.Run(q.name, func(t *testing.T) {
					s := startPTY(t, size, e.command(q.command...))
					s.follow(q.steps...)
					s.ends(q.exit)
					s.showsNot(newSecret)
					if e.number(q.check) != 1 {
						t.Errorf("not done: %s", q.check)
					}
				})
			}
		})
	}
}

// TestLeavingQuestions leaves every kind of question in every way: exit 130, nothing changed, the terminal as before.
func TestLeavingQuestions(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	before := e.contents()
	t.Run("by", func(t *testing.T) { leaveQuestions(t, e) })
	if e.contents() != before {
		t.Error("a question that was left has changed the data")
	}
}

func leaveQuestions(t *testing.T, e *env) {
	kinds := map[string]struct {
		command []string
		see     string
	}{
		"text":     {[]string{"contract", "add", "--customer-id", "5"}, "Total amount"},
		"password": {[]string{"auth", "change-password"}, "Current password"},
		"list":     {[]string{"contract", "sign"}, "Contract"},
		"confirm":  {[]string{"employee", "delete", "none1"}, "Delete the employee none1?"},
	}
	for name, kind := range kinds {
		for _, terminal := range []string{"xterm-256color", "dumb"} {
			for way, keys := range map[string]string{"Ctrl-C": ctrlC, "Ctrl-D": ctrlD, "Esc": esc, "hangup": ""} {
				if way == "Esc" && terminal == "dumb" {
					continue // a character of the line there
				}
				t.Run(name+" by "+way+" on "+terminal, func(t *testing.T) {
					t.Parallel()
					cmd := e.command(kind.command...)
					cmd.Env = append(cmd.Env, "TERM="+terminal)
					if way == "hangup" { // without the signal that the owner of a terminal gets
						cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
					}
					s := startPTY(t, screens["80x24"], cmd)
					s.expect(kind.see)
					if way == "hangup" {
						s.keyboard.Close()
						if code := exitCode(s.wait().err); code != 130 {
							t.Errorf("exit %d, want 130", code)
						}
						return
					}
					s.press(keys)
					s.expect("crm: Interrupted.")
					s.ends(130)
				})
			}
		}
	}
}

// TestQuestionsAndStreams: questions are for people only, and never part of the result.
func TestQuestionsAndStreams(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	t.Run("result in a file", func(t *testing.T) {
		t.Parallel()
		file, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd := e.command("employee", "detail", "--output", "json")
		cmd.Stdout = file
		s := startPTY(t, screens["80x24"], cmd)
		s.follow(step{"administrator2", "support1" + enter})
		s.ends(0)
		text, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil || object["username"] != "support1" {
			t.Errorf("the file holds more or less than the result (%v):\n%q", err, text)
		}
	})
	for name, arrange := range map[string]func(cmd *exec.Cmd){
		"stdin is no terminal":  func(cmd *exec.Cmd) { cmd.Stdin = strings.NewReader("support1\n") },
		"stderr is no terminal": func(cmd *exec.Cmd) { cmd.Stderr = &strings.Builder{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := e.command("employee", "detail")
			arrange(cmd)
			startPTY(t, screens["80x24"], cmd).ends(2)
		})
	}
}

// TestLoginAtQuestions: who is not logged in is asked, and the command goes on with the values that it has.
func TestLoginAtQuestions(t *testing.T) {
	t.Parallel()
	t.Run("goes on", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t)
		login := []step{{"Username", "Bad Name" + enter}, {"is not valid", ctrlU + "administrator1" + enter}, {"Password", schema.SamplePassword + enter}}
		s := startPTY(t, screens["80x24"], e.command("contract", "add", "--customer-id", "5"))
		s.follow(step{"You are not logged in.", ""})
		s.follow(login...)
		s.follow(step{"Total amount", "66.60" + enter}, step{"Due on", enter})
		s.expect("66.60 €")
		s.ends(0)
		s.showsNot(schema.SamplePassword)

		conn := dbtest.Connect(t, e.config)
		if _, err := conn.Exec(t.Context(), "DELETE FROM session"); err != nil {
			t.Fatal(err)
		}
		s = startPTY(t, screens["80x24"], e.command("contract", "add", "--customer-id", "5"))
		// Only the password is asked for: who it was is known.
		s.follow(step{"Your session is over.", ""}, step{"Password of administrator1", schema.SamplePassword + enter})
		s.follow(step{"Total amount", "66.60" + enter}, step{"Due on", enter})
		s.expect("66.60 €")
		s.ends(0)
		if n := e.number("SELECT count(*) FROM contract WHERE total_amount = 6660"); n != 2 {
			t.Errorf("%d contracts were added, want 2", n)
		}
	})
	t.Run("auth login offers who logged in last", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t)
		e.login("support2")
		s := startPTY(t, screens["80x24"], e.command("auth", "login"))
		s.follow(step{"support2", enter}, step{"Password", schema.SamplePassword + enter}, step{"Hélène Jacquet", ""})
		s.ends(0)
		s = startPTY(t, screens["80x24"], e.command("auth", "login"))
		s.follow(step{"support2", ctrlU + "none1" + enter}, step{"Password", schema.SamplePassword + enter}, step{"Inès Kléber", ""})
		s.ends(0)
	})
	t.Run("a login to end is chosen", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t)
		e.login("support2")
		s := startPTY(t, screens["80x24"], e.command("auth", "sessions", "revoke"))
		s.follow(step{"this one", enter}, step{"1 of the sessions ended", ""})
		s.ends(0)
		if n := e.number("SELECT count(*) FROM session"); n != 0 {
			t.Errorf("%d logins are left", n)
		}
	})
	t.Run("who logged out is offered, and another may log in", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t)
		e.login("support2")
		if code, _, stderr := e.crm("", "auth", "logout"); code != 0 {
			t.Fatal(stderr)
		}
		s := startPTY(t, screens["80x24"], e.command("auth", "login"))
		s.follow(step{"support2", enter}, step{"Password", schema.SamplePassword + enter}, step{"Hélène Jacquet", ""})
		s.ends(0)
		if code, _, stderr := e.crm("", "auth", "logout"); code != 0 {
			t.Fatal(stderr)
		}
		s = startPTY(t, screens["80x24"], e.command("auth", "whoami"))
		s.ends(3)
		s = startPTY(t, screens["80x24"], e.command("customer", "list", "--count"))
		s.follow(step{"support2", ctrlU + "none1" + enter}, step{"Password", schema.SamplePassword + enter}, step{"13", ""})
		s.ends(0)
	})
	t.Run("auth login asks both, three times, and tells to wait", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t)
		refused := "Unknown username or wrong password."
		s := startPTY(t, screens["60x20"], e.command("auth", "login"))
		s.follow(step{"Username", "support1" + enter}, step{"Password", "wrong 1" + enter}, step{refused, ""},
			step{"Password", "wrong 2" + enter}, step{refused, ""}, step{"Password", "wrong 3" + enter}, step{"crm: " + refused, ""})
		s.ends(3)
		s.showsNot("wrong 1")
		if _, err := os.Stat(e.tokenFile()); err == nil {
			t.Error("a failed login left a token")
		}
		s = startPTY(t, screens["60x20"], e.command("auth", "login", "support1"))
		s.follow(step{"Password", "wrong 4" + enter}, step{refused, ""}, step{"Password", "wrong 5" + enter},
			step{refused, ""}, step{"Password", schema.SamplePassword + enter}, step{"Too many failed logins for this username: wait", ""})
		s.ends(3)
	})
	t.Run("a password for the first login is changed there and then", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t)
		conn := dbtest.Connect(t, e.config)
		if _, err := conn.Exec(t.Context(), "UPDATE employee SET password_one_time = true WHERE username = 'none1'"); err != nil {
			t.Fatal(err)
		}
		s := startPTY(t, screens["80x24"], e.command("customer", "list", "--count"))
		s.follow(step{"Username", "none1" + enter}, step{"Password", schema.SamplePassword + enter}, step{"until you choose your own", ""},
			step{"New password", newSecret + enter}, step{"The same again", newSecret + enter}, step{"Your password is changed", ""}, step{"13", ""})
		s.ends(0)
		if n := e.number("SELECT count(*) FROM employee WHERE password_one_time"); n != 0 {
			t.Errorf("%d passwords are still for one login", n)
		}
	})
	t.Run("pasted password", func(t *testing.T) {
		t.Parallel()
		e := newEnv(t)
		s := startPTY(t, screens["60x20"], e.command("auth", "login", "support1"))
		s.follow(step{"Password", "\x1b[200~" + schema.SamplePassword + "\n\x1b[201~" + enter}, step{"Session", ""})
		s.ends(0)
		s.showsNot(schema.SamplePassword)
	})
}

// TestResetWantsTheName: what deletes everything is not done by a yes.
func TestResetWantsTheName(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for _, terminal := range []string{"xterm-256color", "dumb"} {
		cmd := e.command("db", "reset")
		cmd.Env = append(cmd.Env, "TERM="+terminal)
		s := startPTY(t, screens["80x24"], cmd)
		s.follow(step{"Type its name", "hello" + enter}, step{"This is not its name", ctrlC})
		s.ends(130)
	}
	const sessions = "SELECT count(*) FROM session"
	before := e.number("INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), min(id) FROM employee RETURNING 1")
	if e.number("SELECT count(*) FROM customer") == 0 || e.number(sessions) < before {
		t.Fatal("everything was deleted")
	}
	s := startPTY(t, screens["80x24"], e.command("db", "reset"))
	s.follow(step{"Type its name", "y" + enter}, step{"This is not its name", ctrlU + e.config.Database + enter}, step{"Database", ""})
	s.ends(0)
	if e.number(sessions) != 0 || e.number("SELECT count(*) FROM customer") == 0 {
		t.Error("nothing was deleted, or the sample data is not back")
	}
}
