package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/epicevents/crm/internal/failure"
)

// FuzzConfigFile has any bytes in the place of crm.toml.
func FuzzConfigFile(f *testing.F) {
	documented, err := os.ReadFile("../../crm.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(documented))
	f.Add("time_zone = 'Asia/Tokyo'\n[database]\nurl = \"postgres://crm:topsecret@db/crm\"\necho = 1\n")
	f.Add("[controller]\nauth_secret_key = \"topsecret\"\n")
	f.Add("database = [[topsecret]]\n")
	f.Add("\ufeff[database]\nurl = topsecret")
	f.Fuzz(func(t *testing.T, content string) {
		home := t.TempDir()
		c, flags := newConfig(t, func(name string) string { return map[string]string{"HOME": home}[name] })
		c.Home = c.Getenv("HOME")
		name := filepath.Join(c.Folder("XDG_CONFIG_HOME", ".config"), "crm.toml")
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := c.Load(flags, nil)
		if err == nil {
			err = c.Invalid
		}
		if err == nil {
			if c.Location == nil || c.DatabaseTimeout < 0 || c.AuthSecretKey != "" && len(c.AuthSecretKey) < 32 {
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
