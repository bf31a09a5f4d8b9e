//go:build unix

package cli

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epicevents/crm/internal/testprogram"
)

// TestConfigurationFiles: a file that cannot be used is exit 2 with its name and line, and without anything that is in it.
func TestConfigurationFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "crm.toml")
	for content, want := range map[string]string{
		"":                    "",
		"# nothing\n":         "",
		"[database]\n":        "",
		"database = {}\n":     "",
		"\r\n[database]\r\n":  "",
		"time_zone = \"UTC\"": "",
		"time_zone = 'UTC'\n\"database.echo\" = false\n": "",
		"database = { url = \"\", echo = false }\n":      "",
		"database.echo = false\ndatabase . url = ''\n":   "",
		"[ database ]\r\necho = false # no\r\n":          "",
		"[database]\n[controller]\n[database_sample]\n":  "",

		"\ufefftime_zone = \"UTC\"":                        "",
		"\xff\xfet\x00i\x00m\x00e\x00":                     "1: this is not TOML.",
		"\x00hunter2":                                      "1: this is not TOML.",
		"# caf\xe9 hunter2\n":                              "1: this is not TOML.",
		"\n\ntime_zone = \"caf\xe9\"":                      "3: this is not TOML.",
		"time_zone = \"UTC\r\"":                            "1: this is not TOML.",
		"hunter2":                                          "1: this is not TOML.",
		"\n\nurl hunter2":                                  "3: this is not TOML.",
		"[database]\nurl = postgres://crm:hunter2@h/crm":   "2: this is not TOML.",
		"[database]\nurl = \"postgres://crm:hunter2@h/crm": "2: this is not TOML.",
		"[database]\nurl = \"a\"\nurl = \"hunter2\"":       "3: this is not TOML.",
		"[database]\n[database]\nurl = \"hunter2\"":        "2: this is not TOML.",
		"time_zone = [\"hunter2\"":                         "1: this is not TOML.",
		"database.url = \"a\"\n\n[database]\necho = true":  "3: this is not TOML.",
		"database = { url = \"a\", url = \"hunter2\" }":    "1: this is not TOML.",
		"database = { url = \"a\" }\n[database]\necho = 1": "2: this is not TOML.",
		"\n\"hunter2\"url = \"a\"":                         "2: this is not TOML.",
		strings.Repeat("[", 10_000) + "hunter2":            "1: this is not TOML.",
		"[database]\nurls = \"hunter2\"":                   `2: unknown key "database.urls", did you mean "database.url"?`,
		"hunter2hunter2hunter2 = 1":                        "1: unknown key",
		"'postgres://crm:hunter2@db.example/crm' = 1":      "1: unknown key",
		"[hunter2]":                                                    "1: unknown key",
		"[hunter2]\nx = 1":                                             "2: unknown key",
		"[[database]]\nurl = \"hunter2\"":                              "1: unknown key",
		"\n[[time_zone]]\nurl = \"hunter2\"":                           "2: time_zone is not a string in quotes.",
		"[serve]\nconnections = 1":                                     "2: serve.connections is not between 2 and 1000.",
		"[serve]\nconnections = 1001":                                  "2: serve.connections is not between 2 and 1000.",
		"[serve]\nconnections = \"10\"":                                "2: serve.connections is not a whole number.",
		"[serve]\nconnections = 2.5":                                   "2: serve.connections is not a whole number.",
		"\ndatabase = { url = \"a\", echo = \"hunter2\" }":             "2: database.echo is not true or false.",
		"\r\n\r\ndatabase.echo = \"hunter2\"":                          "3: database.echo is not true or false.",
		"time_zone = \"UTC\"\ndatabase = { x = { y = \"hunter2\" } }":  "2: unknown key",
		"hunter2 = \"\"\"\na\nb\"\"\"\n[database]\necho = 1":           "1: unknown key",
		"[database]\nurl = \"\"\"\n\"\"\"\necho = \"hunter2\"":         "4: database.echo is not true or false.",
		"\ufeff\n[database]\necho = \"hunter2\"":                       "3: database.echo is not true or false.",
		"config = \"hunter2\"":                                         "1: unknown key",
		"output = \"csv\"":                                             "1: unknown key",
		"database = \"hunter2\"":                                       "1: unknown key",
		"[database]\necho = \"hunter2\"":                               "2: database.echo is not true or false.",
		"[database]\necho = \"true\"":                                  "2: database.echo is not true or false.",
		"[database]\n\necho = 1":                                       "3: database.echo is not true or false.",
		"[database]\nurl = 1979-05-27":                                 "2: database.url is not a string in quotes.",
		"[database]\ntimeout = \"hunter2\"":                            "2: database.timeout is not a time in quotes, such as 10s.",
		"[database]\ntimeout = 10":                                     "2: database.timeout is not a time in quotes, such as 10s.",
		"[database]\ntimeout = \"-10s\"":                               "2: database.timeout is below zero.",
		"[database]\nurl = 5":                                          "2: database.url is not a string in quotes.",
		"[database]\nurl = [\"hunter2\"]":                              "2: database.url is not a string in quotes.",
		"[database]\nurl = []":                                         "2: database.url is not a string in quotes.",
		"[database.url]\nhunter2 = 1":                                  "2: unknown key",
		"[controller]\nauth_secret_key = true":                         "2: controller.auth_secret_key is not a string in quotes.",
		"[controller]\nauth_secret_key = \"hunter2\"":                  "2: controller.auth_secret_key has fewer than 32 bytes.",
		"[controller]\nauth_secret_key_previous = \"hunter2\"":         "2: controller.auth_secret_key_previous has fewer than 32 bytes.",
		"time_zone = false":                                            "1: time_zone is not a string in quotes.",
		"time_zone = \"hunter2\"":                                      "1: time_zone is not a time zone.",
		"time_zone = \"\"":                                             "1: time_zone is not a time zone.",
		"time_zone = \"../../../etc/passwd\"":                          "1: time_zone is not a time zone.",
		"[database]\necho = \"hunter2\"\n[error_tracing]\nenabled = 1": "2: database.echo is not true or false.",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		r := withFile(file)
		first, _, _ := strings.Cut(r.err, "\n")
		rest, ours := strings.CutPrefix(first, "crm: "+file+":")
		switch {
		case want == "":
			if r.code != 0 || r.err != "" {
				t.Errorf("%q: exit %d, %s", content, r.code, r.err)
			}
		case r.code != 2 || r.out != "" || !ours || rest != want && !(strings.HasSuffix(want, "unknown key") && strings.HasPrefix(rest, want)):
			t.Errorf("%q: exit %d, %q, want %q", content, r.code, r.err, want)
		case strings.Contains(r.err, "hunter2"):
			t.Errorf("%q shows what is in the file: %s", content, r.err)
		}
	}
}

// withFile runs a command that needs no more than a configuration.
func withFile(file string) result {
	var out, err strings.Builder
	code := Run(context.Background(), []string{"auth", "permissions", "--config", file}, IO{
		In: strings.NewReader(""), Out: &out, Err: &err, Getenv: func(string) string { return "" },
	})
	return result{code, out.String(), err.String()}
}

// TestConfigurationIsNoFile: whatever else has its name is told, and nobody waits for it.
func TestConfigurationIsNoFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pipe, socket, large := filepath.Join(folder, "pipe"), filepath.Join(folder, "socket"), filepath.Join(folder, "large")
	listener, err := net.Listen("unix", socket)
	if err := errors.Join(err, syscall.Mkfifo(pipe, 0o600), os.WriteFile(large, nil, 0o600), os.Truncate(large, 1<<40)); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	loop := filepath.Join(folder, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		pipe: "nothing comes through this pipe.", socket: "", large: "it is too large.", loop: "too many levels of symbolic links.",
		folder: "it is a folder.", "/dev/zero": "it is neither a regular file nor a pipe.", pipe + "/crm.toml": "not a directory.",
		filepath.Join(folder, "missing"): "no such file or directory.",
	} {
		answer := make(chan result, 1)
		go func() { answer <- withFile(file) }()
		select {
		case r := <-answer:
			if r.code != 2 || !strings.HasPrefix(r.err, "crm: The configuration file "+file+" cannot be read: "+want) || strings.Count(r.err, "\n") != 1 {
				t.Errorf("exit %d, %s", r.code, r.err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("crm waits for %s", file)
		}
	}
	if r := withFile(os.DevNull); r.code != 0 || r.err != "" {
		t.Errorf("%s: exit %d, %s", os.DevNull, r.code, r.err)
	}
	if r := withFile(""); r.code != 0 {
		t.Errorf("no file: exit %d, %s", r.code, r.err)
	}
}

// TestConfigurationOfOthers: a file that somebody may not read ends the command instead of being passed over.
func TestConfigurationOfOthers(t *testing.T) {
	t.Parallel()
	home := localHome(t)
	crm := ordinaryCrm(t, home)
	if err := errors.Join(os.MkdirAll(filepath.Join(home, ".config/crm"), 0o755),
		os.WriteFile(filepath.Join(home, ".config/crm/crm.toml"), []byte("hunter2"), 0)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"auth", "permissions"}, {"--config", ".config/crm/crm.toml", "auth", "permissions"}} {
		code, stdout, stderr := crm(args...)
		if code != 2 || stdout != "" || !strings.HasSuffix(stderr, ".config/crm/crm.toml cannot be read: permission denied.\n") {
			t.Errorf("crm %q: exit %d, %s%s", args, code, stdout, stderr)
		}
	}
	if err := os.Chmod(filepath.Join(home, ".config"), 0); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := crm("auth", "permissions"); code != 2 || !strings.HasSuffix(stderr, "permission denied.\n") {
		t.Errorf("in a folder of others: exit %d, %s", code, stderr)
	}
}

// nobodysID is an account that owns nothing.
const nobodysID = 65534

// ordinaryCrm gives crm as a program that runs in this home and, where root tests, as somebody who is not root.
func ordinaryCrm(t *testing.T, home string) func(args ...string) (code int, stdout, stderr string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self) // others may not reach the folder where it is
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(localHome(t), "crm") // the name makes the test program be crm
	testprogram.Write(t, path, program)
	return func(args ...string) (int, string, string) {
		cmd := exec.Command(path, args...)
		cmd.Dir, cmd.Env = home, []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodysID, Gid: nobodysID}}
		}
		var out, err strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &err
		return exitCode(cmd.Run()), out.String(), err.String()
	}
}
