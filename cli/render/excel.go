package render

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// changedByExcel reports whether a French spreadsheet would make something else of a text than what it is: a formula, a
// date of 14/07, a number of 007 or 3E10, a time of 10:30. That is a text that runs as a formula, a truth value, #N/A, or one with
// a digit whose words are all of a date, a time or a number.
func changedByExcel(s string) bool {
	if rest, guarded := strings.CutPrefix(s, "'"); guarded && changedByExcel(rest) { // or it would be taken for a guard
		return true
	}
	if s != "" && strings.IndexByte("=+-@\t\r\n", s[0]) >= 0 {
		return true
	}
	const longest = 40 // of a date in words
	s = strings.TrimSpace(s)
	if s == "" || len(s) > longest {
		return false
	}
	switch strings.ToLower(s) {
	case "vrai", "faux", "true", "false", "#n/a":
		return true
	}
	other := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune("/.,:-+%€$()'", r)
	}
	if !strings.ContainsAny(s, "0123456789") || strings.ContainsFunc(s, other) {
		return false
	}
	if isoTime(s) {
		return true
	}
	for _, word := range strings.FieldsFunc(norm.NFC.String(s), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if !ofDateOrNumber(strings.ToLower(word)) {
			return false
		}
	}
	return true
}

// Unguarded returns a text without the apostrophe that stands before what a spreadsheet would change.
func Unguarded(s string) string {
	if rest, guarded := strings.CutPrefix(s, "'"); guarded && changedByExcel(rest) {
		return rest
	}
	return s
}

// isoTime reports a day and a time with a T between.
func isoTime(s string) bool {
	day, hour, ok := strings.Cut(s, "T")
	return ok && !strings.ContainsFunc(day+hour, unicode.IsLetter) && strings.Contains(day, "-") && strings.Contains(hour, ":")
}

// ofDateOrNumber reports a word that a spreadsheet knows beside figures, in French or English.
func ofDateOrNumber(word string) bool {
	switch word {
	case "e", "h", "am", "pm", "a", "p", "eur",
		"janvier", "janv", "février", "fevrier", "févr", "fevr", "mars", "avril", "avr", "mai", "juin", "juillet", "juil", "août", "aout",
		"septembre", "sept", "octobre", "oct", "novembre", "nov", "décembre", "decembre", "déc", "dec",
		"january", "jan", "february", "feb", "march", "mar", "april", "apr", "may", "june", "jun", "july", "jul", "august", "aug",
		"september", "sep", "october", "november", "december",
		"lundi", "lun", "mardi", "mercredi", "mer", "jeudi", "jeu", "vendredi", "ven", "samedi", "sam", "dimanche", "dim":
		return true
	}
	return false
}
