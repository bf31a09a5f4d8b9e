package phone

import (
	"fmt"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// overseasRegions are those whose numbers are dialled within France as French ones. The others, such as New Caledonia,
// have plans of their own, which are dialled from France as from anywhere.
var overseasRegions = []string{"RE", "YT", "GP", "BL", "MF", "GF", "MQ", "PM"}

// inFrance dials a number in France.
func inFrance(dialled string) string {
	number, ok := Parse(dialled, "33")
	if ok {
		number, ok = number.Overseas()
	}
	if !ok || !number.Exists() {
		return ""
	}
	return number.E164()
}

func TestOverseas(t *testing.T) {
	t.Parallel()
	for dialled, want := range map[string]string{
		"0692123456":    "+262692123456",
		"0262123456":    "+262262123456",
		"0263051234":    "+262263051234",
		"0263201234":    "", // no such number in La Réunion, whatever the French plan says
		"0269601234":    "+262269601234",
		"0639012345":    "+262639012345",
		"0590201234":    "+590590201234",
		"0690001234":    "+590690001234",
		"0594101234":    "+594594101234",
		"0694201234":    "+594694201234",
		"0596631234":    "+596596631234",
		"0696201234":    "+596696201234",
		"0598701234":    "+590598701234",
		"0598801234":    "+594598801234",
		"0598901234":    "+596598901234",
		"0709001234":    "+590709001234",
		"0709351234":    "+262709351234",
		"0709991234":    "",
		"0508411234":    "+508411234",
		"0708401234":    "+508708401234",
		"0033692123456": "+262692123456",
		"+33692123456":  "+262692123456", // the wrong code, and still no other number
		"+330692123456": "+262692123456",
		"33692123456":   "+262692123456",
		"+33596631234":  "+596596631234",
		"+33263201234":  "",
		"+262692123456": "+262692123456",
		"+596596631234": "+596596631234",
		"0591123456":    "+33591123456", // of France itself, between those
		"0612345678":    "+33612345678",
		"0800123456":    "+33800123456",
		"0976012345":    "+33976012345",
		"251234":        "", // of New Caledonia: +687 251234
		"+687251234":    "+687251234",
		"40412345":      "", // of French Polynesia
		"+68940412345":  "+68940412345",
	} {
		if got := inFrance(dialled); got != want {
			t.Errorf("%s: %q, want %q", dialled, got, want)
		}
	}
}

// TestOverseasExamples dials the library's examples of each territory in France.
func TestOverseasExamples(t *testing.T) {
	t.Parallel()
	for _, region := range overseasRegions {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			national, want := phonenumbers.GetNationalSignificantNumber(example), phonenumbers.Format(example, phonenumbers.E164)
			if region == "PM" && len(national) == 6 {
				national = saintPierre + national
			}
			for _, dialled := range []string{"0" + national, "+33" + national, want} {
				if got := inFrance(dialled); got != want {
					t.Errorf("%s: %s is %q, want %q", region, dialled, got, want)
				}
			}
		}
	}
}

// TestOverseasPrefixes looks at every beginning of five digits: each fixed or mobile number that a territory has is
// found there and nowhere else, and each beginning that is taken from France has numbers there.
func TestOverseasPrefixes(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	for i := range 80_000 { // what begins with 8 or 9 is the same number from all territories
		national := fmt.Sprintf("%05d1234", i)
		var there []string
		for _, code := range []string{"262", "590", "594", "596", "508"} {
			number := Number{code, national}
			if code == "508" && national[:3] == saintPierre {
				number.national = national[3:]
			}
			if number.Exists() {
				there = append(there, number.E164())
			}
		}
		if first := national[:3]; overseas(first) != nil && !taken[first] {
			taken[first] = len(there) > 0
		}
		number, ok := Number{"33", national}.Overseas()
		switch {
		case len(there) > 1:
			t.Errorf("0%s is in several territories: %v", national, there)
		case len(there) == 1 && (!ok || number.E164() != there[0]):
			t.Errorf("0%s is %s, %t; want %s", national, number.E164(), ok, there[0])
		case len(there) == 0 && ok && number.code != "33":
			t.Errorf("0%s is %s, which no territory has", national, number.E164())
		}
	}
	for first, found := range taken {
		if !found {
			t.Errorf("0%s is taken from France, and nothing is there", first)
		}
	}
}
