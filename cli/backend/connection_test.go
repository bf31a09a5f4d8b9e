package backend

import (
	"errors"
	"strings"
	"testing"

	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/failure"
)

// TestURLThatIsNone: what is wrong is named, and nothing that may be a password is shown.
func TestURLThatIsNone(t *testing.T) {
	t.Parallel()
	const encode = "percent-encoded"
	for url, want := range map[string]string{
		"postgres://crm:p@zzxord@127.0.0.1/crm":                         encode,
		"postgres://crm:p@zz/word@127.0.0.1/crm":                        encode,
		"postgres://crm:p@zz#word@127.0.0.1/crm":                        encode,
		"postgres://crm:p@zz?word@127.0.0.1/crm":                        encode,
		"postgres://crm:p/zzxord@127.0.0.1/crm":                         encode,
		"postgres://crm:p?zzxord@127.0.0.1/crm":                         encode,
		"postgres://crm:p#zzxord@127.0.0.1/crm":                         encode,
		"postgres://crm:p%zzxord@127.0.0.1/crm":                         encode,
		"postgres://crm:zzxord@127.0.0.1:port/crm":                      "not a PostgreSQL URL",
		"mysql://crm:zzxord@127.0.0.1/crm":                              "not a PostgreSQL URL",
		"zzxord":                                                        "not a PostgreSQL URL",
		"sqlite:///crm.db":                                              "not a PostgreSQL URL: it names an SQLite file",
		"postgres://crm@127.0.0.1/crm?pgbouncer=true":                   "parameter pgbouncer",
		"postgres://crm@127.0.0.1/crm?schema=public":                    "parameter schema",
		"postgres://crm@127.0.0.1/crm?sslmod=require":                   "sslmode=...",
		"postgres://crm@127.0.0.1/crm?sslmode=zzxord":                   "The parameter sslmode in database.url has a value",
		"postgres://crm@127.0.0.1/crm?x=1&target_session_attrs=zzxord":  "The parameter target_session_attrs",
		"postgres://crm@127.0.0.1/crm?require_auth=zzxord":              "The parameter require_auth",
		"postgres://crm@127.0.0.1/crm?connect_timeout=zzxord":           "The parameter connect_timeout",
		"postgres://crm@db.example/crm?sslrootcert=/nonexistent/zzxord": "The file that sslrootcert in database.url names cannot be used: no such file or directory",
	} {
		b := New(&config.Config{DatabaseURL: url, Getenv: func(string) string { return "" }}, &terminal.Terminal{})
		_, err := b.ConnConfig()
		usage, ok := errors.AsType[*failure.Error](err)
		if !ok || usage.Code != failure.Usage {
			t.Errorf("%s: %v", url, err)
			continue
		}
		shown := usage.Message + " " + usage.Hint
		if !strings.Contains(shown, want) || strings.Contains(shown, "zzxord") || strings.Contains(shown, "zz") {
			t.Errorf("%s: %s", url, shown)
		}
		if shown := MaskURL(url); strings.Contains(shown, "zzxord") && !strings.Contains(want, "sslrootcert") && strings.Contains(url, "crm:p") {
			t.Errorf("config show: %s", shown)
		}
	}
}

// TestURLThatIsTaken, with what holds where it says nothing.
func TestURLThatIsTaken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ url, auth, attributes string }{
		{"postgres://crm:pw@127.0.0.1/crm", "scram-sha-256,none", ""},
		{"postgres://crm:p%40pp@127.0.0.1/crm?keepalives=1&gssencmode=disable&load_balance_hosts=random", "scram-sha-256,none", ""},
		{"postgres://crm@127.0.0.1/crm?require_auth=password&tcp_user_timeout=10", "password", ""},
		{"postgresql://one.example,two.example/crm", "scram-sha-256,none", "read-write"},
		{"postgresql://one.example,two.example/crm?target_session_attrs=any", "scram-sha-256,none", "any"},
		{"postgres:///crm?host=@socket&client_encoding=LATIN1&datestyle=SQL&LOCK_TIMEOUT=1", "scram-sha-256,none", ""},
	} {
		b := New(&config.Config{DatabaseURL: tt.url, Getenv: func(string) string { return "" }}, &terminal.Terminal{})
		got, err := b.ConnConfig()
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if got.RequireAuth != tt.auth || (got.ValidateConnect != nil) != (tt.attributes == "read-write") {
			t.Errorf("%s: require_auth %q, validates %v", tt.url, got.RequireAuth, got.ValidateConnect != nil)
		}
		params := got.RuntimeParams
		if params["client_encoding"] != "UTF8" || params["DateStyle"] != "ISO, MDY" || params["datestyle"] != "" || params["LOCK_TIMEOUT"] != "" {
			t.Errorf("%s: %v", tt.url, params)
		}
		for _, name := range leftOut {
			if params[name] != "" {
				t.Errorf("%s: %s is sent", tt.url, name)
			}
		}
	}
}

// TestLocation names each host once, and no user or password.
func TestLocation(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://somebody:secret@one:5433/crm":                   "crm on one:5433",
		"postgres://somebody:secret@one/crm?sslmode=prefer":         "crm on one:5432", // tried twice
		"postgres://somebody:secret@one,two:5433/crm":               "crm on one:5432 or two:5433",
		"postgres://somebody@/crm?host=/run/pg,three&port=5,6":      "crm on /run/pg:5 or three:6",
		"postgres://somebody@one:1,two:2,one:1/crm?sslmode=disable": "crm on one:1 or two:2",
	} {
		config, err := parseURL(url)
		if err != nil {
			t.Fatal(url, err)
		}
		if got := Location(config); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
