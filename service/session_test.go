package service_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

const sessionOver = "Your session is over."

// TestKeyIsLongEnough: a key that can be guessed, or is not there, signs for everybody.
func TestKeyIsLongEnough(t *testing.T) {
	t.Parallel()
	for _, secret := range [][]byte{nil, {}, []byte("hunter2"), make([]byte, 31)} {
		if _, err := service.NewKey(secret); failure.CodeOf(err) != failure.Usage {
			t.Errorf("%d bytes: %v", len(secret), err)
		}
	}
	must[service.Key](t)(service.NewKey(make([]byte, 32)))
	defer func() {
		if recover() == nil {
			t.Error("a Service was made with a key that is none")
		}
	}()
	service.New(nil, service.Key{})
}

// TestWithoutKey: a Service without a key takes no token, also none that an empty key signed.
func TestWithoutKey(t *testing.T) {
	t.Parallel()
	p := sample(t)
	for name, token := range map[string]string{"good": p.token("none1"), "of an empty key": sign(t, hs256, []byte{}, p.claims("none1"))} {
		if _, err := service.New(p.svcDB).As(token); failure.CodeOf(err) != failure.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// whoami uses a token, from the check of its signature to that of its session.
func (p *env) whoami(token string) (service.Whoami, error) {
	s, err := p.svc.As(token)
	if err != nil {
		return service.Whoami{}, err
	}
	return s.AuthWhoami(p.Context())
}

func TestToken(t *testing.T) {
	t.Parallel()
	p := sample(t)
	good := p.claims("support1")
	who := must[service.Whoami](t)(p.whoami(sign(t, hs256, testSecret, good)))
	row := stored[gen.EmployeeView](p, "employee_view", who.ID)
	same(t, "employee", who.Person, service.Person{ID: row.ID, Username: row.Username, Fullname: row.Fullname, Role: row.Role})
	if left := time.Until(who.ExpiresAt); left < 29*time.Minute || left > 30*time.Minute {
		t.Errorf("the session lasts another %s", left)
	}
	if s := must[*service.Session](t)(p.svc.As(sign(t, hs256, testSecret, good))); s.EmployeeID() != who.ID {
		t.Errorf("EmployeeID is %d, want %d", s.EmployeeID(), who.ID)
	}

	with := func(change jwt.MapClaims) jwt.MapClaims {
		claims := jwt.MapClaims{}
		for name, value := range good {
			claims[name] = value
		}
		for name, value := range change {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		}
		return claims
	}
	signed := func(change jwt.MapClaims) string { return sign(t, hs256, testSecret, with(change)) }
	parts := strings.Split(sign(t, hs256, testSecret, good), ".")
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	resigned := func(header string) string {
		signature, err := hs256.Sign(header+"."+parts[1], testSecret)
		if err != nil {
			t.Fatal(err)
		}
		return header + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	administrator := strings.Split(signed(jwt.MapClaims{"sub": "1"}), ".")
	for name, token := range map[string]string{
		"other key":           sign(t, hs256, []byte("another key of thirty-two bytes!"), good),
		"empty key":           sign(t, hs256, []byte{}, good),
		"HS384":               sign(t, jwt.SigningMethodHS384, testSecret, good),
		"HS512":               sign(t, jwt.SigningMethodHS512, testSecret, good),
		"header says none":    header(`{"alg":"none"}`) + "." + parts[1] + "." + parts[2],
		"header says nOnE":    header(`{"alg":"nOnE"}`) + "." + parts[1] + ".",
		"header says RS256":   resigned(header(`{"alg":"RS256"}`)),
		"header says nothing": resigned(header(`{}`)),
		"alg none":            sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"no signature":        parts[0] + "." + parts[1] + ".",
		"altered payload":     parts[0] + "." + administrator[1] + "." + parts[2],
		"cut":                 strings.Join(parts, ".")[:40],
		"expired":             signed(jwt.MapClaims{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"no exp":              signed(jwt.MapClaims{"exp": nil}),
		"exp is no number":    signed(jwt.MapClaims{"exp": "tomorrow"}),
		"other issuer":        signed(jwt.MapClaims{"iss": "crm2"}),
		"no issuer":           signed(jwt.MapClaims{"iss": nil}),
		"other audience":      signed(jwt.MapClaims{"aud": "web"}),
		"no audience":         signed(jwt.MapClaims{"aud": nil}),
		"unknown jti":         signed(jwt.MapClaims{"jti": uuid.NewString()}),
		"jti is no uuid":      signed(jwt.MapClaims{"jti": "x' OR true"}),
		"no jti":              signed(jwt.MapClaims{"jti": nil}),
		"jti of another":      signed(jwt.MapClaims{"jti": p.claims("administrator1")["jti"]}),
		"sub of another":      signed(jwt.MapClaims{"sub": "1"}),
		"sub is no number":    signed(jwt.MapClaims{"sub": "support1"}),
		"sub is too large":    signed(jwt.MapClaims{"sub": "9223372036854775808"}),
		"no sub":              signed(jwt.MapClaims{"sub": nil}),
		"no JWT":              "support1",
		"dots":                "..",
		"1 MB of junk":        strings.Repeat("j.u", 350_000),
		"1 MB header":         strings.Repeat("A", 1<<20) + "." + parts[1] + "." + parts[2],
		"control characters":  "\x00\n\xff",
	} {
		p.refuses(failure.Unauthenticated, sessionOver, func() error { return second(p.whoami(token)) })
		if t.Failed() {
			t.Fatalf("token: %s", name)
		}
	}
	fails(t, failure.Unauthenticated, "You are not logged in.", second(p.whoami("")))

	// As a client makes and sees it whose clock is slow, or fast: that of the database decides.
	later := time.Now().Add(40 * time.Minute).Unix()
	must[service.Whoami](t)(p.whoami(signed(jwt.MapClaims{"iat": later, "nbf": later})))
	if got := must[service.Whoami](t)(p.whoami(signed(jwt.MapClaims{"role": "administrator", "username": "administrator1"}))); got != who {
		t.Errorf("a token with a role is %v, want %v", got, who)
	}
}

func TestTokenIsOver(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, end := range map[string]func(p *env, user, administrator *service.Session) error{
		"logout": func(_ *env, user, _ *service.Session) error { return user.AuthLogout(ctx) },
		"password change": func(_ *env, user, _ *service.Session) error {
			return second(user.AuthChangePassword(ctx, password, goodPassword))
		},
		"password by administrator": func(_ *env, _, administrator *service.Session) error {
			return second(administrator.EmployeeSetPassword(ctx, "none1", goodPassword, false))
		},
		"role change": func(_ *env, _, administrator *service.Session) error {
			return second(administrator.EmployeeSetRole(ctx, gen.EmployeeSetRoleParams{Username: "none1", Role: gen.RoleSupport}))
		},
		"deletion": func(_ *env, _, administrator *service.Session) error {
			return administrator.EmployeeDelete(ctx, "none1")
		},
		"expired row": func(p *env, _, _ *service.Session) error {
			p.exec("UPDATE session SET created_at = now() - interval '1 hour', expires_at = now() WHERE employee_id = (SELECT id FROM employee WHERE username = 'none1')")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			token, other := p.token("none1"), p.token("none1")
			user, administrator := must[*service.Session](t)(p.svc.As(token)), p.as("administrator1")
			if err := end(p, user, administrator); err != nil {
				t.Fatal(err)
			}
			fails(t, failure.Unauthenticated, sessionOver, second(p.whoami(token)))
			fails(t, failure.Unauthenticated, sessionOver, second(user.AuthWhoami(ctx)))
			_, err := p.whoami(other)
			if name == "logout" {
				if err != nil {
					t.Errorf("logout ended another session: %v", err)
				}
			} else {
				fails(t, failure.Unauthenticated, sessionOver, err)
			}
			must[service.Whoami](t)(administrator.AuthWhoami(ctx))
		})
	}
}

func TestAuthLogoutTwice(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("none1")
	if err := s.AuthLogout(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.refuses(failure.Unauthenticated, sessionOver, func() error { return s.AuthLogout(t.Context()) })
}

func TestAuthChangePassword(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("none1")
	hash := "SELECT password_hash FROM employee WHERE username = 'none1'"
	before := one[string](p, hash)

	p.refuses(failure.Usage, "A password has 15 to 128 characters.", func() error {
		return second(s.AuthChangePassword(ctx, password, "too short"))
	})
	fails(t, failure.Unauthenticated, "The current password is wrong.", second(s.AuthChangePassword(ctx, "wrong", goodPassword)))
	if n := one[int](p, "SELECT failures FROM login_failure WHERE username = 'none1'"); n != 1 {
		t.Errorf("%d failures counted, want 1", n)
	}
	if one[string](p, hash) != before {
		t.Error("refused, but the password changed")
	}
	must[service.Whoami](t)(s.AuthWhoami(ctx))

	token := must[string](t)(s.AuthChangePassword(ctx, password, goodPassword))
	who := must[service.Whoami](t)(p.whoami(token))
	if who.Username != "none1" {
		t.Errorf("the new token is of %s", who.Username)
	}
	if after := one[string](p, hash); after == before || !strings.HasPrefix(after, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("stored: %s", after)
	}
	fails(t, failure.Unauthenticated, loginFailed, second(p.svc.Login(ctx, "none1", password)))
}

// TestAuthChangePasswordGuessed counts for the session alone: a stolen one guesses no faster than a login does, and neither
// keeps the owner from the other.
func TestAuthChangePasswordGuessed(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	stolen, s := p.as("none1"), p.as("none1")
	for range 5 {
		fails(t, failure.Unauthenticated, "The current password is wrong.", second(stolen.AuthChangePassword(ctx, "wrong", goodPassword)))
	}
	p.refuses(failure.Unauthenticated, "", func() error { return second(stolen.AuthChangePassword(ctx, password, goodPassword)) })
	if _, err := stolen.AuthChangePassword(ctx, password, goodPassword); !strings.HasPrefix(err.Error(), "Too many failed logins") {
		t.Error(err)
	}
	must[string](t)(p.svc.Login(ctx, "none1", password))
	p.exec("INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('none1', '', 11, now() + interval '1 hour')")
	must[string](t)(s.AuthChangePassword(ctx, password, goodPassword))
}

// TestAuthChangePasswordOvertaken: an administrator gave a new password while the current one was checked, and stays right.
func TestAuthChangePasswordOvertaken(t *testing.T) {
	t.Parallel()
	p := sample(t)
	svc := service.New(stopping{p.connect(p.config), func() {
		p.exec("UPDATE employee SET password_hash = '$argon2id$other' WHERE username = 'none1'")
	}}, testKey)
	fails(t, failure.Unauthenticated, sessionOver, second(p.asOn(svc, "none1").AuthChangePassword(t.Context(), password, goodPassword)))
	if hash := one[string](p, "SELECT password_hash FROM employee WHERE username = 'none1'"); hash != "$argon2id$other" {
		t.Errorf("the password is %s", hash)
	}
}

func TestLoginToken(t *testing.T) {
	t.Parallel()
	p := sample(t)
	token := must[string](t)(p.svc.Login(t.Context(), "support1", password))
	var claims jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		t.Fatal(err)
	}
	employee := one[int64](p, "SELECT employee_id FROM session WHERE id = $1", claims["jti"])
	if claims["sub"] != strconv.FormatInt(employee, 10) || claims["iss"] != "crm" || claims["exp"] == nil || claims["iat"] == nil || claims["username"] != "support1" || len(claims) != 7 {
		t.Errorf("the token says %v", claims)
	}
	if got := service.TokenUsername(token); got != "support1" {
		t.Errorf("it is of %q", got)
	}
	if who := must[service.Whoami](t)(p.whoami(token)); who.Username != "support1" {
		t.Errorf("the token is of %s", who.Username)
	}
}
