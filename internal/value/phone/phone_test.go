package phone

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

var update = flag.Bool("update", false, "take plans.txt from the library")

// TestPlansAreCurrent: plans.txt is what the library of go.mod knows.
func TestPlansAreCurrent(t *testing.T) {
	text := plansOfTheLibrary(t)
	if *update {
		if err := os.WriteFile("plans.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != plans {
		t.Error("plans.txt is not what the library knows: make gen")
	}
}

func plansOfTheLibrary(t *testing.T) string {
	t.Helper()
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	regions := map[string]*phonenumbers.PhoneMetadata{}
	for _, m := range collection.GetMetadata() {
		regions[fmt.Sprint(m.GetCountryCode(), m.GetId())] = m
	}
	var b strings.Builder
	b.WriteString("Made by make gen from github.com/nyaruka/phonenumbers, whose data is that of Google's libphonenumber.\n")
	line := func(name string, values ...string) {
		text := strings.Join(values, "")
		if text == "" {
			return
		}
		if strings.ContainsAny(text, "\t\n") {
			t.Fatalf("%s %q has what separates", name, values)
		}
		b.WriteString(name + "\t" + strings.Join(values, "\t") + "\n")
	}
	lengths := func(list []int32) string { return strings.Trim(fmt.Sprint(list), "[]") }
	for _, code := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedCallingCodes())) {
		for _, region := range phonenumbers.GetRegionCodesForCountryCode(code) {
			m := regions[fmt.Sprint(code, region)]
			if m == nil {
				t.Fatalf("no plan of %d %s", code, region)
			}
			b.WriteString(codeMark + strconv.Itoa(code) + " " + region + "\n")
			line("abroad", m.GetInternationalPrefix())
			line("leading", m.GetLeadingDigits())
			line("prefix", m.GetNationalPrefixForParsing())
			line("transform", m.GetNationalPrefixTransformRule())
			general := m.GetGeneralDesc()
			line("general", lengths(general.GetPossibleLength()), general.GetNationalNumberPattern())
			line("local", lengths(general.GetPossibleLengthLocalOnly()))
			for _, desc := range []*phonenumbers.PhoneNumberDesc{
				m.GetFixedLine(), m.GetMobile(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(), m.GetVoip(),
				m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
			} {
				expression := desc.GetNationalNumberPattern()
				if expression != "" && expression != "NA" && !slices.Contains(desc.GetPossibleLength(), -1) {
					line("kind", lengths(desc.GetPossibleLength()), expression)
				}
			}
			formats := m.GetIntlNumberFormat()
			if len(formats) == 0 {
				formats = m.GetNumberFormat()
			}
			for _, f := range formats {
				leading := ""
				if all := f.GetLeadingDigitsPattern(); len(all) > 0 {
					leading = all[len(all)-1]
				}
				line("format", leading, f.GetPattern(), f.GetFormat())
			}
		}
	}
	return b.String()
}

// same checks that the library says the same of a number that is dialled in a region, which is the main one of its code
// or empty, and reports whether the number exists.
func same(t *testing.T, dialled, region string) bool {
	t.Helper()
	home := ""
	if region == "" {
		region = phonenumbers.UNKNOWN_REGION
	} else {
		home = strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))
	}
	want, wantInternational := "", ""
	if number, err := phonenumbers.Parse(dialled, region); err == nil && phonenumbers.IsValidNumber(number) {
		want = phonenumbers.Format(number, phonenumbers.E164)
		wantInternational = phonenumbers.Format(number, phonenumbers.INTERNATIONAL)
	}
	got, international := "", ""
	if number, ok := Parse(dialled, home); ok && number.Exists() {
		got, international = number.E164(), number.International()
	}
	if got != want || international != wantInternational {
		t.Errorf("%s from %q: %q %q, the library says %q %q", dialled, region, got, international, want, wantInternational)
	}
	return want != ""
}

// mainRegion returns the region by whose plan a code is dialled.
func mainRegion(region string) string {
	return phonenumbers.GetRegionCodeForCountryCode(phonenumbers.GetCountryCodeForRegion(region))
}

// examples returns the library's numbers of each kind in each region, and of the codes that are no region's.
func examples() (numbers []*phonenumbers.PhoneNumber, regions []string) {
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			if example := phonenumbers.GetExampleNumberForType(region, kind); example != nil {
				numbers, regions = append(numbers, example), append(regions, region)
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedGlobalNetworkCallingCodes())) {
		if example := phonenumbers.GetExampleNumberForNonGeoEntity(code); example != nil {
			numbers, regions = append(numbers, example), append(regions, "FR")
		}
	}
	return numbers, regions
}

// TestExamples has each example as it is, dialled otherwise, and with a digit changed, added and left out, there and in
// France.
func TestExamples(t *testing.T) {
	t.Parallel()
	numbers, regions := examples()
	exist := 0
	for i, example := range numbers {
		e164 := phonenumbers.Format(example, phonenumbers.E164)
		national := phonenumbers.NormalizeDigitsOnly(phonenumbers.Format(example, phonenumbers.NATIONAL))
		most, last := e164[:len(e164)-1], e164[len(e164)-1]
		for _, dialled := range []string{
			e164, "00" + e164[1:], "+00" + e164[1:], e164[1:], national, "0" + national,
			most + string('0'+(last-'0'+1)%10), most, e164 + "0", most[1:], "0" + e164[4:],
		} {
			same(t, dialled, "FR")
			same(t, dialled, mainRegion(regions[i]))
		}
		if same(t, e164, "") {
			exist++
		}
	}
	if exist < 1000 {
		t.Errorf("only %d examples exist", exist)
	}
}

// TestHardlyANumber has what is too short or too long, or has no country.
func TestHardlyANumber(t *testing.T) {
	t.Parallel()
	for _, dialled := range []string{
		"", "+", "0", "00", "000", "+0", "+00", "+000", "1", "+1", "+33", "+331", "0033", "00331", "33", "3", "+999", "00999123456",
		"112", "3631", "+33112", strings.Repeat("1", 300), "+" + strings.Repeat("1", 300), strings.Repeat("0", 18), "+33" + strings.Repeat("0", 17),
	} {
		same(t, dialled, "FR")
		same(t, dialled, "")
	}
}

// FuzzParse compares with the library, number by number: digits and plus signs, dialled in France and elsewhere.
func FuzzParse(f *testing.F) {
	numbers, regions := examples()
	for i, example := range numbers {
		if i == 0 || regions[i] != regions[i-1] {
			f.Add(phonenumbers.Format(example, phonenumbers.E164), i)
		}
	}
	f.Fuzz(func(t *testing.T, dialled string, at int) {
		plus, digits := "", dialled
		if strings.HasPrefix(digits, "+") {
			plus, digits = "+", digits[1:]
		}
		digits = strings.Map(func(r rune) rune { // of anything else, what reads a field makes nothing
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, digits)
		same(t, plus+digits, "FR")
		same(t, plus+digits, "")
		same(t, plus+digits, mainRegion(regions[int(uint(at)%uint(len(regions)))]))
	})
}
