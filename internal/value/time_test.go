package value_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/epicevents/crm/internal/value"
)

func loadZone(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// noon is that of a day in a zone.
func noon(t testing.TB, day, zone string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(time.DateOnly, day, loadZone(t, zone))
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 12, 0, 0, 0, at.Location())
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := noon(t, "2026-11-26", "Europe/Paris")
	for in, want := range map[string]string{
		"2025-06-04":                     "2025-06-04T00:00:00+02:00",
		" 2025-12-04\n":                  "2025-12-04T00:00:00+01:00",
		"2025-06-04 13:30":               "2025-06-04T13:30:00+02:00",
		"2025-06-04 13:30:15":            "2025-06-04T13:30:15+02:00",
		"2025-06-04T13:30:15":            "2025-06-04T13:30:15+02:00",
		"2025-06-04T13:30":               "2025-06-04T13:30:00+02:00",
		"2025-06-04 13h30":               "2025-06-04T13:30:00+02:00",
		"04/06/2025":                     "2025-06-04T00:00:00+02:00",
		"04/06/2025 13:30":               "2025-06-04T13:30:00+02:00",
		"04/06/2025 13:30:15":            "2025-06-04T13:30:15+02:00",
		"04/06/2025 13h30":               "2025-06-04T13:30:00+02:00",
		"2025-06-04T13:30-05:00":         "2025-06-04T20:30:00+02:00",
		"2025-06-04 13:30:15+02:00":      "2025-06-04T13:30:15+02:00",
		"2025-06-04T13:30:15Z":           "2025-06-04T15:30:15+02:00",
		"2025-06-04T13:30:15.250-05:00":  "2025-06-04T20:30:15.25+02:00",
		"2025-06-04T13:30:15.123456789Z": "2025-06-04T15:30:15.123456+02:00",
		"2024-02-29":                     "2024-02-29T00:00:00+01:00",
		"2025-03-30 01:59:59":            "2025-03-30T01:59:59+01:00",
		"2025-03-30 03:00":               "2025-03-30T03:00:00+02:00",
		"2025-10-26 01:59:59":            "2025-10-26T01:59:59+02:00",
		"2025-10-26 03:00":               "2025-10-26T03:00:00+01:00",
		"2025-10-26T02:30:00+02:00":      "2025-10-26T02:30:00+02:00",
		"2025-10-26T02:30:00+01:00":      "2025-10-26T02:30:00+01:00",
		"1950-01-01":                     "1950-01-01T00:00:00+01:00",
		"2200-12-31 23:59:59":            "2200-12-31T23:59:59+01:00",
	} {
		got, err := value.ParseTime(in, now)
		if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != now.Location() {
			t.Errorf("ParseTime(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestParseTimeRefuses(t *testing.T) {
	t.Parallel()
	now := noon(t, "2026-11-26", "Europe/Paris")
	for reason, inputs := range map[string][]string{
		"is not valid: write 2025-12-31, ": {
			"", "2025", "20250604", "2025-06-04 13", "2025-06-04 13h30:15", "2025-06-04 13:30h15", "2025-06-04T13:30.5", "2025-06-04T13:30.5Z",
			"2025-06-04 13:30:15.5", "2025-06-04+02:00", "2025-06-04T+02:00", "2025-06-04Z", "2025-06-04T13:30:15,5Z", "2025-06-04T13:30:15.Z",
			"2025-06-04T13:30:15+2", "2025-06-04T13:30:15+0200", "2025-06-04T13:30:15+24:00", "2025-06-04T13:30:15+01:60", "2025-06-04T",
			"٢٠٢٥-٠٦-٠٤", "２０２５-06-04", "2025-06-04\x00", "2025-06-04 2025-06-05", "13:30 14:30", "123/4/2025", "4/123/2025", "1/2.2025", "4-6",
			"someday", "demain soir", "tomorrow at", "le", "at", ",", "+", "+7", "+d", "+7x", "+0h", "+7d+2h", "+2h 9h", "tomorrow +2h", "7 d", "ago", "3 ago",
			"now 9h", "now now", "tomorrow today", "9h3", "9:3", "9h300", "tomorrow 13:30Z", "monday 13:30+01:00", "13:30Z", "may 2026", "-3 dec", "+99999999d",
			"2025-06-04 1:30:5", "+ 7 days ago", "next", "next tomorrow", strings.Repeat("9", 200), "1\xff",
		},
		"is not in the calendar or on the clock": {"2025-06-04 13:30 PM", "9.30", "32 dec", "30 feb 2025", "29/2", "0/1/2025", "13 pm", "0am", "24h", "25h", "12h60", "+1h60", "31/4/25", "2025-02-29", "2025-13-01", "2025-00-10", "2025-04-31", "2025-06-04 24:00", "2025-06-04 13:60", "2025-06-30 23:59:60", "31/04/2025", "12/31/2025", "2025-06-04T25:30:15Z", "2025-02-30T10:00Z"},
		"outside of the years 1900 to 2200":      {"0001-01-01", "1899-12-31", "2201-01-01", "0206-06-04 10:00", "2200-12-31T23:30:00Z", "+1000y", "-99999mois"},
		"does not exist in Europe/Paris, where the clocks go forward: write 2025-03-30T03:30:00+02:00":                         {"2025-03-30 02:30", "2025-03-30T02:30:00"},
		"occurs twice in Europe/Paris, where the clocks go back: write 2025-10-26T02:30:00+02:00 or 2025-10-26T02:30:00+01:00": {"2025-10-26 02:30", "2025-10-26 02:30:00"},
	} {
		for _, in := range inputs {
			got, err := value.ParseTime(in, now)
			if err == nil {
				t.Errorf("ParseTime(%q) = %v, want a refusal", in, got)
				continue
			}
			requireInputError(t, err, reason)
		}
	}
}

func TestParseUntil(t *testing.T) {
	t.Parallel()
	now := noon(t, "2026-11-26", "Europe/Paris")
	for in, want := range map[string]string{
		"2025-06-04":                "2025-06-05T00:00:00+02:00",
		"2025-03-30":                "2025-03-31T00:00:00+02:00",
		"2025-10-26":                "2025-10-27T00:00:00+01:00",
		"2025-12-31":                "2026-01-01T00:00:00+01:00",
		"31/12/2025":                "2026-01-01T00:00:00+01:00",
		"2200-12-31":                "2201-01-01T00:00:00+01:00",
		"2025-06-04 13:30":          "2025-06-04T13:30:00+02:00",
		"2025-06-04T00:00:00+02:00": "2025-06-04T00:00:00+02:00",
	} {
		if got, err := value.ParseUntil(in, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("ParseUntil(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	_, err := value.ParseUntil("2025-10-26 02:30", now)
	requireInputError(t, err, "occurs twice")
}

// Some zones change their clocks at midnight, or skipped a day.
func TestDaysWithoutMidnight(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ zone, day, from, until string }{
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"},
		{"America/Sao_Paulo", "2018-11-03", "2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00"},
		{"America/Havana", "2025-11-02", "2025-11-02T00:00:00-04:00", "2025-11-03T00:00:00-05:00"},
		{"America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30"},
		{"Pacific/Apia", "2011-12-29", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"},
	} {
		zone := loadZone(t, tc.zone)
		from, err := value.ParseTime(tc.day, time.Now().In(zone))
		if err != nil || from.Format(time.RFC3339) != tc.from {
			t.Errorf("%s: ParseTime(%q) = %v, %v; want %s", tc.zone, tc.day, from, err, tc.from)
		}
		until, err := value.ParseUntil(tc.day, time.Now().In(zone))
		if err != nil || until.Format(time.RFC3339) != tc.until {
			t.Errorf("%s: ParseUntil(%q) = %v, %v; want %s", tc.zone, tc.day, until, err, tc.until)
		}
	}
	_, err := value.ParseTime("2011-12-30", noon(t, "2026-11-26", "Pacific/Apia"))
	requireInputError(t, err, "2011-12-30 does not exist in Pacific/Apia")
}

// Every half hour of a year with unusual changes, against a plain search for the
// instants at which the clocks show it.
func TestParseTimeAgainstClocks(t *testing.T) {
	t.Parallel()
	const dateTime = "2006-01-02 15:04"
	for name, year := range map[string]int{
		"Europe/Paris": 2025, "America/New_York": 2025, "Australia/Lord_Howe": 2025, "America/Havana": 2025, "America/Sao_Paulo": 2018,
		"America/St_Johns": 2010, "Africa/Casablanca": 2025, "Asia/Kathmandu": 1986, "Pacific/Apia": 2011, "UTC": 2025,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := loadZone(t, name)
			shown := map[string]int{}
			start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			end := start.AddDate(1, 0, 0)
			for at := start.Add(-48 * time.Hour); at.Before(end.Add(48 * time.Hour)); at = at.Add(15 * time.Minute) {
				shown[at.In(zone).Format(dateTime)]++
			}
			for clock := start; clock.Before(end); clock = clock.Add(30 * time.Minute) {
				text := clock.Format(dateTime)
				got, err := value.ParseTime(text, time.Now().In(zone))
				switch {
				case shown[text] == 0:
					requireInputError(t, err, "does not exist")
				case shown[text] == 2:
					requireInputError(t, err, "occurs twice")
				case err != nil || got.Format(dateTime) != text:
					t.Errorf("ParseTime(%q) = %v, %v", text, got, err)
				}
			}
		})
	}
}

func FuzzParseTime(f *testing.F) {
	zones := []*time.Location{
		time.UTC, loadZone(f, "Europe/Paris"), loadZone(f, "America/Havana"), loadZone(f, "Pacific/Apia"), loadZone(f, "Australia/Lord_Howe"),
		time.FixedZone("odd", 12345),
	}
	for _, seed := range []string{
		"", "2025-06-04", "04/06/2025 13h30", "2025-03-30 02:30", "2025-10-26 02:30:00", "2025-06-04T13:30:15", "2025-06-04T13:30:15.5+02:00", "2011-12-30", "1911-03-10 23:55",
		"2200-12-31", "1900-01-01", "demain 14h", "in 3 days", "il y a 2 h", "+1h30", "lundi 3 décembre 2026 à 9 h 30", "1/12/26", "23/11", "9", "mar 3", "next friday", "7pm",
	} {
		f.Add(seed, byte(1), int64(1_795_676_400))
		f.Add(seed, byte(3), int64(1_774_746_000))
	}
	advice := regexp.MustCompile(`\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?\b`)
	f.Fuzz(func(t *testing.T, s string, zoneIndex byte, seconds int64) {
		zone := zones[int(zoneIndex)%len(zones)]
		now := time.Unix(seconds, 0).In(zone)
		if now.Year() < 1902 || now.Year() > 2198 {
			return
		}
		at, err := value.ParseTime(s, now)
		until, untilErr := value.ParseUntil(s, now)
		if (err == nil) != (untilErr == nil) {
			t.Fatalf("ParseTime(%q): %v, but ParseUntil: %v", s, err, untilErr)
		}
		_, dateErr := value.ParseDate(s, now)
		end, endErr := value.ParseEnd(s, now, now)
		if _, isEnd := value.ParseEnd(s, now, time.Time{}); (isEnd == nil) != (err == nil) {
			t.Fatalf("ParseTime(%q): %v, but as the end of what has no start: %v", s, err, isEnd)
		}
		if _, needed := value.FromStart(s, now); needed && endErr == nil && end.Before(now.Add(-200*365*24*time.Hour)) {
			t.Fatalf("ParseEnd(%q) = %v", s, end)
		}
		if endErr == nil && end.Location() != zone {
			t.Fatalf("ParseEnd(%q) = %v", s, end)
		}
		if err != nil {
			if dateErr == nil {
				t.Fatalf("ParseTime(%q): %v, but it is a day", s, err)
			}
			message := requireInputError(t, err).Message
			if !strings.Contains(message, ", where the clocks go ") && !strings.Contains(message, " could be ") {
				return
			}
			for _, advised := range advice.FindAllString(message[strings.LastIndex(message, `"`):], -1) {
				_, err := value.ParseTime(advised, now)
				if err != nil && !strings.Contains(err.Error(), "outside of the years") && !strings.Contains(err.Error(), "calendar skips") {
					t.Errorf("%s, but %s is refused: %v", message, advised, err)
				}
			}
			return
		}
		if at.Location() != zone || at.Year() < 1900 || at.Year() > 2200 {
			t.Fatalf("ParseTime(%q) = %v", s, at)
		}
		if dateErr == nil {
			if day := until.Sub(at); day < 22*time.Hour || day > 26*time.Hour || at.Day() != until.Add(-time.Second).Day() {
				t.Errorf("the day %s is %v to %v", s, at, until)
			}
			return
		}
		if !until.Equal(at) {
			t.Errorf("ParseUntil(%q) = %v, want %v", s, until, at)
		}
		// RFC 3339 has no seconds in an offset; some old local times need them.
		if _, offset := at.Zone(); offset%60 == 0 {
			text := at.Format(time.RFC3339Nano)
			if again, err := value.ParseTime(text, now); err != nil || !again.Equal(at) {
				t.Errorf("ParseTime(%q) = %v, %v; want %v", text, again, err, at)
			}
		}
	})
}
