package value_test

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/epicevents/crm/internal/value"
)

func TestParsePhone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]value.Phone{
		"0612345678":                         "+33612345678",
		"06 12 34 56 78":                     "+33612345678",
		"06.12.34.56.78":                     "+33612345678",
		"06-12-34-56-78":                     "+33612345678",
		"06\u00a012\u00a034\u201156\u201178": "+33612345678",
		"\u202a+33 6 12 34 56 78\u202c":      "+33612345678",
		"+33612345678":                       "+33612345678",
		"+33 (0)6 12 34 56 78":               "+33612345678",
		"(+33) 6 12 34 56 78":                "+33612345678",
		"0033 6 12 34 56 78":                 "+33612345678",
		" 01 99 00 12 34\n":                  "+33199001234",
		"0800 123 456":                       "+33800123456",
		"+44 20 7946 0958":                   "+442079460958",
		"+1 (202) 555-0123":                  "+12025550123",
		"+39 06 1234 5678":                   "+390612345678",
		"+262 692 12 34 56":                  "+262692123456",
		"0692 12 34 56":                      "+262692123456",
		"0596 63 12 34":                      "+596596631234",
		"+33 (0)596 63 12 34":                "+596596631234",
		"05 08 41 12 34":                     "+508411234",
	} {
		if got, err := value.ParsePhone(in); err != nil || got != want {
			t.Errorf("ParsePhone(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for reason, inputs := range map[string][]string{
		"is not valid": {
			"", "+", "()", "12", "112", "3949", "06 12 34 56", "06 12 34 56 789", "+33 6 12 34 56", "+999 123 456 789", "0012",
			"06 12 34 56 78 / 06 98 76 54 32", "+1 555 0123", strings.Repeat("1", 300),
			"0263 20 12 34", "+33 263 20 12 34", "+33 9999 9999", "25 12 34",
		},
		"must not contain letters or an extension": {
			"call me", "+1 800 FLOWERS", "06 12 34 56 78 poste 3", "06 12 34 56 78 ext. 3", "0612345678x3", "06 12 34 56 78#3", "0612345678;ext=3",
			"tel:+33612345678", "06 12 34 56 78, 9", "06+12345678", "++33612345678", "٠٦١٢٣٤٥٦٧٨", "０６１２３４５６７８", "06\x1b12345678", "06\t12345678", "0612345678\xff",
		},
	} {
		for _, in := range inputs {
			got, err := value.ParsePhone(in)
			if err == nil {
				t.Errorf("ParsePhone(%q) = %q, want a refusal", in, got)
				continue
			}
			requireInputError(t, err, "Phone number", reason, "01 23 45 67 89")
		}
	}
}

// TestD1PhonesOverseas has each row of the national forms of overseas France, by the code that its country has.
func TestD1PhonesOverseas(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typed, zone string
		want        value.Phone // empty: refused
	}{
		{"0692 12 34 56", "Europe/Paris", "+262692123456"},
		{"0262 12 34 56", "Europe/Paris", "+262262123456"},
		{"0590 20 12 34", "Europe/Paris", "+590590201234"},
		{"0690 00 12 34", "Europe/Paris", "+590690001234"},
		{"0694 20 12 34", "Europe/Paris", "+594694201234"},
		{"0594 10 12 34", "Europe/Paris", "+594594101234"},
		{"0696 20 12 34", "Europe/Paris", "+596696201234"},
		{"0596 63 12 34", "Europe/Paris", "+596596631234"},
		{"0639 01 23 45", "Europe/Paris", "+262639012345"},
		{"0508 41 12 34", "Europe/Paris", "+508411234"},
		{"0263 20 12 34", "Europe/Paris", ""}, // La Réunion has no such number
		{"+33 263 20 12 34", "Europe/Paris", ""},
		{"+33 596 63 12 34", "Europe/Paris", "+596596631234"},
		// The territories overseas whose clocks are those of the configuration.
		{"0692 12 34 56", "Indian/Reunion", "+262692123456"},
		{"0639 01 23 45", "Indian/Mayotte", "+262639012345"},
		{"0696 20 12 34", "America/Martinique", "+596696201234"},
		{"01 45 67 89 01", "Indian/Reunion", "+33145678901"},
		{"41 12 34", "America/Miquelon", "+508411234"},
		{"25 12 34", "Pacific/Noumea", "+687251234"},
		{"25.12.34", "Pacific/Noumea", "+687251234"},
		{"40 41 23 45", "Pacific/Tahiti", "+68940412345"},
		{"87 12 34 56", "Pacific/Marquesas", "+68987123456"},
		{"72 12 34", "Pacific/Wallis", "+681721234"},
		{"+687 25 12 34", "Pacific/Tahiti", "+687251234"},
		{"01 45 67 89 01", "Pacific/Noumea", "+33145678901"},
		{"00 33 1 45 67 89 01", "Pacific/Noumea", "+33145678901"},
		// And where they are not, nobody knows whose they are.
		{"25 12 34", "Europe/Paris", ""},
		{"25 12 34", "Pacific/Tahiti", ""},
		{"40 41 23 45", "Pacific/Noumea", ""},
		{"25 12 34 56", "Pacific/Noumea", ""},
		{"25 12 34 poste 3", "Pacific/Noumea", ""},
		{"", "Pacific/Noumea", ""},
	} {
		got, err := value.ParsePhoneIn(tc.typed, loadZone(t, tc.zone))
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s in %s: %q, %v; want %q", tc.typed, tc.zone, got, err, tc.want)
		}
		if err != nil {
			requireInputError(t, err, "Phone number ")
		} else if err := value.CheckPhone(got); err != nil {
			t.Errorf("%s in %s is stored as %s: %v", tc.typed, tc.zone, got, err)
		}
	}
}

func TestFormatPhone(t *testing.T) {
	t.Parallel()
	for in, want := range map[value.Phone]string{
		"+33612345678":       "+33 6 12 34 56 78",
		"+442079460958":      "+44 20 7946 0958",
		"+390612345678":      "+39 06 1234 5678",
		"+67812345678":       "+678 12345678",
		"":                   "",
		"0612345678":         "0612345678",
		"+330612345678":      "+330612345678",
		"+33612345678;ext=3": "+33612345678;ext=3",
		"+1800FLOWERS":       "+1800FLOWERS",
		"unknown \x1b":       "unknown \x1b",
		"+99912345678":       "+99912345678",
	} {
		if got := value.FormatPhone(in); got != want {
			t.Errorf("FormatPhone(%q) = %q, want %q", in, got, want)
		}
	}
}

// The library holds an example of each kind of number for each country.
func TestPhoneOfEveryCountry(t *testing.T) {
	t.Parallel()
	kinds := []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE}
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range kinds {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			e164 := value.Phone(phonenumbers.Format(example, phonenumbers.E164))
			for _, text := range []string{string(e164), value.FormatPhone(e164)} {
				if got, err := value.ParsePhone(text); err != nil || got != e164 {
					t.Errorf("%s: ParsePhone(%q) = %q, %v; want %q", region, text, got, err, e164)
				}
			}
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, seed := range []string{"", "06 12 34 56 78", "+33 (0)6 12 34 56 78", "+1 202 555 0123", "+39 06 1234 5678", "+54 9 11 2345 6789", "+800 1234 5678", "+52 1 55 1234 5678", "112", "tel:+33", "++"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		value.FormatPhone(value.Phone(s))
		e164, err := value.ParsePhone(s)
		if err != nil {
			requireInputError(t, err, "Phone number ")
			return
		}
		digits, plus := strings.CutPrefix(string(e164), "+")
		if !plus || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" || strings.HasPrefix(digits, "0") {
			t.Fatalf("ParsePhone(%q) = %q", s, e164)
		}
		for _, text := range []string{string(e164), value.FormatPhone(e164)} {
			if again, err := value.ParsePhone(text); err != nil || again != e164 {
				t.Errorf("ParsePhone(%q) = %q, %v; want %q", text, again, err, e164)
			}
		}
	})
}
