//go:build unix

package pgclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/internal/testprogram"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	all := []localdb.Program{{Path: "path16", Major: 16}, {Path: "14", Major: 14}, {Path: "15", Major: 15}, {Path: "15 again", Major: 15}, {Path: "17", Major: 17}}
	for _, test := range []struct {
		programs []localdb.Program
		server   int
		want     string
		asked    int // how many programs were looked at
	}{
		{all, 0, "17", 5},
		{all, 14, "14", 2},
		{all, 15, "15", 3},
		{all, 16, "path16", 1},
		{all, 18, "17", 5},
		{all[:4], 0, "path16", 4},
		{all[2:4], 14, "15", 2},
		{nil, 15, "", 0},
	} {
		asked := 0
		got := choose(func(yield func(localdb.Program) bool) {
			for _, p := range test.programs {
				if asked++; !yield(p) {
					return
				}
			}
		}, test.server)
		if got.Path != test.want || asked != test.asked {
			t.Errorf("%v for %d: got %q after %d, want %q after %d", test.programs, test.server, got.Path, asked, test.want, test.asked)
		}
	}
}

// fake is a cluster whose only programs of the name are a script.
func fake(t *testing.T, name, version, script string) *localdb.Cluster {
	t.Helper()
	folder := t.TempDir()
	text := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = --version ]; then echo '%s (PostgreSQL) %s'; exit; fi\n%s\n", name, version, script)
	testprogram.Write(t, filepath.Join(folder, name), []byte(text))
	return localdb.New(t.TempDir(), func(variable string) string {
		if variable == "CRM_POSTGRES_BIN" {
			return folder
		}
		return ""
	})
}

func wantError(t *testing.T, err error, code failure.Code, words ...string) {
	t.Helper()
	problem, ok := errors.AsType[*failure.Error](err)
	if !ok || problem.Code != code {
		t.Fatalf("got %v, want the code %s", err, code)
	}
	for _, word := range words {
		if !strings.Contains(problem.Message+"\n"+problem.Hint, word) {
			t.Errorf("%s (%s) lacks %q", problem.Message, problem.Hint, word)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	cluster := fake(t, Dump, "15.18", "")
	for _, server := range []int{0, 14, 15} {
		if client, err := Find(t.Context(), cluster, Dump, server); err != nil || client.Major != 15 || filepath.Base(client.Path) != Dump {
			t.Errorf("%d: %v, %v", server, client, err)
		}
	}
	_, err := Find(t.Context(), cluster, Dump, 16)
	wantError(t, err, failure.Unavailable, "PostgreSQL 16, and pg_dump only of version 15", "too old", "PostgreSQL 16 or newer", "CRM_POSTGRES_BIN")
	_, err = Find(t.Context(), cluster, Restore, 0)
	wantError(t, err, failure.Unavailable, "pg_restore was not found", "install it with: "+cluster.InstallCommand())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, cluster, Dump, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func found(t *testing.T, name, script string) Client {
	t.Helper()
	client, err := Find(t.Context(), fake(t, name, "15.18", script), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRun(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig("postgres://anna:s3cret@127.0.0.1:6543/crm")
	if err != nil {
		t.Fatal(err)
	}
	database := Connection{Config: config, Timeout: 5 * time.Second, Getenv: func(string) string { return "" }}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := found(t, Dump, `echo "$@" "$PGPASSWORD@$PGHOST:$PGPORT"`).Run(t.Context(), database, file, "--format=custom"); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(file.Name()); err != nil || string(got) != "--format=custom s3cret@127.0.0.1:6543\n" {
		t.Errorf("%q, %v", got, err)
	}
	for script, want := range map[string]string{
		"echo 'pg_dump: warning: x' >&2; echo 'pg_dump: error: query failed: the reason' >&2; echo 'pg_dump: error: more' >&2; exit 1": "pg_dump failed: query failed: the reason",
		"exit 3": "pg_dump failed: exit status 3",
	} {
		err := found(t, Dump, script).Run(t.Context(), database, file)
		wantError(t, err, failure.Unavailable)
		if got := err.(*failure.Error).Message; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	err = found(t, Dump, "echo 'pg_dump: error: could not write: No space left on device' >&2; exit 1").Run(t.Context(), database, file)
	wantError(t, err, failure.Internal, "the disk is full")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := found(t, Dump, "exit 1").Run(ctx, database, file); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	output, err := found(t, Restore, `echo "SELECT '$1';"`).Start(t.Context(), "--list")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(output)
	if err = errors.Join(err, output.Close()); err != nil || string(text) != "SELECT '--list';\n" {
		t.Errorf("%q, %v", text, err)
	}
	// More than a pipe holds, which nobody reads.
	output, err = found(t, Restore, "dd if=/dev/zero bs=1024 count=200 2>/dev/null; echo 'pg_restore: error: the reason' >&2; exit 1").Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, output.Close(), failure.Usage, "The file is not a backup of crm: the reason")
	client := found(t, Restore, "")
	if err := os.Remove(client.Path); err != nil {
		t.Fatal(err)
	}
	_, err = client.Start(t.Context())
	wantError(t, err, failure.Usage, "no such file")
}

// TestEnvironment: a program is told what the connection says, and of the user's variables only those that lead nowhere.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	user := map[string]string{"HOME": "/nowhere", "PATH": "/bin", "PGHOST": "evil.example", "PGOPTIONS": "-c evil=y", "PGSERVICE": "evil", "SSL_CERT_FILE": "/dev/null", "LC_ALL": "evil"}
	for _, test := range []struct {
		url, parameters string
		major           int
		want, lacks     []string // variables, and beginnings of some
	}{
		{"postgres://anna:s3cret@127.0.0.1:6543/crm", "", 15,
			[]string{"LC_ALL=C", "HOME=/nowhere", "PATH=/bin", "PGHOST=127.0.0.1", "PGPORT=6543", "PGUSER=anna", "PGDATABASE=crm", "PGPASSWORD=s3cret", "PGCONNECT_TIMEOUT=5", "PGAPPNAME=crm"},
			[]string{"PGSSLMODE", "PGSSLROOTCERT", "PGREQUIREAUTH"}},
		{"postgres://anna@one.example,two.example:6543/crm?sslmode=prefer", "", 15, []string{"PGHOST=one.example,two.example", "PGPORT=5432,6543"}, nil},
		{"postgres://anna@db.example/crm", "sslmode=verify-full", 15, []string{"PGSSLMODE=verify-full", "PGSSLROOTCERT=/dev/null"}, nil},
		{"postgres://anna@db.example/crm", "sslmode=verify-ca", 16, []string{"PGSSLMODE=verify-ca", "PGSSLROOTCERT=system"}, nil},
		{"postgres://anna@db.example/crm", "sslmode=verify-full&sslrootcert=/r", 16, []string{"PGSSLROOTCERT=/r"}, []string{"PGSSLROOTCERT=system"}},
		{"postgres://anna@db.example/crm", "sslmode=require&sslcert=/c&sslkey=/k&sslsni=0&sslnegotiation=direct&channel_binding=require&require_auth=md5&krbsrvname=x&options=-c%20role%3Dcrm&target_session_attrs=any", 16,
			[]string{"PGSSLMODE=require", "PGSSLCERT=/c", "PGSSLKEY=/k", "PGSSLSNI=0", "PGSSLNEGOTIATION=direct", "PGCHANNELBINDING=require", "PGREQUIREAUTH=md5", "PGKRBSRVNAME=x", "PGOPTIONS=-c role=crm", "PGTARGETSESSIONATTRS=any"},
			[]string{"PGSSLROOTCERT"}},
	} {
		config, err := pgx.ParseConfig(test.url)
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := url.ParseQuery(test.parameters)
		if err != nil {
			t.Fatal(err)
		}
		got := Connection{config, parameters, 5 * time.Second, func(name string) string { return user[name] }}.Environment(test.major)
		for _, variable := range test.want {
			if !slices.Contains(got, variable) {
				t.Errorf("%s %s: %q lacks %s", test.url, test.parameters, got, variable)
			}
		}
		for _, variable := range got {
			if strings.Contains(variable, "evil") || slices.ContainsFunc(test.lacks, func(s string) bool { return strings.HasPrefix(variable, s) }) {
				t.Errorf("%s %s: %s", test.url, test.parameters, variable)
			}
		}
	}
}

// TestRootsOfTheUser come before those of the system.
func TestRootsOfTheUser(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".postgresql"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".postgresql", "root.crt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := Connection{Getenv: func(name string) string { return map[string]string{"HOME": home}[name] }}
	for _, major := range []int{15, 18} {
		if got := c.systemRoots(major); got != "" {
			t.Errorf("%d: %q", major, got)
		}
	}
}
