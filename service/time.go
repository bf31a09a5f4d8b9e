package service

import (
	"slices"
	"strings"
	"time"
)

const timeForms = "write 2025-12-31, 2025-12-31 18:30[:00], 2025-12-31T18:30:00 or 2025-12-31T18:30:00+01:00"

// Years outside of these are taken for slips of the finger.
const (
	yearMin = 1900
	yearMax = 2200
)

// ParseTime returns a point in time, in zone and to the microsecond that the
// database keeps. It accepts 2025-12-31 (the start of that day),
// 2025-12-31 18:30[:00], 2025-12-31T18:30:00, and RFC 3339 with an offset. Without
// an offset the text is local to zone; a local time that the clocks skip or show
// twice is refused with the ways to write it.
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
	layout := localLayout(typed)
	if layout == "" {
		t, err = offsetTime(typed, zone)
	} else {
		t, err = localTime(layout, typed, zone)
	}
	if err != nil {
		return time.Time{}, false, err
	}
	if year := t.Year(); year < yearMin || year > yearMax {
		return time.Time{}, false, inputErrorf("Time %s is outside of the years %d to %d", quote(typed), yearMin, yearMax)
	}
	return t, layout == time.DateOnly, nil
}

// localLayout returns the layout without offset that s has the shape of, or "".
// time.Parse alone would let missing digits and additional decimals pass.
func localLayout(s string) string {
	for _, form := range [...]struct{ shape, layout string }{
		{"0000-00-00", time.DateOnly},
		{"0000-00-00 00:00", "2006-01-02 15:04"},
		{"0000-00-00 00:00:00", time.DateTime},
		{"0000-00-00T00:00:00", "2006-01-02T15:04:05"},
	} {
		if hasShape(s, form.shape) {
			return form.layout
		}
	}
	return ""
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

// offsetTime checks the shape first for the same reason as localLayout.
func offsetTime(typed string, zone *time.Location) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, typed)
	if err != nil || !isRFC3339(typed) {
		return t, inputErrorf("Time %s is not valid: %s", quote(typed), timeForms)
	}
	return t.Truncate(time.Microsecond).In(zone), nil
}

func isRFC3339(s string) bool {
	const clock = "0000-00-00T00:00:00"
	if len(s) <= len(clock) || !hasShape(s[:len(clock)], clock) {
		return false
	}
	offset := s[len(clock):]
	if decimals, found := strings.CutPrefix(offset, "."); found {
		offset = strings.TrimLeft(decimals, "0123456789")
	}
	if offset == "Z" {
		return true
	}
	isOffset := hasShape(offset, "+00:00") || hasShape(offset, "-00:00")
	return isOffset && offset[1:3] <= "23" && offset[4:6] <= "59"
}

func localTime(layout, typed string, zone *time.Location) (time.Time, error) {
	clock, err := time.Parse(layout, typed)
	if err != nil {
		return time.Time{}, inputErrorf("Time %s is not in the calendar or on the clock: %s", quote(typed), timeForms)
	}
	if layout == time.DateOnly {
		start := startOfDay(clock.Year(), clock.Month(), clock.Day(), zone)
		if start.Day() != clock.Day() {
			return time.Time{}, inputErrorf("The day %s does not exist in %s, where the calendar skips it", typed, zone)
		}
		return start, nil
	}
	switch shown := instants(clock, zone); len(shown) {
	case 1:
		return shown[0], nil
	case 0:
		end := endOfGap(clock, zone)
		_, offset := end.Add(-time.Second).Zone()
		return time.Time{}, inputErrorf("Time %s does not exist in %s, where the clocks go forward: write %s",
			quote(typed), zone, withOffset(clock, offset).In(zone).Format(time.RFC3339))
	default:
		return time.Time{}, inputErrorf("Time %s occurs twice in %s, where the clocks go back: write %s or %s",
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
