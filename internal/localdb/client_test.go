//go:build linux || darwin

package localdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestClient(t *testing.T) {
	t.Parallel()
	root := tempDir(t)
	for folder, version := range map[string]string{"lib/14/bin": "14.3", "lib/15/bin": "15.18", "lib/17/bin": "17.2", "path16": "16.1", "path18": "18beta2"} {
		fakeInstallation(t, filepath.Join(root, folder), version, "pg_dump")
	}
	// As on Debian, where PATH leads to a script that is many programs.
	fakeInstallation(t, filepath.Join(root, "wrapper"), "99.0", "pg_wrapper")
	if err := os.Symlink("pg_wrapper", filepath.Join(root, "wrapper", "pg_dump")); err != nil {
		t.Fatal(err)
	}
	// As with Homebrew, where it leads to the program elsewhere.
	if err := os.MkdirAll(filepath.Join(root, "linked"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../lib/14/bin/pg_dump", filepath.Join(root, "linked", "pg_dump")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		variable, path string
		server         int
		want           string // a folder, or words of the error
	}{
		{"", "", 15, "lib/15/bin"},
		{"", "", 0, "lib/17/bin"},
		{"", "", 16, "lib/17/bin"},
		{"", "path16", 16, "path16"},
		{"", "path18", 0, "path18"},
		{"", "wrapper", 14, "lib/14/bin"},
		{"", "linked", 14, "linked"},
		{"", "", 18, "too old for it|18|17"},
		{"lib/14/bin", "path18", 0, "lib/14/bin"},
		{"lib/14/bin", "path18", 15, "too old for it|15|14"},
		{"wrapper", "path18", 0, "was not found"},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			t.Parallel()
			c := &Cluster{places: []string{filepath.Join(root, "lib/*/bin")}, getenv: func(name string) string {
				switch {
				case name == "CRM_POSTGRES_BIN" && test.variable != "":
					return filepath.Join(root, test.variable)
				case name == "PATH" && test.path != "":
					return filepath.Join(root, test.path)
				}
				return ""
			}}
			got, err := c.Client(t.Context(), "pg_dump", test.server)
			if err == nil && got.Path != filepath.Join(root, test.want, "pg_dump") {
				t.Errorf("got %s", got.Path)
			}
			for word := range strings.SplitSeq(test.want, "|") {
				if err != nil && !strings.Contains(err.Error(), word) {
					t.Errorf("%v lacks %q", err, word)
				}
			}
		})
	}
}
