//go:build unix

package backend

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/failure"
)

// FuzzTokenFile has any bytes and permissions in the place of the token file.
func FuzzTokenFile(f *testing.F) {
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl\n", uint16(0o600))
	f.Add("token", uint16(0o644))
	f.Add(strings.Repeat("x", tokenMax+1), uint16(0o600))
	f.Add("\x00\xff\r\n\x1b[31m", uint16(0o400))
	f.Fuzz(func(t *testing.T, content string, mode uint16) {
		home := t.TempDir()
		settings := &config.Config{Home: home, Getenv: func(string) string { return "" }}
		a := New(settings, &terminal.Terminal{})
		if err := a.saveToken(content); err != nil {
			t.Fatal(err)
		}
		fits := len(content) < tokenMax // a line break follows it
		switch got, err := a.Token(); {
		case fits && (err != nil || got != strings.TrimSpace(content)):
			t.Fatalf("saved %q, got %q, %v", content, got, err)
		case !fits && err == nil:
			t.Fatalf("%d bytes are taken for a token", len(content))
		}

		name := a.TokenFile()
		permissions := fs.FileMode(mode)&fs.ModePerm | 0o400 // so that whoever tests may read it
		if err := os.Chmod(name, permissions); err != nil {
			t.Fatal(err)
		}
		_, err := a.Token()
		if open := permissions&0o077 != 0; (err == nil) != (fits && !open) {
			t.Fatalf("mode %v: %v", permissions, err)
		}
		if problem, ok := errors.AsType[*failure.Error](err); err != nil && (!ok || problem.Code != failure.Unauthenticated || problem.Hint == "") {
			t.Fatalf("mode %v: %v", permissions, err)
		}
		if left, err := os.ReadDir(filepath.Dir(name)); err != nil || len(left) != 1 {
			t.Fatalf("beside the token there is something left: %v, %v", left, err)
		}
	})
}
