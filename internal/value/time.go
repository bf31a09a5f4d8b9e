package value

import (
	"slices"
	"strings"
	"time"
)

const timeForms = "write 2025-12-31, 31/12/2025, 2025-12-31 18:30, 31/12/2025 18h30 or 2025-12-31T18:30+01:00"

// Years outside of these are taken for slips of the finger.
const (
	yearMin = 1900
	yearMax = 2200
)

// ParseTime returns a point in time, in zone and to the microsecond that the
// database keeps. It accepts a day, 2025-12-31 or 31/12/2025 (its start); a time
// after it, 18:30, 18:30:00 or 18h30, behind a space or a T; and behind a time an
// offset, +01:00 or Z. Without an offset the text is local to zone; a local time
// that the clocks skip or show twice is refused with the ways to write it.
//
// Days with slashes are read as the French write them, and as a French Excel
// shows them; the year has four digits, so that no part of it is guessed.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	t, _, err := parseTime(s, zone)
	return t, err
}

// ParseUntil returns the exclusive upper bound of a period whose end was typed. A
// bare date takes in the whole of that day, so its bound is the start of the
// next; a time is the bound itself. Forms and errors are those of ParseTime.
func ParseUntil(s string, zone *time.Location) (time.Time, error) {
	t, isDate, err := parseTime(s, zone)
	if err != nil || !isDate {
		return t, err
	}
	year, month, day := t.Date()
	return startOfDay(year, month, day+1, zone), nil
}

func parseTime(s string, zone *time.Location) (t time.Time, isDate bool, err error) {
	typed := strings.TrimSpace(s)
	day, clock, offset, ok := cutTime(typed)
	switch {
	case !ok:
		err = inputErrorf("Date %s is not valid: %s", quote(typed), timeForms)
	case offset != "":
		t, err = offsetTime(day+"T"+clock+offset, typed, zone)
	default:
		t, err = localTime(day, clock, typed, zone)
	}
	if err != nil {
		return time.Time{}, false, err
	}
	if year := t.Year(); year < yearMin || year > yearMax {
		return time.Time{}, false, inputErrorf("Date %s is outside of the years %d to %d", quote(typed), yearMin, yearMax)
	}
	return t, clock == "", nil
}

// cutTime takes a time apart: its day as 2025-12-31, its clock as 18:30:00 or
// "", its offset as +01:00, Z or "". time.Parse alone would let missing digits
// and additional decimals pass.
func cutTime(s string) (day, clock, offset string, ok bool) {
	const dayLength = len(time.DateOnly)
	if len(s) < dayLength {
		return "", "", "", false
	}
	day, rest := s[:dayLength], s[dayLength:]
	switch {
	case hasShape(day, "00/00/0000"):
		day = day[6:] + "-" + day[3:5] + "-" + day[:2]
	case !hasShape(day, "0000-00-00"):
		return "", "", "", false
	}
	if rest == "" {
		return day, "", "", true
	}
	if rest[0] != ' ' && rest[0] != 'T' {
		return "", "", "", false
	}
	clock = rest[1:]
	if at := strings.IndexAny(clock, "Z+-"); at >= 0 {
		clock, offset = clock[:at], clock[at:]
	}
	if hasShape(clock, "00h00") {
		clock = strings.Replace(clock, "h", ":", 1)
	}
	whole, decimals, hasDecimals := strings.Cut(clock, ".")
	switch {
	case hasDecimals && (offset == "" || !isDigits(decimals) || !hasShape(whole, "00:00:00")):
		return "", "", "", false
	case hasShape(whole, "00:00"):
		clock += ":00"
	case !hasShape(whole, "00:00:00"):
		return "", "", "", false
	}
	return day, clock, offset, offset == "" || isOffset(offset)
}

func isOffset(s string) bool {
	return s == "Z" || (hasShape(s, "+00:00") || hasShape(s, "-00:00")) && s[1:3] <= "23" && s[4:6] <= "59"
}

// hasShape reports whether s is shape with any digits in place of its zeros.
func hasShape(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if shape[i] == '0' && !isDigit(s[i]) || shape[i] != '0' && s[i] != shape[i] {
			return false
		}
	}
	return true
}

// notOnClock is the error for a time whose shape is right.
func notOnClock(typed string) error {
	return inputErrorf("Date %s is not in the calendar or on the clock: %s", quote(typed), timeForms)
}

func offsetTime(rfc3339, typed string, zone *time.Location) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, rfc3339)
	if err != nil {
		return t, notOnClock(typed)
	}
	return t.Truncate(time.Microsecond).In(zone), nil
}

// localTime reads a day and, unless it is "", a time of day.
func localTime(day, hours, typed string, zone *time.Location) (time.Time, error) {
	layout, value := time.DateOnly, day
	if hours != "" {
		layout, value = time.DateTime, day+" "+hours
	}
	clock, err := time.Parse(layout, value)
	if err != nil {
		return time.Time{}, notOnClock(typed)
	}
	if hours == "" {
		start := startOfDay(clock.Year(), clock.Month(), clock.Day(), zone)
		if start.Day() != clock.Day() {
			return time.Time{}, inputErrorf("The day %s does not exist in %s, where the calendar skips it", day, zone)
		}
		return start, nil
	}
	switch shown := instants(clock, zone); len(shown) {
	case 1:
		return shown[0], nil
	case 0:
		end := endOfGap(clock, zone)
		_, offset := end.Add(-time.Second).Zone()
		return time.Time{}, inputErrorf("Date %s does not exist in %s, where the clocks go forward: write %s",
			quote(typed), zone, withOffset(clock, offset).In(zone).Format(time.RFC3339))
	default:
		return time.Time{}, inputErrorf("Date %s occurs twice in %s, where the clocks go back: write %s or %s",
			quote(typed), zone, shown[0].Format(time.RFC3339), shown[1].Format(time.RFC3339))
	}
}

// startOfDay returns the first instant of a day. That is midnight, except in the
// zones and nights in which the clocks skip midnight or show it twice.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if shown := instants(midnight, zone); len(shown) > 0 {
		return shown[0]
	}
	return endOfGap(midnight, zone)
}

// instants returns the points in time at which the clocks of zone show the date
// and time that clock has in UTC: one, none where the clocks go forward, two
// where they go back, earliest first. time.Date would choose one in silence.
func instants(clock time.Time, zone *time.Location) []time.Time {
	near := inZone(clock, zone)
	start, end := near.ZoneBounds()
	var shown []time.Time
	for _, period := range [...]time.Time{start.Add(-time.Second), near, end} {
		_, offset := period.In(zone).Zone()
		t := withOffset(clock, offset).In(zone)
		if _, actual := t.Zone(); actual == offset {
			shown = append(shown, t)
		}
	}
	slices.SortFunc(shown, time.Time.Compare)
	return slices.CompactFunc(shown, time.Time.Equal)
}

// endOfGap returns the instant at which the clocks of zone go forward past clock,
// which they never show.
func endOfGap(clock time.Time, zone *time.Location) time.Time {
	near := inZone(clock, zone)
	start, end := near.ZoneBounds()
	_, offset := near.Zone()
	if near.Add(time.Duration(offset) * time.Second).After(clock) {
		return start
	}
	return end
}

// inZone reads clock in zone the way time.Date does: in or near a change of the
// clocks the result lies on either side of it.
func inZone(clock time.Time, zone *time.Location) time.Time {
	year, month, day := clock.Date()
	hour, minute, second := clock.Clock()
	return time.Date(year, month, day, hour, minute, second, 0, zone)
}

func withOffset(clock time.Time, seconds int) time.Time {
	return clock.Add(-time.Duration(seconds) * time.Second)
}
