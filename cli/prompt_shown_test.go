//go:build unix

package cli

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// TestPlainQuestions: without a screen the questions are lines, and nothing moves a cursor.
func TestPlainQuestions(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	conversation := []step{
		{"Customer, or text to search for:", "zzz" + enter}, {"Nothing in the list", "zimmer" + enter}, {"Customer: 11", ""},
		{"Total amount:", "1.234" + enter}, {"more than two decimals", "12,50" + enter}, {"Due on", enter},
	}
	for name, start := range map[string]struct {
		terminal string
		size     pty.Winsize
	}{
		"dumb":       {"dumb", screens["80x24"]},
		"of no size": {"xterm-256color", pty.Winsize{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := *e
			p.home = t.TempDir()
			p.vars = append(slices.Clone(p.vars), "HOME="+p.home, "TERM="+start.terminal)
			s := startPTY(t, start.size, p.command("contract", "add", "--no-color"))
			s.follow(step{"Username:", "administrator1" + enter}, step{"Password:", "wrong" + enter}, step{"Unknown username", ""},
				step{"Password of administrator1:", schema.SamplePassword + enter})
			s.follow(conversation...)
			s.expect("12.50 €")
			s.ends(0)
			s.showsNot(schema.SamplePassword)
			s = startPTY(t, start.size, p.command("--no-color", "employee", "delete", "commercial1"))
			s.follow(step{"[y/N]:", "what" + enter}, step{"Answer yes or no.", "h" + enter}, step{"Answer yes or no.", "OUI" + enter}, step{"in charge of", ""})
			s.ends(6)
			text := s.raw()
			if strings.Contains(text, "\x1b") {
				t.Errorf("an escape sequence is shown:\n%q", text)
			}
		})
	}
}

// TestNoColorQuestions: bold and reverse stay, colours go.
func TestNoColorQuestions(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	for name, set := range map[string]func(*exec.Cmd){
		"NO_COLOR":   func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "NO_COLOR=1") },
		"--no-color": func(cmd *exec.Cmd) { cmd.Args = append(cmd.Args, "--no-color") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := e.command("employee", "detail")
			set(cmd)
			s := startPTY(t, screens["80x24"], cmd)
			s.follow(step{"administrator2", "zzz" + enter}, step{"Nothing in the list", ctrlC})
			s.ends(130)
			shown := s.raw()
			if colour := regexp.MustCompile(`\x1b\[([0-9;]*;)?(3|4|9|10)[0-8][0-9;]*m`).FindString(shown); colour != "" {
				t.Errorf("coloured by %q", colour)
			}
		})
	}
}

// TestLongList: ten thousand customers can be chosen from as quickly as ten.
func TestLongList(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	conn := dbtest.Connect(t, e.config)
	_, err := conn.Exec(t.Context(), `INSERT INTO customer (fullname, company, email, phone, commercial_id)
		SELECT 'Zoé Numéro ' || n, 'Société ' || n, 'n' || n || '@example.fr', phone, commercial_id
		FROM generate_series(1, 10000) AS n, (SELECT phone, commercial_id FROM customer LIMIT 1) AS sample`)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	s := startPTY(t, screens["80x24"], e.command("customer", "detail"))
	s.expect("more than 100 in all")
	listed := time.Since(start)
	start = time.Now()
	s.press("9876") // also in the name of another
	s.press(enter)
	s.expect("Customer: 9876")
	s.ends(0)
	t.Logf("shown after %v, found after %v", listed, time.Since(start))
}
