//go:build unix

package cli

import (
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// ptyProcess is a crm process at a terminal of its own, and the person before it.
type ptyProcess struct {
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

// atTerminal starts crm at a terminal. Streams that the command has already are left alone.
func (e *env) atTerminal(t *testing.T, size pty.Winsize, cmd *exec.Cmd) *ptyProcess {
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
	s := &ptyProcess{t: t, cmd: cmd, keyboard: keyboard, tty: tty, before: before, done: make(chan error, 1), changed: make(chan struct{}, 1)}
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
func (s *ptyProcess) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return squeeze(ansi.Strip(s.shown.String()))
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), "") }

// expect waits until the screen shows the text, after what was expected before.
func (s *ptyProcess) expect(text string) {
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

func (s *ptyProcess) press(keys string) {
	s.t.Helper()
	if _, err := s.keyboard.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the end of crm and checks its exit code and that the terminal is as it was before.
func (s *ptyProcess) ends(code int) {
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

func (s *ptyProcess) follow(steps ...step) {
	s.t.Helper()
	for _, step := range steps {
		s.expect(step.see)
		s.press(step.press)
	}
}

// showsNot fails when the text, such as a password, was ever shown.
func (s *ptyProcess) showsNot(text string) {
	s.t.Helper()
	if strings.Contains(s.screen(), squeeze(text)) {
		s.t.Errorf("%q is shown:\n%q", text, s.screen())
	}
}
