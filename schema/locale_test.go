package schema_test

import (
	"context"
	"fmt"
	"testing"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// inLocale makes a database of another locale than the tests' own.
func inLocale(t *testing.T, options string) *pgx.ConnConfig {
	t.Helper()
	config := dbtest.Blank(t)
	conn := dbtest.Connect(t, config)
	name := fmt.Sprintf("crm_locale_%d", time.Now().UnixNano())
	run(t, conn, "CREATE DATABASE "+name+" TEMPLATE template0 "+options)
	t.Cleanup(func() {
		conn, err := pgx.ConnectConfig(context.Background(), config)
		if err == nil {
			_, err = conn.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
			_ = conn.Close(context.Background())
		}
		if err != nil {
			t.Error(err)
		}
	})
	other := config.Copy()
	other.Database = name
	return other
}

// TestFoldInEveryLocale: what is found does not depend on the locale of the database, here with each letter that Unicode
// has and with names in small letters and capitals.
func TestFoldInEveryLocale(t *testing.T) {
	t.Parallel()
	letters := ""
	for c := rune(0x80); c <= unicode.MaxRune; c++ {
		if unicode.IsUpper(c) && norm.NFKD.String(string(c)) == string(c) {
			letters += string(c) + " "
		}
	}
	folded := ""
	for name, options := range map[string]string{
		"C":       "ENCODING 'UTF8' LOCALE 'C'",
		"C.UTF-8": "ENCODING 'UTF8' LOCALE 'C.UTF-8'",
		"Turkish": "ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'",
	} {
		config := inLocale(t, options)
		if err := schema.Migrate(t.Context(), config); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		conn := dbtest.Connect(t, config)
		for _, names := range [][2]string{{"inès", "INÈS"}, {"ılgın", "ılgın"}, {"διον", "ΔΙΟΝ"}, {"ольга ижица", "ОЛЬГА ИЖИЦА"}, {"i", "I"}, {"ԱՐԱՄ", "արամ"}} {
			if !one[bool](t, conn, "SELECT fold($1) = fold($2) AND fold($1) LIKE search_pattern($2)", names[0], names[1]) {
				t.Errorf("%s: %s is not %s", name, names[1], names[0])
			}
		}
		got := one[string](t, conn, "SELECT fold($1)", letters)
		if folded == "" {
			folded = got
		}
		if got != folded {
			t.Errorf("%s folds otherwise:\n%s\n%s", name, got, folded)
		}
	}
}
