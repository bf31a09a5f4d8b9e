package value

import (
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// contractIDMin is how many digits a shortened contract number needs.
const contractIDMin = 6

// ParseContractID returns the inclusive range of identifiers that a contract
// number as typed may mean: a whole UUID, where lo equals hi, or its first
// digits, at least six. Case does not matter; hyphens stand where a UUID has
// them. The range follows the order of PostgreSQL, so that a query can say
// BETWEEN lo AND hi.
func ParseContractID(s string) (lo, hi uuid.UUID, err error) {
	typed := strings.TrimSpace(s)
	if whole, err := uuid.Parse(typed); err == nil && len(typed) == 32 {
		return lo, hi, inputErrorf("Contract %s must be written with hyphens: %s", quote(typed), whole)
	}
	if strings.ContainsFunc(typed, isOtherLetter) {
		return lo, hi, inputErrorf("Contract %s is not valid: an id is hexadecimal, of the digits 0-9 and a-f; write its first %d characters or more",
			quote(typed), contractIDMin)
	}
	if !isUUIDPrefix(typed) || len(strings.ReplaceAll(typed, "-", "")) < contractIDMin {
		return lo, hi, inputErrorf("Contract %s is not valid: write its UUID, like 01234567-89ab-cdef-0123-456789abcdef, or its first %d characters or more",
			quote(typed), contractIDMin)
	}
	lo = uuid.MustParse(typed + uuid.Nil.String()[len(typed):])
	hi = uuid.MustParse(typed + uuid.Max.String()[len(typed):])
	return lo, hi, nil
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
