package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/remote"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

var update = flag.Bool("update", false, "write what the commands print into the stories")

func TestMain(m *testing.M) {
	testscript.Main(withDatabase{m}, map[string]func(){"crm": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
		os.Exit(Run(ctx, os.Args[1:], recorded(terminal.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})))
	}})
}

type withDatabase struct{ m *testing.M }

func (w withDatabase) Run() int { return dbtest.Run(withRecord(w)) }

// TestStories runs crm as people and scripts do, each story against a sample database of its own. Beside testscript's
// own commands a story may use
//
//	as USERNAME [FILE]    go on as this employee, logged in at first use with the sample password or that in the file
//	as nobody             go on as someone who never logged in
//	exits CODE crm ...    the command is refused with this exit code: nothing on stdout, one line and perhaps a hint on
//	                      stderr, and no row of any table changed but those about sessions
//	let NAME FIELD        set $NAME to a field of the JSON object that the last command printed
//	sql STATEMENT         run SQL in the story's database and print its rows, as psql -At does
func TestStories(t *testing.T) {
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatal("no stories: ", err)
	}
	hash, err := argon2id.CreateHash(schema.SamplePassword, &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 8, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	tell := func(path, name string, settings func(*testing.T, *pgx.ConnConfig) map[string]string, updates bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dbtest.Sample(t)
			s := story{dbtest.Connect(t, config)}
			// A login that takes a second would be most of what the stories take.
			if _, err := s.query(t.Context(), "UPDATE employee SET password_hash = '"+hash+"'"); err != nil {
				t.Fatal(err)
			}
			testscript.Run(t, testscript.Params{
				Files:         []string{path},
				UpdateScripts: *update && updates,
				Setup: func(env *testscript.Env) error {
					for name, value := range settings(t, config) {
						env.Setenv(name, value)
					}
					env.Setenv("ROLE", config.Database+"_role") // a name that no other story gives a role
					env.Setenv("HOME", env.WorkDir)
					env.Setenv("TESTDATA", testdata)
					env.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each command otherwise, under -race
					return nil
				},
				Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
					"as":    s.as,
					"exits": s.exits,
					"let":   s.let,
					"sql":   s.sql,
				},
			})
		})
	}
	for _, path := range stories {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		tell(path, name, near, true)
		if !ofTheHost[name] {
			tell(path, name+"_over_a_server", far, false)
		}
	}
}

// ofTheHost are the stories about the database itself, its settings and its files, if only at one place: a key, crm db, the
// name of the token's file. All others are told twice, and read the same.
var ofTheHost = map[string]bool{
	"backup": true, "configuration": true, "db": true, "db_grant": true, "doctor": true, "help": true, "serve": true, "unreachable": true,
	"auth": true, "refusals_missing": true, "refusals_nobody": true, "refusals_rule": true, "regression_one_time_password": true, "token": true,
}

// near has the database.
func near(_ *testing.T, config *pgx.ConnConfig) map[string]string {
	return map[string]string{"CRM_DATABASE_URL": dbtest.URL(config), "CRM_CONTROLLER_AUTH_SECRET_KEY": strings.Repeat("k", 32)}
}

// far has a server that has it.
func far(t *testing.T, config *pgx.ConnConfig) map[string]string {
	key, err := service.NewKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	config = config.Copy()
	config.RuntimeParams["TimeZone"] = "Europe/Paris" // as crm serve has it, unless told otherwise
	pool, err := service.Connect(t.Context(), config, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "crm") // that of the test may have too long a name
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "crm.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	server := &remote.Server{Service: service.New(pool, key), Version: Version, Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- server.Serve(ctx, remote.Listener{Listener: listener}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		pool.Close()
		os.RemoveAll(folder)
	})
	return map[string]string{"CRM_SERVER_URL": "unix://" + socket}
}

// story is one script with the connection on which it looks into its database.
type story struct{ conn *pgx.Conn }

func (s story) as(ts *testscript.TestScript, _ bool, args []string) {
	home := ts.MkAbs(args[0] + ".state")
	ts.Setenv("XDG_STATE_HOME", home)
	if _, err := os.Stat(home); err == nil || args[0] == "nobody" {
		return
	}
	password := ts.MkAbs("sample-password")
	if len(args) > 1 {
		password = ts.MkAbs(args[1])
	} else {
		ts.Check(os.WriteFile(password, []byte(schema.SamplePassword+"\n"), 0o600))
	}
	ts.Check(ts.Exec("sh", "-c", "crm auth login "+args[0]+" --password-stdin < "+password))
}

// refusal is all of stderr, a sentence; before it may stand the id of a payment, which is told before that is sent.
var refusal = regexp.MustCompile(`^(Sending the payment [0-9a-f-]{36}\n)?(crm: [^\n]+[.?!]\n(hint: [^\n]+\n)?|\{"error":\{[^\n]+\}\}\n)$`)

func (s story) exits(ts *testscript.TestScript, _ bool, args []string) {
	before := s.checksum(ts)
	err := ts.Exec(args[1], args[2:]...)
	exit, isExit := errors.AsType[*exec.ExitError](err)
	switch {
	case err != nil && !isExit:
		ts.Fatalf("%v", err)
	case err == nil || strconv.Itoa(exit.ExitCode()) != args[0]:
		ts.Fatalf("exit code is not %s: %v", args[0], err)
	case ts.ReadFile("stdout") != "":
		ts.Fatalf("a refusal has something on stdout")
	case !refusal.MatchString(ts.ReadFile("stderr")):
		ts.Fatalf("a refusal is one line and at most one hint")
	case s.checksum(ts) != before:
		ts.Fatalf("a refused command has changed the data")
	}
}

func (s story) let(ts *testscript.TestScript, _ bool, args []string) {
	var object map[string]any
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	decoder.UseNumber()
	ts.Check(decoder.Decode(&object))
	value, ok := object[args[1]]
	if !ok {
		ts.Fatalf("no field %s", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

func (s story) sql(ts *testscript.TestScript, _ bool, args []string) {
	lines, err := s.query(context.Background(), args[0])
	ts.Check(err)
	for _, line := range lines {
		fmt.Fprintln(ts.Stdout(), line)
	}
}

// query runs statements and gives their rows, the cells joined by "|".
func (s story) query(ctx context.Context, statements string) (lines []string, err error) {
	results, err := s.conn.PgConn().Exec(ctx, statements).ReadAll()
	for _, result := range results {
		for _, row := range result.Rows {
			cells := make([]string, len(row))
			for i, cell := range row {
				cells[i] = string(cell)
			}
			lines = append(lines, strings.Join(cells, "|"))
		}
	}
	return lines, err
}

// checksum stands for every row of every table but those that say who is logged in.
func (s story) checksum(ts *testscript.TestScript) string {
	tables, err := s.query(context.Background(), `
		SELECT format('SELECT %L, md5(string_agg(t::text, '','' ORDER BY t::text)) FROM %I AS t', relname, relname)
		FROM pg_class
		WHERE relnamespace = to_regnamespace('public')
		  AND relkind = 'r'
		  AND relname NOT IN ('session', 'login_failure')
		ORDER BY relname`)
	ts.Check(err)
	sums, err := s.query(context.Background(), strings.Join(tables, ";"))
	ts.Check(err)
	return strings.Join(sums, "\n")
}
