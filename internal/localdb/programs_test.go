//go:build linux || darwin

package localdb

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPrograms(t *testing.T) {
	t.Parallel()
	root := tempDir(t)
	for folder, version := range map[string]string{"lib/14/bin": "14.3", "lib/15/bin": "15.18", "lib/17/bin": "17.2", "path16": "16.1", "path18": "18beta2", "odd": "unknown"} {
		fakeInstallation(t, filepath.Join(root, folder), version, "pg_dump")
	}
	fakeInstallation(t, filepath.Join(root, "other"), "18.4", "pg_restore")
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
	usual := []string{"lib/14/bin 14", "lib/15/bin 15", "lib/17/bin 17"}
	for _, test := range []struct {
		variable, path string
		want           []string // folders and versions
	}{
		{"", "", usual},
		{"", "path16", slices.Concat([]string{"path16 16"}, usual)},
		{"", "path18", slices.Concat([]string{"path18 18"}, usual)},
		{"", "linked", slices.Concat([]string{"linked 14"}, usual)},
		{"", "wrapper", usual},
		{"", "odd", usual},
		{"", "other", usual},
		{"lib/14/bin", "path18", []string{"lib/14/bin 14"}},
		{"wrapper", "path18", nil},
	} {
		t.Run(test.variable+","+test.path, func(t *testing.T) {
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
			var want, got []string
			for _, line := range test.want {
				want = append(want, filepath.Join(root, line))
			}
			for p := range c.Programs(t.Context(), "pg_dump") {
				if filepath.Base(p.Path) != "pg_dump" {
					t.Errorf("got %s", p.Path)
				}
				got = append(got, fmt.Sprint(filepath.Dir(p.Path), " ", p.Major))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
