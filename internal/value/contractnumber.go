package value

import "strings"

// ParseContractNumber returns the number of a contract as it is stored, such as 2026-0042, and whether s is one: zeros
// before the count may be left out, as in 2026-42.
func ParseContractNumber(s string) (string, bool) {
	year, count, found := strings.Cut(strings.TrimSpace(s), "-")
	count = strings.TrimLeft(count, "0")
	if !found || len(year) != 4 || len(count) == 0 || len(count) > 9 || !isDigits(year) || !isDigits(count) {
		return "", false
	}
	return year + "-" + strings.Repeat("0", max(4-len(count), 0)) + count, true
}
