package backend

import (
	"strings"
	"testing"

	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/terminal"
)

// TestConnectionOverNetwork: whoever is at the other end of a network has to prove it, unless the URL says otherwise.
func TestConnectionOverNetwork(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		url              string
		secure, verified bool
		warning          string
	}{
		{"postgres://crm@db.example/crm", true, true, ""},
		{"postgres://crm@db.example/crm?application_name=x", true, true, ""},
		{"postgres://crm@one.example,two.example/crm?target_session_attrs=read-write", true, true, ""},
		{"postgres://crm@db.example/crm?sslmode=verify-full", true, true, ""},
		{"postgres://crm@db.example/crm?sslmode=require", true, false, "sslmode=require"},
		{"postgres://crm@127.0.0.1,db.example/crm?sslmode=disable", false, false, "sslmode=disable"},
		{"postgres://crm@127.0.0.1/crm?sslmode=disable", false, false, ""},
		{"postgres://crm@/crm?host=/run/postgresql", false, false, ""},
	} {
		var notices strings.Builder
		b := New(&config.Config{DatabaseURL: tt.url, Getenv: func(string) string { return "" }}, &terminal.Terminal{IO: terminal.IO{Err: &notices}})
		got, err := b.ConnConfig()
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		secure := got.TLSConfig != nil
		if verified := secure && !got.TLSConfig.InsecureSkipVerify; secure != tt.secure || verified != tt.verified {
			t.Errorf("%s: TLS %v, verified %v", tt.url, secure, verified)
		}
		for _, fallback := range got.Fallbacks {
			if (fallback.TLSConfig != nil) != tt.secure {
				t.Errorf("%s: falls back to TLS %v", tt.url, fallback.TLSConfig != nil)
			}
		}
		if warned := notices.String(); (warned == "") != (tt.warning == "") || !strings.Contains(warned, tt.warning) {
			t.Errorf("%s: warns %q", tt.url, warned)
		}
	}
}
