package value

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// lifetimeUnits are the letters that a lifetime may end in.
var lifetimeUnits = map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// ParseLifetime reads a time to live, such as 12h or 90d: a whole number of minutes, hours, days of 24 hours, or weeks.
func ParseLifetime(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	for letter, unit := range lifetimeUnits {
		digits, ok := strings.CutSuffix(s, letter)
		n, err := strconv.ParseUint(digits, 10, 63)
		if ok && err == nil && n > 0 && n <= uint64(math.MaxInt64/unit) {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, inputErrorf("Time %s is not valid: write a number and m, h, d or w, such as 12h or 90d.", quote(s))
}
