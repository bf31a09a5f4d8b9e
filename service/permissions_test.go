package service_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/remote"
	"github.com/epicevents/crm/service"
)

// TestPermissions calls every operation as every role, on what is theirs and on what is not, and with a session that is
// over, here and over the wire. Each call has a transaction of its own, which is rolled back.
func TestPermissions(t *testing.T) {
	t.Parallel()
	expected := readPermissions(t)
	for i, role := range gen.AllRoleValues() {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.employee("none2", "none")
			token := p.token(string(role) + "1")
			for operation, scopes := range expected {
				on := targets
				if strings.HasPrefix(operation, "Employee") {
					on = targets[:1] // an employee is in nobody's charge
				}
				for _, on := range on {
					want := failure.PermissionDenied
					if scopes[i] == "all" || scopes[i] == "own" && on.name == "own" {
						want = ""
					}
					walk(t, p, operation, string(role)+" on "+on.name, token, on, want)
				}
			}
		})
	}
	for _, kind := range []struct {
		name     string
		readOnly bool
		enough   []string
	}{
		{"a token", false, []string{"read", "write"}},
		{"a read-only token", true, []string{"read"}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.employee("none2", "none")
			for i, role := range gen.AllRoleValues() {
				token := must[service.Token](t)(p.as(string(role)+"1").AuthTokenCreate(t.Context(), "walk", kind.readOnly, false, time.Hour))
				for operation, row := range expected {
					want := failure.PermissionDenied
					if (row[i] == "all" || row[i] == "own") && slices.Contains(kind.enough, row[4]) {
						want = ""
					}
					walk(t, p, operation, string(role)+" with "+kind.name, token.Secret, targets[0], want)
				}
			}
		})
	}
	t.Run("one-time password", func(t *testing.T) {
		t.Parallel()
		p := sample(t)
		p.employee("none2", "none")
		p.exec("UPDATE employee SET password_one_time = true WHERE username <> 'none2'")
		for operation := range expected {
			want := failure.PermissionDenied
			if slices.Contains([]string{"AuthWhoami", "AuthLogout", "AuthChangePassword"}, operation) {
				want = ""
			}
			walk(t, p, operation, "one who has not changed the first password", p.token("administrator1"), targets[0], want)
		}
	})
	t.Run("logged out", func(t *testing.T) {
		t.Parallel()
		p := sample(t)
		p.employee("none2", "none")
		ended, expired := p.token("administrator1"), p.claims("administrator1")
		if err := must[*service.Session](t)(p.svc.As(ended)).AuthLogout(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.exec("UPDATE session SET created_at = now() - interval '31 minutes', expires_at = now() - interval '1 second' WHERE id = $1", expired["jti"])
		for operation := range expected {
			walk(t, p, operation, "one who logged out", ended, targets[0], failure.Unauthenticated)
			walk(t, p, operation, "one whose session expired", sign(t, hs256, testSecret, expired), targets[0], failure.Unauthenticated)
		}
	})
}

// fresh puts logins off: one that is a minute old would be by any operation, which is no change of its own.
const fresh = "UPDATE session SET expires_at = least(clock_timestamp() + idle, limit_at) WHERE expires_at > clock_timestamp() AND name IS NULL"

func walk(t *testing.T, p *env, operation, who, token string, on target, want failure.Code) {
	t.Helper()
	walkBy(t, p, near, operation, who, token, on, want)
	walkBy(t, p, far, operation, who+" over the wire", token, on, want)
}

// way is how somebody gets to a Service.
type way func(testing.TB, *service.Service) service.Accounts

func near(_ testing.TB, svc *service.Service) service.Accounts { return svc.Accounts() }

// far is a client of a server with this Service, over a socket.
func far(t testing.TB, svc *service.Service) service.Accounts {
	t.Helper()
	folder, err := os.MkdirTemp("", "crm") // that of the test may have too long a name
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "crm.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	server := &remote.Server{Service: svc, Version: "test", Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- server.Serve(ctx, remote.Listener{Listener: listener}) }()
	client, err := remote.Dial("unix://"+socket, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		os.RemoveAll(folder)
	})
	return client
}

func walkBy(t *testing.T, p *env, by way, operation, who, token string, on target, want failure.Code) {
	t.Helper()
	tx, err := p.ownerDB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	call, ok := calls[operation]
	if !ok {
		t.Fatalf("no call of %s", operation)
	}
	if _, err := tx.Exec(t.Context(), call.before+"; "+fresh); err != nil {
		t.Fatal(err)
	}
	s, err := by(t, service.New(tx, testKey)).As(token)
	if err != nil {
		t.Fatal(err)
	}
	sum := func() string { // of the owner, who may read everything; crm works as the role that owns nothing
		t.Helper()
		if _, err := tx.Exec(t.Context(), "RESET ROLE"); err != nil {
			t.Fatal(err)
		}
		sum := checksum(t, tx)
		if _, err := tx.Exec(t.Context(), "SET LOCAL ROLE "+p.config.User); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	before := sum()
	err = call.do(t.Context(), s, on)
	var got failure.Code
	if err != nil {
		got = failure.CodeOf(err)
	}
	if got != want {
		t.Errorf("%s as %s: %q (%v), want %q", operation, who, got, err, want)
		return
	}
	now := sum()
	if changed, wants := now != before, call.writes && want == ""; changed != wants {
		t.Errorf("%s as %s: rows changed is %t, want %t", operation, who, changed, wants)
	}
	// Another salt makes another hash, and a payment has its id from its caller.
	if now == before || !service.Repeats(operation) || operation == "EmployeeSetPassword" || operation == "ContractAddPayment" {
		return
	}
	again, err := tx.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s, err = by(t, service.New(again, testKey)).As(token); err != nil {
		t.Fatal(err)
	}
	if err = call.do(t.Context(), s, on); err == nil && sum() != now {
		t.Errorf("%s as %s may be repeated, and then changes something more", operation, who)
	}
}

// TestRepeats holds the column of what may be repeated to that of rights and to what the walk sees.
func TestRepeats(t *testing.T) {
	t.Parallel()
	for operation, row := range readPermissions(t) {
		if reads := service.Reads(operation); reads != (row[4] == "read") || reads == calls[operation].writes || reads && !service.Repeats(operation) {
			t.Errorf("%s: it reads is %t, it needs %s, it changes rows is %t", operation, reads, row[4], calls[operation].writes)
		}
	}
	if service.Reads("Login") || service.Repeats("Login") {
		t.Error("what is not in the table is repeated")
	}
}

// TestNobody cannot even get a Session.
func TestNobody(t *testing.T) {
	t.Parallel()
	s, err := service.New(nil, testKey).As("")
	fails(t, failure.Unauthenticated, "You are not logged in.", err)
	if s != nil {
		t.Error("a Session of nobody")
	}
}

func TestPermissionDeniedSaysWho(t *testing.T) {
	t.Parallel()
	p := sample(t)
	support, nobody := p.as("support1"), p.as("none1")
	p.refuses(failure.PermissionDenied, `"crm employee delete" is for the role administrator; support1 has the role support.`,
		func() error { return support.EmployeeDelete(t.Context(), "none1") })
	p.refuses(failure.PermissionDenied, `"crm contract add-payment" is for the role commercial or administrator; none1 has the role none.`,
		func() error {
			return second(nobody.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ContractID: ownSigned, Amount: 1}))
		})
}
