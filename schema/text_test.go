package schema_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/rangetable"

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
		"a  b\t c":                "a b c",
		"É\u2009\u00a0é":          "e e",
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

// TestFoldsWholeClasses has what cannot be seen disappear and each dash be a hyphen, as Unicode has them and not as they
// were met.
func TestFoldsWholeClasses(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	count := 0
	check := func(class *unicode.RangeTable, want string) {
		rangetable.Visit(class, func(r rune) {
			if count++; r == 0 || unicode.Is(unicode.Cs, r) {
				return
			}
			if got := one[string](t, conn, "SELECT fold($1)", "A"+string(r)+"b"); got != want {
				t.Errorf("fold of U+%04X between two letters is %q, want %q", r, got, want)
			}
		})
	}
	check(unicode.Dash, "a-b")
	check(unicode.Variation_Selector, "ab")
	check(&unicode.RangeTable{R16: unicode.Other_Default_Ignorable_Code_Point.R16}, "ab")
	for _, invisible := range []rune{'\u00ad', '\u061c', '\u200b', '\u200f', '\u202e', '\u2060', '\u206f', '\ufeff', '\U0001bca0', '\U0001d173', '\U000e0041'} {
		check(rangetable.New(invisible), "ab")
	}
	check(unicode.Zs, "a b")
	if count < 100 {
		t.Fatalf("only %d characters were tried", count)
	}
}

func TestSearchPatterns(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	for query, want := range map[string][]string{
		"":                     {},
		"Inès":                 {`%ines%`},
		"  a b ":               {`%a%`, `%b%`},
		"lambert\u00a0 Jérôme": {`%lambert%`, `%jerome%`},
		"100%":                 {`%100\%%`},
		"a_b":                  {`%a\_b%`},
		`a\b`:                  {`%a\\b%`},
		`\%`:                   {`%\\\%%`},
		"\uff05":               {`%\%%`}, // fullwidth percent sign
		"0145678901":           {`%145678901%`},
		"01 45.67-89/01":       {`%145678901%`},
		"+33 (0)1 45 67 89":    {`%331456789%`},
		"0033 145":             {`%33145%`},
		"12 34":                {`%1234%`},
		"0000":                 {`%0000%`},
		"123":                  {`%123%`},
		"01 4":                 {`%01%`, `%4%`},
		"gala 2026":            {`%gala%`, `%2026%`},
	} {
		got := one[[]string](t, conn, "SELECT search_patterns($1)", query)
		if !slices.Equal(got, want) {
			t.Errorf("search_patterns(%q) = %q, want %q", query, got, want)
		}
		longest := "%"
		for _, pattern := range want {
			if len(pattern) > len(longest) {
				longest = pattern
			}
		}
		if got := one[string](t, conn, "SELECT search_pattern($1)", query); got != longest {
			t.Errorf("search_pattern(%q) = %q, want %q", query, got, longest)
		}
	}
}

// TestSearch looks for what a person types in what a person sees.
func TestSearch(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	tests := []struct {
		query, text, phone string
		found              bool
	}{
		{"oeuvrard", "Barthélemy Œuvrard", "", true},
		{"ŒUVR", "Menuiserie Œuvrard", "", true},
		{"weiss", "Bäckerei Weiß", "", true},
		{"baecker", "Bäckerei Weiß", "", false},
		{"ETOILE", "Brasserie de l'Étoile", "", true},
		{"l’étoile", "Brasserie de l'Étoile", "", true},
		{"l'etoile", "Brasserie de l’Étoile", "", true},
		{"", "anything", "", true},
		{"%", "100 percent", "", false},
		{"%", "100 %", "", true},
		{"a_c", "abc", "", false},
		{"a_c", "a_c", "", true},
		{`\`, "abc", "", false},
		{`\`, `a\c`, "", true},
		{`a\`, `a\c`, "", true},
		{`\_`, "a_c", "", false},
		{"'; DROP TABLE customer; --", "abc", "", false},
		// In any order, and with more than one space.
		{"Ribeiro Inès", "Inès Ribeiro", "", true},
		{"lambert jerome", "Jérôme  Lambert", "", true},
		{"Jérôme  Lambert", "Jérôme  Lambert", "", true},
		{"jerome durand", "Jérôme Lambert", "", false},
		// Letters and dashes as they are typed.
		{"yildiz", "Yıldız", "", true},
		{"YILDIZ", "YILDIZ", "", true},
		{"thorsson", "Þorsson", "", true},
		{"gudrun", "Guðrún", "", true},
		{"saint-ange", "Saint‑Ange", "", true},
		{"dupont", "Du\u00adpont", "", true},
		{"dupont", "\u200bDu\u200bpont\u2060", "", true},
		{"Du\u00adpont", "Dupont", "", true},
		{"ΟΔΥΣΣΕΥΣ", "Οδυσσεύς", "", true},
		// Telephone numbers.
		{"0145678901", "Baker", "+33145678901", true},
		{"01 45 67", "Baker", "+33145678901", true},
		{"+33145678901", "Baker", "+33145678901", true},
		{"+33 1 45 67", "Baker", "+33145678901", true},
		{"+33 (0)1 45 67", "Baker", "+33145678901", true},
		{"0033145", "Baker", "+33145678901", true},
		{"67 89 01", "Baker", "+33145678901", true},
		{"0692 12 34 56", "Payet", "+262692123456", true},
		{"+49 30 901820", "Weiß", "+4930901820", true},
		{"baker 0145", "Baker", "+33145678901", true},
		{"+331456 baker", "Baker", "+33145678901", true},
		{"baker 0146", "Baker", "+33145678901", false},
		{"baker 45 67", "Baker", "+33145678901", true},
		{"0146", "Baker", "+33145678901", false},
		{"12 34", "Studio 12 34", "", true},
		{"1234", "Studio 12 34", "", true},
		{"2026", "Salon 2026", "", true},
		{"0107", "0107 Agence", "", true},
	}
	for _, test := range tests {
		found := one[bool](t, conn, `
			SELECT search_text($1, nullif($2, '')) LIKE ALL (search_patterns($3)) AND search_text($1, nullif($2, '')) LIKE search_pattern($3)`,
			test.text, test.phone, test.query)
		if found != test.found {
			t.Errorf("%q in %q, %q: %v, want %v", test.query, test.text, test.phone, found, test.found)
		}
	}
}

// TestFoldsWithoutASearchPath folds as ANALYZE and REINDEX do from PostgreSQL 17 on, which find no schema but the system's:
// a function in an index that called another by its name alone would fail there.
func TestFoldsWithoutASearchPath(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	run(t, conn, "SET search_path = pg_catalog, pg_temp")
	if got := one[string](t, conn, "SELECT public.search_text('Œuvrard É', '+33145678901')"); got != "oeuvrard e 33145678901" {
		t.Errorf("got %q", got)
	}
	run(t, conn, "UPDATE public.customer SET fullname = 'Œuvrard É'; UPDATE public.event SET name = 'Fête' WHERE cancelled_at IS NULL; UPDATE public.contract SET due_on = NULL")
}
