package value

import "time"

// Words are without accents and in lower case, in English and French.

func monthOf(word string) (time.Month, bool) {
	switch word {
	case "january", "jan", "janvier", "janv":
		return time.January, true
	case "february", "feb", "fevrier", "fevr", "fev":
		return time.February, true
	case "march", "mar", "mars":
		return time.March, true
	case "april", "apr", "avril", "avr":
		return time.April, true
	case "may", "mai":
		return time.May, true
	case "june", "jun", "juin":
		return time.June, true
	case "july", "jul", "juillet", "juil":
		return time.July, true
	case "august", "aug", "aout":
		return time.August, true
	case "september", "sep", "sept", "septembre":
		return time.September, true
	case "october", "oct", "octobre":
		return time.October, true
	case "november", "nov", "novembre":
		return time.November, true
	case "december", "dec", "decembre":
		return time.December, true
	}
	return 0, false
}

func weekdayOf(word string) (time.Weekday, bool) {
	switch word {
	case "monday", "mon", "lundi", "lun":
		return time.Monday, true
	case "tuesday", "tue", "tues", "mardi", "mar":
		return time.Tuesday, true
	case "wednesday", "wed", "mercredi", "mer":
		return time.Wednesday, true
	case "thursday", "thu", "thur", "thurs", "jeudi", "jeu":
		return time.Thursday, true
	case "friday", "fri", "vendredi", "ven":
		return time.Friday, true
	case "saturday", "sat", "samedi", "sam":
		return time.Saturday, true
	case "sunday", "sun", "dimanche", "dim":
		return time.Sunday, true
	}
	return 0, false
}

// near are the days that have a name of their own, by their distance from today.
// A longer name stands before one that it begins with.
var near = [...]struct {
	words []string
	days  int
}{
	{[]string{"the", "day", "after", "tomorrow"}, 2},
	{[]string{"day", "after", "tomorrow"}, 2},
	{[]string{"the", "day", "before", "yesterday"}, -2},
	{[]string{"day", "before", "yesterday"}, -2},
	{[]string{"apres", "demain"}, 2},
	{[]string{"apresdemain"}, 2},
	{[]string{"avant", "hier"}, -2},
	{[]string{"avanthier"}, -2},
	{[]string{"today"}, 0},
	{[]string{"aujourdhui"}, 0},
	{[]string{"aujourd", "hui"}, 0},
	{[]string{"tomorrow"}, 1},
	{[]string{"demain"}, 1},
	{[]string{"yesterday"}, -1},
	{[]string{"hier"}, -1},
}

// unit is what distances are counted in.
type unit struct {
	months, days int
	elapsed      time.Duration
}

func unitOf(word string) (unit, bool) {
	switch word {
	case "min", "mins", "mn", "minute", "minutes":
		return unit{elapsed: time.Minute}, true
	case "h", "hr", "hrs", "hour", "hours", "heure", "heures":
		return unit{elapsed: time.Hour}, true
	case "d", "day", "days", "j", "jour", "jours":
		return unit{days: 1}, true
	case "w", "week", "weeks", "sem", "semaine", "semaines":
		return unit{days: 7}, true
	case "mo", "month", "months", "mois":
		return unit{months: 1}, true
	case "y", "year", "years", "an", "ans", "annee", "annees":
		return unit{months: 12}, true
	}
	return unit{}, false
}
