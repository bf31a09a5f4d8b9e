package value_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/epicevents/crm/internal/value"
)

func TestParseDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 15, 0, 0, 0, loadZone(t, "Europe/Paris"))
	for in, want := range map[string]value.Date{
		"2026-12-31":   "2026-12-31",
		" 31/12/2026 ": "2026-12-31",
		"2024-02-29":   "2024-02-29",
	} {
		got, err := value.ParseDate(in, now)
		if err != nil || got != want {
			t.Errorf("ParseDate(%q) = %q, %v; want %q", in, got, err, want)
		}
		if again, err := value.ParseDate(string(got), now); err != nil || again != got || value.CheckDate(got) != nil {
			t.Errorf("ParseDate(%q) = %q, %v", got, again, err)
		}
	}
	for in, words := range map[string]string{
		"":                     "is not valid",
		"2026-12-31 10:00":     "must not have a time of day",
		"2026-12-31T10:00:00Z": "must not have a time of day",
		"2026-02-29":           "is not in the calendar",
		"2201-01-01":           "outside of the years 1900 to 2200",
	} {
		_, err := value.ParseDate(in, now)
		requireInputError(t, err, words)
	}
}

func TestCheckDate(t *testing.T) {
	t.Parallel()
	for _, bad := range []value.Date{"", "infinity", "2026-02-29", "31/12/2026", "1899-12-31", "2201-01-01", "0044-03-15 BC", "2026-1-1", "2026-12-31 "} {
		requireInputError(t, value.CheckDate(bad), "Date ")
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	paris := loadZone(t, "Europe/Paris")
	const change = value.Date("2026-10-25") // has 25 hours
	if got := change.Until(paris).Sub(change.Start(paris)); got != 25*time.Hour {
		t.Errorf("the day has %v", got)
	}
	if got := value.DateOf(change.Until(paris).Add(-time.Second)); got != change {
		t.Errorf("it ends on %s", got)
	}
}
