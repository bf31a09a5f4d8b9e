//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/cli/terminal"
)

// TestDoctorOfLocalDatabase: it is looked at, and neither made nor started.
func TestDoctorOfLocalDatabase(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	e.vars["CRM_DATABASE_URL"], e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"] = "", ""
	e.vars["PATH"] = os.Getenv("PATH")
	e.vars["HOME"] = localHome(t)
	t.Cleanup(func() { e.crm("", "db", "stop") })
	data := e.vars["HOME"] + "/.local/share/crm"
	doctor := func(code int, wanted ...string) {
		t.Helper()
		r := e.crm("", "doctor", "-o", "csv", "--no-header")
		if r.code != code {
			t.Errorf("exit %d, want %d: %s%s", r.code, code, r.out, r.err)
		}
		for _, want := range wanted {
			if !strings.Contains("\n"+strings.ReplaceAll(r.out, `"`, ""), "\n"+want) {
				t.Errorf("%q is not in\n%s", want, r.out)
			}
		}
	}
	doctor(0, `database,warning,local, and not made yet; `, "local files,ok,none yet in "+data, "signing key,ok,not made yet; ", "clock,warning,")
	e.must(t, "db", "start")
	doctor(0, `database,ok,local, in `+data, "encryption,ok,", "schema,ok,", "clock,ok,", "local files,ok,"+data, "direct mode,ok,")

	e.as("")
	if r := e.crm("epic-events-sample\n", "auth", "login", "none1", "--password-stdin"); r.code != 0 {
		t.Fatal(r.err)
	}
	key := filepath.Join(data, "auth_secret_key")
	doctor(0, "signing key,ok,in "+key+" (mode 0600, of ", "token,ok,in ")
	for _, change := range []struct {
		file   string
		mode   os.FileMode
		code   int
		wanted string
	}{
		{key, 0o644, 0, "signing key,warning,others can read " + key},
		{key, 0o622, 7, "signing key,failed,The key file " + key},
		{key, 0o600, 0, "signing key,ok,"},
		{data + "/postgres/socket", 0o755, 0, "local files,warning,"},
		{data + "/postgres/socket", 0o700, 0, "local files,ok,"},
		{data + "/postgres/data", 0o755, 7, "local files,failed,"},
		{data + "/postgres/data", 0o700, 0, "local files,ok,"},
	} {
		if err := os.Chmod(change.file, change.mode); err != nil {
			t.Fatal(err)
		}
		doctor(change.code, change.wanted)
	}
	if err := os.Truncate(key, 5); err != nil {
		t.Fatal(err)
	}
	doctor(7, "signing key,failed,The key in "+key+" cannot be read or made.")
	e.must(t, "db", "stop")
	record(t.Name(), []string{"the server's log"}, nil, readFile(t, data+"/postgres/log"))
	doctor(7, `database,warning,local, in `+data, "schema,warning,not known")
	doctor(7, `database,warning,local, in `+data) // still stopped
	e.vars["PATH"], e.vars["CRM_POSTGRES_BIN"] = "/nonexistent", "/nonexistent"
	doctor(7, "database,failed,")
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]health{
		"postgres://u@localhost/crm":                      healthOK,
		"postgres://u@127.0.0.1/crm?sslmode=disable":      healthOK,
		"postgres://u@db.example/crm?sslmode=verify-full": healthOK,
		"postgres://u@db.example/crm":                     healthOK,
		"postgres://u@db.example/crm?sslmode=verify-ca":   healthWarning,
		"postgres://u@db.example/crm?sslmode=require":     healthWarning,
		"postgres://u@db.example/crm?sslmode=prefer":      healthWarning,
		"postgres://u@db.example/crm?sslmode=disable":     healthWarning,
	} {
		config, err := pgx.ParseConfig(raw)
		if err != nil {
			t.Fatal(err)
		}
		e := &examination{app: newApp(&terminal.Terminal{})}
		e.Config.DatabaseURL = raw
		e.encryption(config)
		if e.rows[0].Status != want {
			t.Errorf("%s: %+v, want %s", raw, e.rows[0], want)
		}
	}
}
