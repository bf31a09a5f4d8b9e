package value

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/epicevents/crm/internal/failure"
)

// inputErrorf returns the error of a value as typed that cannot be taken. The
// message is one line that names the accepted forms; what it repeats of the
// input is quoted, shortened and safe to print on a terminal.
func inputErrorf(format string, args ...any) *failure.Error {
	return failure.Misuse(fmt.Sprintf(format, args...), "")
}

// Lengths are in characters (runes) after normalisation.
const (
	lineMax     = 255
	noteMax     = 10_000
	usernameMin = 2
	usernameMax = 30
	countMax    = 1_000_000
)

// ParseLine returns a name, company, place or other text of one line, trimmed
// and in Unicode normal form C, so that one name has one spelling. It refuses
// blank text, more than 255 characters, control characters, line separators,
// and the marks that reverse or isolate text direction, with which a name could
// be shown as another. Messages begin with the field.
func ParseLine(field, s string) (string, error) {
	text, err := normalize(field, s)
	if err != nil {
		return "", err
	}
	if strings.ContainsFunc(text, isLineBreak) {
		return "", inputErrorf("%s must be a single line", field)
	}
	return checkText(field, text, lineMax)
}

// ParseNote is ParseLine for text of several lines and at most 10000
// characters. Lines end in LF, whichever way they were typed.
func ParseNote(field, s string) (string, error) {
	text, err := normalize(field, strings.ReplaceAll(s, "\r\n", "\n"))
	if err != nil {
		return "", err
	}
	return checkText(field, text, noteMax)
}

// ParseUsername accepts 2 to 30 characters of a-z, 0-9, dot, underscore and
// hyphen, the first a letter or a digit. Upper case is refused rather than
// folded: a name is typed the way it is shown.
func ParseUsername(s string) (string, error) {
	name := strings.TrimSpace(s)
	if isUsername(name) {
		return name, nil
	}
	if lower := strings.ToLower(name); isUsername(lower) {
		return "", failure.Misuse(
			fmt.Sprintf("Username %s must be in lower case", quote(name)),
			"write "+lower,
		)
	}
	return "", inputErrorf("Username %s is not valid: use %d to %d of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit",
		quote(name), usernameMin, usernameMax)
}

// ParseCount returns a number of people or things, from 0 to 1000000. As in an
// amount, spaces may group thousands.
func ParseCount(field, s string) (int32, error) {
	typed := strings.TrimSpace(s)
	digits, _ := ungroup(typed) // "" is no number
	count, ok := parseDigits(digits, countMax)
	if !ok {
		return 0, inputErrorf("%s %s is not valid: write a whole number from 0 to %d", field, quote(typed), countMax)
	}
	return int32(count), nil
}

func normalize(field, s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", inputErrorf("%s must be valid UTF-8 text", field)
	}
	return norm.NFC.String(strings.TrimSpace(s)), nil
}

func checkText(field, text string, limit int) (string, error) {
	if !strings.ContainsFunc(text, isVisible) {
		return "", inputErrorf("%s must not be blank", field)
	}
	if n := utf8.RuneCountInString(text); n > limit {
		return "", inputErrorf("%s must be at most %d characters long, not %d", field, limit, n)
	}
	for _, r := range text {
		switch {
		case unicode.IsControl(r) && r != '\n':
			return "", inputErrorf("%s must not contain control characters, such as %s", field, controlName(r))
		case unicode.Is(unicode.Bidi_Control, r) && !isDirectionMark(r):
			return "", inputErrorf("%s must not contain characters that change the direction of the text, such as %U", field, r)
		}
	}
	return text, nil
}

// controlName is what a control character is called.
func controlName(r rune) string {
	switch r {
	case 0x00:
		return "NUL"
	case '\b':
		return "a backspace"
	case '\t':
		return "a tab"
	case '\n':
		return "a line break"
	case '\r':
		return "a carriage return"
	case 0x1b:
		return "an escape (Esc)"
	case 0x7f:
		return "a delete (Del)"
	}
	return fmt.Sprintf("%U", r)
}

func isUsername(s string) bool {
	if len(s) < usernameMin || len(s) > usernameMax {
		return false
	}
	for i, c := range []byte(s) {
		letterOrDigit := 'a' <= c && c <= 'z' || isDigit(c)
		if !letterOrDigit && (i == 0 || !strings.ContainsRune("._-", rune(c))) {
			return false
		}
	}
	return true
}

// parseDigits returns the value of ASCII digits, or false if there is anything
// else, nothing at all, or a value above limit. Limits stay far below the point
// where the sum could overflow.
func parseDigits(s string, limit int64) (int64, bool) {
	if !isDigits(s) {
		return 0, false
	}
	var value int64
	for _, c := range []byte(s) {
		if value = value*10 + int64(c-'0'); value > limit {
			return 0, false
		}
	}
	return value, true
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if !isDigit(c) {
			return false
		}
	}
	return s != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLineBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// isDirectionMark reports the three marks that only place their neighbours;
// text in right-to-left scripts needs them.
func isDirectionMark(r rune) bool {
	return r == '\u200E' || r == '\u200F' || r == '\u061C'
}

// isVisible reports whether a character leaves a trace on paper. Besides spaces
// and format characters, the fillers of Hangul and Braille do not.
func isVisible(r rune) bool {
	return !unicode.IsSpace(r) && r != '\u2800' &&
		!unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// quote shows input within a message: escaped where it is not printable, and
// only its beginning when it is long.
func quote(s string) string {
	const limit = 60
	var shown strings.Builder
	for rest := s; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		quoted := strconv.Quote(rest[:size])
		if shown.Len()+len(quoted)-2 > limit {
			return `"` + shown.String() + `..."`
		}
		shown.WriteString(quoted[1 : len(quoted)-1])
		rest = rest[size:]
	}
	return `"` + shown.String() + `"`
}
