//go:build unix

package cli

import (
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
	p := &place{t: t, config: config, home: home, env: []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"TERM=xterm-256color",
		"PAGER=cat", // nobody is there to leave less
		"CRM_DATABASE_URL=" + dbtest.URL(config),
		"CRM_CONTROLLER_AUTH_SECRET_KEY=" + strings.Repeat("k", 32),
		"GORACE=atexit_sleep_ms=0",
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), // for make cover
	}}
	p.cheap()
	return p
}

// cheap stores for every employee the sample password under a hash that is checked in no time. What crm itself hashes costs what
// it has to.
func (p *place) cheap() {
	p.t.Helper()
	conn := dbtest.Connect(p.t, p.config)
	if _, err := conn.Exec(p.t.Context(), "UPDATE employee SET password_hash = $1", cheapHash(p.t, schema.SamplePassword)); err != nil {
		p.t.Fatal(err)
	}
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
