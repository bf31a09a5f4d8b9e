//go:build unix

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// ptyProcess is a program at a terminal of its own, mostly crm, and the person before it.
type ptyProcess struct {
	t        *testing.T
	keyboard *os.File // also the screen
	before   *term.State
	done     chan ended

	mu      sync.Mutex
	shown   strings.Builder
	changed chan struct{}
	read    int // how much of the text was expected already
}

// ended is how a process ended, and how it left its terminal.
type ended struct {
	err      error
	modes    *term.State
	errModes error
}

var screens = map[string]pty.Winsize{"80x24": {Cols: 80, Rows: 24}, "60x20": {Cols: 60, Rows: 20}}

// startPTY starts a program at a terminal. Streams that the command has already are left alone.
func startPTY(t *testing.T, size pty.Winsize, cmd *exec.Cmd) *ptyProcess {
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
	s := &ptyProcess{t: t, keyboard: keyboard, before: before, done: make(chan ended, 1), changed: make(chan struct{}, 1)}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
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
	go func() {
		var end ended
		end.err = cmd.Wait()
		end.modes, end.errModes = term.GetState(int(tty.Fd()))
		tty.Close() // nobody has it any more, so that reading comes to an end
		<-all
		s.done <- end
	}()
	t.Cleanup(func() { record(t.Name(), cmd.Args[1:], nil, s.text()) })
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		keyboard.Close()
	})
	return s
}

// raw is all that was ever shown, with colours and cursor movements.
func (s *ptyProcess) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// text is all that was ever shown, without colours and cursor movements.
func (s *ptyProcess) text() string { return ansi.Strip(s.raw()) }

// squeezed is the text without spaces, for a terminal may be told to skip them.
func (s *ptyProcess) squeezed() string { return squeeze(s.text()) }

func squeeze(text string) string { return strings.Join(strings.Fields(text), "") }

// squeezedEnd returns where a text ends in what is shown if spaces do not count; -1 if it is not there.
func squeezedEnd(shown, text string) int {
	text = squeeze(text)
	var squeezed []byte
	ends := []int{0}
	for from := 0; from < len(shown); {
		letter, size := utf8.DecodeRuneInString(shown[from:])
		from += size
		if unicode.IsSpace(letter) {
			continue
		}
		squeezed = append(squeezed, shown[from-size:from]...)
		for range size {
			ends = append(ends, from)
		}
	}
	if at := bytes.Index(squeezed, []byte(text)); at >= 0 {
		return ends[at+len(text)]
	}
	return -1
}

// await waits until something that was not expected before is shown.
func (s *ptyProcess) await(text string, isShown func(shown string) bool) {
	s.t.Helper()
	for deadline := time.After(patience); !isShown(s.text()[s.read:]); {
		select {
		case <-s.changed:
		case <-deadline:
			s.t.Fatalf("%q is not shown, but:\n%q", text, s.text()[s.read:])
		}
	}
}

// expect waits until the screen shows the text, in whatever spacing, after what was expected before.
func (s *ptyProcess) expect(text string) {
	s.t.Helper()
	s.await(text, func(shown string) bool {
		end := squeezedEnd(shown, text)
		if end >= 0 {
			s.read += end
		}
		return end >= 0
	})
}

// until waits for exactly this text and returns what was shown before it, after what was expected before.
func (s *ptyProcess) until(text string) (before string) {
	s.t.Helper()
	s.await(text, func(shown string) (found bool) {
		if before, _, found = strings.Cut(shown, text); found {
			s.read += len(before) + len(text)
		}
		return found
	})
	return before
}

func (s *ptyProcess) press(keys string) {
	s.t.Helper()
	if _, err := s.keyboard.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// pressUntil presses keys again and again until a text is shown. It leaves time between, whatever is shown meanwhile: the
// program shows these keys too, and a flood of them is all that it would ever read.
func (s *ptyProcess) pressUntil(key, text string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(s.text()[s.read:], text); {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q is not shown, but %q", text, s.text()[s.read:])
		}
		s.press(key)
		for again, waits := time.After(200*time.Millisecond), true; waits && !strings.Contains(s.text()[s.read:], text); {
			select {
			case <-s.changed:
			case <-again:
				waits = false
			}
		}
	}
}

// wait waits for the end of the program.
func (s *ptyProcess) wait() ended {
	s.t.Helper()
	select {
	case end := <-s.done:
		return end
	case <-time.After(patience):
		s.t.Fatalf("it does not end; shown:\n%q", s.text())
		return ended{}
	}
}

// ends waits for the end of the program and checks that its exit code is one of these, and that the terminal is as it was before.
func (s *ptyProcess) ends(codes ...int) {
	s.t.Helper()
	end := s.wait()
	if got := exitCode(end.err); !slices.Contains(codes, got) {
		s.t.Errorf("exit %d, want %d; shown:\n%q", got, codes, s.text())
	}
	if end.errModes != nil {
		s.t.Fatal(end.errModes)
	}
	if !reflect.DeepEqual(s.before, end.modes) {
		s.t.Errorf("the modes of the terminal are %v, before they were %v", end.modes, s.before)
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
	if strings.Contains(s.squeezed(), squeeze(text)) {
		s.t.Errorf("%q is shown:\n%q", text, s.text())
	}
}
