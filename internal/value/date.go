package value

import (
	"fmt"
	"time"
)

// Date is a day of the calendar without a time or a zone, such as 2026-11-26:
// what PostgreSQL writes of a date, so that the order of texts is that of days.
type Date string

// ParseDate returns the day that was typed, where now is the time in the zone of
// whoever types. Forms are those of ParseTime without a time of day.
func ParseDate(s string, now time.Time) (Date, error) {
	t, isDate, err := readWhen(s, now, time.Time{})
	if err == nil && !isDate {
		err = inputErrorf("Date %s must not have a time of day", quote(s))
	}
	if err != nil {
		return "", err
	}
	return DateOf(t), nil
}

// DateOf returns the day on which t is, in its zone.
func DateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// CheckDate refuses what ParseDate does not return.
func CheckDate(d Date) error {
	t, err := time.Parse(time.DateOnly, string(d))
	switch {
	case err != nil:
		return inputErrorf("Date %s is not a day such as 2025-12-31", quote(string(d)))
	case t.Year() < yearMin || t.Year() > yearMax:
		return inputErrorf("Date %s is outside of the years %d to %d", quote(string(d)), yearMin, yearMax)
	}
	return nil
}

// Scan takes a day as a database driver has it: at midnight, or as text.
func (d *Date) Scan(from any) error {
	switch from := from.(type) {
	case time.Time:
		*d = DateOf(from)
	case string:
		*d = Date(from)
	default:
		return fmt.Errorf("a day cannot be a %T", from)
	}
	return nil
}

// Start returns the first instant of the day in zone.
func (d Date) Start(zone *time.Location) time.Time { return d.day(zone, 0) }

// Until returns the first instant after the day in zone.
func (d Date) Until(zone *time.Location) time.Time { return d.day(zone, 1) }

func (d Date) day(zone *time.Location, later int) time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return startOfDay(t.Year(), t.Month(), t.Day()+later, zone)
}
