//go:build unix

package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterruptedWaits: one signal ends a command that waits for a line on stdin, or for somebody to read what it says;
// and so do two at once, as timeout(1) sends them.
func TestInterruptedWaits(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string][]os.Signal{
		"Ctrl-C": {os.Interrupt}, "SIGTERM": {syscall.SIGTERM}, "SIGTERM twice": {syscall.SIGTERM, syscall.SIGTERM},
	} {
		for _, args := range [][]string{{"auth", "login", "none1", "--password-stdin"}, {"completion", "bash"}} {
			t.Run(name+" "+strings.Join(args, " "), func(t *testing.T) {
				t.Parallel()
				e := asEmployee(t, "")
				e.vars["CRM_TIMEZONE"] = "UTC" // its notice says that the command has begun
				command := exec.Command(unrecorded(t), args...)
				command.Dir, command.Env = e.vars["HOME"], e.environ()
				stdin, err := command.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				defer stdin.Close()
				reader, full := fullPipe(t)
				defer reader.Close()
				command.Stdout = full
				stderr, err := command.StderrPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := command.Start(); err != nil {
					t.Fatal(err)
				}
				full.Close()
				t.Cleanup(func() { _ = command.Process.Kill() })
				began := make([]byte, 1)
				if _, err := io.ReadFull(stderr, began); err != nil {
					t.Fatal(err)
				}
				for i, signal := range sent {
					time.Sleep(time.Duration(i) * time.Millisecond)
					if err := command.Process.Signal(signal); err != nil {
						t.Fatal(err)
					}
				}
				said, err := io.ReadAll(stderr)
				if err != nil {
					t.Fatal(err)
				}
				if code := exitCode(command.Wait()); code != 130 || !bytes.HasSuffix(said, []byte("\ncrm: Interrupted.\n")) {
					t.Errorf("exit %d, %q", code, said)
				}
			})
		}
	}
}

// unrecorded is a crm of which no record is kept, so that its stdout is the file that it was given.
func unrecorded(t *testing.T) string {
	t.Helper()
	crm, err := exec.LookPath("crm")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "bin")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "crm")
	if err := os.Link(crm, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// fullPipe is a pipe into which nothing more goes.
func fullPipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		if err = writer.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err == nil {
			_, err = writer.Write(make([]byte, 4096))
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return reader, writer
}

// TestHome: without HOME crm's files are below the home of the account, and never where one stands.
func TestHome(t *testing.T) {
	t.Parallel()
	planted := t.TempDir()
	if err := os.MkdirAll(filepath.Join(planted, ".config", "crm"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(planted, ".config", "crm", "crm.toml"), []byte("time_zone = \"planted\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, home := range [][]string{nil, {"HOME="}, {"HOME=."}} {
		command := exec.Command("crm", "auth", "permissions")
		command.Dir = planted
		command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}, home...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("with %q: %v, %s", home, err, out)
		}
	}
}
