// Package phone knows the telephone numbers of all countries: which exist, and how people write them.
//
// What it knows stands in plans.txt, which make gen takes from nyaruka/phonenumbers, the Go port of Google's
// libphonenumber. That library itself is no part of crm: it unpacks the plans of the whole world and compiles its
// expressions before main, which was two thirds of the time of crm --help. Here the plan of one country is read when a
// number needs it. The tests hold the two against each other, number by number.
//
// It must never know what a phone field of crm accepts. plans.txt is never edited: for newer plans, update the library
// and run make gen.
//
// Delete it all but overseas.go once the library reads its data at first use: its three functions are Parse,
// IsValidNumber and Format there, and FuzzParse says that they are the same.
package phone

import (
	"slices"
	"strings"
)

// Number is a number that may be dialled from anywhere.
type Number struct {
	code     string // of the country
	national string // what follows the code
}

// No plan of the world has shorter or longer numbers than these, without the code of the country.
const nationalMin, nationalMax = 2, 17

// codeMax is how many digits the code of a country has at most.
const codeMax = 3

// E164 returns the number as programs write it: +33123456789.
func (n Number) E164() string { return "+" + n.code + n.national }

// Parse reads digits as they are dialled: behind a plus sign, or behind the prefix for abroad, with the code of a
// country; else as a number of home, which is the code of the country one dials from, or empty for nowhere. It reports
// whether that may be a number.
func Parse(dialled, home string) (Number, bool) {
	var from *plan
	if home != "" {
		from = plansOf(home)[0]
	}
	if digits, plus := strings.CutPrefix(dialled, "+"); plus {
		code, national := cutCode(digits)
		if rest, abroad := from.cutAbroad(digits); code == "" && abroad { // both a plus sign and a prefix
			code, national = cutCode(rest)
		}
		return newNumber(code, national)
	}
	if from == nil {
		return Number{}, false
	}
	if digits, abroad := from.cutAbroad(dialled); abroad {
		return newNumber(cutCode(digits))
	}
	national := dialled
	if rest, own := strings.CutPrefix(dialled, home); own { // the own code, but no plus sign
		rest = from.stripPrefix(rest)
		if !from.general.matches(dialled) && from.general.matches(rest) || len(dialled) > slices.Max(from.general.lengths) {
			national = rest
		}
	}
	return newNumber(home, national)
}

// cutCode splits digits behind the code of a country; code is empty if they begin with none.
func cutCode(digits string) (code, national string) {
	if len(digits) <= nationalMin {
		return "", ""
	}
	for i := 1; i <= codeMax; i++ {
		if plansOf(digits[:i]) != nil {
			return digits[:i], digits[i:]
		}
	}
	return "", ""
}

func newNumber(code, national string) (Number, bool) {
	if code == "" || len(national) < nationalMin {
		return Number{}, false
	}
	main := plansOf(code)[0]
	stripped := main.stripPrefix(national)
	if n := len(stripped); !slices.Contains(main.local, n) &&
		(slices.Contains(main.general.lengths, n) || n > slices.Max(main.general.lengths)) {
		national = stripped
	}
	return Number{code, national}, len(national) >= nationalMin && len(national) <= nationalMax
}

// Exists reports whether the number has a place in a plan of its country. Several countries may share a code.
func (n Number) Exists() bool {
	countries := plansOf(n.code)
	for _, p := range countries {
		if len(countries) > 1 && p.leading != "" {
			if starts(p.leading, n.national) {
				return p.has(n.national)
			}
			continue
		}
		if p.has(n.national) {
			return true
		}
	}
	return false
}

// International returns the number as people write it: +33 1 23 45 67 89.
func (n Number) International() string {
	national := n.national
	for _, f := range plansOf(n.code)[0].formats {
		if starts(f.leading, national) && whole(f.pattern, national) {
			national = pattern(f.pattern).ReplaceAllString(national, f.format)
			break
		}
	}
	return "+" + n.code + " " + national
}
