package value

import (
	"slices"
	"time"
)

const timeForms = "write 2025-12-31, 31/12/2025 18h30, 3 dec, tomorrow 9h, monday, +7d or 2025-12-31T18:30+01:00"

// Years outside of these are taken for slips of the finger.
const (
	yearMin = 1900
	yearMax = 2200
)

// ParseTime returns a point in time, in the zone of now, which is when it is
// typed, and to the microsecond that the database keeps. It accepts a day (its
// start), a time of day (of today), the two in any order, now, and a distance
// from now, as people write them in English and French: the table of its test has
// them. The day stands before the month, always; what can be read in two ways is
// refused with both readings.
//
// Without an offset the text is local to the zone; a local time that the clocks
// skip or show twice is refused with the ways to write it.
func ParseTime(s string, now time.Time) (time.Time, error) {
	t, _, err := readWhen(s, now, time.Time{})
	return t, err
}

// ParseUntil returns the exclusive upper bound of a period whose end was typed. A
// bare day takes in the whole of that day, so its bound is the start of the next;
// a time is the bound itself. Forms and errors are those of ParseTime.
func ParseUntil(s string, now time.Time) (time.Time, error) {
	t, isDay, err := readWhen(s, now, time.Time{})
	if err != nil || !isDay {
		return t, err
	}
	year, month, day := t.Date()
	return startOfDay(year, month, day+1, now.Location()), nil
}

// ParseEnd returns the end of what starts at start; a zero start is not known. A
// distance is counted from there, and a time of day, a day of the week or a day
// without its year is the first after it; all else is as for ParseTime.
func ParseEnd(s string, now, start time.Time) (time.Time, error) {
	t, _, err := readWhen(s, now, start.In(now.Location()))
	return t, err
}

// FromStart reports whether the end that was typed is another after another start,
// and whether it is none without a start: a distance, or a time of day alone.
func FromStart(s string, now time.Time) (matters, needed bool) {
	p := parser{now: now, start: now}
	if p.read(s) != nil {
		return false, false
	}
	needed = p.isShift || !p.hasDay && p.hasClock
	return needed || p.isNext, needed
}

func readWhen(s string, now, start time.Time) (t time.Time, isDay bool, err error) {
	p := parser{now: now, start: start}
	if err = p.read(s); err == nil {
		t, isDay, err = p.when()
	}
	if err != nil {
		return time.Time{}, false, err
	}
	if year := t.Year(); year < yearMin || year > yearMax {
		return time.Time{}, false, inputErrorf("Date %s is outside of the years %d to %d", quote(p.typed), yearMin, yearMax)
	}
	return t.Truncate(time.Microsecond), isDay, nil
}

// atClock returns the point in time at which the clocks of zone show what clock
// shows in UTC.
func atClock(clock time.Time, typed string, zone *time.Location) (time.Time, error) {
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

// atDay returns the start of the day that clock has in UTC.
func atDay(clock time.Time, zone *time.Location) (time.Time, error) {
	start := startOfDay(clock.Year(), clock.Month(), clock.Day(), zone)
	if start.Day() != clock.Day() {
		return time.Time{}, inputErrorf("The day %s does not exist in %s, where the calendar skips it", clock.Format(time.DateOnly), zone)
	}
	return start, nil
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

// ShownTwice reports whether the clocks of its zone show the date and the time of t, to the second, twice: they go back then.
func ShownTwice(t time.Time) bool {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return len(instants(time.Date(year, month, day, hour, minute, second, 0, time.UTC), t.Location())) > 1
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
