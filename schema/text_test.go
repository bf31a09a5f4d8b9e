package schema_test

import (
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
)

// Text cannot hold U+0000: PostgreSQL refuses to store it.

func TestIsLineAndIsNote(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	tests := map[string]struct {
		text       string
		line, note bool
	}{
		"word":                       {"Baker", true, true},
		"accents and apostrophe":     {"Brasserie de l'Étoile", true, true},
		"combining accent":           {"Ine\u0300s", false, false}, // not in normal form C
		"Persian, with a non-joiner": {"می\u200cخواهم", true, true},
		"right to left override":     {"a\u202eb", false, false},
		"embedding":                  {"a\u202ab\u202c", false, false},
		"isolate":                    {"a\u2066b\u2069", false, false},
		"narrow no-break inside":     {"a\u202fb", true, true},
		"Cyrillic":                   {"Ольга", true, true},
		"Chinese":                    {"北京", true, true},
		"right to left":              {"שלום\u200f", true, true},
		"emoji joined":               {"👩\u200d🍳", true, true},
		"no-break space inside":      {"Marsh\u00a0& Fils", true, true},
		"markup":                     {"[/foo]", true, true},
		"backslash":                  {`a\b`, true, true},
		"punctuation only":           {"-", true, true},
		"255 characters":             {strings.Repeat("é", 255), true, true},
		"256 characters":             {strings.Repeat("é", 256), false, true},
		"10000 characters":           {strings.Repeat("é", 10000), false, true},
		"10001 characters":           {strings.Repeat("é", 10001), false, false},
		"newline":                    {"a\nb", false, true},
		"newline at the end":         {"a\n", false, true},
		"space before":               {" a", false, true},
		"space after":                {"a ", false, true},
		"no-break space before":      {"\u00a0a", false, true},
		"narrow no-break space":      {"a\u202f", false, true},
		"ideographic space after":    {"a\u3000", false, true},
		"em space before":            {"\u2003a", false, true},
		"line separator":             {"a\u2028b", false, true},
		"paragraph separator":        {"a\u2029b", false, true},
		"tab":                        {"a\tb", false, false},
		"carriage return":            {"a\rb", false, false},
		"escape":                     {"a\x1b[31mb", false, false},
		"bell":                       {"a\ab", false, false},
		"U+0001":                     {"a\x01b", false, false},
		"delete":                     {"a\x7fb", false, false},
		"C1: U+0080":                 {"a\u0080b", false, false},
		"C1: next line":              {"a\u0085b", false, false},
		"C1: control sequence":       {"a\u009b31mb", false, false},
		"C1: U+009F":                 {"a\u009fb", false, false},
		"empty":                      {"", false, false},
		"blank: space":               {" ", false, false},
		"blank: newlines":            {"\n \n", false, false},
		"blank: no-break space":      {"\u00a0", false, false},
		"blank: Ogham":               {"\u1680", false, false},
		"blank: em space":            {"\u2003", false, false},
		"blank: line separator":      {"\u2028", false, false},
		"blank: narrow no-break":     {"\u202f", false, false},
		"blank: mathematical space":  {"\u205f", false, false},
		"blank: ideographic space":   {"\u3000", false, false},
		"blank: zero width":          {"\u200b", false, false},
		"blank: byte order mark":     {"\ufeff", false, false},
		"blank: soft hyphen":         {"\u00ad", false, false},
		"blank: word joiner":         {"\u2060", false, false},
		"blank: Hangul filler":       {"\u3164", false, false},
		"blank: Braille":             {"\u2800", false, false},
		"blank: variation selector":  {"\ufe0f", false, false},
		"blank: tag":                 {"\U000e0041", false, false},
		"blank: several invisible":   {"\u200b \u200d\u2060", false, false},
		"visible beside zero width":  {"\u200ba", true, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := one[bool](t, conn, "SELECT is_line($1)", test.text); got != test.line {
				t.Errorf("is_line(%.20q) = %v", test.text, got)
			}
			if got := one[bool](t, conn, "SELECT is_note($1)", test.text); got != test.note {
				t.Errorf("is_note(%.20q) = %v", test.text, got)
			}
		})
	}
	if got := one[bool](t, conn, "SELECT is_line(NULL) IS NULL AND is_note(NULL) IS NULL"); !got {
		t.Error("NULL is not passed on, so that an absent location would be refused")
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	for text, want := range map[string]string{
		"":                        "",
		"Inès":                    "ines",
		"Ine\u0300s":              "ines",
		"ÉLODIE":                  "elodie",
		"François Hébert":         "francois hebert",
		"Maëlys":                  "maelys",
		"Barthélemy Œuvrard":      "barthelemy oeuvrard",
		"œuf":                     "oeuf",
		"Lætitia Æ":               "laetitia ae",
		"Weiß":                    "weiss",
		"WEIẞ":                    "weiss",
		"Ørsted Łódź Đặng":        "orsted lodz dang",
		"\ufb01n":                 "fin",
		"\uff21\uff42\uff43":      "abc",
		"a\u00a0b":                "a b",
		"Ольга":                   "ольга",
		"l’Étoile, d‘Or, Oʼ′":     "l'etoile, d'or, o''",
		`100 % _ \`:               `100 % _ \`,
		"johanna@marsh.example":   "johanna@marsh.example",
		"Théâtre du Châtelain n°": "theatre du chatelain n°",
	} {
		if got := one[string](t, conn, "SELECT fold($1)", text); got != want {
			t.Errorf("fold(%q) = %q, want %q", text, got, want)
		}
		if got := one[string](t, conn, "SELECT fold(fold($1))", text); got != want {
			t.Errorf("fold twice of %q = %q, want %q", text, got, want)
		}
	}
}

func TestSearchPattern(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	for query, want := range map[string]string{
		"":       `%%`,
		"Inès":   `%ines%`,
		"  a b ": `%a b%`,
		"100%":   `%100\%%`,
		"a_b":    `%a\_b%`,
		`a\b`:    `%a\\b%`,
		`\%`:     `%\\\%%`,
		"\uff05": `%\%%`, // fullwidth percent sign
	} {
		if got := one[string](t, conn, "SELECT search_pattern($1)", query); got != want {
			t.Errorf("search_pattern(%q) = %q, want %q", query, got, want)
		}
	}
	tests := []struct {
		query, text string
		found       bool
	}{
		{"oeuvrard", "Barthélemy Œuvrard", true},
		{"ŒUVR", "Menuiserie Œuvrard", true},
		{"weiss", "Bäckerei Weiß", true},
		{"baecker", "Bäckerei Weiß", false},
		{"ETOILE", "Brasserie de l'Étoile", true},
		{"l’étoile", "Brasserie de l'Étoile", true},
		{"l'etoile", "Brasserie de l’Étoile", true},
		{"", "anything", true},
		{"%", "100 percent", false},
		{"%", "100 %", true},
		{"a_c", "abc", false},
		{"a_c", "a_c", true},
		{`\`, "abc", false},
		{`\`, `a\c`, true},
		{`a\`, `a\c`, true},
		{`\_`, "a_c", false},
		{"'; DROP TABLE customer; --", "abc", false},
	}
	for _, test := range tests {
		if got := one[bool](t, conn, "SELECT fold($1) LIKE search_pattern($2)", test.text, test.query); got != test.found {
			t.Errorf("%q in %q: %v, want %v", test.query, test.text, got, test.found)
		}
	}
}
