package numbering

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

var update = flag.Bool("update", false, "take plans.txt from the library")

// TestPlansAreFresh: plans.txt is what the library of go.mod knows.
func TestPlansAreFresh(t *testing.T) {
	text := generate(t)
	if *update {
		if err := os.WriteFile("plans.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		plans = text
	}
	if text != plans {
		t.Error("plans.txt is not what the library knows: go test ./internal/numbering -update")
	}
}

func generate(t *testing.T) string {
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
	b.WriteString("Made by go test ./internal/numbering -update from github.com/nyaruka/phonenumbers, which takes it from Google's libphonenumber.\n")
	line := func(name string, values ...string) {
		if strings.Join(values, "") != "" {
			if strings.ContainsAny(strings.Join(values, ""), "\t\n") {
				t.Fatalf("%s %q has what separates", name, values)
			}
			b.WriteString(name + "\t" + strings.Join(values, "\t") + "\n")
		}
	}
	lengths := func(list []int32) string { return strings.Trim(fmt.Sprint(list), "[]") }
	var codes []int
	for code := range phonenumbers.GetSupportedCallingCodes() {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
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
				if expression := desc.GetNationalNumberPattern(); expression != "" && !slices.Contains(desc.GetPossibleLength(), -1) {
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

// same checks that the library says the same of a number.
func same(t *testing.T, dialled, home, region string) (exists bool) {
	t.Helper()
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

// TestExamples has the library's example of every kind of number in every country, as it is and dialled otherwise.
func TestExamples(t *testing.T) {
	t.Parallel()
	numbers := 0
	for region := range phonenumbers.GetSupportedRegions() {
		home := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))
		main := phonenumbers.GetRegionCodeForCountryCode(phonenumbers.GetCountryCodeForRegion(region))
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			numbers++
			e164 := phonenumbers.Format(example, phonenumbers.E164)
			national := phonenumbers.NormalizeDigitsOnly(phonenumbers.Format(example, phonenumbers.NATIONAL))
			for _, dialled := range []string{e164, "00" + e164[1:], "+00" + e164[1:], e164[1:], national, "0" + national} {
				same(t, dialled, "33", "FR")
				same(t, dialled, home, main)
			}
			same(t, e164, "", phonenumbers.UNKNOWN_REGION)
		}
	}
	if numbers < 1000 {
		t.Errorf("only %d examples", numbers)
	}
}

// TestRandom has numbers that nearly are some: examples with a digit changed, added or taken away, and mere digits.
func TestRandom(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	digit := func() string { return strconv.Itoa(random.IntN(10)) }
	var seeds []string
	for code := range phonenumbers.GetSupportedCallingCodes() {
		for _, region := range phonenumbers.GetRegionCodesForCountryCode(code) {
			for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
				if example := phonenumbers.GetExampleNumberForType(region, kind); example != nil {
					seeds = append(seeds, phonenumbers.Format(example, phonenumbers.E164))
				}
			}
		}
		if example := phonenumbers.GetExampleNumberForNonGeoEntity(code); example != nil {
			seeds = append(seeds, phonenumbers.Format(example, phonenumbers.E164))
		}
	}
	slices.Sort(seeds)
	exist := 0
	for range 40_000 {
		number := seeds[random.IntN(len(seeds))]
		for range 1 + random.IntN(3) {
			at := 1 + random.IntN(len(number)-1)
			switch random.IntN(4) {
			case 0, 1:
				number = number[:at] + digit() + number[at+1:]
			case 2:
				number = number[:at] + digit() + number[at:]
			case 3:
				number = number[:at] + number[min(at+1, len(number)-1):]
			}
		}
		if same(t, number, "33", "FR") {
			exist++
		}
		same(t, number[1:], "33", "FR")
		same(t, "0"+digit()+digit()+digit()+digit()+number[len(number)-min(5, len(number)-1):], "33", "FR")
	}
	if exist < 1000 {
		t.Errorf("only %d of them exist", exist)
	}
}

// TestTooShort has what is hardly a number.
func TestTooShort(t *testing.T) {
	t.Parallel()
	for _, dialled := range []string{"", "+", "0", "00", "000", "+0", "+00", "+000", "1", "+1", "+33", "+331", "0033", "00331", "33", "3", "+999", "00999123456", "112", "3631", "+33112"} {
		same(t, dialled, "33", "FR")
	}
	same(t, strings.Repeat("1", 300), "33", "FR")
	same(t, "+"+strings.Repeat("1", 300), "33", "FR")
}
