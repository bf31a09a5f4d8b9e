//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/epicevents/crm/schema"
)

// shell runs a line of sh, and returns its exit code with what it printed.
func (e *env) shell(stdin, line string) (code int, stdout, stderr string) {
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir, cmd.Env = e.home, e.vars
	var out, err strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	return exitCode(cmd.Run()), out.String(), err.String()
}

// TestClosedStreams starts crm without one of its streams: nothing crashes, nothing is written into another file, and
// who is shown nothing is told so.
func TestClosedStreams(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	const closed = "crm: The result could not be written: standard output is closed.\n"
	for _, c := range []struct {
		line           string
		code           int
		stdout, stderr string
	}{
		{"crm employee list >&-", 1, "", closed},
		{"crm employee list --count >&-", 1, "", closed},
		{"crm contract detail b0f94a -o json >&-", 1, "", `{"error":{"code":"internal","message":"The result could not be written: standard output is closed."}}` + "\n"},
		{"crm employee list >/dev/null", 0, "", ""},
		{"crm employee list --count 2>&-", 0, "9\n", ""},
		{"crm employee detail nobody1 2>&-", 5, "", ""},
		{"crm employee detail nobody1 >&- 2>&-", 5, "", ""},
		{"crm employee list --count <&-", 0, "9\n", ""},
		{"crm employee set-role none1 --role support -o json >&- && crm employee list --role-filter support --count", 0, "3\n", ""},
		{"crm employee set-password none1 --password-stdin <&-", 2, "", "crm: No password came on standard input.\n"},
		{"crm db backup saved >&- 2>&- <&- && crm db restore saved --database wrong 2>&-", 2, "", ""},
	} {
		if code, stdout, stderr := e.shell("", c.line); code != c.code || stdout != c.stdout || stderr != c.stderr {
			t.Errorf("%s: exit %d, %q, %q", c.line, code, stdout, stderr)
		}
	}
}

// TestNamedFiles: what the operator names may be a link or a pipe and may be read by others, and is read once.
func TestNamedFiles(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	_, token, _ := e.crm("", "auth", "token", "create", "named", "-o", "csv", "--no-header", "--fields", "token")
	token = strings.TrimSpace(token)
	write := func(name, content string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(e.home, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("token", "\ufeff\r\n  "+token+" \n\n", 0o600)
	write("mounted", token+"\n", 0o644)
	write("config", "\ufefftime_zone = \"Asia/Tokyo\"\n", 0o644)
	write("password", "\ufeff"+schema.SamplePassword+"\r\n", 0o600)
	for link, to := range map[string]string{"..data": ".", "linked": "..data/token", "config.link": "..data/config"} {
		if err := os.Symlink(to, filepath.Join(e.home, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(e.tokenFile()); err != nil {
		t.Fatal(err)
	}
	const who, zone = "crm auth whoami -o csv --no-header --fields username", "crm config show -o csv --no-header --fields key,value | tr -d '\\r' | grep time_zone"
	for line, want := range map[string]string{
		"CRM_TOKEN_FILE=token " + who:                                                                             "administrator1",
		"CRM_TOKEN_FILE=linked " + who:                                                                            "administrator1",
		"CRM_TOKEN_FILE=mounted " + who:                                                                           "administrator1",
		"CRM_TOKEN_FILE=<(sleep 0.1; cat token) && : ":                                                            "",
		"f() { CRM_TOKEN_FILE=$1 " + who + "; }; f <(sleep 0.1; cat token)":                                       "administrator1",
		"f() { CRM_TOKEN_FILE=$1 crm doctor >/dev/null; }; f <(cat token)":                                        "",
		`CRM_TOKEN=$'\n '"$(cat token)"$'\t\n' ` + who:                                                            "",
		`CRM_TOKEN=$'\n '"$(cat mounted)"$'\t\n' ` + who:                                                          "administrator1",
		"crm --config config.link " + strings.TrimPrefix(zone, "crm "):                                            "time_zone,Asia/Tokyo",
		"crm --config <(sleep 0.1; cat config) " + strings.TrimPrefix(zone, "crm "):                               "time_zone,Asia/Tokyo",
		"CRM_CONFIG=config " + zone:                                                                               "time_zone,Asia/Tokyo",
		"crm auth login administrator1 --password-stdin -o csv --no-header --fields username < password":          "administrator1",
		"crm auth login administrator1 --password-stdin -o csv --no-header --fields username < <(cat ./password)": "administrator1",
	} {
		code, stdout, stderr := e.shell("", line)
		if got := strings.TrimSpace(stdout); got != want || code != 0 && want != "" {
			t.Errorf("%s: exit %d, %q, %q", line, code, stdout, stderr)
		}
	}
	for line, want := range map[string]string{
		"crm --config <(false) auth permissions":                            "nothing comes through this pipe",
		"f() { CRM_TOKEN_FILE=$1 crm auth whoami; }; f <(false)":            "nothing comes through this pipe",
		"CRM_TOKEN_FILE=/ crm auth whoami":                                  "it is a folder",
		"CRM_TOKEN_FILE=/dev/zero crm auth whoami":                          "it is neither a regular file nor a pipe",
		"CRM_TOKEN=' ' crm auth whoami":                                     "The token in CRM_TOKEN is not good",
		"head -c 99999 /dev/zero > big; CRM_TOKEN_FILE=big crm auth whoami": "it is too large",
		"ln -s loop loop; CRM_TOKEN_FILE=loop crm auth whoami":              "too many levels of symbolic links",
		"ln -sf $PWD/token .local/state/crm/token; env -i PATH=\"$PATH\" HOME=\"$HOME\" CRM_DATABASE_URL=\"$CRM_DATABASE_URL\" crm auth whoami": "cannot be opened, or is a link",
	} {
		if code, stdout, stderr := e.shell("", line); code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %q, %q", line, code, stdout, stderr)
		}
	}
}

// TestSecretsOfOthers: a file with secrets that others can change is refused, and one that they can read is told to a
// person at every start.
func TestSecretsOfOthers(t *testing.T) {
	t.Parallel()
	const key = "[controller]\nauth_secret_key = \"hunter2-hunter2-hunter2-hunter2-hunter2\"\n"
	const password, plain = "[database]\nurl = \"postgres://crm:hunter2@127.0.0.1:1/crm\"\n", "time_zone = \"UTC\"\n"
	e := asEmployee(t, "administrator1")
	e.vars["TERM"], e.vars["NO_COLOR"] = "xterm", "1"
	file := filepath.Join(e.vars["HOME"], "crm.toml")
	put := func(content string, mode os.FileMode, owner int) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, owner, -1); err != nil && os.Geteuid() == 0 {
			t.Fatal(err) // only root can give a file away
		}
	}
	me := os.Geteuid()
	for _, c := range []struct {
		content string
		mode    os.FileMode
		owner   int
		refused bool
		warned  bool
	}{
		{key, 0o600, me, false, false},
		{key, 0o644, me, false, true},
		{key, 0o640, me, false, true},
		{key, 0o622, me, true, false},
		{key, 0o620, me, true, false},
		{password, 0o644, me, false, true},
		{password, 0o666, me, true, false},
		{plain, 0o666, me, false, false},
		{key, 0o600, 65534, me == 0, false},
		{plain, 0o600, 65534, false, false},
	} {
		put(c.content, c.mode, c.owner)
		r := e.crm("", "employee", "list", "--count", "--config", file)
		if refused := r.code == 2 && strings.Contains(r.err, "can be changed by others"); refused != c.refused || strings.Contains(r.err, "hunter2") {
			t.Errorf("%q of mode %o: exit %d, %s", c.content, c.mode, r.code, r.err)
		}
		if c.refused {
			continue
		}
		if strings.Contains(r.err, "warning") {
			t.Errorf("a script is warned: %s", r.err)
		}
		command := exec.Command("crm", "employee", "list", "--count", "--config", file)
		command.Dir, command.Env = e.vars["HOME"], e.environ()
		s := startPTY(t, pty.Winsize{Rows: 24, Cols: 200}, command)
		if err := s.wait().err; err != nil {
			t.Fatal(err, s.text())
		}
		if warned := strings.Contains(s.text(), "warning: others on this machine can read the secrets in "+file); warned != c.warned {
			t.Errorf("%q of mode %o: %q", c.content, c.mode, s.text())
		}
	}
}
