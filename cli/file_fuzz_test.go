//go:build unix

package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

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
		a := newApp(&terminal.Terminal{IO: homeOnly(t)})
		a.config.home = a.Getenv("HOME")
		if err := a.saveToken(content); err != nil {
			t.Fatal(err)
		}
		fits := len(content) < tokenMax // a line break follows it
		switch got, err := a.token(); {
		case fits && (err != nil || got != strings.TrimSpace(content)):
			t.Fatalf("saved %q, got %q, %v", content, got, err)
		case !fits && err == nil:
			t.Fatalf("%d bytes are taken for a token", len(content))
		}

		name := a.tokenFile()
		permissions := fs.FileMode(mode)&fs.ModePerm | 0o400 // so that whoever tests may read it
		if err := os.Chmod(name, permissions); err != nil {
			t.Fatal(err)
		}
		_, err := a.token()
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

// FuzzConfigFile has any bytes in the place of crm.toml.
func FuzzConfigFile(f *testing.F) {
	documented, err := os.ReadFile("../crm.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(documented))
	f.Add("time_zone = 'Asia/Tokyo'\n[database]\nurl = \"postgres://crm:topsecret@db/crm\"\necho = 1\n")
	f.Add("[controller]\nauth_secret_key = \"topsecret\"\n")
	f.Add("database = [[topsecret]]\n")
	f.Add("\ufeff[database]\nurl = topsecret")
	f.Fuzz(func(t *testing.T, content string) {
		c, flags := newConfig(t, homeOnly(t).Getenv)
		c.home = c.Getenv("HOME")
		name := filepath.Join(c.Folder("XDG_CONFIG_HOME", ".config"), "crm.toml")
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := c.Load(flags, nil)
		if err == nil {
			err = c.fault
		}
		if err == nil {
			if c.location == nil || c.databaseTimeout < 0 || c.authSecretKey != "" && len(c.authSecretKey) < 32 {
				t.Fatalf("%q gives %+v", content, c)
			}
			return
		}
		usage, ok := errors.AsType[*failure.Error](err)
		if !ok || usage.Code != failure.Usage || strings.ContainsAny(usage.Message+usage.Hint, "\n\r\x1b\x00") || !utf8.ValidString(usage.Message) {
			t.Fatalf("%q: unfit for a terminal: %q", content, err)
		}
		// The value of a key is told to nobody, but for a zone, which is no secret.
		if strings.Contains(usage.Message, "topsecret") && !strings.Contains(usage.Message, "unknown") {
			t.Fatalf("%q: %q tells a secret", content, usage.Message)
		}
	})
}

// homeOnly is an environment with nothing but a home.
func homeOnly(t *testing.T) terminal.IO {
	home := t.TempDir()
	return terminal.IO{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Getenv: func(name string) string {
		return map[string]string{"HOME": home}[name]
	}}
}
