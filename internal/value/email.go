package value

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// emailMax is the longest address that mail servers pass on, in bytes.
const emailMax = 254

// ParseEmail returns an e-mail address, trimmed and in Unicode normal form C:
// one @, and a domain of at least two labels. The domain is put in lower case;
// the part before the @ is kept as typed, since its server may tell cases apart.
// It checks the spelling only, not that the address receives mail.
func ParseEmail(s string) (string, error) {
	typed := strings.TrimSpace(s)
	local, domain, _ := strings.Cut(typed, "@")
	email := norm.NFC.String(local + "@" + strings.ToLower(domain))
	local, domain, _ = strings.Cut(email, "@")

	if !utf8.ValidString(typed) || !isMailbox(local) || !isDomain(domain) {
		return "", inputErrorf("E-mail %s is not valid: write it like name@example.com", quote(typed))
	}
	if len(email) > emailMax {
		return "", inputErrorf("E-mail %s is too long: at most %d bytes", quote(typed), emailMax)
	}
	return email, nil
}

// CheckEmail refuses what ParseEmail does not return, of which the schema holds
// only the shape.
func CheckEmail(s string) error {
	parsed, err := ParseEmail(s)
	if err == nil && parsed != s {
		err = inputErrorf("E-mail %s is not as it is stored, which is %s", quote(s), parsed)
	}
	return err
}

// isMailbox reports whether every character may stand before the @ without the
// quotation marks that hardly any server accepts.
func isMailbox(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) || strings.ContainsRune(` "(),:;<>@[\]`, r) {
			return false
		}
	}
	return s != ""
}

func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.ContainsFunc(label, notInDomain) {
			return false
		}
	}
	return len(labels) >= 2
}

func notInDomain(r rune) bool {
	return r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}
