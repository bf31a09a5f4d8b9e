package service_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
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
			if got = err.Error(); failure.CodeOf(err) != failure.Usage {
				t.Errorf("%q: code %s", in, failure.CodeOf(err))
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
	if _, err := p.as("administrator1").EmployeeSetPassword(t.Context(), "none1", "une clé cachée sous le pot", false); err != nil {
		t.Fatal(err)
	}
	must[string](t)(p.svc.Login(t.Context(), "none1", "une cle\u0301 cache\u0301e sous le pot"))
}

func TestGeneratePassword(t *testing.T) {
	t.Parallel()
	one, other := service.GeneratePassword(), service.GeneratePassword()
	if one == other || !regexp.MustCompile(`^([A-Z2-7]{5}-){4}[A-Z2-7]{5}$`).MatchString(one) {
		t.Errorf("%s and %s", one, other)
	}
	if err := service.CheckPassword("anyone", one); err != nil {
		t.Error(err)
	}
}

// TestOneTimePasswordAsTyped takes one in either case and however it is grouped. Whatever a person has chosen is exact,
// also where it looks the same.
func TestOneTimePasswordAsTyped(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	const made, wrong = "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY", "Unknown username or wrong password."
	must[service.NewPassword](t)(p.as("administrator1").EmployeeSetPassword(ctx, "none1", made, true))
	for _, typed := range []string{made, "abcde-fghij-klmno-pqrst-uvwxy", "ABCDE FGHIJ KLMNO PQRST UVWXY", "abcdefghijklmnopqrstuvwxy", " abcde\u00a0fghij–KLMNO PQRST-uvwxy "} {
		must[string](t)(p.svc.Login(ctx, "none1", typed))
	}
	for _, typed := range []string{made + "A", made[1:], "ABCDE_FGHIJ_KLMNO_PQRST_UVWXY"} {
		fails(t, failure.Unauthenticated, wrong, second(p.svc.Login(ctx, "none1", typed)))
	}
	p.exec("DELETE FROM login_failure")
	own := p.as("none1")
	p.refuses(failure.Usage, "The new password is the current one.", func() error {
		return second(own.AuthChangePassword(ctx, made, strings.ToLower(made)))
	})
	const chosen = "wronghorsebatterystaplesa" // 25 letters
	must[string](t)(own.AuthChangePassword(ctx, strings.ToLower(made), chosen))
	must[string](t)(p.svc.Login(ctx, "none1", chosen))
	fails(t, failure.Unauthenticated, wrong, second(p.svc.Login(ctx, "none1", strings.ToUpper(chosen))))
	fails(t, failure.Unauthenticated, wrong, second(p.svc.Login(ctx, "none1", chosen[:5]+"-"+chosen[5:])))
}

// TestOneTimePasswordEnds after a week: whoever knows it is told so, others that it is wrong, and no session begins.
func TestOneTimePasswordEnds(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	administrator := p.as("administrator1")
	added := must[service.NewPassword](t)(administrator.EmployeeAdd(ctx, gen.EmployeeAddParams{Username: "luc", Fullname: "Luc", Role: gen.RoleNone}, goodPassword))
	until := "SELECT password_one_time_until FROM employee WHERE username = 'luc'"
	if stored := one[time.Time](p, until); !stored.Equal(*added.Until) || stored.Sub(one[time.Time](p, "SELECT now()")).Round(time.Hour) != 7*24*time.Hour {
		t.Errorf("good until %v, stored is %v", added.Until, stored)
	}
	login := func(password string) error { return second(p.svc.Login(ctx, "luc", password)) }
	p.exec("UPDATE employee SET password_one_time_until = now() + interval '1 minute' WHERE username = 'luc'")
	if err := login(goodPassword); err != nil {
		t.Fatal(err)
	}
	p.exec("UPDATE employee SET password_one_time_until = now() WHERE username = 'luc'; DELETE FROM session")
	fails(t, failure.Unauthenticated, "This one-time password is over; ask an administrator for a new one.", login(goodPassword))
	fails(t, failure.Unauthenticated, "Unknown username or wrong password.", login(goodPassword+"!"))
	if n := one[int](p, "SELECT count(*) FROM session"); n != 0 {
		t.Errorf("%d sessions", n)
	}

	must[service.NewPassword](t)(p.as("administrator1").EmployeeSetPassword(ctx, "luc", goodPassword, false))
	token := must[string](t)(p.svc.Login(ctx, "luc", goodPassword))
	must[string](t)(must[*service.Session](t)(p.svc.As(token)).AuthChangePassword(ctx, goodPassword, "un mot de passe à moi"))
	if until := one[*time.Time](p, until); until != nil {
		t.Errorf("the chosen password ends at %v", until)
	}
	if err := login("un mot de passe à moi"); err != nil {
		t.Error(err)
	}
}

// TestOneTimeUnlessOwn: what somebody else knows is good for one login, what one sets for oneself for all.
func TestOneTimeUnlessOwn(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	for _, c := range []struct {
		name    string
		set     func() (service.NewPassword, error)
		oneTime bool
	}{
		{"another's", func() (service.NewPassword, error) {
			return p.as("administrator1").EmployeeSetPassword(ctx, "luc", goodPassword, false)
		}, true},
		{"another's, made", func() (service.NewPassword, error) {
			return p.as("administrator1").EmployeeSetPassword(ctx, "luc", goodPassword, true)
		}, true},
		{"one's own", func() (service.NewPassword, error) {
			return p.as("luc").EmployeeSetPassword(ctx, "luc", goodPassword, false)
		}, false},
		{"one's own, made", func() (service.NewPassword, error) {
			return p.as("luc").EmployeeSetPassword(ctx, "luc", goodPassword, true)
		}, true},
		{"by the owner of the database", func() (service.NewPassword, error) { return p.svc.DbSetPassword(ctx, "luc", goodPassword) }, true},
	} {
		p.exec("DELETE FROM employee WHERE username = 'luc'")
		p.employee("luc", "administrator")
		p.exec("INSERT INTO login_failure VALUES ('luc', 9, now() + interval '1 hour')")
		set := must[service.NewPassword](t)(c.set())
		if stored := one[bool](p, "SELECT password_one_time FROM employee WHERE username = 'luc'"); stored != c.oneTime || (set.Until != nil) != c.oneTime {
			t.Errorf("%s: one-time is %t, until %v", c.name, stored, set.Until)
		}
		must[string](t)(p.svc.Login(ctx, "luc", goodPassword)) // a new password ends the wait
	}
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error { return second(p.svc.DbSetPassword(ctx, "nobody", goodPassword)) })
}
