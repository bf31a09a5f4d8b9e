package cli

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/schema"
)

// All that crm prints in these tests, in this process, in others and at terminals, all that it echoes of its statements,
// and all that it reports is recorded. When the tests are over nothing in the record may be a secret.
//
// A run is one file: its first line says which it was, the rest is what it showed. Beside it are the secrets that the run
// was given.

// recordFolder is beside the folder of the crm that the tests start. It is there while they run.
func recordFolder(crm string) string { return filepath.Join(filepath.Dir(filepath.Dir(crm)), "record") }

const secretsFile = ".secrets" // ends the name of the file with the secrets of a run

// withRecord runs the tests and reads the record after them.
type withRecord struct{ m *testing.M }

func (w withRecord) Run() int {
	crm, err := exec.LookPath("crm") // put there by testscript
	if err == nil {
		err = os.Mkdir(recordFolder(crm), 0o700)
	}
	if err != nil {
		fmt.Println("no record can be made:", err)
		return 1
	}
	code := w.m.Run()
	leaks, err := leaksIn(recordFolder(crm))
	for _, leak := range leaks {
		fmt.Println("--- FAIL: a secret was shown:", leak)
		code = 1
	}
	if err != nil {
		fmt.Println("the record cannot be read:", err)
		code = 1
	}
	return code
}

// record keeps what a run in this process, or at a terminal, showed.
func record(where string, args, secrets []string, shown string) {
	crm, err := exec.LookPath("crm")
	if err != nil {
		panic(err)
	}
	file, err := newRecord(recordFolder(crm), where, args, secrets)
	if err == nil {
		_, err = io.WriteString(file, shown)
		_ = file.Close()
	}
	if err != nil {
		panic(err)
	}
}

func newRecord(folder, where string, args, secrets []string) (*os.File, error) {
	file, err := os.CreateTemp(folder, "*")
	if err != nil {
		return nil, err
	}
	if len(secrets) > 0 {
		if err := os.WriteFile(file.Name()+secretsFile, []byte(strings.Join(secrets, "\n")), 0o600); err != nil {
			return nil, err
		}
	}
	_, err = fmt.Fprintf(file, "crm %q in %q\n", args, where)
	return file, err
}

// recorded has the streams of this process recorded, where they are no terminal. A copy of crm that stands elsewhere, for
// another account, keeps no record.
func recorded(streams terminal.IO) terminal.IO {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	folder := recordFolder(self)
	if _, err := os.Stat(folder); err != nil {
		return streams
	}
	where, _ := os.Getwd()
	file, err := newRecord(folder, where, os.Args[1:], givenSecrets(os.Args[1:], "", os.Getenv))
	if err != nil {
		panic(err)
	}
	if !terminal.Is(streams.Out) && !terminal.IsClosed(streams.Out) {
		streams.Out = io.MultiWriter(streams.Out, file)
	}
	if !terminal.Is(streams.Err) {
		streams.Err = io.MultiWriter(streams.Err, file)
	}
	if slices.Contains(os.Args, "--password-stdin") {
		secrets, err := os.OpenFile(file.Name()+secretsFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			panic(err)
		}
		_, _ = secrets.WriteString("\n")
		streams.In = io.TeeReader(streams.In, secrets)
	}
	return streams
}

var passwordInURL = regexp.MustCompile(`postgres(?:ql)?://[^\s:/@]*:([^\s@]+)@`)

// givenSecrets are what a run must not show of what it was given: passwords, keys, tokens.
func givenSecrets(args []string, stdin string, getenv func(string) string) []string {
	secrets := []string{
		getenv("CRM_CONTROLLER_AUTH_SECRET_KEY"), getenv("CRM_CONTROLLER_AUTH_SECRET_KEY_PREVIOUS"), getenv("CRM_TOKEN"),
	}
	for i, arg := range args {
		switch arg {
		case "--password-stdin":
			secrets = append(secrets, strings.Split(stdin, "\n")...)
		case "--password", "--controller.auth_secret_key":
			secrets = append(secrets, args[min(i+1, len(args)-1)])
		}
		if found := passwordInURL.FindStringSubmatch(arg); found != nil {
			secrets = append(secrets, found[1])
		}
	}
	if found := passwordInURL.FindStringSubmatch(getenv("CRM_DATABASE_URL")); found != nil {
		secrets = append(secrets, found[1])
	}
	return secrets
}

// shapes are those of secrets that nobody gives but crm makes: a stored password, a token.
var shapes = map[string]*regexp.Regexp{
	"a stored password":          regexp.MustCompile(`\$argon2[id]{1,2}\$`),
	"a token":                    regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]+`),
	scriptToken:                  regexp.MustCompile(`crm_[A-Za-z0-9_-]{70,}`),
	"the password of a database": passwordInURL,
}

const scriptToken = "a token for scripts"

// secretMin is the length from which a secret is looked for. A wrong password of a test may be a word of any message.
const secretMin = 12

// shownOnce are the commands whose result has a generated password, or a token for scripts, in it.
var shownOnce = []string{`"employee" "add"`, `"employee" "set-password"`, `"db" "set-password"`, `"auth" "token" "create"`}

// harmless is what may be shown: the password of the sample data where it is announced, in one line or broken into two,
// and a password in a URL that is masked.
var harmless = regexp.MustCompile(`(the password of its employees is\s+` + schema.SamplePassword + `\.|` +
	`crm auth login administrator1 \(password\s+` + schema.SamplePassword + `\))|:xxxxx(@)`)

// leaksIn names the runs that showed a secret, their own or that of any other run.
func leaksIn(folder string) (leaks []string, err error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	secrets := map[string]bool{schema.SamplePassword: true, goodPassword: true}
	shown := map[string]string{} // by the name of the run
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(file.Name(), secretsFile) {
			for _, secret := range strings.Split(string(text), "\n") {
				if secret = strings.TrimSpace(secret); len(secret) >= secretMin {
					secrets[secret] = true
				}
			}
			continue
		}
		run, output, _ := strings.Cut(string(text), "\n")
		shown[run] += harmless.ReplaceAllString(output, "$2")
	}
	for run, output := range shown {
		once := slices.ContainsFunc(shownOnce, func(command string) bool { return strings.Contains(run, command) })
		for secret := range secrets {
			if !once && strings.Contains(output, secret) {
				leaks = append(leaks, fmt.Sprintf("%q by %s", secret, run))
			}
		}
		for name, shape := range shapes {
			if found := shape.FindString(output); found != "" && !(once && name == scriptToken) {
				leaks = append(leaks, fmt.Sprintf("%s, %q, by %s", name, found, run))
			}
		}
	}
	slices.Sort(leaks)
	return leaks, nil
}

// TestLeaksIn finds each kind of secret, and names the run.
func TestLeaksIn(t *testing.T) {
	t.Parallel()
	const hidden = "nobody must see this"
	for shown, leaks := range map[string]int{
		"nothing to hide":                                                0,
		"a line\n" + hidden + "\n":                                       1,
		"the password is " + goodPassword:                                1,
		schema.SamplePassword:                                            1,
		"hash $argon2id$v=19$m=65536,t=3":                                1,
		"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJj.":                             1,
		"crm_" + strings.Repeat("A", 75):                                 1,
		"crm_test_0123456789abcdef_12":                                   0,
		"postgres://crm:hunter2@h/crm":                                   1,
		"postgres://crm:xxxxx@h/crm":                                     0,
		"postgres://crm@h/crm":                                           0,
		"the password of its employees is epic-events-sample.":           0,
		"auth login administrator1 (password\r\nepic-events-sample)":     1,
		"crm auth login administrator1 (password\r\nepic-events-sample)": 0,
	} {
		folder := t.TempDir()
		for _, run := range []struct {
			args    []string
			secrets []string
			shown   string
		}{
			{[]string{"auth", "login", "--password-stdin"}, givenSecrets([]string{"--password-stdin"}, hidden+"\n", func(string) string { return "" }), ""},
			{[]string{"employee", "list"}, nil, shown},
			{[]string{"employee", "add"}, nil, hidden},
		} {
			file, err := newRecord(folder, t.Name(), run.args, run.secrets)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.WriteString(run.shown); err != nil {
				t.Fatal(err)
			}
			file.Close()
		}
		got, err := leaksIn(folder)
		if err != nil || len(got) != leaks || leaks > 0 && !strings.Contains(got[0], `crm ["employee" "list"] in "TestLeaksIn"`) {
			t.Errorf("%q: %q, %v", shown, got, err)
		}
	}
}
