//go:build unix

package cli

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// screen is a terminal with a program that runs at it.
type screen struct {
	t        *testing.T
	terminal *os.File
	ended    chan error

	mu      sync.Mutex
	shown   strings.Builder
	changed chan struct{}
	read    int // how much of what was shown is dealt with
}

// newScreen starts a program at a terminal of its own.
func newScreen(t *testing.T, rows, columns uint16, command *exec.Cmd) *screen {
	t.Helper()
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: rows, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, terminal: terminal, ended: make(chan error, 1), changed: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
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
	go func() {
		err := command.Wait()
		<-read
		s.ended <- err
	}()
	t.Cleanup(func() { record(t.Name(), command.Args[1:], nil, s.text()) })
	t.Cleanup(func() {
		_ = command.Process.Kill()
		terminal.Close()
	})
	return s
}

func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.terminal.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// text is what was shown, without colours and cursor movements.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ansi.Strip(s.shown.String())
}

// until waits for a text and gives what was shown before it, since the last call.
func (s *screen) until(text string) string {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		shown := s.text()[s.read:]
		if before, _, found := strings.Cut(shown, text); found {
			s.read += len(before) + len(text)
			return before
		}
		select {
		case <-s.changed:
		case <-deadline:
			s.t.Fatalf("%q is not shown, but %q", text, shown)
		}
	}
}

// pressUntil presses a key again and again until a text is shown.
func (s *screen) pressUntil(key, text string) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(s.text()[s.read:], text); {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q is not shown, but %q", text, s.text()[s.read:])
		}
		s.press(key)
		select {
		case <-s.changed:
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// wait waits for the end of the program.
func (s *screen) wait() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(20 * time.Second):
		s.t.Fatalf("it does not end; shown: %q", s.text())
		return nil
	}
}
