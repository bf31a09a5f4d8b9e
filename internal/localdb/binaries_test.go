//go:build linux || darwin

package localdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/testprogram"
)

// fakeInstallation makes a folder with programs that only know their version.
func fakeInstallation(t *testing.T, folder, version string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s'\n", version)
	for _, name := range names {
		testprogram.Write(t, filepath.Join(folder, name), []byte(script))
	}
}

func TestInstallation(t *testing.T) {
	t.Parallel()
	root := tempDir(t)
	for folder, version := range map[string]string{
		"lib/13/bin": "13.9 (Debian 13.9-1)", "lib/14/bin": "14.3", "lib/17/bin": "17.2", "path14": "14.1",
		"path18": "18beta2", "odd": "unknown",
	} {
		fakeInstallation(t, filepath.Join(root, folder), version, "initdb", "postgres")
	}
	fakeInstallation(t, filepath.Join(root, "clientonly"), "19.0", "postgres")
	places := []string{filepath.Join(root, "lib/*/bin")}

	for _, test := range []struct {
		name, variable, path, data string
		places                     []string
		want                       string // a folder, or words of the error
	}{
		{name: "newest", places: places, want: "lib/17/bin"},
		{name: "newest also in PATH", path: "path18", places: places, want: "path18"},
		{name: "newest before PATH", path: "path14", places: places, want: "lib/17/bin"},
		{name: "that of the data", data: "14", places: places, want: "lib/14/bin"},
		{name: "that of the data, PATH first", data: "14", path: "path14", places: places, want: "path14"},
		{name: "too old for its own data", data: "13", places: places, want: "14 or newer|13"},
		{name: "no server programs", path: "clientonly", want: "was not found"},
		{name: "no version", path: "odd", want: "was not found"},
		{name: "none", want: "was not found|docker compose up -d|--database.url|install"},
		{name: "too old", variable: "lib/13/bin", want: "14 or newer|13"},
		{name: "data of none installed", data: "16", places: places, want: "PostgreSQL 16|13, 14, 17|mv "},
		{name: "variable", variable: "lib/14/bin", path: "path18", places: places, want: "lib/14/bin"},
		{name: "variable is wrong", variable: "nonexistent", path: "path18", places: places, want: "CRM_POSTGRES_BIN|no initdb"},
		{name: "variable of another major", variable: "lib/17/bin", data: "14", path: "path14", places: places, want: "PostgreSQL 14|17"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{}
			if test.variable != "" {
				env["CRM_POSTGRES_BIN"] = filepath.Join(root, test.variable)
			}
			if test.path != "" {
				env["PATH"] = "relative:" + filepath.Join(root, test.path)
			}
			c := New(filepath.Join(tempDir(t), "home"), func(name string) string { return env[name] })
			c.places = test.places
			if test.data != "" {
				if err := os.MkdirAll(c.dataDir(), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(c.dataDir(), "PG_VERSION"), []byte(test.data+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := c.Program(t.Context(), "initdb")
			if err != nil {
				wantError(t, err, strings.Split(test.want, "|")...)
			} else if got != filepath.Join(root, test.want, "initdb") {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if err == nil {
				_, err = c.Program(t.Context(), "pg_dump")
				wantError(t, err, "pg_dump is missing")
			}
		})
	}
}

func TestInstallCommand(t *testing.T) {
	t.Parallel()
	for tool, want := range map[string]string{
		"apt-get": "apt-get install postgresql",
		"dnf":     "dnf install postgresql-server postgresql-contrib",
		"brew":    "brew install postgresql@18",
		"none":    "install",
	} {
		folder := tempDir(t)
		fakeInstallation(t, folder, "", tool)
		c := New(filepath.Join(folder, "home"), func(string) string { return folder })
		got := c.InstallCommand()
		if want != "install" && !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s", tool, got)
		}
		if sudo := strings.HasPrefix(got, "sudo "); sudo != (!isRoot() && (tool == "apt-get" || tool == "dnf")) {
			t.Errorf("%s: %s", tool, got)
		}
	}
}

func TestFailureLine(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"": "",
		"2026-01-02 03:04:05 UTC [7] FATAL:  lock file \"postmaster.pid\" already exists\n2026 [7] HINT:  Is another running?\n": `lock file "postmaster.pid" already exists`,
		"initdb: error: invalid locale name \"xx\"\n": `invalid locale name "xx"`,
		"running bootstrap script ... FATAL:  could not write to file \"pg_wal/xlogtemp.9\": No space left on device\n" +
			"child process exited with exit code 1\ninitdb: removing contents of data directory \"/x\"\n": `could not write to file "pg_wal/xlogtemp.9": No space left on device`,
		"LOG:  starting\nFATAL:  the database system is starting up\n":     "LOG:  starting",
		"postgres: could not access directory \"/x\": Permission denied\n": `postgres: could not access directory "/x": Permission denied`,
	} {
		if got := failureLine(output); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
