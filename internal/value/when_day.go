package value

import (
	"fmt"
	"time"
)

// readDay takes a day, in figures, by the name of its month, of the week, or its
// own.
func (p *parser) readDay() (bool, error) {
	if p.hasDay {
		return false, nil
	}
	for _, each := range near {
		if next, ok := p.phrase(p.at, each.words...); ok {
			return p.setDay(next, civil(p.now).AddDate(0, 0, each.days))
		}
	}
	for _, form := range [...]func() (bool, error){p.readFigures, p.readDayMonth, p.readMonthDay, p.readWeekday} {
		if taken, err := form(); taken || err != nil {
			return taken, err
		}
	}
	return false, nil
}

func (p *parser) setDay(next int, day time.Time) (bool, error) {
	p.hasDay, p.day, p.at = true, day, next
	return true, nil
}

// setDate takes a day with its year.
func (p *parser) setDate(next, year int, month time.Month, day int) (bool, error) {
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if date.Month() != month || date.Day() != day {
		return false, p.notOnClock()
	}
	p.isFull = true
	return p.setDay(next, date)
}

// setDayOfYear takes a day without its year, which is this one. Where the same day
// of another year is nearer, nobody can know which is meant; an end is the first
// after its start.
func (p *parser) setDayOfYear(next int, month time.Month, day int) (bool, error) {
	base, isEnd := civil(p.now), !p.start.IsZero()
	if isEnd {
		base = civil(p.start)
	}
	in := func(year int) time.Time { return time.Date(year, month, day, 0, 0, 0, 0, time.UTC) }
	this := in(base.Year())
	if this.Month() != month || this.Day() != day {
		return false, p.notOnClock()
	}
	if isEnd {
		if this.Before(base) {
			this = in(base.Year() + 1)
		}
	} else {
		for _, other := range [...]time.Time{in(base.Year() - 1), in(base.Year() + 1)} {
			if other.Month() == month && other.Sub(base).Abs() < this.Sub(base).Abs() {
				return false, p.twoWays(this.Format(time.DateOnly), other.Format(time.DateOnly), "write the year")
			}
		}
	}
	p.isNext = true
	return p.setDay(next, this)
}

// shortYear refuses a year of two figures, which could be a day of another year.
func (p *parser) shortYear(year int, month time.Month, day int) error {
	at := func(year, day int) time.Time { return time.Date(year, month, day, 0, 0, 0, 0, time.UTC) }
	one, other := at(2000+year, day), at(2000+day, year)
	if other.Month() != month || year == day {
		other = at(1900+year, day)
	}
	if one.Month() != month || other.Month() != month {
		return p.notOnClock()
	}
	return p.twoWays(one.Format(time.DateOnly), other.Format(time.DateOnly), "write the year with four figures")
}

// readFigures takes 2026-12-24, 24/12/2026, 24.12.2026 and 24/12.
func (p *parser) readFigures() (bool, error) {
	at := p.at
	separator := func(at int) bool {
		return (p.is(at, '/') || p.is(at, '.') || p.is(at, '-')) && p.tokens[at].glued && p.is(at+1, '0') && p.tokens[at+1].glued
	}
	if !separator(at + 1) {
		return false, nil
	}
	first, okFirst := p.number(at, 4)
	second, okSecond := p.number(at+2, 2)
	if !okFirst || !okSecond || len(p.tokens[at].text) == 3 {
		return false, nil
	}
	yearFirst := len(p.tokens[at].text) == 4
	month := time.Month(second)
	if separator(at+3) && p.tokens[at+3].kind == p.tokens[at+1].kind {
		third, ok := p.number(at+4, 4)
		length := len(p.tokens[at+4].text)
		switch {
		case ok && yearFirst && length <= 2:
			return p.setDate(at+5, first, month, third)
		case ok && !yearFirst && length == 4:
			return p.setDate(at+5, third, month, first)
		case ok && !yearFirst && length == 2 && month >= 1 && month <= 12 && first >= 1 && first <= 31:
			return false, p.shortYear(third, month, first)
		}
		return false, nil
	}
	if yearFirst || p.is(at+1, '-') || separator(at+3) {
		return false, nil
	}
	next := at + 3
	if p.is(at+1, '.') && p.is(next, '.') && p.tokens[next].glued {
		next++
	}
	return p.setDayOfYear(next, month, first)
}

// dayNumber returns the number of a day, which may be an ordinal: 1er, 3rd.
func (p *parser) dayNumber(at int) (day, next int, ok bool) {
	if day, ok = p.number(at, 2); !ok {
		return 0, 0, false
	}
	if next = at + 1; next < len(p.tokens) && p.tokens[next].glued {
		switch p.word(next) {
		case "er", "st", "nd", "rd", "th":
			next++
		}
	}
	return day, next, true
}

// joint skips what stands between the parts of a day by name: 3-dec-2026, déc.
func (p *parser) joint(at int, of bool) int {
	switch {
	case p.is(at, '-') || p.is(at, '/') || p.is(at, '.') || p.is(at, ','):
		at++
	case of && (p.word(at) == "of" || p.word(at) == "de"):
		at++
	}
	return at
}

// readDayMonth takes 3 décembre, 1er mai 2026, 3rd of December 2026, 3-dec-2026.
func (p *parser) readDayMonth() (bool, error) {
	day, at, ok := p.dayNumber(p.at)
	if !ok {
		return false, nil
	}
	at = p.joint(at, true)
	month, ok := monthOf(p.word(at))
	if !ok {
		return false, nil
	}
	return p.readYear(at+1, month, day)
}

// readMonthDay takes December 3, 2026: the name says which of the two is the month.
func (p *parser) readMonthDay() (bool, error) {
	month, ok := monthOf(p.word(p.at))
	if !ok {
		return false, nil
	}
	at := p.joint(p.at+1, false)
	day, next, ok := p.dayNumber(at)
	switch {
	case !ok || p.isClock(at):
		return false, nil
	case p.word(p.at) == "mar":
		if _, isMonth := monthOf(p.word(next)); isMonth || p.is(next, '/') || p.is(next, '.') || p.is(next, '-') {
			return false, nil // a Tuesday
		}
		return false, p.twoWays(fmt.Sprintf("%d mars", day), fmt.Sprintf("mardi %d", day), "write the month")
	}
	return p.readYear(next, month, day)
}

// isClock reports whether the number at a place is one of hours.
func (p *parser) isClock(at int) bool {
	switch p.word(at + 1) {
	case "h", "heure", "heures", "am", "pm":
		return true
	}
	return p.is(at+1, ':')
}

// readYear takes the year after a day and a month, if there is one.
func (p *parser) readYear(next int, month time.Month, day int) (bool, error) {
	for _, at := range [...]int{next, p.joint(next, false)} {
		year, ok := p.number(at, 4)
		if !ok || p.isClock(at) {
			continue
		}
		switch len(p.tokens[at].text) {
		case 4:
			return p.setDate(at+1, year, month, day)
		case 2:
			return false, p.shortYear(year, month, day)
		}
	}
	if p.is(next, '.') {
		next++
	}
	return p.setDayOfYear(next, month, day)
}

// readWeekday takes a day of the week: the next one. Before a date it is checked.
// What next and last say is refused where it could be of this week or of another.
func (p *parser) readWeekday() (bool, error) {
	at, which := p.at, ""
	if word := p.word(at); word == "next" || word == "last" {
		which = word
		at++
	}
	weekday, ok := weekdayOf(p.word(at))
	if !ok {
		return false, nil
	}
	if at++; p.is(at, '.') {
		at++
	}
	switch p.word(at) {
	case "prochain":
		which = "next"
		at++
	case "dernier":
		which = "last"
		at++
	}
	if which == "" {
		before := p.at
		p.at = at
		if p.is(at, ',') {
			p.at++
		}
		if p.word(p.at) == "le" || p.word(p.at) == "the" {
			p.at++
		}
		for _, form := range [...]func() (bool, error){p.readFigures, p.readDayMonth, p.readMonthDay} {
			if taken, err := form(); taken || err != nil {
				p.weekday = int(weekday)
				return taken, err
			}
		}
		p.at = before
	}
	base := civil(p.now)
	if !p.start.IsZero() && which == "" {
		base = civil(p.start)
	}
	ahead := (int(weekday)-int(base.Weekday())+6)%7 + 1 // days to the next, 1 to 7
	monday := (int(base.Weekday()) + 6) % 7             // days since Monday
	place := (int(weekday) + 6) % 7                     // days of that day since its Monday
	day, other := base.AddDate(0, 0, ahead), base.AddDate(0, 0, 7-monday+place)
	if which == "last" {
		back := (int(base.Weekday())-int(weekday)+6)%7 + 1
		day, other = base.AddDate(0, 0, -back), base.AddDate(0, 0, -7-monday+place)
	}
	if which != "" && !day.Equal(other) {
		return false, p.twoWays(day.Format(time.DateOnly), other.Format(time.DateOnly), "write one of them")
	}
	p.isNext = which == ""
	return p.setDay(at, day)
}
