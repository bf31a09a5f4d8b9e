package value_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/epicevents/crm/internal/value"
)

func TestParseEmail(t *testing.T) {
	t.Parallel()
	domain := strings.Repeat("d.", 100) + "example"
	longest := strings.Repeat("a", 254-1-len(domain)) + "@" + domain
	for in, want := range map[string]string{
		"kevin@startup.io":                   "kevin@startup.io",
		" Kevin.Casey+crm@StartUp.IO\n":      "Kevin.Casey+crm@startup.io",
		"o'brien@x-y.co.uk":                  "o'brien@x-y.co.uk",
		"rene\u0301e@socie\u0301te\u0301.fr": "renée@société.fr",
		"élise@ÉCOLE.fr":                     "élise@école.fr",
		"用户@例子.广告":                           "用户@例子.广告",
		longest:                              longest,
	} {
		if got, err := value.ParseEmail(in); err != nil || got != want {
			t.Errorf("ParseEmail(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "notanemail", "@", "a@", "@b.fr", "a@b", "a@@b.fr", "a@b@c.fr", "a@b.fr@", "a@.fr", "a@b.", "a@b..fr", "a@-b.fr", "a@b-.fr",
		"a b@c.fr", "a@b c.fr", "a@b.fr c", "a\u00a0b@c.fr", "a\tb@c.fr", "a\nb@c.fr", "a\x00@b.fr", "a\x1b[31m@b.fr", "a@b\x7f.fr",
		"a\u200b@b.fr", "a@b\u202e.fr", "a@b_c.fr", "a@[127.0.0.1]", "Jean <jean@b.fr>", "<jean@b.fr>", "a@b.fr,c", "a,b@c.fr", `"a"@b.fr`,
		"mailto:a@b.fr", "a\xff@b.fr", "a@b.fr\xff",
	} {
		got, err := value.ParseEmail(in)
		if err == nil {
			t.Errorf("ParseEmail(%q) = %q, want a refusal", in, got)
			continue
		}
		requireInputError(t, err, "E-mail", "is not valid", "name@example.com")
	}
	_, err := value.ParseEmail("a" + longest)
	requireInputError(t, err, "E-mail", "at most 254 bytes")
}

func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"", "a@b.fr", "A@B.FR", "a@@b.fr", "e\u0301@e\u0301.fr", "a@\u0130.fr", "a@\u212a.fr", "a@b", " a@b.c ", "\xff@b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		email, err := value.ParseEmail(s)
		if err != nil {
			requireInputError(t, err, "E-mail ")
			return
		}
		local, domain, _ := strings.Cut(email, "@")
		if local == "" || strings.Contains(domain, "@") || !strings.Contains(domain, ".") || strings.Contains("."+domain+".", "..") ||
			domain != strings.ToLower(domain) || len(email) > 254 || !norm.NFC.IsNormalString(email) ||
			strings.ContainsFunc(email, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }) {
			t.Fatalf("ParseEmail(%q) = %q", s, email)
		}
		if again, err := value.ParseEmail(email); err != nil || again != email {
			t.Errorf("second pass over %q = %q, %v", email, again, err)
		}
	})
}
