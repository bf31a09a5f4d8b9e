package value

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// parser reads a day, a time of day, or a distance, from what was typed.
type parser struct {
	now   time.Time // in the zone of whoever types
	start time.Time // from which an end is counted; zero: there is none

	typed  string
	tokens []token
	at     int

	isNow    bool
	hasDay   bool
	isFull   bool      // the day was typed with its year
	day      time.Time // at midnight in UTC
	isNext   bool      // the day was counted from another
	weekday  int       // typed beside the day, else -1
	isShift  bool
	shift    unit
	hasClock bool
	clock    time.Duration // since midnight, as clocks show it
	offset   *int          // in seconds
}

// token is a number, a word or one other character.
type token struct {
	text  string
	kind  byte // '0' for digits, 'a' for letters, else the character
	glued bool // nothing stands between it and the one before
}

// scan takes a text apart: without accents, in lower case, with one dash for all.
// Whatever else it contains is a token of its own that nothing takes.
func scan(s string) (tokens []token) {
	glued := false
	kind := byte(0)
	for _, r := range norm.NFD.String(s) {
		is := byte('?')
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’': // aujourd'hui
			continue
		case unicode.IsSpace(r):
			glued, kind = false, 0
			continue
		case unicode.In(r, unicode.Pd) || r == '\u2212':
			r, is = '-', '-'
		case '0' <= r && r <= '9':
			is = '0'
		case r < utf8.RuneSelf && unicode.IsLetter(r):
			r, is = unicode.ToLower(r), 'a'
		case r < utf8.RuneSelf && r > ' ':
			is = byte(r)
		}
		if is == kind && (is == '0' || is == 'a') {
			tokens[len(tokens)-1].text += string(r)
		} else {
			tokens = append(tokens, token{string(r), is, glued})
		}
		glued, kind = true, is
	}
	return tokens
}

// read reads all of the text.
func (p *parser) read(s string) error {
	p.typed, p.weekday = strings.TrimSpace(s), -1
	if len(p.typed) > 100 || !utf8.ValidString(s) {
		return p.invalid()
	}
	p.tokens = scan(p.typed)
	if n, ok := p.number(0, 2); ok && len(p.tokens) == 1 && n > 0 && n < 24 {
		return p.twoWays(fmt.Sprintf("%dh", n), fmt.Sprintf("%d/%d", n, p.now.Month()), "write one of them")
	}
	for p.at < len(p.tokens) {
		// Each takes what it knows and stays where it was if that is nothing; what it refuses is the answer.
		taken, err := false, error(nil)
		for _, part := range [...]func() (bool, error){p.readNow, p.readShift, p.readClock, p.readDay, p.readFiller} {
			if taken, err = part(); taken || err != nil {
				break
			}
		}
		if err != nil {
			return err
		}
		if !taken {
			return p.invalid()
		}
	}
	switch {
	case !p.isNow && !p.hasDay && !p.isShift && !p.hasClock,
		p.isNow && (p.hasDay || p.isShift || p.hasClock),
		p.hasDay && p.isShift,
		p.isShift && p.shift.elapsed != 0 && p.hasClock,
		p.offset != nil && !p.isFull:
		return p.invalid()
	case p.weekday >= 0 && p.day.Weekday() != time.Weekday(p.weekday):
		return inputErrorf("Date %s is not in the calendar: %s is a %s", quote(p.typed), p.day.Format(time.DateOnly), p.day.Weekday())
	}
	return nil
}

func (p *parser) invalid() error {
	return inputErrorf("Date %s is not valid: %s", quote(p.typed), timeForms)
}

// notOnClock is the error for what looks like a day or a time.
func (p *parser) notOnClock() error {
	return inputErrorf("Date %s is not in the calendar or on the clock: %s", quote(p.typed), timeForms)
}

func (p *parser) twoWays(one, other, advice string) error {
	return inputErrorf("Date %s could be %s or %s: %s", quote(p.typed), one, other, advice)
}

// when returns the point in time that was read, and whether it is the start of a
// day that was typed without a time.
func (p *parser) when() (t time.Time, isDay bool, err error) {
	zone := p.now.Location()
	base, isEnd := p.now, !p.start.IsZero()
	if isEnd {
		base = p.start
	}
	clock, hasClock := p.clock, p.hasClock
	switch {
	case p.isNow:
		return p.now.Truncate(time.Second), false, nil
	case p.isShift && p.shift.elapsed != 0:
		if !isEnd {
			base = base.Truncate(time.Minute)
		}
		return base.Add(p.shift.elapsed), false, nil
	case p.isShift:
		p.day = shifted(civil(base), p.shift)
		if isEnd && !hasClock {
			clock, hasClock = sinceMidnight(base), true
		}
	case !p.hasDay:
		p.day = civil(base)
		switch began := sinceMidnight(base); {
		case isEnd && clock == began:
			today, tomorrow := p.day.Format(time.DateOnly), p.day.AddDate(0, 0, 1).Format(time.DateOnly)
			return t, false, p.twoWays(today, tomorrow, "write its day too")
		case isEnd && clock < began:
			p.day = p.day.AddDate(0, 0, 1)
		}
	}
	if !hasClock {
		t, err = atDay(p.day, zone)
		return t, true, err
	}
	shown := p.day.Add(clock)
	if p.offset != nil {
		return withOffset(shown, *p.offset).In(zone), false, nil
	}
	t, err = atClock(shown, p.typed, zone)
	return t, false, err
}

// civil returns the day on which t is, at midnight in UTC.
func civil(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func sinceMidnight(t time.Time) time.Duration {
	hour, minute, second := t.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second +
		time.Duration(t.Nanosecond())
}

// shifted returns another day. A month after 31 January is the last day of
// February.
func shifted(day time.Time, by unit) time.Time {
	first := time.Date(day.Year(), day.Month()+time.Month(by.months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day.Day(), last)-1+by.days)
}

// number returns the number at a place, of at most so many digits.
func (p *parser) number(at, digits int) (int, bool) {
	if !p.is(at, '0') || len(p.tokens[at].text) > digits {
		return 0, false
	}
	n, err := strconv.Atoi(p.tokens[at].text)
	return n, err == nil
}

func (p *parser) is(at int, kind byte) bool { return at < len(p.tokens) && p.tokens[at].kind == kind }

func (p *parser) word(at int) string {
	if !p.is(at, 'a') {
		return ""
	}
	return p.tokens[at].text
}

// phrase returns what stands after these words, which hyphens may join.
func (p *parser) phrase(at int, words ...string) (next int, ok bool) {
	for i, word := range words {
		if i > 0 && p.is(at, '-') {
			at++
		}
		if p.word(at) != word {
			return 0, false
		}
		at++
	}
	return at, true
}

func (p *parser) readNow() (bool, error) {
	if word := p.word(p.at); p.isNow || word != "now" && word != "maintenant" {
		return false, nil
	}
	p.isNow = true
	p.at++
	return true, nil
}

// readFiller takes a word that only joins: tomorrow at 9h, le 3 à 14h, and the T
// of ISO 8601.
func (p *parser) readFiller() (bool, error) {
	last := p.at == len(p.tokens)-1
	switch p.word(p.at) {
	case "le", "on", "a", "at":
	case "t":
		last = last || p.at == 0 || !p.tokens[p.at].glued || !p.is(p.at-1, '0') || !p.tokens[p.at+1].glued
	default:
		if !p.is(p.at, ',') || p.at == 0 {
			return false, nil
		}
	}
	if last {
		return false, nil
	}
	p.at++
	return true, nil
}

// readShift takes a distance: +7d, in 3 weeks, dans 2 h, 3 days ago, il y a 3
// jours, +1h30.
func (p *parser) readShift() (bool, error) {
	at, sign, ago := p.at, 1, false
	next, isAgo := p.phrase(at, "il", "y", "a")
	switch {
	case p.is(at, '+') && at == 0, p.word(at) == "in", p.word(at) == "dans":
		at++
	case p.is(at, '-') && at == 0:
		at, sign = at+1, -1
	case isAgo:
		at, sign = next, -1
	default:
		ago = true
	}
	n, ok := p.number(at, 5)
	if !ok {
		return false, nil
	}
	word := p.word(at + 1)
	by, ok := unitOf(word)
	if !ok && !ago {
		switch word {
		case "m":
			return false, p.twoWays(fmt.Sprintf("%d min", n), fmt.Sprintf("%d months", n), "write min or mo")
		case "s":
			return false, p.twoWays(fmt.Sprintf("%d seconds", n), fmt.Sprintf("%d semaines", n), "write w or sem for weeks")
		}
	}
	if !ok || p.isShift {
		return false, nil
	}
	at += 2
	if minutes, ok := p.number(at, 2); ok && by.elapsed == time.Hour && !ago && p.tokens[at].glued {
		if len(p.tokens[at].text) != 2 || minutes > 59 {
			return false, p.notOnClock()
		}
		p.shift.elapsed = time.Duration(minutes*sign) * time.Minute
		if at++; p.word(at) == "min" {
			at++
		}
	}
	if ago {
		if p.word(at) != "ago" {
			return false, nil
		}
		at, sign = at+1, -1
	}
	n *= sign
	p.isShift, p.at = true, at
	p.shift.months, p.shift.days = by.months*n, by.days*n
	p.shift.elapsed += by.elapsed * time.Duration(n)
	if by.elapsed != 0 && p.shift.elapsed == 0 { // +0h
		return false, p.invalid()
	}
	return true, nil
}

// readClock takes a time of day: 18:30, 18:30:00, 18h30, 9 h, 7pm, midi; after
// the first two also an offset.
func (p *parser) readClock() (bool, error) {
	if p.hasClock {
		return false, nil
	}
	switch p.word(p.at) {
	case "noon", "midi":
		return p.setClock(p.at+1, 12, 0, 0)
	case "midnight", "minuit":
		return false, p.twoWays("its start", "its end", "write 0h of one day or of the next")
	}
	hour, ok := p.number(p.at, 2)
	if !ok {
		return false, nil
	}
	at := p.at + 1
	switch word := p.word(at); {
	case p.is(at, ':'):
		return p.readColons(hour)
	case word == "h" || word == "heure" || word == "heures":
		return p.readHours(hour)
	case word == "am" || word == "pm":
		return p.setHalf(at, hour, 0)
	}
	return false, nil
}

// readHours takes what stands after the hours of 18h30.
func (p *parser) readHours(hour int) (bool, error) {
	at := p.at + 2
	minute, ok := p.number(at, 2)
	if !ok || len(p.tokens[at].text) != 2 {
		if ok && p.tokens[at].glued {
			return false, p.invalid()
		}
		return p.setClock(at, hour, 0, 0)
	}
	// In "19 h 03 decembre" and "19h 12/10" the digits are of a day.
	if _, isMonth := monthOf(p.word(at + 1)); !p.tokens[at].glued && (isMonth || p.is(at+1, '/') || p.is(at+1, '.') || p.is(at+1, '-')) {
		return p.setClock(at, hour, 0, 0)
	}
	if at++; p.word(at) == "min" {
		at++
	}
	return p.setClock(at, hour, minute, 0)
}

func (p *parser) readColons(hour int) (bool, error) {
	at := p.at + 2
	minute, ok := p.number(at, 2)
	if !ok || len(p.tokens[at].text) != 2 {
		return false, p.invalid()
	}
	at++
	second, nanos, hasDecimals := 0, time.Duration(0), false
	if p.is(at, ':') {
		if second, ok = p.number(at+1, 2); !ok || len(p.tokens[at+1].text) != 2 {
			return false, p.invalid()
		}
		at += 2
		if hasDecimals = p.is(at, '.') && p.tokens[at].glued; hasDecimals {
			if _, ok := p.number(at+1, 9); !ok {
				return false, p.invalid()
			}
			digits := (p.tokens[at+1].text + "000000000")[:9]
			n, err := strconv.Atoi(digits)
			if err != nil {
				return false, p.invalid()
			}
			nanos = time.Duration(n)
			at += 2
		}
	}
	if word := p.word(at); (word == "am" || word == "pm") && !hasDecimals {
		return p.setHalf(at, hour, minute)
	}
	if hour > 23 || minute > 59 || second > 59 {
		return false, p.notOnClock()
	}
	at, isOffset := p.readOffset(at)
	if hasDecimals && !isOffset {
		return false, p.invalid()
	}
	_, err := p.setClock(at, hour, minute, second)
	p.clock += nanos
	return true, err
}

// readOffset takes Z or +01:00.
func (p *parser) readOffset(at int) (next int, ok bool) {
	if p.word(at) == "z" && p.tokens[at].glued {
		p.offset = new(int)
		return at + 1, true
	}
	if !p.is(at, '+') && !p.is(at, '-') || !p.is(at+2, ':') {
		return at, false
	}
	hours, okHours := p.number(at+1, 2)
	minutes, okMinutes := p.number(at+3, 2)
	if !okHours || !okMinutes || len(p.tokens[at+1].text) != 2 || len(p.tokens[at+3].text) != 2 || hours > 23 || minutes > 59 {
		return at, false
	}
	seconds := (hours*60 + minutes) * 60
	if p.is(at, '-') {
		seconds = -seconds
	}
	p.offset = &seconds
	return at + 4, true
}

// setHalf takes a time of one half of the day, which ends at am or pm.
func (p *parser) setHalf(at, hour, minute int) (bool, error) {
	if hour < 1 || hour > 12 {
		return false, p.notOnClock()
	}
	if hour == 12 {
		return false, p.twoWays(fmt.Sprintf("12:%02d", minute), fmt.Sprintf("00:%02d", minute), "write one of them")
	}
	if p.word(at) == "pm" {
		hour += 12
	}
	return p.setClock(at+1, hour, minute, 0)
}

func (p *parser) setClock(next, hour, minute, second int) (bool, error) {
	if hour > 23 || minute > 59 || second > 59 {
		return false, p.notOnClock()
	}
	p.hasClock, p.at = true, next
	p.clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return true, nil
}
