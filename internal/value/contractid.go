package value

import (
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// prefixMin is how many digits a shortened id needs.
const prefixMin = 6

// ParseContractID is ParseUUIDPrefix for a contract.
func ParseContractID(s string) (lo, hi uuid.UUID, err error) { return ParseUUIDPrefix("Contract", s) }

// ParseUUIDPrefix returns the inclusive range of identifiers that an id as typed
// may mean: a whole UUID, where lo equals hi, or its first digits, at least six.
// Case does not matter; hyphens stand where a UUID has them, or nowhere, and a
// whole UUID may be in braces or a URN. The range follows the order of
// PostgreSQL, so that a query can say BETWEEN lo AND hi. The noun, with a capital,
// is for errors: what the id is of.
func ParseUUIDPrefix(noun, s string) (lo, hi uuid.UUID, err error) {
	typed := strings.TrimSpace(s)
	if whole, err := ParseUUID(typed); err == nil {
		return whole, whole, nil
	}
	if strings.ContainsFunc(typed, isOtherLetter) {
		return lo, hi, inputErrorf("%s %s is not valid: an id is hexadecimal, of the digits 0-9 and a-f; write its first %d characters or more",
			noun, quote(typed), prefixMin)
	}
	lo, hi, ok := UUIDsFrom(typed)
	if !ok || len(strings.ReplaceAll(typed, "-", "")) < prefixMin {
		return lo, hi, inputErrorf("%s %s is not valid: write its UUID, like 01234567-89ab-cdef-0123-456789abcdef, or its first %d characters or more",
			noun, quote(typed), prefixMin)
	}
	return lo, hi, nil
}

// UUIDsFrom returns the inclusive range of the identifiers that begin with so many digits, be they few: of those who are
// still typing. It reports whether there are such.
func UUIDsFrom(digits string) (lo, hi uuid.UUID, ok bool) {
	if !strings.Contains(digits, "-") {
		digits = hyphened(digits)
	}
	if digits == "" || !isUUIDPrefix(digits) {
		return lo, hi, false
	}
	lo = uuid.MustParse(digits + uuid.Nil.String()[len(digits):])
	hi = uuid.MustParse(digits + uuid.Max.String()[len(digits):])
	return lo, hi, true
}

// ParseUUID takes a whole UUID in any of its spellings: with and without hyphens, in braces, as a URN. uuid.Parse alone
// takes any two bytes for the braces.
func ParseUUID(s string) (uuid.UUID, error) {
	if err := uuid.Validate(s); err != nil {
		return uuid.Nil, err
	}
	return uuid.Parse(s)
}

// hyphened puts the hyphens of a UUID into its first digits.
func hyphened(digits string) string {
	var b strings.Builder
	for i, c := range []byte(digits) {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b.WriteByte('-')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// isOtherLetter reports a letter that is no hexadecimal digit.
func isOtherLetter(r rune) bool {
	return unicode.IsLetter(r) && !strings.ContainsRune("abcdefABCDEF", r)
}

func isUUIDPrefix(s string) bool {
	shape := uuid.Nil.String()
	if len(s) > len(shape) {
		return false
	}
	for i, c := range []byte(s) {
		isHex := isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
		if shape[i] == '-' && c != '-' || shape[i] != '-' && !isHex {
			return false
		}
	}
	return true
}
