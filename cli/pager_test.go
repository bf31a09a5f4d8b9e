//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// atTerminal starts crm at a terminal of 24 lines. A pager of a test writes "paged" before each line that it passes on.
func (e *employee) atTerminal(t *testing.T, args ...string) *ptyProcess {
	t.Helper()
	command := exec.Command("crm", args...)
	e.vars["TERM"] = "xterm"
	command.Dir, command.Env = e.vars["HOME"], e.environ()
	return startPTY(t, pty.Winsize{Rows: 24, Cols: 120}, command)
}

// TestPagerByDefault: where nobody chose, a result that is longer than the screen is read in less, and a shorter one is not.
func TestPagerByDefault(t *testing.T) {
	t.Parallel()
	requireProgram(t, "less", "less")
	e := asEmployee(t, "none1")
	e.vars["PAGER"] = ""
	e.sql(manyCustomers)
	s := e.atTerminal(t, "customer", "list", "--fields", "id,fullname")
	s.until("\n:") // less waits for a key
	if strings.Contains(s.text(), "Showing 50") {
		t.Errorf("a notice stands in the pager: %s", s.text())
	}
	s.press("q")
	if err := s.wait().err; err != nil || !strings.Contains(s.text(), "Showing 50 of 10013; --limit 0 shows all") {
		t.Errorf("%v: %s", err, s.text())
	}
	for _, args := range [][]string{{"customer", "list", "--limit", "3"}, {"customer", "detail", "3"}} {
		s := e.atTerminal(t, args...)
		if err := s.wait().err; err != nil || !strings.Contains(s.text(), "Anaïs Morel") {
			t.Errorf("%v: %v, %s", args, err, s.text())
		}
	}
}

const marking = "sed 's/^/paged /'"

func TestPagerIsChosen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		crmPager, pager string
		paged           bool
	}{
		"none":             {"", "", false},
		"PAGER":            {"", marking, true},
		"CRM_PAGER":        {marking, "", true},
		"CRM_PAGER first":  {marking, "head -1", true},
		"CRM_PAGER is cat": {"cat", marking, false},
		"blank":            {" ", " ", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := asEmployee(t, "none1")
			e.vars["CRM_PAGER"], e.vars["PAGER"] = c.crmPager, c.pager
			s := e.atTerminal(t, "customer", "list", "--limit", "2")
			if err := s.wait().err; err != nil {
				t.Error(err)
			}
			if paged := strings.Contains(s.text(), "paged │"); paged != c.paged || !strings.Contains(s.text(), "Johanna Baker") {
				t.Errorf("paged is %v: %s", paged, s.text())
			}
			if out := e.must(t, "customer", "list"); strings.Contains(out, "paged") {
				t.Errorf("paged without a terminal: %s", out)
			}
		})
	}
}

func TestPagerKnowsHowToShow(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{"": "FRX", "S": "S"} {
		e := asEmployee(t, "none1")
		e.vars["LESS"], e.vars["PAGER"] = set, `echo "<LESS=$LESS>"; cat`
		s := e.atTerminal(t, "customer", "list", "--limit", "2")
		if err := s.wait().err; err != nil || !strings.Contains(s.text(), "<LESS="+want+">") {
			t.Errorf("LESS=%s: %v, %s", set, err, s.text())
		}
	}
}

func TestPagerThatDoesNotExist(t *testing.T) {
	t.Parallel()
	for pager, code := range map[string]int{"no-such-pager -x": 0, "/": 0, "no-such-pager 2>/dev/null": 2} {
		e := asEmployee(t, "none1")
		e.vars["PAGER"] = pager
		s := e.atTerminal(t, "customer", "detail", "3")
		if got := exitCode(s.wait().err); got != code {
			t.Errorf("%s: exit %d, want %d", pager, got, code)
		}
		if n := strings.Count(s.text(), "cannot be started"); n != 1 || !strings.Contains(s.text(), "CRM_PAGER=cat") {
			t.Errorf("%s: said %d times: %s", pager, n, s.text())
		}
		if shown := strings.Contains(s.text(), "Anaïs Morel"); shown != (code == 0) {
			t.Errorf("%s: shown is %v: %s", pager, shown, s.text())
		}
	}
}

// TestPagerIsLeftEarly leaves much unread.
func TestPagerIsLeftEarly(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "none1")
	e.sql(manyCustomers)
	for _, format := range []string{"table", "json", "csv"} {
		for _, pager := range []string{"head -1", "true", "false"} {
			e.vars["PAGER"] = pager
			s := e.atTerminal(t, "customer", "list", "--limit", "2000", "-o", format)
			if err := s.wait().err; err != nil || strings.Contains(s.text(), "crm:") {
				t.Errorf("%s through %s: %v, %s", format, pager, err, s.text())
			}
		}
	}
}

// TestPagerInUse reads a list in less itself, presses Ctrl-C there, and leaves it.
func TestPagerInUse(t *testing.T) {
	t.Parallel()
	requireProgram(t, "less", "less")
	e := asEmployee(t, "none1")
	e.sql(manyCustomers)
	e.vars["PAGER"] = "less"
	for _, format := range []string{"table", "json"} {
		s := e.atTerminal(t, "customer", "list", "--fields", "id,fullname", "-o", format)
		s.until("Johanna Baker")
		s.until("\n:") // less waits for a key
		s.press("\x03")
		s.pressUntil(" ", "Zoé n° 25") // less forgets the keys that come while it deals with Ctrl-C
		s.press("q")
		s.ends(0, 130) // as far as crm had come
	}
}

// TestPagerSwallowsNoNotice has notices before, beside and after the result.
func TestPagerSwallowsNoNotice(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	e.sql(manyCustomers)
	// This pager shows its last line when a file is there, which is after crm has written everything.
	e.vars["PAGER"] = `cat; while [ ! -e go ]; do sleep 0.01; done; echo end of pager`
	s := e.atTerminal(t, "customer", "list")
	s.until("╰")
	if err := os.WriteFile(filepath.Join(e.vars["HOME"], "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := s.until("end of pager")
	if err := s.wait().err; err != nil {
		t.Error(err)
	}
	for _, notice := range []string{"Showing 50 of 10013; --limit 0 shows all", "Not shown for lack of width"} {
		if strings.Contains(before, notice) || !strings.Contains(s.text(), notice) {
			t.Errorf("%q is not shown, or into the pager: %s", notice, s.text())
		}
	}

	e.vars["PAGER"] = marking
	s = e.atTerminal(t, "employee", "delete", "none1") // asks first, with no result at all
	s.until("Delete the employee none1?")
	s.press("y" + enter)
	_ = s.wait()
	if strings.Contains(s.text(), "paged") {
		t.Errorf("a question went through the pager: %s", s.text())
	}
}
