package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "Johanna Baker", "Johanna Baker"},
		{"accents", "Hélène Lefèvre-Œuvrard", "Hélène Lefèvre-Œuvrard"},
		{"markup of other tools", "[/foo] %s {{x}} <b>", "[/foo] %s {{x}} <b>"},
		{"backslash", `C:\new`, `C:\new`},
		{"escape byte", "\x1b[31mred", `\x1b[31mred`},
		{"delete", "a\x7fb", `a\x7fb`},
		{"C1 control", "a\u009bb", `a\x9bb`},
		{"newline, return, tab", "a\nb\rc\td", `a\nb\rc\td`},
		{"newline pair", "a\r\nb", `a\r\nb`},
		{"direction override", "a\u202eb\u202c", `a\u202eb\u202c`},
		{"direction isolate", "\u2066a\u2069", `\u2066a\u2069`},
		{"direction marks", "\u200ea\u200f\u061c", `\u200ea\u200f\u061c`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"byte order mark", "\ufeffa", `\ufeffa`},
		{"soft hyphen", "a\u00adb", `a\xadb`},
		{"broken UTF-8", "a\xffb", `a\xffb`},
		{"Hebrew is not a control", "שלום", "שלום"},
		{"combining accent", "e\u0301", "e\u0301"},
		{"accent without a letter", "\u0301a", `\u0301a`},
		{"accent on a space", "a \u0301", `a \u0301`},
		{"skin tone without a hand", "🏿 a 🏿", `\U0001f3ff a \U0001f3ff`},
		{"skin tone", "👍🏿", "👍🏿"},
		{"joiner alone", "\u200d", `\u200d`},
		{"family", "👨\u200d👩\u200d👧\u200d👦", "👨\u200d👩\u200d👧\u200d👦"},
		{"flag of tags", "🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"},
		{"tag alone", "\U000e0001x", `\U000e0001x`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Escape(tt.in); got != tt.want {
				t.Errorf("escape(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestEscapeLines(t *testing.T) {
	t.Parallel()
	got := EscapeLines("one\r\ntwo\n\n\x1b[2Jthree\rfour\n")
	if want := "one\ntwo\n\n\\x1b[2Jthree\\rfour\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{
		"\x1b[31mred\x1b[0m\x07\u009b2J\x7f", "abc\u202edcba\u202c \u2066x\u2069", "👨\u200d👩\u200d👧 family 🇫🇷", "東京都港区",
		"e\u0301 Z͑ͫ̓ \u0301", "\U000f0000 private use \ue000", "שלום عולם", "क्षि ன் ก็", "  a\r\nb\t", `\.`, "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !utf8.ValidString(got) {
			t.Fatalf("escape(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("escape(%q) = %q has %U", s, got, r)
			}
		}
		if again := Escape(got); again != got {
			t.Fatalf("escape(%q) = %q, and again %q", s, got, again)
		}
		if lines := EscapeLines(s); strings.Count(lines, "\n") != strings.Count(s, "\n") {
			t.Fatalf("escapeLines(%q) = %q", s, lines)
		}
	})
}
