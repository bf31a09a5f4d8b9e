package service_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// held is a connection that stops before it sends a transaction that writes, until it may go on.
type held struct {
	net.Conn
	stopped, goOn chan struct{}
}

func (h held) Write(message []byte) (int, error) {
	if bytes.Contains(message, []byte("-- name: SessionRequire")) {
		h.stopped <- struct{}{}
		<-h.goOn
	}
	return h.Conn.Write(message)
}

// holding returns a service whose connection is held.
func (p *env) holding() (*service.Service, held) {
	p.Helper()
	h := held{stopped: make(chan struct{}), goOn: make(chan struct{})}
	config := p.config.Copy()
	config.DialFunc = func(ctx context.Context, network, address string) (_ net.Conn, err error) {
		conn := h
		conn.Conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return conn, err
	}
	return service.New(p.connect(config), testKey), h
}

// attacks are what may happen to the employee who acts between the check of the session and the write. $1 is their
// username.
var attacks = map[string]string{
	"logged out": "DELETE FROM session USING employee WHERE employee.id = employee_id AND username = $1",
	"expired": `UPDATE session SET created_at = now() - interval '1 hour', expires_at = clock_timestamp() FROM employee
		WHERE employee.id = employee_id AND username = $1`,
	"new password": "UPDATE employee SET password_hash = password_hash || 'x' WHERE username = $1",
	"demoted":      "UPDATE employee SET role = 'none' WHERE username = $1",
	"deleted":      "DELETE FROM employee WHERE username = $1",
}

// ways are those to a Service: beside it, and over the wire.
var ways = map[string]way{"near": near, "far": far}

// TestOvertaken holds every operation that writes between its two round trips, while the right to it ends: nothing is
// written, be it asked for here or over the wire. Who is in charge of customers or events cannot be demoted or deleted: the schema says so.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	refused := 0
	for operation, scopes := range readPermissions(t) {
		if !calls[operation].writes || operation == "AuthLogout" { // which a session that is over has nothing against
			continue
		}
		role := slices.IndexFunc(scopes, func(scope string) bool { return scope == "own" || scope == "all" })
		actor := string(gen.AllRoleValues()[role]) + "1"
		inCharge := scopes[role] == "own"
		if scopes[3] == "all" {
			actor, inCharge = "administrator3", false
		}
		for name, attack := range attacks {
			if inCharge && (name == "demoted" || name == "deleted") || actor == "none1" && name == "demoted" { // none has no lesser role
				continue
			}
			for at, by := range ways {
				refused++
				t.Run(operation+"/"+name+"/"+at, func(t *testing.T) {
					t.Parallel()
					overtake(t, by, operation, actor, name, attack)
				})
			}
		}
	}
	t.Logf("%d writes are held", refused)
}

func overtake(t *testing.T, by way, operation, actor, name, attack string) {
	t.Helper()
	p := sample(t)
	p.employee("none2", "none")
	if actor == "commercial1" && calls[operation].before == "" && (name == "demoted" || name == "deleted") {
		p.employee("commercial4", "commercial") // in charge of nobody
		actor = "commercial4"
	}
	p.exec(calls[operation].before)
	svc, h := p.holding()
	s := must[service.Operations](t)(by(t, svc).As(p.token(actor)))
	result := make(chan error, 1)
	go func() { result <- calls[operation].do(t.Context(), s, targets[0]) }()
	select {
	case <-h.stopped:
	case err := <-result:
		t.Fatalf("%s as %s is not held: %v", operation, actor, err)
	}
	p.exec(attack, actor)
	before := checksum(t, p.conn)
	close(h.goOn)
	fails(t, failure.Unauthenticated, sessionOver, <-result)
	if checksum(t, p.conn) != before {
		t.Errorf("%s by %s, who was %s meanwhile: rows have changed", operation, actor, name)
	}
}

// TestWaitsForWrite: what ends a right waits for a write that has begun, which then is as if it had come first.
func TestWaitsForWrite(t *testing.T) {
	t.Parallel()
	each(t, attacks, func(t *testing.T, by way, attack string) {
		p := sample(t)
		ctx := t.Context()
		s := must[service.Operations](t)(by(t, p.svc).As(p.token("administrator3")))
		lock := must[pgx.Tx](t)(p.conn.Begin(ctx))
		if _, err := lock.Exec(ctx, "SELECT FROM contract WHERE id = $1 FOR UPDATE", ownUnsigned); err != nil {
			t.Fatal(err)
		}
		written, ended := make(chan error, 1), make(chan error, 1)
		go func() { written <- second(s.ContractSign(ctx, ownUnsigned)) }()
		p.waits(p.svcDB)
		attacker := dbtest.Connect(t, p.owner)
		go func() { _, err := attacker.Exec(ctx, attack, "administrator3"); ended <- err }()
		p.waits(attacker)
		if err := lock.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-written; err != nil {
			t.Errorf("the write that came first: %v", err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		fails(t, failure.Unauthenticated, sessionOver, second(s.AuthWhoami(ctx)))
	})
}

// each runs a test for each of some things, here and over the wire.
func each[T any](t *testing.T, things map[string]T, test func(*testing.T, way, T)) {
	for name, thing := range things {
		for at, by := range ways {
			t.Run(name+"/"+at, func(t *testing.T) {
				t.Parallel()
				test(t, by, thing)
			})
		}
	}
}

// TestLoginDuring a change of the account that is not committed yet: the login waits, and is that of the account as it
// then is.
func TestLoginDuring(t *testing.T) {
	t.Parallel()
	type account struct {
		change string
		good   bool
	}
	each(t, map[string]account{
		"new password": {"UPDATE employee SET password_hash = '$argon2id$other' WHERE username = 'none1'", false},
		"deletion":     {"DELETE FROM employee WHERE username = 'none1'", false},
		"new role":     {"UPDATE employee SET role = 'support' WHERE username = 'none1'", true},
	}, func(t *testing.T, by way, test account) {
		p := sample(t)
		ctx := t.Context()
		change := must[pgx.Tx](t)(p.conn.Begin(ctx))
		if _, err := change.Exec(ctx, test.change); err != nil {
			t.Fatal(err)
		}
		result := make(chan error, 1)
		go func() { result <- second(by(t, p.svc).Login(ctx, "none1", password)) }()
		p.waits(p.svcDB)
		if err := change.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		err := <-result
		if test.good != (err == nil) {
			t.Errorf("the login: %v", err)
		}
		if n := one[int](p, "SELECT count(*) FROM session"); (n > 0) != test.good {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestLoginBefore a change of the account: a login that is not committed yet is waited for, and ended.
func TestLoginBefore(t *testing.T) {
	t.Parallel()
	each(t, map[string]string{"new password": "UPDATE employee SET password_hash = '$argon2id$other' WHERE username = 'none1'"}, func(t *testing.T, by way, change string) {
		p := sample(t)
		ctx := t.Context()
		login := must[pgx.Tx](t)(p.svcDB.Begin(ctx))
		token := must[string](t)(by(t, service.New(login, testKey)).Login(ctx, "none1", password))
		changer := dbtest.Connect(t, p.config)
		changed := make(chan error, 1)
		go func() {
			_, err := changer.Exec(ctx, change)
			changed <- err
		}()
		p.waits(changer)
		if err := login.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		fails(t, failure.Unauthenticated, sessionOver, second(p.whoami(token)))
	})
}
