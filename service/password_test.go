package service_test

import (
	"os"
	"strings"
	"testing"

	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	const (
		length   = "A password has 15 to 128 characters."
		common   = "This password is one of the first that would be guessed."
		username = "A password is not made of the username."
	)
	for in, want := range map[string]string{
		"":                             length,
		"fourteen chars":               length,
		"fifteen chars!!":              "",
		"no rules of composition":      "",
		strings.Repeat("ab", 64):       "",
		strings.Repeat("ab", 65):       length,
		strings.Repeat("é", 13) + "a":  length, // counted in characters, not in bytes
		strings.Repeat("éa", 64):       "",
		strings.Repeat("e\u0301a", 64): "", // the same in two characters each, counted in NFC
		strings.Repeat("e\u0301", 14):  length,
		"日本語のとても長い合言葉です。": "",
		"aaaaaaaaaaaaaaaa":                 common,
		"zzzzzzzzzzzzzzzzz":                common,
		"zzzzzzzzZZZZZZZZ":                 common,
		strings.Repeat("é", 20):            common,
		strings.Repeat("É", 20):            common,
		strings.Repeat(" ", 20):            common,
		strings.Repeat("🔑", 20):            common,
		"passwordpassword":                 common,
		"PasswordPassword":                 common,
		"passwordpassword!":                "",
		schema.SamplePassword:              common,
		"lea.martin-rochelea.martin-roche": username,
		"Lea.Martin-Roche":                 username,
		"lea.martin-roche12345":            username,
		"lea.martin-roche123456":           "",
	} {
		got := ""
		if err := service.CheckPassword("lea.martin-roche", in); err != nil {
			if got = err.Error(); service.CodeOf(err) != service.Usage {
				t.Errorf("%q: code %s", in, service.CodeOf(err))
			}
		}
		if got != want {
			t.Errorf("CheckPassword(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCommonPasswords are all refused, and none is in the list that its length refuses anyhow.
func TestCommonPasswords(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("password_common.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.TrimPrefix(string(list), "\n")) {
		if err := service.CheckPassword("anyone", strings.TrimSuffix(line, "\n")); err == nil || !strings.Contains(err.Error(), "guessed") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// TestPasswordNormalised is the same password, whichever way a keyboard composes its accents.
func TestPasswordNormalised(t *testing.T) {
	t.Parallel()
	p := sample(t)
	if _, err := p.as("administrator1").EmployeeSetPassword(t.Context(), "none1", "une clé cachée sous le pot"); err != nil {
		t.Fatal(err)
	}
	must[string](t)(p.svc.Login(t.Context(), "none1", "une cle\u0301 cache\u0301e sous le pot"))
}
