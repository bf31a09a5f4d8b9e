package value

import (
	"strings"
	"time"
	"unicode"

	"github.com/epicevents/crm/internal/value/phone"
)

// Phone is a telephone number in E.164 form, such as +33123456789.
type Phone string

// phoneHome is the code of the country where a number without one is dialled.
const phoneHome = "33"

const phoneForms = "write 01 23 45 67 89, or +44 20 7946 0958 for another country"

// phoneMax is what E.164 allows: a plus sign and 15 digits.
const phoneMax = 16

// ParsePhoneIn is ParsePhone for whoever types in a zone: in a territory overseas
// that has a numbering plan of its own, New Caledonia for one, a number without
// the code of a country is of that plan if it is in there.
func ParsePhoneIn(s string, zone *time.Location) (Phone, error) {
	digits, ok := dialled(strings.TrimSpace(s))
	if home := phoneOverseas(zone.String()); ok && home != "" && !strings.HasPrefix(digits, "+") {
		if number, ok := phone.Parse(digits, home); ok && number.Exists() && strings.HasPrefix(number.E164(), "+"+home) {
			return Phone(number.E164()), nil
		}
	}
	return ParsePhone(s)
}

// phoneOverseas returns the code of the territory in a zone whose short numbers
// are dialled nowhere else, or nothing.
func phoneOverseas(zone string) string {
	switch zone {
	case "Pacific/Noumea":
		return "687"
	case "Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Gambier":
		return "689"
	case "Pacific/Wallis":
		return "681"
	case "America/Miquelon":
		return "508"
	}
	return ""
}

// ParsePhone returns the telephone number that was typed. It is national
// (France, where the territories overseas are dialled as if they were there, and
// are stored under codes of their own) or international, with the usual
// punctuation; it must exist in the numbering plan of its country. Extensions,
// letters and short numbers are refused.
func ParsePhone(s string) (Phone, error) {
	typed := strings.TrimSpace(s)
	digits, ok := dialled(typed)
	if !ok {
		return "", inputErrorf("Phone number %s must not contain letters or an extension: %s", quote(typed), phoneForms)
	}
	number, ok := phone.Parse(digits, phoneHome)
	if ok {
		number, ok = number.Overseas()
	}
	if !ok || !number.Exists() {
		return "", inputErrorf("Phone number %s is not valid: %s", quote(typed), phoneForms)
	}
	e164 := number.E164()
	if len(e164) > phoneMax {
		return "", inputErrorf("Phone number %s is too long: %s", quote(typed), phoneForms)
	}
	return Phone(e164), nil
}

// CheckPhone refuses what ParsePhone does not return, of which the schema holds
// only the shape: whether a number exists is not for SQL to know.
func CheckPhone(number Phone) error {
	parsed, err := ParsePhone(string(number))
	if err == nil && parsed != number {
		err = inputErrorf("Phone number %s is not in its international form, which is %s", quote(string(number)), parsed)
	}
	return err
}

// FormatPhone returns a number as people write it: +33 1 23 45 67 89. What is no
// number in E.164 form comes back unchanged.
func FormatPhone(stored Phone) string {
	e164 := string(stored)
	if digits, ok := dialled(e164); !ok || digits != e164 {
		return e164
	}
	number, ok := phone.Parse(e164, "")
	if !ok || number.E164() != e164 {
		return e164
	}
	return number.International()
}

// dialled reduces a number to its digits and a leading plus sign. Nothing is
// guessed from letters and text around the number: only punctuation is dropped,
// and the invisible marks that address books put around the numbers one copies.
func dialled(s string) (digits string, ok bool) {
	var b strings.Builder
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case r == ' ', r == '.', r == '-', r == '/', r == '(', r == ')':
		case unicode.In(r, unicode.Zs, unicode.Pd, unicode.Cf):
		default:
			return "", false
		}
	}
	return b.String(), true
}
