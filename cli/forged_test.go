//go:build unix

package cli

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/dbtest"
)

// claimsOf is what a good token says, of a session that is in the database.
func claimsOf(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	var claims jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func signedWith(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims, change jwt.MapClaims) string {
	t.Helper()
	claims = maps.Clone(claims)
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestForgedTokens: a token that crm did not make, or not so, is exit 3 for reading and writing, from the variable and
// from the file, and the database stays as it is.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	key, token := []byte(e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"]), e.vars["CRM_TOKEN"]
	good := claimsOf(t, token)
	parts := strings.Split(token, ".")
	e.as("none1")
	none := strings.Split(e.vars["CRM_TOKEN"], ".")
	changed := func(change jwt.MapClaims) string { return signedWith(t, jwt.SigningMethodHS256, key, good, change) }

	processes := newEnv(t)
	processes.config = e.config
	processes.vars = append(processes.vars, "CRM_DATABASE_URL="+e.vars["CRM_DATABASE_URL"])
	s := story{dbtest.Connect(t, e.config)}
	state := func() string {
		rows, err := s.query(t.Context(), "SELECT username, role, password_hash FROM employee ORDER BY id; SELECT id, employee_id FROM session ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(rows, "\n")
	}
	before := state()
	write := []string{"employee", "set-role", "none1", "--role", "administrator"}
	run := func(t *testing.T, env string, args ...string) (int, string, string) {
		cmd := processes.command(args...)
		cmd.Env = append(cmd.Env, env)
		var out, err strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &err
		return exitCode(cmd.Run()), out.String(), err.String()
	}
	for name, forged := range map[string]string{
		"other key":      signedWith(t, jwt.SigningMethodHS256, []byte(strings.Repeat("q", 32)), good, nil),
		"empty key":      signedWith(t, jwt.SigningMethodHS256, []byte{}, good, nil),
		"alg none":       signedWith(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good, nil),
		"HS512":          signedWith(t, jwt.SigningMethodHS512, key, good, nil),
		"no signature":   parts[0] + "." + parts[1] + ".",
		"altered":        none[0] + "." + parts[1] + "." + none[2],
		"expired":        changed(jwt.MapClaims{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"never expires":  changed(jwt.MapClaims{"exp": nil}),
		"other issuer":   changed(jwt.MapClaims{"iss": "someone"}),
		"other audience": changed(jwt.MapClaims{"aud": "web"}),
		"unknown jti":    changed(jwt.MapClaims{"jti": uuid.NewString()}),
		"other's jti":    changed(jwt.MapClaims{"jti": claimsOf(t, e.vars["CRM_TOKEN"])["jti"]}),
		"no jti":         changed(jwt.MapClaims{"jti": nil}),
		"no subject":     changed(jwt.MapClaims{"sub": nil}),
		"other subject":  changed(jwt.MapClaims{"sub": "2"}),
		"junk":           "junk",
	} {
		for _, args := range [][]string{{"auth", "whoami"}, write} {
			code, stdout, stderr := run(t, "CRM_TOKEN="+forged, args...)
			if code != 3 || stdout != "" || !strings.HasPrefix(stderr, "crm: The token in CRM_TOKEN is not good: ") {
				t.Errorf("%s: crm %q: exit %d, %s%s", name, args, code, stdout, stderr)
			}
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(processes.tokenFile()), 0o700), os.WriteFile(processes.tokenFile(), []byte(forged+"\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if code, stdout, stderr := run(t, "CRM_TOKEN=", write...); code != 3 || stdout != "" {
			t.Errorf("%s in the file: exit %d, %s%s", name, code, stdout, stderr)
		}
	}
	if after := state(); after != before {
		t.Errorf("the database was\n%s\nand is\n%s", before, after)
	}
	if code, _, stderr := run(t, "CRM_TOKEN="+changed(nil), "auth", "whoami"); code != 0 {
		t.Errorf("a good token: exit %d, %s", code, stderr)
	}
}

// TestRoleInToken: who writes a role into a token has the one in the database all the same.
func TestRoleInToken(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "none1")
	claims := jwt.MapClaims{"role": "administrator", "roles": []string{"administrator"}, "username": "administrator1", "admin": true}
	e.vars["CRM_TOKEN"] = signedWith(t, jwt.SigningMethodHS256, []byte(e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"]), claimsOf(t, e.vars["CRM_TOKEN"]), claims)
	if who := e.must(t, "auth", "whoami", "-o", "csv", "--no-header", "--fields", "username,role"); strings.TrimSpace(who) != "none1,none" {
		t.Errorf("it is %s", who)
	}
	if r := e.crm("", "employee", "set-role", "none1", "--role", "administrator"); r.code != 4 {
		t.Errorf("exit %d, %s%s", r.code, r.out, r.err)
	}
}

// TestTokenAfterItsEnd: a copy of the token is worth nothing once the session is over, however it came to its end.
func TestTokenAfterItsEnd(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, goodPassword)
	for name, end := range map[string]func(e, administrator *employee) result{
		"logout": func(e, _ *employee) result { return e.crm("", "auth", "logout") },
		"password change": func(e, _ *employee) result {
			return e.crm(goodPassword+"\nanother long enough password\n", "auth", "change-password", "--password-stdin")
		},
		"new password": func(_, administrator *employee) result {
			return administrator.crm(goodPassword+"\n", "employee", "set-password", "none1", "--password-stdin")
		},
		"role change": func(_, administrator *employee) result {
			return administrator.crm("", "employee", "set-role", "none1", "--role", "support")
		},
		"deletion": func(_, administrator *employee) result {
			return administrator.crm("", "employee", "delete", "none1", "--yes")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := asEmployee(t, "")
			e.sql("UPDATE employee SET password_hash = '" + hash + "' WHERE username = 'none1'")
			e.as("none1")
			copied := e.vars["CRM_TOKEN"]
			if r := end(e, e.beside(t, "administrator1")); r.code != 0 {
				t.Fatalf("exit %d, %s", r.code, r.err)
			}
			e.vars["CRM_TOKEN"] = copied
			for _, args := range [][]string{{"auth", "whoami"}, {"employee", "list"}, {"auth", "change-password", "--password-stdin"}} {
				if r := e.crm(goodPassword+"\n"+goodPassword+"\n", args...); r.code != 3 || r.out != "" || !strings.HasPrefix(r.err, "crm: The token in CRM_TOKEN is not good: ") {
					t.Errorf("crm %q: exit %d, %s%s", args, r.code, r.out, r.err)
				}
			}
		})
	}
}
