//go:build unix

package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// place is a database and a home of its own for real crm processes.
type place struct {
	t      *testing.T
	config *pgx.ConnConfig
	env    []string
	home   string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	config := dbtest.Sample(t)
	home := t.TempDir()
	return &place{t: t, config: config, home: home, env: []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"TERM=xterm-256color",
		"CRM_DATABASE_URL=" + dbtest.URL(config),
		"CRM_CONTROLLER_AUTH_SECRET_KEY=" + strings.Repeat("k", 32),
		"GORACE=atexit_sleep_ms=0",
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), // for make cover
	}}
}

func (p *place) tokenFile() string { return filepath.Join(p.home, ".local/state/crm/token") }

// command is a crm process that is not started yet.
func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command("crm", args...)
	cmd.Dir, cmd.Env = p.home, slices.Clone(p.env)
	return cmd
}

// crm runs crm without a terminal and gives its exit code, stdout and stderr.
func (p *place) crm(stdin string, args ...string) (code int, stdout, stderr string) {
	cmd := p.command(args...)
	var out, err strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	return exitCode(cmd.Run()), out.String(), err.String()
}

func (p *place) login(username string) {
	p.t.Helper()
	if code, _, stderr := p.crm(schema.SamplePassword+"\n", "auth", "login", username, "--password-stdin"); code != 0 {
		p.t.Fatalf("login of %s: exit %d, %s", username, code, stderr)
	}
}

// number gives the answer of a query for one number.
func (p *place) number(query string, args ...any) (n int64) {
	p.t.Helper()
	conn := dbtest.Connect(p.t, p.config)
	if err := conn.QueryRow(p.t.Context(), query, args...).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// exitCode is that of a finished process; -1 when a signal ended it or it never ran.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return -1
}

// session is a crm process at a terminal of its own, and the person before it.
type session struct {
	t        *testing.T
	cmd      *exec.Cmd
	keyboard *os.File // also the screen
	tty      *os.File
	before   *term.State
	done     chan error

	mu      sync.Mutex
	shown   strings.Builder
	changed chan struct{}
	read    int // how much of what was shown was expected already
}

var screens = map[string]pty.Winsize{"80x24": {Cols: 80, Rows: 24}, "60x20": {Cols: 60, Rows: 20}}

// at starts crm at a terminal. Streams that the command has already are left alone.
func (p *place) at(t *testing.T, size pty.Winsize, cmd *exec.Cmd) *session {
	t.Helper()
	blocking, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer blocking.Close()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	keyboard := os.NewFile(uintptr(fd), "keyboard") // one that can be closed while it is read
	if err := pty.Setsize(tty, &size); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Stdin == nil {
		cmd.Stdin = tty
	}
	if cmd.Stdout == nil {
		cmd.Stdout = tty
	}
	if cmd.Stderr == nil {
		cmd.Stderr = tty
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: cmd.Stdin == tty}
	}
	s := &session{t: t, cmd: cmd, keyboard: keyboard, tty: tty, before: before, done: make(chan error, 1), changed: make(chan struct{}, 1)}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buffer)
			s.mu.Lock()
			s.shown.Write(buffer[:n])
			s.mu.Unlock()
			select {
			case s.changed <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	go func() { s.done <- cmd.Wait() }()
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		record(t.Name(), cmd.Args[1:], nil, ansi.Strip(s.shown.String()))
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		tty.Close()
		keyboard.Close()
	})
	return s
}

// screen is all that was ever shown. Spaces are taken out: a terminal may be told to skip them.
func (s *session) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return squeeze(ansi.Strip(s.shown.String()))
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), "") }

// expect waits until the screen shows the text, after what was expected before.
func (s *session) expect(text string) {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		screen := s.screen()
		if i := strings.Index(screen[s.read:], squeeze(text)); i >= 0 {
			s.read += i + len(squeeze(text))
			return
		}
		select {
		case <-s.changed:
		case <-deadline:
			s.t.Fatalf("%q is not shown, but:\n%q", text, screen[s.read:])
		}
	}
}

func (s *session) press(keys string) {
	s.t.Helper()
	if _, err := s.keyboard.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the end of crm and checks its exit code and that the terminal is as it was before.
func (s *session) ends(code int) {
	s.t.Helper()
	select {
	case err := <-s.done:
		if got := exitCode(err); got != code {
			s.t.Errorf("exit %d, want %d; shown:\n%q", got, code, s.screen())
		}
	case <-time.After(patience):
		s.t.Fatalf("crm does not end; shown:\n%q", s.screen())
	}
	after, err := term.GetState(int(s.tty.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	if !reflect.DeepEqual(s.before, after) {
		s.t.Errorf("the modes of the terminal are %v, before they were %v", after, s.before)
	}
}

const (
	enter = "\r"
	ctrlC = "\x03"
	ctrlD = "\x04"
	ctrlU = "\x15"
	esc   = "\x1b"
	down  = "\x1b[B"
)

// step is what a person waits for and then types.
type step struct{ see, press string }

func (s *session) follow(steps ...step) {
	s.t.Helper()
	for _, step := range steps {
		s.expect(step.see)
		s.press(step.press)
	}
}

// showsNot fails when the text, such as a password, was ever shown.
func (s *session) showsNot(text string) {
	s.t.Helper()
	if strings.Contains(s.screen(), squeeze(text)) {
		s.t.Errorf("%q is shown:\n%q", text, s.screen())
	}
}

// contents changes with every change of the data.
func (p *place) contents() int64 {
	p.t.Helper()
	return p.number(`SELECT sum(hashtextextended(line, 0)::numeric % 1000003)::bigint FROM (
		SELECT employee::text FROM employee UNION ALL SELECT customer::text FROM customer UNION ALL
		SELECT contract::text FROM contract UNION ALL SELECT payment::text FROM payment UNION ALL
		SELECT event::text FROM event) AS everything (line)`)
}

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
			[]step{{"Total amount", "12.345" + enter}, {"more than two decimals", ctrlU + "77.70" + enter}, {"Total amount: 77.70", ""}, {"Contract", ""}},
			0, "SELECT count(*) FROM contract WHERE total_amount = 7770"},
		{"text, nothing and then pasted", []string{"contract", "add", "--customer-id", "5"},
			[]step{{"Total amount", enter}, {"write 1234.56", "\x1b[200~88,80\n\x1b[201~"}, {"", enter}, {"Total amount: 88,80", ""}},
			0, "SELECT count(*) FROM contract WHERE total_amount = 8880"},
		{"list by arrows", []string{"employee", "detail"},
			[]step{{"administrator2", down + down + enter}, {"Username: administrator3", ""}}, 0, "SELECT 1"},
		{"list by search, without accents", []string{"employee", "detail"},
			[]step{{"administrator2", "helene"}, {"", enter}, {"Username: support2", ""}, {"Employee", ""}}, 0, "SELECT 1"},
		{"list, searched in vain and again", []string{"event", "set-support", "8"},
			[]step{{"support1", "zzz" + enter}, {"Nothing in the list", ctrlU}, {"support1", "imbert" + enter}, {"Support's username: support1", ""}},
			0, "SELECT count(*) FROM event_view WHERE id = 8 AND support = 'support1'"},
		{"roles", []string{"employee", "set-role", "none1"},
			[]step{{"commercial", "supp" + enter}, {"Role: support", ""}}, 0, "SELECT count(*) FROM employee WHERE username = 'none1' AND role = 'support'"},
		{"password twice, once different", []string{"employee", "set-password", "support2"},
			[]step{{"New password", "short" + enter}, {"15 to 128", ctrlU + newSecret + enter}, {"The same again", newSecret + "!" + enter}, {"differ", ""},
				{"New password", newSecret + enter}, {"The same again", newSecret + enter}, {"The password is set", ""}},
			0, "SELECT 1"},
		{"no by Enter", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", enter}, {"You answered no", ""}},
			130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"no by n", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "n"}, {"You answered no", ""}},
			130, "SELECT count(*) FROM employee WHERE username = 'none1'"},
		{"yes by arrow", []string{"employee", "delete", "none1"}, []step{{"Delete the employee none1?", "\x1b[D" + enter}, {"is deleted", ""}},
			0, "SELECT 1 - count(*) FROM employee WHERE username = 'none1'"},
		{"yes by y", []string{"employee", "delete", "temp"}, []step{{"Delete the employee temp?", "y"}, {"is deleted", ""}},
			0, "SELECT 1 - count(*) FROM employee WHERE username = 'temp'"},
	}
	for name, size := range screens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.login("administrator1")
			if code, _, stderr := p.crm("", "employee", "add", "--fullname", "Temp", "--username", "temp"); code != 0 {
				t.Fatal(stderr)
			}
			for _, q := range questions {
				t.Run(q.name, func(t *testing.T) {
					s := p.at(t, size, p.command(q.command...))
					s.follow(q.steps...)
					s.ends(q.exit)
					s.showsNot(newSecret)
					if p.number(q.check) != 1 {
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
	p := newPlace(t)
	p.login("administrator1")
	before := p.contents()
	t.Run("by", func(t *testing.T) { leaveQuestions(t, p) })
	if p.contents() != before {
		t.Error("a question that was left has changed the data")
	}
}

func leaveQuestions(t *testing.T, p *place) {
	kinds := map[string]struct {
		command []string
		see     string
	}{
		"text":     {[]string{"contract", "add", "--customer-id", "5"}, "Total amount"},
		"password": {[]string{"employee", "set-password", "none1"}, "New password"},
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
					cmd := p.command(kind.command...)
					cmd.Env = append(cmd.Env, "TERM="+terminal)
					if way == "hangup" { // without the signal that the owner of a terminal gets
						cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
					}
					s := p.at(t, screens["80x24"], cmd)
					s.expect(kind.see)
					if way == "hangup" {
						s.keyboard.Close()
						select {
						case err := <-s.done:
							if code := exitCode(err); code != 130 {
								t.Errorf("exit %d, want 130", code)
							}
						case <-time.After(patience):
							t.Errorf("crm lives on without its terminal")
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
	p := newPlace(t)
	p.login("administrator1")
	t.Run("result in a file", func(t *testing.T) {
		t.Parallel()
		file, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd := p.command("employee", "detail", "--output", "json")
		cmd.Stdout = file
		s := p.at(t, screens["80x24"], cmd)
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
			cmd := p.command("employee", "detail")
			arrange(cmd)
			p.at(t, screens["80x24"], cmd).ends(2)
		})
	}
}

// TestLoginAtQuestions: who is not logged in is asked, and the command goes on with the values that it has.
func TestLoginAtQuestions(t *testing.T) {
	t.Parallel()
	t.Run("goes on", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		login := []step{{"Username", "Bad Name" + enter}, {"is not valid", ctrlU + "administrator1" + enter}, {"Password", schema.SamplePassword + enter}}
		s := p.at(t, screens["80x24"], p.command("contract", "add", "--customer-id", "5"))
		s.follow(step{"You are not logged in.", ""})
		s.follow(login...)
		s.follow(step{"Total amount", "66.60" + enter})
		s.expect("66.60 €")
		s.ends(0)
		s.showsNot(schema.SamplePassword)

		conn := dbtest.Connect(t, p.config)
		if _, err := conn.Exec(t.Context(), "DELETE FROM session"); err != nil {
			t.Fatal(err)
		}
		s = p.at(t, screens["80x24"], p.command("contract", "add", "--customer-id", "5"))
		s.follow(step{"Your session is over.", ""})
		s.follow(login...)
		s.follow(step{"Total amount", "66.60" + enter})
		s.expect("66.60 €")
		s.ends(0)
		if n := p.number("SELECT count(*) FROM contract WHERE total_amount = 6660"); n != 2 {
			t.Errorf("%d contracts were added, want 2", n)
		}
	})
	t.Run("auth login asks both, three times, and tells to wait", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		refused := "Unknown username or wrong password."
		s := p.at(t, screens["60x20"], p.command("auth", "login"))
		s.follow(step{"Username", "support1" + enter}, step{"Password", "wrong 1" + enter}, step{refused, ""},
			step{"Password", "wrong 2" + enter}, step{refused, ""}, step{"Password", "wrong 3" + enter}, step{"crm: " + refused, ""})
		s.ends(3)
		s.showsNot("wrong 1")
		if _, err := os.Stat(p.tokenFile()); err == nil {
			t.Error("a failed login left a token")
		}
		s = p.at(t, screens["60x20"], p.command("auth", "login", "support1"))
		s.follow(step{"Password", "wrong 4" + enter}, step{refused, ""}, step{"Password", "wrong 5" + enter},
			step{refused, ""}, step{"Password", schema.SamplePassword + enter}, step{"Too many failed logins for this username: wait", ""})
		s.ends(3)
	})
	t.Run("a password for the first login is changed there and then", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		conn := dbtest.Connect(t, p.config)
		if _, err := conn.Exec(t.Context(), "UPDATE employee SET password_one_time = true WHERE username = 'none1'"); err != nil {
			t.Fatal(err)
		}
		s := p.at(t, screens["80x24"], p.command("customer", "list", "--count"))
		s.follow(step{"Username", "none1" + enter}, step{"Password", schema.SamplePassword + enter}, step{"for the first login only", ""},
			step{"New password", newSecret + enter}, step{"The same again", newSecret + enter}, step{"Your password is changed", ""}, step{"13", ""})
		s.ends(0)
		if n := p.number("SELECT count(*) FROM employee WHERE password_one_time"); n != 0 {
			t.Errorf("%d passwords are still for one login", n)
		}
	})
	t.Run("pasted password", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		s := p.at(t, screens["60x20"], p.command("auth", "login", "support1"))
		s.follow(step{"Password", "\x1b[200~" + schema.SamplePassword + "\n\x1b[201~" + enter}, step{"Session", ""})
		s.ends(0)
		s.showsNot(schema.SamplePassword)
	})
}
