package value

import (
	"fmt"
	"strings"
)

// Cents is an amount of money in euro cents. It is a type of its own, so that no
// number becomes money unnoticed, and no money a number.
type Cents int64

// amountMax is the largest amount of money.
const amountMax = 999_999_999_99

const moneyForms = "write 1234.56, 1234,56 or 1 234,56, with or without € or EUR"

// ParseMoney returns the amount that was typed. The decimal separator is a dot or
// a comma with one or two digits behind it; only spaces (also no-break ones)
// group thousands, since a dot or comma there could be a decimal separator too.
// The euro sign, or EUR, may stand on either side. Amounts are 0 to 999 999 999.99.
func ParseMoney(s string) (Cents, error) {
	typed := strings.TrimSpace(s)
	number := trimEuro(typed)
	whole, decimals, hasDecimals := cutAny(number, ".,")

	switch {
	case number == "":
		return 0, inputErrorf("Amount is missing: %s", moneyForms)
	case strings.ContainsAny(number, "+-\u2212"):
		return 0, inputErrorf("Amount %s must not have a sign: %s", quote(typed), moneyForms)
	case strings.ContainsAny(decimals, ".,"):
		return 0, inputErrorf("Amount %s is ambiguous (only spaces may group thousands): %s", quote(typed), moneyForms)
	case hasDecimals && len(decimals) > 2 && isDigits(decimals):
		return 0, inputErrorf("Amount %s has more than two decimals (only spaces may group thousands): %s", quote(typed), moneyForms)
	case hasDecimals && !isDigits(decimals):
		return 0, inputErrorf("Amount %s is not valid: %s", quote(typed), moneyForms)
	}
	digits, ok := ungroup(whole)
	if !ok {
		return 0, inputErrorf("Amount %s is not valid: %s", quote(typed), moneyForms)
	}
	cents, ok := parseDigits(digits+(decimals + "00")[:2], amountMax)
	if !ok {
		return 0, inputErrorf("Amount %s is more than the maximum of %s", quote(typed), FormatEuro(amountMax))
	}
	return Cents(cents), nil
}

// FormatMoney returns an amount as an exact decimal with a dot: 1234.50.
func FormatMoney(cents Cents) string {
	sign, whole, decimals := splitCents(cents)
	return fmt.Sprintf("%s%d.%02d", sign, whole, decimals)
}

// FormatEuro returns an amount for people: 1 234.50 €. Its spaces are ordinary
// ones, as a keyboard types them, so that an amount on the screen is found by
// grep and accepted by ParseMoney.
func FormatEuro(cents Cents) string {
	sign, whole, decimals := splitCents(cents)
	digits := fmt.Sprint(whole)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return fmt.Sprintf("%s%s.%02d €", sign, digits, decimals)
}

// splitCents works on the unsigned magnitude, which the smallest number has too.
func splitCents(cents Cents) (sign string, whole, decimals uint64) {
	magnitude := uint64(cents)
	if cents < 0 {
		sign, magnitude = "-", -magnitude
	}
	return sign, magnitude / 100, magnitude % 100
}

// trimEuro takes off one sign of the currency, before or after the number.
func trimEuro(s string) string {
	for _, sign := range []string{"€", "EUR"} {
		if at := len(s) - len(sign); at >= 0 && strings.EqualFold(s[at:], sign) {
			return strings.TrimSpace(s[:at])
		}
		if at := len(sign); at <= len(s) && strings.EqualFold(s[:at], sign) {
			return strings.TrimSpace(s[at:])
		}
	}
	return s
}

// cutAny is strings.Cut for any of several ASCII separators.
func cutAny(s, separators string) (before, after string, found bool) {
	i := strings.IndexAny(s, separators)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// ungroup removes the spaces from digits that are either grouped by three all
// through or not at all.
func ungroup(s string) (digits string, ok bool) {
	groups := strings.Split(strings.NewReplacer("\u00A0", " ", "\u202F", " ").Replace(s), " ")
	for i, group := range groups {
		rightLength := len(group) == 3 || i == 0 && len(group) < 3 || len(groups) == 1
		if !rightLength || !isDigits(group) {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}
