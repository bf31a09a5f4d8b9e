package value_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/value"
)

func TestParseContractID(t *testing.T) {
	t.Parallel()
	const whole = "6b9d32a5-88c1-4e0f-9a27-0c5d1e7f3b42"
	for in, want := range map[string][2]string{
		whole:                        {whole, whole},
		" " + strings.ToUpper(whole): {whole, whole},
		"6b9d32":                     {"6b9d3200-0000-0000-0000-000000000000", "6b9d32ff-ffff-ffff-ffff-ffffffffffff"},
		"6B9D32A5":                   {"6b9d32a5-0000-0000-0000-000000000000", "6b9d32a5-ffff-ffff-ffff-ffffffffffff"},
		"6b9d32a5-":                  {"6b9d32a5-0000-0000-0000-000000000000", "6b9d32a5-ffff-ffff-ffff-ffffffffffff"},
		"6b9d32a5-88c":               {"6b9d32a5-88c0-0000-0000-000000000000", "6b9d32a5-88cf-ffff-ffff-ffffffffffff"},
		"6b9d32a588":                 {"6b9d32a5-8800-0000-0000-000000000000", "6b9d32a5-88ff-ffff-ffff-ffffffffffff"},
		"6B9D32A588C14E0F":           {"6b9d32a5-88c1-4e0f-0000-000000000000", "6b9d32a5-88c1-4e0f-ffff-ffffffffffff"},
		whole[:35]:                   {whole[:35] + "0", whole[:35] + "f"},
	} {
		lo, hi, err := value.ParseContractID(in)
		if got := [2]string{lo.String(), hi.String()}; err != nil || got != want {
			t.Errorf("ParseContractID(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "6b9d3", "6b-9d32", "6b9d32-", "6b9d32a588-c1", "6b9d32a5_88c1", "6b9d32a5--8c1", "g00000", "6b9d3\u0660", whole + "0", whole + "-",
		"{" + whole, "urn:uuid:" + whole[:20], "6b9d32%", "6b9d32\x00", "6b9d32\xff", "------",
	} {
		_, _, err := value.ParseContractID(in)
		requireInputError(t, err, "Contract", "is not valid", "first 6 characters")
	}
}

// TestE6UUIDs: a whole UUID is taken however it is written, for it can only mean one thing.
func TestE6UUIDs(t *testing.T) {
	t.Parallel()
	const whole = "6b9d32a5-88c1-4e0f-9a27-0c5d1e7f3b42"
	for _, in := range []string{
		whole, strings.ToUpper(whole), " " + whole + " ", strings.ReplaceAll(whole, "-", ""), "urn:uuid:" + whole, "URN:UUID:" + strings.ToUpper(whole), "{" + whole + "}",
	} {
		lo, hi, err := value.ParseContractID(in)
		if err != nil || lo.String() != whole || hi != lo {
			t.Errorf("ParseContractID(%q) = %s, %s, %v", in, lo, hi, err)
		}
	}
}

// TestUUIDsInHalfBraces: what stands around a UUID is a pair of braces and nothing else, for an id with a letter too many
// is a slip of the hand that may have hit the id too.
func TestUUIDsInHalfBraces(t *testing.T) {
	t.Parallel()
	const whole = "6b9d32a5-88c1-4e0f-9a27-0c5d1e7f3b42"
	for _, in := range []string{"{" + whole, whole + "}", "{" + whole + "l", "x" + whole + "}", "0" + whole + "0", "}" + whole + "{", "{}" + whole} {
		if _, err := value.ParseUUID(in); err == nil {
			t.Errorf("ParseUUID(%q): no error", in)
		}
		_, _, err := value.ParseContractID(in)
		requireInputError(t, err, "Contract ")
	}
}

func FuzzParseContractID(f *testing.F) {
	for _, seed := range []string{"", "6b9d32", "6B9D32A5-88c1", "6b9d32a5-88c1-4e0f-9a27-0c5d1e7f3b42", "6b9d32a588c14e0f9a270c5d1e7f3b42", "{6b9d32a5-88c1-4e0f-9a27-0c5d1e7f3b42}", "{6b9d32a5-88c1-4e0f-9a27-0c5d1e7f3b42l"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lo, hi, err := value.ParseContractID(s)
		if err != nil {
			requireInputError(t, err, "Contract ")
			return
		}
		digits := strings.NewReplacer("-", "", "{", "", "}", "", "urn:uuid:", "")
		prefix := digits.Replace(strings.ToLower(strings.TrimSpace(s)))
		if !strings.HasPrefix(digits.Replace(lo.String()), prefix) || !strings.HasPrefix(digits.Replace(hi.String()), prefix) || bytes.Compare(lo[:], hi[:]) > 0 {
			t.Errorf("ParseContractID(%q) = %s, %s", s, lo, hi)
		}
		if isWhole := len(prefix) == 2*len(uuid.Nil); isWhole != (lo == hi) {
			t.Errorf("ParseContractID(%q) = %s, %s: whole is %t", s, lo, hi, isWhole)
		}
	})
}
