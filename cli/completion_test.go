//go:build unix

package cli

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/cli/command"
)

// patientVariable gives crm all the time it needs for a completion: on a busy machine the usual time may run out, which
// gives no candidates. It works in the crm of the tests only.
const patientVariable = "CRM_TEST_PATIENT"

func init() {
	if os.Getenv(patientVariable) != "" {
		completionTime = time.Minute
	}
}

// evil is a name that a shell must never take for anything but text.
const evil = `$(touch pwned) ` + "`touch pwned`" + ` "two" 'one' :colon; \n %s * && touch pwned | ~ !! {a,b} [/foo]`

type completionCase struct {
	typed string
	line  string   // after TAB
	list  []string // what the candidates and their descriptions have in them
}

// completionByName are lines of which fish takes no candidate, because it keeps only those that look like the word.
var completionByName = []completionCase{
	{"crm contract list --commercial desire", "crm contract list --commercial commercial1 ", nil},
	{"crm customer detail ribeiro", "crm customer detail 5 ", nil},
}

// completionCases are lines on which TAB is pressed. {word} is all that was typed last.
var completionCases = []completionCase{
	{"crm contr", "crm contract ", nil},
	{"crm co", "crm co", []string{"contract", "contracts and their payments", "completion"}},
	{"crm contract pay", "crm contract payments ", nil},
	{"crm CONTRACT pay", "crm CONTRACT payments ", nil},
	{"crm contract list --not-p", "crm contract list --not-paid-filter ", nil},
	{"crm contract list --not-", "crm contract list --not-", []string{"--not-paid-filter", "only those that are not fully paid", "--not-signed-filter"}},
	{"crm --database.u", "crm --database.url ", nil},
	{"crm -o mark", "crm -o markdown ", nil},
	{"crm contract list --output=cs", "crm contract list --output=csv ", nil},
	{"crm contract list --output=js", "crm contract list --output=json", []string{"jsonl"}},
	{"crm -o csv --csv-style ex", "crm -o csv --csv-style excel-fr ", nil},
	{"crm employee add --role su", "crm employee add --role support ", nil},
	{"crm employee add --role=su", "crm employee add --role=support ", nil},
	{"crm employee detail non", "crm employee detail none1 ", nil},
	{"crm employee detail comm", "crm employee detail commercial", []string{"commercial1", "Désiré Fontaine", "commercial3"}},
	{"crm customer set-commercial 3 --commercial-username ", "crm customer set-commercial 3 --commercial-username commercial", []string{"commercial2", "Élodie Garnier"}},
	{"crm contract detail b0", "crm contract detail b0f94adc-0ac3-46cb-bb52-cecbf41673e5 ", nil},
	{"crm contract detail ab", "crm contract detail ab", []string{"ab0469a5-c2ba-4ff7-b9d4-9080df2db07e", "Johanna Baker", "0.00 € due", "of 12 500.00 €"}},
	{"crm event add --contract-uuid=77", "crm event add --contract-uuid=771c41ae-3218-4492-a2a3-f5b7aae8ec3d ", nil},
	{"crm customer detail 1", "crm customer detail 1", []string{"10", "Bäckerei Weiß", "15", evil}},
	{"crm contract list --customer-id 15", "crm contract list --customer-id 15 ", nil},
	{"crm customer list --fields id,full", "crm customer list --fields id,fullname ", nil},
	{"crm customer list --fields=id,full", "crm customer list --fields=id,fullname ", nil},
	{"crm customer list --sort fullname:d", "crm customer list --sort fullname:desc ", nil},
	{"crm customer list --sort=fullname:d", "crm customer list --sort=fullname:desc ", nil},
	{"crm event update 1 --clear note,loc", "crm event update 1 --clear note,location ", nil},
	{"crm employee detail -- non", "crm employee detail -- none1 ", nil},
	{"crm employee detail -- -", "crm employee detail -- -", nil},
	{`crm customer list --search "a b" --company 'c d' -o mark`, `crm customer list --search "a b" --company 'c d' -o markdown `, nil},
	{"crm help mon", "crm help money ", nil},
	{"crm help contract pay", "crm help contract payments ", nil},
	{"crm --config my", `crm --config my\ settings.toml `, nil},
	{"crm contarct lis", "crm contarct lis", nil},
	{"crm contract list --nonsense --lim", "crm contract list --nonsense --limit ", nil},
	{"crm employee detail none1 comm", "crm employee detail none1 comm", nil},
	{"crm customer detail $(touch pwned)1", "crm customer detail $(touch pwned)1", nil},
}

// completionEmployee has a customer whose name is dangerous, and a folder to look into afterwards.
func completionEmployee(t *testing.T) *employee {
	t.Helper()
	e := asEmployee(t, "commercial1")
	_, err := e.conn.Exec(t.Context(), `
		INSERT INTO customer (fullname, company, commercial_id, email, phone)
		SELECT $1, $1, id, 'evil@evil.example', '+33145678901' FROM employee WHERE username = 'commercial1'`, evil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(e.vars["HOME"], "my settings.toml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e.vars["TERM"] = "xterm"
	e.vars[patientVariable] = "yes"
	return e
}

// special has what means something to one of the shells, or might.
const special = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~é\u00a0…"

// revokeByTab completes tokens with every special letter in their names in an interactive shell, and presses Enter: each
// name must reach crm as it is, and nothing else may be run.
func (e *employee) revokeByTab(t *testing.T, shell *exec.Cmd, setup string) {
	t.Helper()
	e.sql("ALTER TABLE session DISABLE TRIGGER session_name_plain") // as the tokens of older crms were named
	letters := []rune(special)
	for i, letter := range letters {
		_, err := e.conn.Exec(t.Context(), `
			INSERT INTO session (id, employee_id, name, secret_hash)
			SELECT gen_random_uuid(), id, $1, sha256('x') FROM employee WHERE username = 'commercial1'`,
			fmt.Sprintf("k%02d%c$(touch pwned)%c`touch pwned`;touch pwned%cz", i, letter, letter, letter))
		if err != nil {
			t.Fatal(err)
		}
	}
	shell.Dir, shell.Env = e.vars["HOME"], e.environ()
	s := startPTY(t, pty.Winsize{Rows: 60, Cols: 250}, shell)
	s.press(setup + "; echo rea''dy\n")
	s.until("ready")
	for i := range letters {
		s.press(fmt.Sprintf("crm auth token revoke k%02d\t\n", i))
		s.until("is revoked.")
	}
	var left int
	if err := e.conn.QueryRow(t.Context(), "SELECT count(*) FROM session WHERE name IS NOT NULL").Scan(&left); err != nil || left > 0 {
		t.Errorf("%d tokens were not revoked (%v)", left, err)
	}
	s.press("exit\n")
	_ = s.wait()
	e.nothingWasExecuted(t)
}

const bashSetup = `set +H; PS1='$ '; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; source <(crm completion bash)`

func TestCompletionIsQuotedInBash(t *testing.T) {
	t.Parallel()
	requireProgram(t, "bash", "bash")
	completionEmployee(t).revokeByTab(t, exec.Command("bash", "--norc", "--noprofile", "-i"), bashSetup)
}

// TestCompletionInOpenQuotesInBash: inside quotes, and where candidates are listed at once, nothing is run either.
func TestCompletionInOpenQuotesInBash(t *testing.T) {
	t.Parallel()
	requireProgram(t, "bash", "bash")
	e := completionEmployee(t)
	e.sql(`ALTER TABLE session DISABLE TRIGGER session_name_plain;
		INSERT INTO session (id, employee_id, name, secret_hash)
		SELECT gen_random_uuid(), employee.id, token.name, sha256('x')
		FROM employee, (VALUES ('a$(touch pwned)b'), ('c''$(touch pwned)1'), ('c''$(touch pwned)2')) AS token (name)
		WHERE username = 'commercial1'`)
	shell := exec.Command("bash", "--norc", "--noprofile", "-i")
	shell.Dir, shell.Env = e.vars["HOME"], e.environ()
	s := startPTY(t, pty.Winsize{Rows: 60, Cols: 250}, shell)
	s.press(bashSetup + "; bind 'set show-all-if-ambiguous on'; echo rea''dy\n")
	s.until("ready")
	for i, line := range []string{`"a` + "\t" + `"`, `'a` + "\t" + `'`, `x"a` + "\t" + `"`, `a` + "\t", `c` + "\t\t", `"c` + "\t\t" + `"`, `'c` + "\t\t" + `'`} {
		s.press(" crm auth token revoke " + line + "\x05\n") // the first letter may be lost too, and rm is a command
		// Again and again: what is typed while a completion runs may be lost with the Ctrl-C.
		s.pressUntil(fmt.Sprintf("\x03\necho do''ne%d\n", i), fmt.Sprintf("done%d", i))
	}
	s.press("exit\n")
	_ = s.wait()
	e.nothingWasExecuted(t)
}

func TestCompletionIsQuotedInZsh(t *testing.T) {
	t.Parallel()
	requireProgram(t, "zsh", "zsh")
	completionEmployee(t).revokeByTab(t, exec.Command("zsh", "-f", "-i"),
		`PS1='$ '; unsetopt beep automenu; bindkey -e; bindkey '^I' complete-word; source <(crm completion zsh)`)
}

func TestCompletionIsQuotedInFish(t *testing.T) {
	t.Parallel()
	requireProgram(t, "fish", "fish")
	completionEmployee(t).revokeByTab(t, exec.Command("fish", "--no-config", "-i"), "source (crm completion fish | psub)")
}

// FuzzCompletionQuotesInBash has bash read a quoted value back.
func FuzzCompletionQuotesInBash(f *testing.F) {
	for _, letter := range special {
		f.Add(fmt.Sprintf("a%c$(exit 3)%c", letter, letter), "")
		f.Add(fmt.Sprintf("%ca", letter), `"`)
	}
	f.Fuzz(func(t *testing.T, value, typed string) {
		if strings.ContainsRune(value+typed, 0) || value == "" {
			return
		}
		const script = `source <(cat "$3"); __crm_quote "$1" "$2" || exit 0
			case $2 in *[\'\"]*) line="x \"$quoted\"" ;; *) line="x $quoted" ;; esac
			x() { [[ $# -eq 1 && $1 == "$want" ]]; }
			want=$1; eval "$line"`
		out, err := exec.Command("bash", "-c", script, "bash", value, typed, "manual/completion/crm.bash").CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%q, completing %q, is not read back: %v %s", value, typed, err, out)
		}
	})
}

func (e *employee) nothingWasExecuted(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir(e.vars["HOME"])
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.Contains(file.Name(), "pwned") {
			t.Error("what was stored or typed was executed")
		}
	}
}

// inShell presses TAB at the end of each line in an interactive shell. Ctrl-T there shows the line as it now is, and
// empties it.
func (e *employee) inShell(t *testing.T, shell *exec.Cmd, setup string) {
	t.Helper()
	shell.Dir, shell.Env = e.vars["HOME"], e.environ()
	s := startPTY(t, pty.Winsize{Rows: 60, Cols: 250}, shell)
	s.press(setup + "; echo rea''dy\n")
	s.until("ready")
	for _, c := range slices.Concat(completionCases, completionByName) {
		tabs := "\t"
		if c.list != nil {
			tabs = "\t\t\t" // the first puts in what all candidates have in common, the last lists them
		}
		s.press(c.typed + tabs + "\x14")
		list := s.until("<<")
		if got := s.until(">>"); got != c.line {
			t.Errorf("%q becomes %q, want %q", c.typed, got, c.line)
		}
		for _, want := range c.list {
			if !strings.Contains(list, want) {
				t.Errorf("%q: %q is not listed, but %q", c.typed, want, list)
			}
		}
	}
	s.press("exit\n")
	if err := s.wait().err; err != nil {
		t.Error(err)
	}
	e.nothingWasExecuted(t)
}

func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	requireProgram(t, "bash", "bash")
	completionEmployee(t).inShell(t, exec.Command("bash", "--norc", "--noprofile", "-i"), strings.Join([]string{
		`set +H`, `PS1='$ '`,
		`bind 'set enable-bracketed-paste off'`, `bind 'set bell-style none'`,
		`bind 'set page-completions off'`, `bind 'set completion-query-items 0'`,
		`bind -x '"\C-t": printf "<<%s>>\n" "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0'`,
		`source <(crm completion bash)`,
	}, "; "))
}

func TestCompletionInZsh(t *testing.T) {
	t.Parallel()
	requireProgram(t, "zsh", "zsh")
	completionEmployee(t).inShell(t, exec.Command("zsh", "-f", "-i"), strings.Join([]string{
		`PS1='$ '`, `LISTMAX=1000`, `unsetopt beep banghist automenu`, `bindkey -e`,
		`bindkey '^I' complete-word`, // not expand-or-complete, with which zsh itself runs a $(command) in the line
		`show() { print -rn -- "<<$BUFFER>>" > /dev/tty; BUFFER= }`, `zle -N show`, `bindkey '^T' show`,
		`source <(crm completion zsh)`,
	}, "; "))
}

// TestCompletionInFish asks fish itself for the candidates: what it would put into the line when there is one, and all
// of them with their descriptions.
func TestCompletionInFish(t *testing.T) {
	t.Parallel()
	requireProgram(t, "fish", "fish")
	e := completionEmployee(t)
	script := "source (crm completion fish | psub)\n"
	for i, c := range completionCases {
		name := fmt.Sprintf("line%d", i)
		e.vars[name] = c.typed
		script += fmt.Sprintf("complete -C \"$%s\"; echo '<<>>'\n", name)
	}
	fish := exec.Command("fish", "--no-config", "-c", script)
	fish.Dir, fish.Env = e.vars["HOME"], e.environ()
	out, err := fish.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	answers := strings.Split(string(out), "<<>>\n")
	for i, c := range completionCases {
		answer := answers[i]
		for _, want := range c.list {
			if !strings.Contains(answer, want) {
				t.Errorf("%q: %q is not listed, but %q", c.typed, want, answer)
			}
		}
		last := func(line string) string {
			words := strings.Split(strings.ReplaceAll(strings.TrimSuffix(line, " "), `\ `, "\x00"), " ")
			return strings.ReplaceAll(words[len(words)-1], "\x00", " ")
		}
		switch {
		case c.list != nil:
		case c.line == c.typed && answer != "":
			t.Errorf("%q has candidates: %q", c.typed, answer)
		case c.line != c.typed && !strings.HasPrefix(answer, last(c.line)):
			t.Errorf("%q has the candidates %q, want %q", c.typed, answer, last(c.line))
		}
	}
	e.nothingWasExecuted(t)
}

// complete gives the lines of crm __complete, in a process of its own, which must be silent but for them.
func (e *employee) complete(t *testing.T, words ...string) []string {
	t.Helper()
	command := exec.Command("crm", append([]string{completeCommand}, words...)...)
	command.Dir, command.Env = e.vars["HOME"], e.environ()
	var out, err strings.Builder
	command.Stdout, command.Stderr = &out, &err
	if problem := command.Run(); problem != nil || err.Len() > 0 {
		t.Errorf("crm __complete %q: %v, %q", words, problem, err.String())
	}
	if out.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestCompletionIsSilent(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	broken := filepath.Join(t.TempDir(), "crm.toml")
	if err := os.WriteFile(broken, []byte("time_zone = \n[database\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shared := asEmployee(t, "commercial1")
	for name, change := range map[string]func(e *employee){
		"not logged in":      func(e *employee) { e.vars["CRM_TOKEN"] = "" },
		"bad token":          func(e *employee) { e.vars["CRM_TOKEN"] = "a.b.c" },
		"no database":        func(e *employee) { e.vars["CRM_DATABASE_URL"] = "postgres://crm@127.0.0.1:1/crm" },
		"no local database":  func(e *employee) { e.vars["CRM_DATABASE_URL"] = "" },
		"deaf database":      func(e *employee) { e.vars["CRM_DATABASE_URL"] = "postgres://crm@" + deaf.Addr().String() + "/crm" },
		"logged out":         func(e *employee) { e.apart().sql("DELETE FROM session") },
		"locked tables":      func(e *employee) { e.apart().lock() },
		"other schema":       func(e *employee) { e.apart().sql("UPDATE schema_migrations SET version = 1") },
		"broken file":        func(e *employee) { e.vars["CRM_CONFIG"] = broken },
		"no file":            func(e *employee) { e.vars["CRM_CONFIG"] = "/nonexistent/crm.toml" },
		"bad variable":       func(e *employee) { e.vars["CRM_DATABASE_ECHO"] = "perhaps" },
		"not a database URL": func(e *employee) { e.vars["CRM_DATABASE_URL"] = "postgres://%zz" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := shared.beside(t, "commercial1")
			change(e)
			e.vars["CRM_OUTPUT"] = "json"
			for _, words := range [][]string{
				{"customer", "detail", ""}, {"contract", "detail", "b"}, {"contract", "list", "--commercial", ""}, {"event", "list", "--support="},
			} {
				if got := e.complete(t, words...); got != nil {
					t.Errorf("crm %q has the candidates %q", words, got)
				}
			}
			if got := e.complete(t, "contract", "list", "--not-p"); len(got) != 1 {
				t.Errorf("what is no secret of the database is not completed: %q", got)
			}
		})
	}
}

// apart goes on with a database that nobody else has.
func (e *employee) apart() *employee {
	*e = *asEmployee(e.t, "commercial1")
	return e
}

// lock keeps others from reading employees and customers.
func (e *employee) lock() {
	e.t.Helper()
	tx, err := e.conn.Begin(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := tx.Exec(e.t.Context(), "LOCK TABLE employee, customer"); err != nil {
		e.t.Fatal(err)
	}
}

func TestCompletionNeverStartsOrResets(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "commercial1")
	e.vars[patientVariable] = "yes"
	e.vars["CRM_DATABASE_RESET"] = "true"
	if got := e.complete(t, "customer", "detail", "13"); len(got) != 1 {
		t.Errorf("the candidates are %q", got)
	}
	e.vars["CRM_DATABASE_URL"], e.vars["CRM_DATABASE_RESET"] = "", ""
	e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"] = strings.Repeat("k", 32)
	e.complete(t, "customer", "detail", "")
	if files, _ := filepath.Glob(filepath.Join(e.vars["HOME"], ".local/share/crm/*")); len(files) > 0 {
		t.Errorf("completion has made %q", files)
	}
}

func TestCompletionCandidates(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "commercial1")
	e.vars[patientVariable] = "yes"
	// As another program may have stored it.
	e.sql(`ALTER TABLE customer DROP CONSTRAINT customer_company_line; UPDATE customer SET company = E'a \u202e b' WHERE id = 13`)
	for _, c := range []struct {
		words []string
		want  []string
	}{
		{[]string{"customer", "detail", "3"}, []string{"3\tAnaïs Morel, Brasserie de l'Étoile (Désiré Fontaine)"}},
		{[]string{"customer", "detail", "13"}, []string{"13\tBarthélemy Œuvrard, a \\u202e b (François Hébert)"}},
		{[]string{"event", "detail", "3"}, []string{"3\tSoirée fado, Inès Ribeiro (support1)"}},
		{[]string{"contract", "detail", "b0f9"}, []string{"b0f94adc-0ac3-46cb-bb52-cecbf41673e5\t2026-0003  6 900.50 € due  Inès Ribeiro, Fado & Co (of 9 900.50 €)"}},
		{[]string{"contract", "detail", "2026-0003"}, []string{"2026-0003\t6 900.50 € due  Inès Ribeiro, Fado & Co (of 9 900.50 €)"}},
		{[]string{"employee", "update", "none"}, []string{"none1\tInès Kléber (none)"}},
		{[]string{"employee", "list", "--role-filter", "s"}, []string{"support"}},
		{[]string{"--role-filter"}, nil},
		{[]string{"event", "update", "1", "--clear", "start,end,"}, []string{"start,end,attendees", "start,end,location", "start,end,note"}},
		{[]string{"completion", "z"}, []string{"zsh"}},
		{[]string{"schema", "pay"}, []string{"payment"}},
		{[]string{"contract", "list", "--limit", ""}, nil},
		{[]string{"db", "backup", "op"}, []string{":files"}},
		{[]string{"contract", "list", "--config="}, []string{"--config=:files"}},
		{[]string{"contract", "list", "--count="}, nil},
		{[]string{"contract", "list", "--search", "--", "--cou"}, []string{"--count\tonly the number of rows; not with --limit"}},
	} {
		if diff := cmp.Diff(c.want, e.complete(t, c.words...)); diff != "" {
			t.Errorf("crm %q (-want +got):\n%s", c.words, diff)
		}
	}
}

// TestCompletionOfMany has more than are of use, and the one that was meant among them.
func TestCompletionOfMany(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "commercial1")
	e.vars[patientVariable] = "yes"
	e.sql(manyRows + "; ANALYZE")
	for _, words := range [][]string{{"customer", "detail", ""}, {"contract", "detail", ""}, {"event", "detail", ""}, {"employee", "detail", ""}} {
		got := e.complete(t, words...)
		if len(got) != command.CompletionMax {
			t.Errorf("%d candidates for %q", len(got), words)
		}
	}
	if got := e.complete(t, "customer", "detail", "9999"); len(got) != 1 {
		t.Errorf("the candidates are %q", got)
	}
}
