package value_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/value"
)

func TestParseMoney(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]value.Cents{
		"0":                     0,
		"12":                    1200,
		"12.5":                  1250,
		"0.29":                  29,
		"0,07":                  7,
		"1234.56":               123456,
		"1234,56":               123456,
		"1 234,56":              123456,
		"1 234.56":              123456,
		"1\u00a0234,56":         123456,
		"1\u202f234\u00a0567":   123456700,
		"12 345 678.90":         1234567890,
		"007.10":                710,
		"450.00 €":              45000,
		"450€":                  45000,
		"€450":                  45000,
		"€ 1 234,56":            123456,
		"12 EUR":                1200,
		"1 234,50eur":           123450,
		"EUR 12":                1200,
		"\t450,5\u202f€\n":      45050,
		"999 999 999.99":        99_999_999_999,
		strings.Repeat("0", 40): 0,
	} {
		if got, err := value.ParseMoney(in); err != nil || got != want {
			t.Errorf("ParseMoney(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	t.Parallel()
	for reason, inputs := range map[string][]string{
		"missing":                {"", " ", "€", " € ", "EUR"},
		"must not have a sign":   {"-1", "+1", "- 1", "€-5", "\u22125", "1-2"},
		"more than two decimals": {"1.234", "1,234", "0.001", "12.3456"},
		"ambiguous":              {"1,234.56", "1.234,56", "1.2.3", "1,234,567"},
		"more than the maximum of 999 999 999.99 €": {"1000000000", "1 000 000 000,00", "9999999999999999999999999", "18446744073709551617"},
		"is not valid": {
			"1e3", "1E3", "NaN", "Inf", "0x10", "abc", "12a", "1_000", "1'234", "12.", ".50", ",5", ".", "12. 5", "12 .5",
			"1  234", "12 34", "1 2345", "1234 567", "1 23", "1\t234", "1\u2009234", "٣", "１２", "$12", "12 EURO", "12 EUR €", "EUR12EUR", "12 USD", "€12€", "€€12", "1€2", "1\x00", "1\xff",
		},
	} {
		for _, in := range inputs {
			got, err := value.ParseMoney(in)
			if err == nil {
				t.Errorf("ParseMoney(%q) = %d, want a refusal", in, got)
				continue
			}
			requireInputError(t, err, reason)
			if !strings.HasPrefix(reason, "more than the maximum") {
				requireInputError(t, err, "1234.56, 1234,56 or 1 234,56")
			}
		}
	}
}

func TestFormatMoney(t *testing.T) {
	t.Parallel()
	for cents, want := range map[value.Cents][2]string{
		0:              {"0.00", "0.00 €"},
		5:              {"0.05", "0.05 €"},
		-5:             {"-0.05", "-0.05 €"},
		45000:          {"450.00", "450.00 €"},
		99999:          {"999.99", "999.99 €"},
		123450:         {"1234.50", "1 234.50 €"},
		-12345678:      {"-123456.78", "-123 456.78 €"},
		99_999_999_999: {"999999999.99", "999 999 999.99 €"},
		math.MinInt64:  {"-92233720368547758.08", "-92 233 720 368 547 758.08 €"},
	} {
		if got := [2]string{value.FormatMoney(cents), value.FormatEuro(cents)}; got != want {
			t.Errorf("%d is formatted as %q, want %q", cents, got, want)
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"", "0", "1234.56", "1 234,56", "1\u00a0234,56 €", "€12", "1,234.56", "1e3", "NaN", "-1", "999999999.99", "1000000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cents, err := value.ParseMoney(s)
		if err != nil {
			requireInputError(t, err, "Amount ")
			return
		}
		if cents < 0 || cents > 99_999_999_999 {
			t.Fatalf("ParseMoney(%q) = %d", s, cents)
		}
		if strings.Trim(strings.ToUpper(s), "0123456789.,€EUR \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000") != "" {
			t.Errorf("ParseMoney(%q) = %d in spite of other characters", s, cents)
		}
		for _, text := range []string{value.FormatMoney(cents), value.FormatEuro(cents)} {
			if again, err := value.ParseMoney(text); err != nil || again != cents {
				t.Errorf("ParseMoney(%q) = %d, %v; want %d", text, again, err, cents)
			}
		}
	})
}

func FuzzFormatMoney(f *testing.F) {
	for _, seed := range []int64{0, 1, -1, 99, 100, 99_999, 100_000, math.MaxInt64, math.MinInt64} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number int64) {
		cents := value.Cents(number)
		exact := value.FormatMoney(cents)
		got, err := strconv.ParseInt(strings.Replace(exact, ".", "", 1), 10, 64)
		if err != nil || got != number || exact[len(exact)-3] != '.' {
			t.Errorf("FormatMoney(%d) = %q", cents, exact)
		}
		if euro := value.FormatEuro(cents); strings.ReplaceAll(strings.TrimSuffix(euro, " €"), " ", "") != exact {
			t.Errorf("FormatEuro(%d) = %q", cents, euro)
		}
	})
}
