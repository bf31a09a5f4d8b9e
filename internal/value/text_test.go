package value_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// requireInputError checks what every refusal of input promises: one printable
// line of bounded length that contains the given words.
func requireInputError(t *testing.T, err error, words ...string) *failure.Error {
	t.Helper()
	var input *failure.Error
	if !errors.As(err, &input) || input.Code != failure.Usage {
		t.Fatalf("error is %T (%v), want one of usage", err, err)
	}
	if input.Error() != input.Message || input.Message == "" {
		t.Errorf("Error() = %q, Message = %q", input.Error(), input.Message)
	}
	for _, line := range []string{input.Message, input.Hint} {
		if n := utf8.RuneCountInString(line); n > 220 {
			t.Errorf("%d characters are too many: %s", n, line)
		}
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("message is not printable: %q", line)
		}
	}
	for _, word := range words {
		if !strings.Contains(input.Message, word) {
			t.Errorf("message %q does not contain %q", input.Message, word)
		}
	}
	return input
}

func TestParseLine(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in, want, refusal string
	}{
		"plain":                  {in: "Johanna Baker", want: "Johanna Baker"},
		"trimmed":                {in: "\u00a0 \tJohanna  Baker\r\n\u3000", want: "Johanna  Baker"},
		"composed":               {in: "Rene\u0301e", want: "Ren\u00e9e"},
		"Arabic with a mark":     {in: "محمد\u200f (2)", want: "محمد\u200f (2)"},
		"emoji with joiner":      {in: "👩\u200d🍳", want: "👩\u200d🍳"},
		"markup stays":           {in: "[/foo] <b> %s ' \" ;", want: "[/foo] <b> %s ' \" ;"},
		"255 characters":         {in: strings.Repeat("é", 255), want: strings.Repeat("é", 255)},
		"255 once composed":      {in: strings.Repeat("e\u0301", 255), want: strings.Repeat("é", 255)},
		"256 characters":         {in: strings.Repeat("a", 256), refusal: "name must be at most 255 characters long, not 256"},
		"too long once composed": {in: strings.Repeat("\u0958", 128), refusal: "not 256"},
		"empty":                  {in: "", refusal: "name must not be blank"},
		"spaces":                 {in: " \u2003\u00a0\t\n", refusal: "name must not be blank"},
		"zero-width characters":  {in: "\u200b\u200d\ufeff\u2060", refusal: "name must not be blank"},
		"soft hyphen":            {in: "\u00ad", refusal: "name must not be blank"},
		"Hangul filler":          {in: "\u3164\u115f\uffa0", refusal: "name must not be blank"},
		"Braille blank":          {in: "\u2800", refusal: "name must not be blank"},
		"variation selector":     {in: "\ufe0f", refusal: "name must not be blank"},
		"escape":                 {in: "a\x1b[31mb", refusal: "control characters, such as an escape (Esc)"},
		"null":                   {in: "a\x00b", refusal: "such as NUL"},
		"tab":                    {in: "a\tb", refusal: "such as a tab"},
		"delete":                 {in: "a\x7fb", refusal: "such as a delete (Del)"},
		"C1":                     {in: "a\u009bb", refusal: "such as U+009B"},
		"newline":                {in: "a\nb", refusal: "name must be a single line"},
		"next line":              {in: "a\u0085b", refusal: "name must be a single line"},
		"line separator":         {in: "a\u2028b", refusal: "name must be a single line"},
		"right-to-left override": {in: "a\u202eb", refusal: "change the direction of the text, such as U+202E"},
		"isolate":                {in: "a\u2066b\u2069", refusal: "U+2066"},
		"not UTF-8":              {in: "a\xffb", refusal: "name must be valid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := value.ParseLine("name", tc.in)
			if tc.refusal != "" {
				requireInputError(t, err, tc.refusal)
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("ParseLine(%q) = %q, %v; want %q", tc.in, got, err, tc.want)
			}
		})
	}
}

func TestParseNote(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in, want, refusal string
	}{
		"lines":              {in: " first\r\n\r\nthird\n", want: "first\n\nthird"},
		"10000 characters":   {in: strings.Repeat("é", 10_000), want: strings.Repeat("é", 10_000)},
		"10001 characters":   {in: strings.Repeat("é", 10_001), refusal: "note must be at most 10000 characters long, not 10001"},
		"blank":              {in: "\n\u200b\n", refusal: "note must not be blank"},
		"lone return":        {in: "a\rb", refusal: "such as a carriage return"},
		"escape":             {in: "a\n\x1b]0;b", refusal: "such as an escape (Esc)"},
		"direction override": {in: "a\n\u202db", refusal: "U+202D"},
		"not UTF-8":          {in: "\xc3", refusal: "note must be valid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := value.ParseNote("note", tc.in)
			if tc.refusal != "" {
				requireInputError(t, err, tc.refusal)
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("ParseNote(%.50q) = %.50q, %v; want %.50q", tc.in, got, err, tc.want)
			}
		})
	}
}

func TestParseUsername(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ab", "a1", "0-", "commercial1", "jean.dupont_2-x", strings.Repeat("a", 30)} {
		if got, err := value.ParseUsername(" " + name + "\n"); err != nil || got != name {
			t.Errorf("ParseUsername(%q) = %q, %v", name, got, err)
		}
	}
	for _, name := range []string{
		"", "a", strings.Repeat("a", 31), ".ab", "_ab", "-ab", "a b", "a@b", "élise", "a\nb", "a\x00b", "ab\xff", "аb",
	} {
		_, err := value.ParseUsername(name)
		requireInputError(t, err, "Username", "2 to 30 of a-z")
	}
	_, err := value.ParseUsername("Jean.Dupont")
	if hint := requireInputError(t, err, `"Jean.Dupont"`, "lower case").Hint; hint != "write jean.dupont" {
		t.Errorf("hint = %q", hint)
	}
}

func TestParseCount(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int32{"0": 0, " 75 ": 75, "007": 7, "1 000": 1000, "1\u202f000\u00a0000": 1_000_000, "1000000": 1_000_000} {
		if got, err := value.ParseCount("attendees", in); err != nil || got != want {
			t.Errorf("ParseCount(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "-1", "+1", "1.0", "1e3", "10 00", "1,000", "0x10", "1000001", "4294967297", "18446744073709551617", "٣", "many"} {
		_, err := value.ParseCount("attendees", in)
		requireInputError(t, err, "attendees", "from 0 to 1000000")
	}
}

func TestInputErrorShortensAndEscapes(t *testing.T) {
	t.Parallel()
	_, err := value.ParseCount("attendees", strings.Repeat("\x1b[2J\u202e\xff", 10_000))
	requireInputError(t, err, `"\x1b[2J\u202e\xff\x1b`, `..."`)
}

func FuzzParseText(f *testing.F) {
	for _, seed := range []string{"", "Johanna Baker", "a\r\nb", "e\u0301", "\u202e", "\u0958", "\xff", "\u200b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, err := value.ParseLine("name", s)
		if err != nil {
			requireInputError(t, err, "name must ")
		} else {
			requireText(t, line, 255, value.ParseLine)
		}
		note, err := value.ParseNote("note", s)
		if err != nil {
			requireInputError(t, err, "note must ")
		} else {
			requireText(t, strings.ReplaceAll(note, "\n", " "), 10_000, nil)
			requireText(t, note, 10_000, value.ParseNote)
		}
	})
}

func requireText(t *testing.T, text string, limit int, parse func(field, s string) (string, error)) {
	t.Helper()
	if n := utf8.RuneCountInString(text); n == 0 || n > limit {
		t.Errorf("%q has %d characters", text, n)
	}
	if !utf8.ValidString(text) || !norm.NFC.IsNormalString(text) || strings.TrimSpace(text) != text {
		t.Errorf("%q is not in normal form", text)
	}
	if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), unicode.IsControl) {
		t.Errorf("%q has control characters", text)
	}
	if parse == nil {
		return
	}
	if again, err := parse("text", text); err != nil || again != text {
		t.Errorf("second pass over %q = %q, %v", text, again, err)
	}
}

func FuzzParseUsername(f *testing.F) {
	for _, seed := range []string{"", "commercial1", "Bob", "a", "\u212aarl", "a-_.", " x9 "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := value.ParseUsername(s)
		if err != nil {
			if hint := requireInputError(t, err).Hint; hint != "" {
				lower, _ := strings.CutPrefix(hint, "write ")
				if got, err := value.ParseUsername(lower); err != nil || got != lower {
					t.Errorf("hint %q is refused: %v", hint, err)
				}
			}
			return
		}
		if len(name) < 2 || len(name) > 30 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" ||
			strings.ContainsAny(name[:1], "._-") {
			t.Errorf("ParseUsername(%q) = %q", s, name)
		}
	})
}

func FuzzParseCount(f *testing.F) {
	for _, seed := range []string{"", "0", "75", "1000000", "1000001", "-1", "9999999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		count, err := value.ParseCount("attendees", s)
		if err != nil {
			requireInputError(t, err, "attendees ")
			return
		}
		if count < 0 || count > 1_000_000 || strings.Trim(strings.TrimSpace(s), "0123456789 \u00a0\u202f") != "" {
			t.Errorf("ParseCount(%q) = %d", s, count)
		}
	})
}
