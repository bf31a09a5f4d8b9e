package value_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/epicevents/crm/internal/value"
)

// spoken is what people write, by what it means: a day as its distance from today, as the number of the next such day of
// the week, or as it is; then perhaps a time, without which it is the day. A distance in hours is from now.
var spoken = map[string][]string{
	"+0":  {"today", "TODAY", " Today ", "aujourd'hui", "aujourd’hui", "aujourdhui", "Aujourd'hui", "+0d"},
	"+1":  {"tomorrow", "demain", "Demain", "+1d", "+1 day", "+1j", "+1 jour", "in 1 day", "dans 1 jour"},
	"-1":  {"yesterday", "hier", "-1d", "-1j", "1 day ago", "il y a 1 jour"},
	"+2":  {"day after tomorrow", "the day after tomorrow", "après-demain", "apres demain", "aprèsdemain", "+2j"},
	"-2":  {"day before yesterday", "avant-hier", "avant hier", "-2 days", "-2 jours"},
	"+7":  {"+7d", "+7D", "+7j", "+1w", "+1 week", "+1 semaine", "+1sem", "in 1 week", "dans 1 semaine", "in 7 days", "dans 7 jours"},
	"-14": {"-2w", "-2 weeks", "-2sem", "-14d", "−14d", "2 weeks ago", "il y a 2 semaines", "14 days ago", "Il y a 14 jours"},

	"wd1": {"monday", "Monday", "mon", "lundi", "LUNDI", "lun", "lun."},
	"wd2": {"tuesday", "tue", "mardi", "mar"},
	"wd3": {"wednesday", "wed", "mercredi", "mer."},
	"wd4": {"thursday", "thu", "jeudi", "jeu"},
	"wd5": {"friday", "fri", "vendredi", "ven"},
	"wd6": {"saturday", "sat", "samedi", "sam"},
	"wd0": {"sunday", "sun", "dimanche", "dim"},

	"2026-12-24": {
		"2026-12-24", "24/12/2026", "24.12.2026", "24-12-2026", "2026/12/24", "24 december 2026", "24 décembre 2026", "24 decembre 2026",
		"24 dec 2026", "24 déc. 2026", "24 DÉC 2026", "le 24 décembre 2026", "on 24 december 2026", "24th of December 2026", "24th December, 2026",
		"december 24 2026", "December 24th, 2026", "24-dec-2026", "24/dec/2026", "jeudi 24 décembre 2026", "Thursday, 24 December 2026", "jeu. 24/12/2026",
		"jeudi le 24 décembre 2026",
	},
	"2026-12-01": {"1/12/2026", "01/12/2026", "1.12.2026", "2026-12-1", "1er décembre 2026", "1st december 2026", "mardi 1er décembre 2026", "mar 1 dec 2026"},
	"2027-02-03": {"3 février 2027", "3 fevr. 2027", "3 fév 2027", "3 feb 2027", "3rd February 2027", "3/2/2027"},
	"2027-03-03": {"3 mars 2027", "3 mar 2027", "3 march 2027", "March 3, 2027"},
	"2027-08-15": {"15 août 2027", "15 aout 2027", "15 aug 2027", "15 august 2027"},

	"+0 19:00":    {"19h", "19 h", "19:00", "19h00", "7pm", "7 PM", "7:00 pm", "today 19h", "19h today", "aujourd'hui à 19h", "19 heures"},
	"+0 09:30":    {"9h30", "09h30", "9:30", "09:30", "9 h 30", "9h30min", "9:30 am", "9:30:00"},
	"+0 09:30:15": {"9:30:15"},
	"+0 12:00":    {"noon", "midi", "today noon"},
	"+0 00:00":    {"0h", "00:00", "0:00:00"},
	"+1 09:30":    {"tomorrow 9h30", "tomorrow at 9:30", "9h30 tomorrow", "demain 9h30", "demain à 9h30", "demain, 9h30", "à 9h30 demain", "+1d 9h30", "dans 1 jour à 9h30"},
	"+1 14:00":    {"tomorrow 14h", "demain 14h", "Demain 14H", "demain a 14 h", "tomorrow 2pm", "14:00 tomorrow"},
	"-1 23:30":    {"yesterday 23h30", "hier 23h30", "-1d 23:30"},
	"wd1 09:00":   {"monday 9h", "lundi 9h", "lundi à 9 h", "9h lundi", "lun. 9:00", "monday 9am"},
	"wd2 09:00":   {"mar 9h", "mardi 9h"},

	"2026-12-24 18:30:00": {
		"2026-12-24 18:30", "2026-12-24 18:30:00", "2026-12-24T18:30", "2026-12-24T18:30:00", "2026-12-24t18:30", "24/12/2026 18:30", "24/12/2026 18h30",
		"24.12.2026 18h30", "24 déc. 2026 18h30", "24 décembre 2026 à 18 h 30", "18h30 le 24 décembre 2026", "18h30 24/12/2026", "18 h 30 24 dec 2026",
		"december 24, 2026 at 6:30 pm", "jeudi 24 décembre 2026, 18:30", "24/12/2026  18h30", "24/12/2026\u00a018\u202fh\u202f30",
	},
	"2026-12-03 19:00:00": {"19 h 03 décembre 2026", "19h 03/12/2026", "19h 3 dec 2026", "3 dec 2026 19h"},

	"now":      {"now", "maintenant"},
	"now+4h":   {"+4h", "+4 hours", "in 4 hours", "dans 4 heures", "dans 4h", "+4heures"},
	"now+90m":  {"+90min", "+1h30", "+1h30min", "dans 1h30", "+90 minutes", "in 90 mins"},
	"now-240m": {"-4h", "4 hours ago", "il y a 4 heures", "4h ago", "il y a 4 h"},
}

// What people write means the same in any zone and on any day, also on those on which the clocks change: those have
// another length, and the times of a clock are as on every day.
func TestAsPeopleSay(t *testing.T) {
	t.Parallel()
	count := 0
	for _, forms := range spoken {
		count += len(forms)
	}
	if count < 120 {
		t.Fatalf("%d forms are too few", count)
	}
	for zone, days := range map[string][]string{
		"Europe/Paris":        {"2026-11-26", "2026-03-29", "2026-10-25", "2026-03-28", "2026-10-24"},
		"America/New_York":    {"2026-11-26", "2026-03-08", "2026-11-01", "2026-03-07", "2026-10-31"},
		"Australia/Lord_Howe": {"2026-11-26", "2026-10-04", "2026-04-05", "2026-10-03", "2026-04-04"}, // by half an hour
	} {
		for _, day := range days {
			now := noon(t, day, zone).Add(4*time.Minute + 5*time.Second)
			for meaning, forms := range spoken {
				want := meant(t, meaning, now)
				for _, form := range forms {
					got, err := value.ParseTime(form, now)
					if err != nil || got.Format(time.DateTime) != want || got.Location() != now.Location() {
						t.Errorf("%s in %s: ParseTime(%q) = %v, %v; want %s", day, zone, form, got, err, want)
					}
					date, err := value.ParseDate(form, now)
					if isDay := !strings.Contains(meaning, " ") && !strings.Contains(meaning, "now"); isDay != (err == nil) || isDay && string(date) != want[:10] {
						t.Errorf("%s in %s: ParseDate(%q) = %s, %v; want %s", day, zone, form, date, err, want)
					}
				}
			}
		}
	}
}

// meant returns what clocks show then.
func meant(t *testing.T, meaning string, now time.Time) string {
	t.Helper()
	if rest, isNow := strings.CutPrefix(meaning, "now"); isNow {
		if rest == "" {
			return now.Format(time.DateTime)
		}
		distance, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		return now.Truncate(time.Minute).Add(distance).Format(time.DateTime)
	}
	day, clock, _ := strings.Cut(meaning, " ")
	switch {
	case clock == "":
		clock = "00:00:00"
	case len(clock) == len("15:04"):
		clock += ":00"
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	days := 0
	if number, isWeekday := strings.CutPrefix(day, "wd"); isWeekday {
		for days = 1; fmt.Sprint(int(at.AddDate(0, 0, days).Weekday())) != number; days++ {
		}
	} else if _, err := fmt.Sscanf(day, "%d", &days); err != nil || len(day) == len(time.DateOnly) {
		return day + " " + clock
	}
	return at.AddDate(0, 0, days).Format(time.DateOnly) + " " + clock
}

// Days without a year are of this year, unless the same day of another is nearer.
func TestDayOfYear(t *testing.T) {
	t.Parallel()
	for day, cases := range map[string]map[string]string{
		"2026-11-26": {
			"23/11": "2026-11-23", "26/11": "2026-11-26", "3 décembre": "2026-12-03", "3 dec": "2026-12-03", "31/12": "2026-12-31", "24.12.": "2026-12-24", "1er juin": "2026-06-01",
			"lundi 23/11": "2026-11-23", "jeudi 3 décembre": "2026-12-03", "december 3": "2026-12-03", "3rd of december": "2026-12-03", "1.12": "2026-12-01",
			"3/1": "could be 2026-01-03 or 2027-01-03: write the year", "3 janvier": "could be 2026-01-03 or 2027-01-03: write the year",
			"mardi 3 décembre": "2026-12-03 is a Thursday", "29/2": "is not in the calendar", "31/11": "is not in the calendar", "11/23": "is not in the calendar",
		},
		"2026-02-10": {"23/11": "could be 2026-11-23 or 2025-11-23", "3/1": "2026-01-03", "3/2": "2026-02-03", "10/8": "2026-08-10"},
		"2028-02-10": {"29/2": "2028-02-29"},
	} {
		now := noon(t, day, "Europe/Paris")
		for in, want := range cases {
			got, err := value.ParseDate(in, now)
			if len(want) == len(time.DateOnly) {
				if err != nil || string(got) != want {
					t.Errorf("%s: ParseDate(%q) = %s, %v; want %s", day, in, got, err, want)
				}
				continue
			}
			if err == nil {
				t.Errorf("%s: ParseDate(%q) = %s", day, in, got)
				continue
			}
			requireInputError(t, err, want)
		}
	}
}

// What can be read in two ways is refused with both.
func TestTwoWays(t *testing.T) {
	t.Parallel()
	now := noon(t, "2026-11-26", "Europe/Paris") // a Thursday
	for in, want := range map[string]string{
		"1/12/26":           "could be 2026-12-01 or 2001-12-26: write the year with four figures",
		"04/06/25":          "could be 2025-06-04 or 2004-06-25",
		"1/12/99":           "could be 2099-12-01 or 1999-12-01",
		"3 dec 26":          "could be 2026-12-03 or 2003-12-26",
		"mar 3":             "could be 3 mars or mardi 3",
		"next friday":       "could be 2026-11-27 or 2026-12-04",
		"vendredi prochain": "could be 2026-11-27 or 2026-12-04",
		"last monday":       "could be 2026-11-23 or 2026-11-16",
		"lundi dernier":     "could be 2026-11-23 or 2026-11-16",
		"+30m":              "could be 30 min or 30 months",
		"+2s":               "could be 2 seconds or 2 semaines",
		"midnight":          "could be its start or its end",
		"demain minuit":     "could be its start or its end",
		"12pm":              "could be 12:00 or 00:00",
		"12:30 am":          "could be 12:30 or 00:30",
		"9":                 "could be 9h or 9/11",
		"25/10/2026 2h30":   "occurs twice in Europe/Paris, where the clocks go back: write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
		"29 mars 2026 2h30": "does not exist in Europe/Paris, where the clocks go forward: write 2026-03-29T03:30:00+02:00",
	} {
		got, err := value.ParseTime(in, now)
		if err == nil {
			t.Errorf("ParseTime(%q) = %v", in, got)
			continue
		}
		requireInputError(t, err, want)
	}
	for in, want := range map[string]value.Date{"next monday": "2026-11-30", "lundi prochain": "2026-11-30", "last sunday": "2026-11-22", "vendredi dernier": "2026-11-20"} {
		if got, err := value.ParseDate(in, now); err != nil || got != want { // both readings are the same day
			t.Errorf("ParseDate(%q) = %s, %v; want %s", in, got, err, want)
		}
	}
	// Tonight and tomorrow of the nights on which the clocks change.
	for day, cases := range map[string]map[string]string{
		"2026-10-24": {"demain 2h30": "occurs twice", "+1d 2h30": "occurs twice", "dimanche 2h30": "occurs twice"},
		"2026-03-29": {"2h30": "does not exist", "today 2:30": "does not exist", "aujourd'hui à 2 h 30": "does not exist"},
	} {
		for in, want := range cases {
			_, err := value.ParseTime(in, noon(t, day, "Europe/Paris"))
			requireInputError(t, err, want)
		}
	}
	// A distance in hours is real time.
	before := time.Date(2026, 10, 25, 0, 30, 0, 0, now.Location())
	if got, err := value.ParseTime("+4h", before); err != nil || got.Format("15:04") != "03:30" {
		t.Errorf("4 hours after %v is %v, %v", before, got, err)
	}
}

func TestParseEnd(t *testing.T) {
	t.Parallel()
	now := noon(t, "2026-11-26", "Europe/Paris")
	start := time.Date(2027, 1, 8, 20, 0, 0, 0, now.Location()) // a Friday
	for in, want := range map[string]string{
		"+4h": "2027-01-09 00:00:00", "+1h30": "2027-01-08 21:30:00", "+90min": "2027-01-08 21:30:00", "dans 2 h": "2027-01-08 22:00:00",
		"23h30": "2027-01-08 23:30:00", "2h": "2027-01-09 02:00:00", "à 2 h": "2027-01-09 02:00:00", "19:59": "2027-01-09 19:59:00",
		"+2d": "2027-01-10 20:00:00", "+2j 18h": "2027-01-10 18:00:00", "+1 mois": "2027-02-08 20:00:00",
		"saturday 2h": "2027-01-09 02:00:00", "samedi": "2027-01-09 00:00:00", "9/1 2h": "2027-01-09 02:00:00", "9 janvier": "2027-01-09 00:00:00",
		"7/1": "2028-01-07 00:00:00", "2027-01-08 23:00": "2027-01-08 23:00:00", "tomorrow 14h": "2026-11-27 14:00:00",
	} {
		if got, err := value.ParseEnd(in, now, start); err != nil || got.Format(time.DateTime) != want {
			t.Errorf("ParseEnd(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	_, err := value.ParseEnd("20h", now, start)
	requireInputError(t, err, "could be 2027-01-08 or 2027-01-09: write its day too")
	// The night on which the clocks go back is an hour longer.
	if got, err := value.ParseEnd("+4h", now, time.Date(2026, 10, 25, 0, 0, 0, 0, now.Location())); err != nil || got.Format(time.DateTime) != "2026-10-25 03:00:00" {
		t.Errorf("%v, %v", got, err)
	}
	for in, want := range map[string][2]bool{
		"+4h": {true, true}, "23h30": {true, true}, "+2d": {true, true}, "monday": {true, false}, "23/11": {true, false}, "demain 14h": {}, "2026-11-26": {}, "now": {}, "nonsense": {},
	} {
		if matters, needed := value.FromStart(in, now); [2]bool{matters, needed} != want {
			t.Errorf("FromStart(%q) = %v, %v", in, matters, needed)
		}
	}
}

// A month later is a day of that month.
func TestMonths(t *testing.T) {
	t.Parallel()
	for day, cases := range map[string]map[string]value.Date{
		"2026-01-31": {"+1mo": "2026-02-28", "+1 mois": "2026-02-28", "+2 months": "2026-03-31", "-2mois": "2025-11-30", "+1y": "2027-01-31", "+1an": "2027-01-31"},
		"2028-02-29": {"+1 year": "2029-02-28", "-4 ans": "2024-02-29", "dans 2 ans": "2030-02-28", "3 months ago": "2027-11-29"},
	} {
		for in, want := range cases {
			if got, err := value.ParseDate(in, noon(t, day, "Europe/Paris")); err != nil || got != want {
				t.Errorf("%s: ParseDate(%q) = %s, %v; want %s", day, in, got, err, want)
			}
		}
	}
}
