//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/localdb"
)

// newMachine is an employee where no database was made yet.
func newMachine(t *testing.T) *employee {
	t.Helper()
	e := &employee{t: t, vars: map[string]string{"HOME": localHome(t)}}
	t.Cleanup(func() {
		delete(e.vars, "CRM_TOKEN")
		e.shell(t, "crm db stop")
	})
	return e
}

// employees counts those of the local database.
func (e *employee) employees(t *testing.T) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), localdb.New(filepath.Join(e.vars["HOME"], ".local/share/crm"), os.Getenv).URL(localdb.Database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM employee").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	sampleEmployees = 10
	migrateChloe    = `echo une phrase de mon choix | crm db migrate --admin-username chloe --admin-fullname 'Chloé Dupré' --password-stdin`
)

// TestSampleIsInvited has the first command on a new machine: nine accounts with a published password come only where
// somebody asks for them, or is told of them at a terminal.
func TestSampleIsInvited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line            string
		code, employees int
	}{
		"start":              {"crm db start", 0, sampleEmployees},
		"start without":      {"CRM_DATABASE_SAMPLE_POPULATE=false crm db start", 0, 0},
		"populate":           {"crm db populate", 0, sampleEmployees},
		"a script":           {"echo epic-events-sample | crm auth login administrator1 --password-stdin", 3, 0},
		"migrate":            {"crm db migrate", 0, 0},
		"first of all Chloé": {migrateChloe, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newMachine(t)
			if code, output := e.shell(t, c.line); code != c.code {
				t.Errorf("exit %d: %s", code, output)
			}
			if n := e.employees(t); n != c.employees {
				t.Errorf("%d employees, not %d", n, c.employees)
			}
		})
	}
	t.Run("at a terminal", func(t *testing.T) {
		t.Parallel()
		e := &env{t: t, home: localHome(t)}
		e.vars = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + e.home, "TERM=xterm-256color"}
		t.Cleanup(func() { e.crm("", "db", "stop") })
		s := startPTY(t, pty.Winsize{Cols: 200, Rows: 24}, e.command("auth", "login", "administrator1"))
		s.follow(step{"It holds sample data. Log in", ""}, step{"Password", "epic-events-sample" + enter})
		s.ends(0)
	})
}

// TestPopulateWhereNobodyCanLogIn: nobody has the right to, and nobody's work is there.
func TestPopulateWhereNobodyCanLogIn(t *testing.T) {
	t.Parallel()
	e := newMachine(t)
	for _, step := range []struct {
		line            string
		code, employees int
		says            string
	}{
		{"crm db migrate", 0, 0, "The database has no employee yet"},
		{"crm db reset --yes", 0, 0, "It is empty."},
		{"crm db populate", 0, sampleEmployees, "It holds sample data."},
		{"crm db populate", 3, sampleEmployees, "not logged in"},
		{"crm db reset --yes", 0, sampleEmployees, "It holds sample data."},
		{"crm db reset --yes --sample=false", 0, 0, "It is empty."},
		{"crm db reset --yes", 0, 0, "It is empty."},
		{migrateChloe, 0, 1, "chloe is added"},
		{"crm --database.reset db migrate", 6, 1, "database.reset is set, but the database holds more than the sample data"},
		{"crm --database.reset db start", 6, 1, "nothing is deleted"},
		{"crm db backup crm.backup", 0, 1, ""},
		{"crm db reset --yes --sample", 0, sampleEmployees, "It holds sample data."},
		{"crm --database.reset db start", 0, sampleEmployees, "database.reset is set: everything in"},
		{"CRM_DATABASE_RESET=true crm db reset --yes --sample=false", 0, 0, "It is empty."},
		{"crm db restore crm.backup", 0, 1, "restored"},
		{"crm db stop && rm -r .local/share/crm && crm db restore crm.backup", 0, 1, "restored"},
	} {
		code, output := e.shell(t, step.line)
		if code != step.code || !strings.Contains(output, step.says) {
			t.Errorf("%s: exit %d, not %d with %q: %s", step.line, code, step.code, step.says, output)
		}
		if n := e.employees(t); n != step.employees {
			t.Errorf("after %s: %d employees, not %d", step.line, n, step.employees)
		}
	}
}

// TestTokenOfAnotherDatabase is a job that runs without the HOME that its token is of.
func TestTokenOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, from, hint string }{
		"variable": {"export CRM_TOKEN=token; ", "CRM_TOKEN", "unset CRM_TOKEN"},
		"file":     {"umask 077; echo token >token; export CRM_TOKEN_FILE=$HOME/token; ", "$HOME/token", "unset CRM_TOKEN_FILE"},
		"login":    {"mkdir -p .local/state/crm; umask 077; echo token >.local/state/crm/token; ", "$HOME/.local/state/crm/token", "crm auth logout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newMachine(t)
			made := filepath.Join(e.vars["HOME"], ".local/share/crm")
			for _, line := range []string{"crm contract list", "crm db start", "crm db backup file", migrateChloe, "crm db populate"} {
				code, output := e.shell(t, c.before+line)
				from := strings.ReplaceAll(c.from, "$HOME", e.vars["HOME"])
				if code != 7 || !strings.Contains(output, from) || !strings.Contains(output, made) || !strings.Contains(output, c.hint) {
					t.Errorf("%s: exit %d, %s", line, code, output)
				}
				if _, err := os.Lstat(made); err == nil {
					t.Fatalf("%s made %s", line, made)
				}
			}
			if name == "login" {
				if code, output := e.shell(t, "crm auth logout && crm db start"); code != 0 {
					t.Errorf("exit %d: %s", code, output)
				}
			}
		})
	}
}

// TestLongHome has three first commands in a home that is too long for a socket, which is in a folder of /tmp then, and
// three more after that folder is gone, as when the machine starts.
func TestLongHome(t *testing.T) {
	t.Parallel()
	for _, name := range []string{strings.Repeat("l", 111), `a "quoted", home`} {
		e := newMachine(t)
		e.vars["HOME"] = filepath.Join(e.vars["HOME"], name)
		if err := os.Mkdir(e.vars["HOME"], 0o755); err != nil {
			t.Fatal(err)
		}
		cluster := func() *localdb.Cluster {
			return localdb.New(filepath.Join(e.vars["HOME"], ".local/share/crm"), os.Getenv)
		}
		for _, line := range []string{
			"for i in 1 2 3; do crm db start >$i 2>&1 & ids=\"$ids $!\"; done; for id in $ids; do wait $id || { cat 1 2 3; exit 1; }; done",
			"for i in 1 2 3; do echo epic-events-sample | crm auth login --password-stdin administrator$i >$i 2>&1 & ids=\"$ids $!\"; done; for id in $ids; do wait $id || { cat 1 2 3; exit 1; }; done",
			"crm contract list --count",
		} {
			if code, output := e.shell(t, line); code != 0 {
				t.Errorf("%s: exit %d, %s", line, code, output)
			}
			config, err := pgx.ParseConfig(cluster().URL(localdb.Database))
			if err != nil {
				t.Fatal(err)
			}
			e.shell(t, "crm db stop")
			if err := os.RemoveAll(config.Host); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRootInSomebodysHome leaves nothing there that is root's.
func TestRootInSomebodysHome(t *testing.T) {
	t.Parallel()
	e := newMachine(t)
	home, err := os.Stat(e.vars["HOME"])
	if err != nil {
		t.Fatal(err)
	}
	uid := int(home.Sys().(*syscall.Stat_t).Uid)
	if os.Geteuid() == 0 {
		for _, name := range []string{"postgres", "_postgres", "nobody"} {
			if output, err := exec.Command("id", "-u", name).Output(); err == nil {
				if err := exec.Command("chown", name, e.vars["HOME"]).Run(); err != nil {
					t.Fatal(err)
				}
				uid = 0
				for _, digit := range strings.TrimSpace(string(output)) {
					uid = 10*uid + int(digit-'0')
				}
				break
			}
		}
	}
	if code, output := e.shell(t, "crm db start && echo epic-events-sample | crm auth login administrator1 --password-stdin"); code != 0 {
		t.Fatalf("exit %d: %s", code, output)
	}
	for _, name := range []string{".local", ".local/share", ".local/share/crm", ".local/share/crm/auth_secret_key", ".local/share/crm/postgres",
		".local/share/crm/postgres/data", ".local/state", ".local/state/crm", ".local/state/crm/token"} {
		info, err := os.Lstat(filepath.Join(e.vars["HOME"], name))
		if err != nil {
			t.Error(err)
		} else if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != uid {
			t.Errorf("%s belongs to %d, not %d", name, owner, uid)
		}
	}
}
