package service_test

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// sessionEnds returns in how many seconds the only session of an employee is over.
func (p *env) sessionEnds(username string) int64 {
	p.Helper()
	return one[int64](p, `SELECT extract(epoch FROM expires_at - now())::bigint FROM session
		WHERE employee_id = (SELECT id FROM employee WHERE username = $1)`, username)
}

// sessionRow tells one version of the row from another.
func (p *env) sessionRow() string {
	return one[string](p, "SELECT string_agg(ctid::text || xmin::text, ' ' ORDER BY id) FROM session")
}

// TestUseRenewsSession: every operation puts off the end of a login, whether it reads, lists, writes or is refused, to what
// its row says, and not more often than once a minute.
func TestUseRenewsSession(t *testing.T) {
	t.Parallel()
	p := sample(t)
	token := must[string](t)(p.svc.Lasting(20*time.Minute, 2*time.Hour).Login(t.Context(), "commercial1", password))
	s := must[*service.Session](t)(p.svc.As(token)) // whose own settings do not matter
	for what, use := range map[string]func() error{
		"whoami":  func() error { return second(s.AuthWhoami(t.Context())) },
		"a list":  func() error { return second(all(s.EventList(t.Context(), gen.EventListParams{}))) },
		"a count": func() error { return second(s.EventCount(t.Context(), gen.EventListParams{})) },
		"a change": func() error {
			return second(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Fullname: new("Zoé")}))
		},
		"what is refused": func() error {
			if err := s.EmployeeDelete(t.Context(), "none1"); failure.CodeOf(err) != failure.PermissionDenied {
				return err
			}
			return nil
		},
	} {
		p.exec("UPDATE session SET expires_at = now() + interval '5 minutes'")
		if err := use(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if ends := p.sessionEnds("commercial1"); ends < 1190 || ends > 1200 {
			t.Errorf("after %s the session ends in %d s", what, ends)
		}
		row := p.sessionRow()
		if err := use(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if now := p.sessionRow(); now != row {
			t.Errorf("%s writes twice in a minute", what)
		}
	}
	// The answer is the new end.
	p.exec("UPDATE session SET expires_at = now() + interval '5 minutes'")
	if who := must[service.Whoami](t)(s.AuthWhoami(t.Context())); time.Until(who.ExpiresAt) < 15*time.Minute {
		t.Errorf("whoami says %v", who.ExpiresAt)
	}
}

// TestSessionEnds: one that goes unused is over, and so is one at its limit, however much it is used. What is over is not
// renewed, nor is a token for scripts.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	p := sample(t)
	token := must[string](t)(p.svc.Login(t.Context(), "commercial1", password))
	var claims jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		t.Fatal(err)
	}
	if limit := claims["exp"].(float64) - claims["iat"].(float64); limit < 35995 || limit > 36005 {
		t.Errorf("the token is good for %v s", limit)
	}
	s := must[*service.Session](t)(p.svc.As(token))
	p.exec("UPDATE session SET expires_at = now() + interval '1 minute', limit_at = now() + interval '9 minutes'")
	must[service.Whoami](t)(s.AuthWhoami(t.Context()))
	if ends := p.sessionEnds("commercial1"); ends < 530 || ends > 540 {
		t.Errorf("9 minutes before its limit the session ends in %d s", ends)
	}
	p.exec("UPDATE session SET created_at = now() - interval '1 day', expires_at = now() - interval '1 second', limit_at = now() + interval '1 hour'")
	row := p.sessionRow()
	fails(t, failure.Unauthenticated, sessionOver, second(s.AuthWhoami(t.Context())))
	fails(t, failure.Unauthenticated, sessionOver, second(all(s.EventList(t.Context(), gen.EventListParams{}))))
	if p.sessionRow() != row {
		t.Error("a session that is over was renewed")
	}

	login := p.as("commercial2")
	script := must[service.Token](t)(login.AuthTokenCreate(t.Context(), "nightly", false, false, time.Hour))
	p.exec("UPDATE session SET expires_at = now() + interval '5 minutes'")
	row = p.sessionRow()
	must[service.Whoami](t)(must[*service.Session](t)(p.svc.As(script.Secret)).AuthWhoami(t.Context()))
	if p.sessionRow() != row {
		t.Error("a token was renewed")
	}
}

// TestLogoutDoesNotWaitForWhoReads: an export that takes its time holds no session, so that it can be ended.
func TestLogoutDoesNotWaitForWhoReads(t *testing.T) {
	t.Parallel()
	p := sample(t)
	params := p.fill(20_000)
	s := p.as("commercial1")
	p.exec("UPDATE session SET expires_at = now() + interval '5 minutes'")
	read := 0
	for _, err := range s.PaymentList(t.Context(), params) {
		if err != nil {
			t.Fatal(err)
		}
		if read++; read == 1 {
			other := dbtest.Connect(t, p.owner)
			if _, err := other.Exec(t.Context(), "SET lock_timeout = '5s'"); err != nil {
				t.Fatal(err)
			}
			if _, err := other.Exec(t.Context(), "DELETE FROM session"); err != nil {
				t.Fatal(err)
			}
		}
	}
	fails(t, failure.Unauthenticated, sessionOver, second(s.AuthWhoami(t.Context())))
}

// TestReadOnlyServer: where nothing can be written, such as a standby, a session is good for what reads.
func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	p := sample(t)
	token := p.token("commercial1")
	svc := service.New(p.connect(p.with("default_transaction_read_only", "on")), testKey)
	p.exec("UPDATE session SET expires_at = now() + interval '5 minutes'")
	s := must[*service.Session](t)(svc.As(token))
	must[service.Whoami](t)(s.AuthWhoami(t.Context()))
	must[[]gen.EventView](t)(all(s.EventList(t.Context(), gen.EventListParams{})))
}
