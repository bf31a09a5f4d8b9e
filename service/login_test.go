package service_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

const loginFailed = "Unknown username or wrong password."

func (p *env) login(username, password string) error {
	return second(p.svc.Login(p.Context(), username, password))
}

func (p *env) failures(username string) int {
	p.Helper()
	return one[int](p, "SELECT coalesce(sum(failures), 0) FROM login_failure WHERE username = $1", username)
}

// waitOver moves the end of the wait to this moment.
func (p *env) waitOver() {
	p.Helper()
	p.exec("UPDATE login_failure SET retry_at = least(retry_at, now())")
}

// TestLoginFails alike for a wrong password and an unknown name, in words and in what is counted.
func TestLoginFails(t *testing.T) {
	t.Parallel()
	p := sample(t)
	for _, username := range []string{"none1", "nobody.of.this.name"} {
		fails(t, failure.Unauthenticated, loginFailed, p.login(username, "wrong"))
		if n := p.failures(username); n != 1 {
			t.Errorf("%s: %d failures counted, want 1", username, n)
		}
	}
	for _, username := range []string{"", "None1", "x' OR true", "\x00", "\xff", strings.Repeat("very-long", 10_000)} {
		p.refuses(failure.Unauthenticated, loginFailed, func() error { return p.login(username, password) })
	}
	fails(t, failure.Unauthenticated, loginFailed, p.login("none1", ""))
	if n := one[int](p, "SELECT count(*) FROM session"); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestLoginThrottled(t *testing.T) {
	t.Parallel()
	p := sample(t)
	for n := range 5 {
		fails(t, failure.Unauthenticated, loginFailed, p.login("none1", fmt.Sprint("wrong", n)))
	}
	for _, attempt := range []string{"wrong", password} {
		p.refuses(failure.Unauthenticated, "", func() error { return p.login("none1", attempt) })
		if err := p.login("none1", attempt); !strings.HasPrefix(err.Error(), "Too many failed logins for this username: wait ") {
			t.Error(err)
		}
	}
	if err := p.login("none1", password); !regexp.MustCompile(`: wait (30|[12]?\d) seconds?\.$`).MatchString(err.Error()) {
		t.Error(err)
	}
	must[string](t)(p.svc.Login(t.Context(), "support1", password)) // others need not wait

	// Each failure after the wait doubles it, up to an hour; another connection changes nothing.
	for _, want := range []int{60, 120, 240, 480, 960, 1920, 3600, 3600} {
		p.waitOver()
		svc := service.New(p.connect(p.config), testKey)
		fails(t, failure.Unauthenticated, loginFailed, second(svc.Login(t.Context(), "none1", "wrong")))
		got := one[int](p, "SELECT ceil(extract(epoch FROM retry_at - now())) FROM login_failure WHERE username = 'none1'")
		if got > want || got < want-5 {
			t.Errorf("waits %d s, want %d", got, want)
		}
		p.refuses(failure.Unauthenticated, "", func() error { return p.login("none1", password) })
	}

	p.waitOver()
	must[string](t)(p.svc.Login(t.Context(), "none1", password))
	if n := p.failures("none1"); n != 0 {
		t.Errorf("%d failures after a good login", n)
	}
}

// TestLoginGuessedElsewhere keeps out who guesses, and not the owner of the name, who only waits some seconds.
func TestLoginGuessedElsewhere(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	thief, owner := p.svc.From("uid 1001 on elsewhere"), p.svc.From("uid 1000 on home")
	for range 5 {
		fails(t, failure.Unauthenticated, loginFailed, second(thief.Login(ctx, "none1", "wrong")))
	}
	p.refuses(failure.Unauthenticated, "", func() error { return second(thief.Login(ctx, "none1", password)) })
	p.exec("UPDATE login_failure SET failures = 11, retry_at = now() + interval '1 hour'")
	began := time.Now()
	must[string](t)(owner.Login(ctx, "none1", password))
	if waited := time.Since(began); waited < time.Second {
		t.Errorf("after 11 failures elsewhere the owner waits %v; nothing slows down many who guess together", waited)
	}
	// The owner's login forgives nobody else.
	p.refuses(failure.Unauthenticated, "", func() error { return second(thief.Login(ctx, "none1", password)) })
	must[string](t)(thief.Login(ctx, "support1", password))

	long := p.svc.From(strings.Repeat("é", 300) + "\xff")
	fails(t, failure.Unauthenticated, loginFailed, second(long.Login(ctx, "none2", "wrong")))
}

// TestLoginForgets failures that are a day old, also those of names that nobody has.
func TestLoginForgets(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('none1', '', 9, now() - interval '25 hours'), ('nobody', '', 9, now() - interval '25 hours')")
	fails(t, failure.Unauthenticated, loginFailed, p.login("none1", "wrong"))
	if n := p.failures("none1"); n != 1 {
		t.Errorf("%d failures, want 1", n)
	}
	must[string](t)(p.svc.Login(t.Context(), "support1", password))
	if n := p.failures("nobody"); n != 0 {
		t.Errorf("%d failures of nobody remain", n)
	}
}

// TestLoginParallel counts attempts made at once: five are looked at, the others wait.
func TestLoginParallel(t *testing.T) {
	t.Parallel()
	p := sample(t)
	const attempts = 20
	var group sync.WaitGroup
	errs := make([]error, attempts)
	for i := range attempts {
		svc := service.New(p.connect(p.config), testKey)
		group.Go(func() { errs[i] = second(svc.Login(t.Context(), "none1", "wrong")) })
	}
	group.Wait()
	looked := 0
	for _, err := range errs {
		fails(t, failure.Unauthenticated, "", err)
		if err.Error() == loginFailed {
			looked++
		}
	}
	if looked != 5 || p.failures("none1") != 5 {
		t.Errorf("%d passwords looked at, %d failures counted, want 5", looked, p.failures("none1"))
	}
}

// TestLoginsAtOnce with the right password all succeed, however many.
func TestLoginsAtOnce(t *testing.T) {
	t.Parallel()
	p := sample(t)
	const logins = 16
	var group sync.WaitGroup
	errs := make([]error, logins)
	for i := range logins {
		svc := service.New(p.connect(p.config), testKey)
		group.Go(func() { errs[i] = second(svc.Login(t.Context(), "none1", password)) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := one[int](p, "SELECT count(*) FROM session"); n != logins {
		t.Errorf("%d sessions, want %d", n, logins)
	}
}

// TestLoginsAtOnceGuessedElsewhere: many right logins at once, as of scripts that all begin at two o'clock, only wait some
// seconds where somebody guesses at their name elsewhere. None of them counts as a failure while it waits.
func TestLoginsAtOnceGuessedElsewhere(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('none1', 'elsewhere', 40, now() + interval '1 hour')")
	const logins = 16
	var group sync.WaitGroup
	errs := make([]error, logins)
	for i := range logins {
		svc := service.New(p.connect(p.config), testKey).From("home")
		group.Go(func() { errs[i] = second(svc.Login(t.Context(), "none1", password)) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := p.failures("none1"); n != 40 {
		t.Errorf("%d failures are counted, want those elsewhere", n)
	}
}

// TestLoginsInAQueue: who knows the password is not taken for somebody who guesses because others are being checked for
// longer than an attempt counts as recent. It runs alone, for nobody else can hash meanwhile.
func TestLoginsInAQueue(t *testing.T) {
	p := sample(t)
	give, err := service.TakeTurns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const logins = 8
	var group sync.WaitGroup
	errs := make([]error, logins)
	for i := range logins {
		svc := service.New(p.connect(p.config), testKey)
		group.Go(func() { errs[i] = second(svc.Login(t.Context(), "none1", password)) })
	}
	time.Sleep(4 * time.Second)
	give()
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// TestLoginBehind: an attempt that began before another one, but is counted after it, is looked at all the same.
func TestLoginBehind(t *testing.T) {
	t.Parallel()
	p := sample(t)
	tx, err := p.svcDB.Begin(t.Context()) // its now() stands still
	if err != nil {
		t.Fatal(err)
	}
	fails(t, failure.Unauthenticated, loginFailed,
		second(service.New(p.connect(p.config), testKey).Login(t.Context(), "none1", "wrong")))
	fails(t, failure.Unauthenticated, loginFailed, second(service.New(tx, testKey).Login(t.Context(), "none1", "wrong")))
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := p.failures("none1"); n != 2 {
		t.Errorf("%d failures counted, want 2", n)
	}
}

// stopping does something as soon as a login attempt is counted, before its password is looked at.
type stopping struct {
	service.DB
	stop func()
}

func (db stopping) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	results := db.DB.SendBatch(ctx, batch)
	if slices.ContainsFunc(batch.QueuedQueries, func(q *pgx.QueuedQuery) bool { return strings.Contains(q.SQL, "LoginAttempt") }) {
		return batchThen{results, db.stop}
	}
	return results
}

func TestLoginGivenUp(t *testing.T) {
	t.Parallel()
	p := sample(t)
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		svc := service.New(stopping{p.connect(p.config), cancel}, testKey)
		if token, err := svc.Login(ctx, "none1", password); err == nil || token != "" {
			t.Fatalf("login of a client that is gone: %q, %v", token, err)
		}
	}
	if n := p.failures("none1"); n != 5 {
		t.Errorf("%d failures counted, want 5", n)
	}
	p.refuses(failure.Unauthenticated, "", func() error { return p.login("none1", password) })

	conn := p.connect(p.config)
	svc := service.New(stopping{conn, func() { conn.PgConn().Conn().Close() }}, testKey)
	fails(t, failure.Unavailable, "The connection to the database was lost: whether this was done is not known.", second(svc.Login(t.Context(), "support1", password)))
	if n := p.failures("support1"); n != 1 {
		t.Errorf("%d failures of a killed client counted, want 1", n)
	}
}

func TestLoginOtherSchema(t *testing.T) {
	t.Parallel()
	for change, message := range map[string]string{
		"version = version - 1": fmt.Sprintf("The database is at schema version %d, this crm needs %d.", schema.Version()-1, schema.Version()),
		"version = version + 1": fmt.Sprintf("The database is at schema version %d, this crm knows only %d.", schema.Version()+1, schema.Version()),
		"dirty = true":          fmt.Sprintf("The migration of the database to version %d did not finish; another program than crm began it.", schema.Version()),
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			s := p.as("none1")
			p.exec("UPDATE schema_migrations SET " + change)
			for _, attempt := range []string{"wrong", password} {
				p.refuses(failure.Unavailable, message, func() error { return p.login("none1", attempt) })
			}
			p.refuses(failure.Unavailable, message, func() error { return second(s.AuthWhoami(t.Context())) })
			p.refuses(failure.Unavailable, message, func() error { return second(p.svc.CheckVersion(t.Context())) })
		})
	}
}

// TestLoginDuringNewPassword: the password that was checked is gone before the session starts.
func TestLoginDuringNewPassword(t *testing.T) {
	t.Parallel()
	p := sample(t)
	svc := service.New(stopping{p.connect(p.config), func() {
		p.exec("UPDATE employee SET password_hash = '$argon2id$other' WHERE username = 'none1'")
	}}, testKey)
	fails(t, failure.Unauthenticated, loginFailed, second(svc.Login(t.Context(), "none1", password)))
	if n := one[int](p, "SELECT count(*) FROM session"); n != 0 {
		t.Errorf("%d sessions", n)
	}
}
