//go:build unix

package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// mode is that of a file, without its kind.
func mode(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// TestTokenFileUnderUmask: neither the token nor its folder depend on what a shell leaves open.
func TestTokenFileUnderUmask(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "002", "022", "077"} {
		e := newEnv(t)
		login := e.command()
		login.Path, login.Args = "/bin/sh", []string{"sh", "-c", "umask " + umask + "; crm auth login support1 --password-stdin"}
		login.Stdin = strings.NewReader(schema.SamplePassword + "\n")
		if out, err := login.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		folder := filepath.Dir(e.tokenFile())
		if file, dir := mode(t, e.tokenFile()), mode(t, folder); file != 0o600 || dir != 0o700 {
			t.Errorf("umask %s: modes %o and %o", umask, file, dir)
		}
		for _, above := range []string{filepath.Dir(folder), filepath.Dir(filepath.Dir(folder))} {
			if mode(t, above)&0o022 != 0 {
				t.Errorf("umask %s: others can write into %s", umask, above)
			}
		}
	}
}

// TestFolderOfToken: a folder that was open before is closed by a login.
func TestFolderOfToken(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	folder := filepath.Dir(e.tokenFile())
	if err := errors.Join(os.MkdirAll(folder, 0o777), os.Chmod(folder, 0o777)); err != nil {
		t.Fatal(err)
	}
	e.login("support1")
	if mode := mode(t, folder); mode != 0o700 {
		t.Errorf("mode %o", mode)
	}
}

// TestTokenFileOfAnotherKind: whatever lies where the token should, a command answers at once with exit 3, shows nothing
// of it, and a login puts a token in its place or says what to do.
func TestTokenFileOfAnotherKind(t *testing.T) {
	t.Parallel()
	shared := asEmployee(t, "")
	shared.sql("UPDATE employee SET password_hash = '" + cheapHash(t, schema.SamplePassword) + "'")
	junk := make([]byte, 4096)
	_, _ = rand.Read(junk)
	write := func(content []byte, mode os.FileMode) func(string) error {
		return func(name string) error { return errors.Join(os.WriteFile(name, content, mode), os.Chmod(name, mode)) }
	}
	const over, none = "Your session is over.", "You are not logged in."
	for kind, test := range map[string]struct {
		put     func(name string) error
		message string // all of it, or its end
		stays   bool   // a login cannot replace it
	}{
		"nothing":             {func(string) error { return nil }, none, false},
		"empty":               {write(nil, 0o600), none, false},
		"blanks":              {write([]byte(" \n\n"), 0o600), none, false},
		"text":                {write([]byte("hunter2"), 0o600), over, false},
		"three parts":         {write([]byte("aHVudGVyMg.aHVudGVyMg.aHVudGVyMg"), 0o600), over, false},
		"binary":              {write(junk, 0o600), over, false},
		"NUL":                 {write(make([]byte, 100), 0o600), over, false},
		"escape":              {write([]byte("\x1b]0;hunter2\a"), 0o600), over, false},
		"10 MB":               {write(bytes.Repeat([]byte("hunter2"), 10<<20/7), 0o600), "is too large.", false},
		"1 TB":                {func(name string) error { return errors.Join(write(nil, 0o600)(name), os.Truncate(name, 1<<40)) }, "is too large.", false},
		"readable by all":     {write([]byte("hunter2"), 0o644), "can be read by others.", false},
		"writable by a group": {write([]byte("hunter2"), 0o620), "can be read by others.", false},
		"folder":              {func(name string) error { return os.Mkdir(name, 0o700) }, "is not a regular file.", true},
		"pipe":                {func(name string) error { return syscall.Mkfifo(name, 0o600) }, "is not a regular file.", false},
		"link":                {func(name string) error { return os.Symlink(os.DevNull, name) }, "cannot be opened, or is a link.", false},
		"link to itself":      {func(name string) error { return os.Symlink("token", name) }, "cannot be opened, or is a link.", false},
		"socket": {func(name string) error {
			// Bound elsewhere: the name of a socket must be short.
			short := filepath.Join(localHome(t), "s")
			listener, err := net.Listen("unix", short)
			if err != nil {
				return err
			}
			listener.(*net.UnixListener).SetUnlinkOnClose(false)
			return errors.Join(listener.Close(), os.Rename(short, name))
		}, "cannot be opened, or is a link.", false},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			e := shared.beside(t, "")
			name := filepath.Join(e.vars["HOME"], ".local/state/crm/token")
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), test.put(name)); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"auth", "whoami"}, {"employee", "list"}, {"auth", "whoami", "-o", "json"}} {
				r := e.inTime(t, "", args...)
				message, _, _ := strings.Cut(r.err, "\n")
				if args[len(args)-1] == "json" {
					message = `"message":"` + test.message
				}
				if r.code != 3 || r.out != "" || !strings.Contains(message, strings.TrimSuffix(test.message, ".")) || strings.Contains(r.err, "hunter2") {
					t.Errorf("exit %d, %s%q, want %q", r.code, r.out, r.err, test.message)
				}
			}
			r := e.inTime(t, schema.SamplePassword+"\n", "auth", "login", "none1", "--password-stdin")
			if test.stays {
				if want := "crm: The token file " + name + " cannot be replaced.\nhint: remove it, then crm auth login\n"; r.code != 3 || r.err != want {
					t.Errorf("login: exit %d, %s", r.code, r.err)
				}
				return
			}
			if r.code != 0 || mode(t, name) != 0o600 {
				t.Errorf("login: exit %d, %s", r.code, r.err)
			}
			if who := e.must(t, "auth", "whoami", "-o", "csv", "--no-header", "--fields", "username"); who != "none1\r\n" && who != "none1\n" {
				t.Errorf("after the login: %q", who)
			}
		})
	}
}

// inTime is crm for a command that could wait forever.
func (e *employee) inTime(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	answer := make(chan result, 1)
	go func() { answer <- e.crm(stdin, args...) }()
	select {
	case r := <-answer:
		return r
	case <-time.After(time.Minute):
		t.Fatalf("crm %q does not end", args)
		panic("unreachable")
	}
}

// TestTokenFileOfSomebodyElse is no token, and its name and what to do are told.
func TestTokenFileOfSomebodyElse(t *testing.T) {
	t.Parallel()
	home := localHome(t)
	name := filepath.Join(home, ".local/state/crm/token")
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("hunter2"), 0)); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := ordinaryCrm(t, home)("auth", "whoami")
	want := "crm: The token file " + name + " cannot be opened, or is a link.\nhint: remove it, then crm auth login\n"
	if code != 3 || stdout != "" || stderr != want {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

// TestTokenCannotBeKept says where, and what to do, when the folder cannot be had.
func TestTokenCannotBeKept(t *testing.T) {
	t.Parallel()
	shared := asEmployee(t, "")
	shared.sql("UPDATE employee SET password_hash = '" + cheapHash(t, schema.SamplePassword) + "'")
	for kind, put := range map[string]func(state string) error{
		"a file above": func(state string) error { return os.WriteFile(state, nil, 0o600) },
		"a file": func(state string) error {
			return errors.Join(os.Mkdir(state, 0o700), os.WriteFile(state+"/crm", nil, 0o600))
		},
		"a link": func(state string) error {
			return errors.Join(os.Mkdir(state, 0o700), os.Symlink(t.TempDir(), state+"/crm"))
		},
		"a link to no-one": func(state string) error {
			return errors.Join(os.Mkdir(state, 0o700), os.Symlink("nowhere", state+"/crm"))
		},
	} {
		e := shared.beside(t, "")
		state := filepath.Join(e.vars["HOME"], "state")
		e.vars["XDG_STATE_HOME"] = state
		if err := put(state); err != nil {
			t.Fatal(err)
		}
		r := e.crm(schema.SamplePassword+"\n", "auth", "login", "none1", "--password-stdin")
		want := "crm: The token cannot be kept in " + state + "/crm.\nhint: make that a folder of yours, or name another above it with XDG_STATE_HOME\n"
		if r.code != 1 || r.out != "" || r.err != want {
			t.Errorf("%s: exit %d, %s%s", kind, r.code, r.out, r.err)
		}
	}
}

// TestLoginKilledWhileWriting kills logins at the instant at which their file is there but not yet the token.
func TestLoginKilledWhileWriting(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("support1")
	folder := filepath.Dir(e.tokenFile())
	conn := dbtest.Connect(t, e.config)
	writing := func() bool {
		files, err := filepath.Glob(filepath.Join(folder, ".crm-token-*"))
		return err == nil && len(files) > 0
	}
	const deaths = 20
	caught := 0
	for range deaths {
		if _, err := conn.Exec(t.Context(), "DELETE FROM login_failure"); err != nil { // a killed login counts as a failed one
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		login := e.command("auth", "login", "support1", "--password-stdin")
		login.Stdin = strings.NewReader(schema.SamplePassword + "\n")
		if err := login.Start(); err != nil {
			t.Fatal(err)
		}
		over := make(chan error, 1)
		go func() { over <- login.Wait() }()
	watch:
		for {
			select {
			case <-over:
				break watch
			case <-ctx.Done():
				t.Fatal("a login does not end")
			default:
				if writing() {
					_ = login.Process.Kill()
					<-over
					break watch
				}
			}
		}
		cancel()
		if code, _, stderr := e.crm("", "auth", "whoami"); code != 0 {
			t.Fatalf("after a death: exit %d, %s", code, stderr)
		}
		if writing() {
			caught++
			e.checkTokenFolder(1)
			left, _ := filepath.Glob(filepath.Join(folder, ".crm-token-*"))
			for _, name := range left {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if caught == 0 {
		t.Error("none of the logins died while it wrote")
	}
}

// TestLeftovers of logins that died go with the next login, and are never in the way; what is not a login's stays.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("support1")
	folder := filepath.Dir(e.tokenFile())
	beside := func(name string) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte("eyJ"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	gone := []string{beside(".crm-token-1.partial"), beside(".crm-token-2.partial")}
	kept := []string{beside(".crm-token-3"), beside(".crm-backup-1.partial"), beside("notes")}
	for _, make := range []error{
		os.MkdirAll(filepath.Join(folder, ".crm-token-4.partial", "full"), 0o700),
		syscall.Mkfifo(filepath.Join(folder, ".crm-token-5.partial"), 0o600),
	} {
		if make != nil {
			t.Fatal(make)
		}
	}
	e.login("support1")
	for _, name := range gone {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range kept {
		if _, err := os.Lstat(name); err != nil {
			t.Error(err)
		}
	}
	if code, _, stderr := e.crm("", "auth", "whoami"); code != 0 {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
