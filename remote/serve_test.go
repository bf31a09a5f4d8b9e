package remote

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
)

// lockContracts has everybody wait who asks for a contract, until it is released.
func (srv *testServer) lockContracts() (release func()) {
	srv.Helper()
	tx, err := dbtest.Connect(srv, srv.conn.Config()).Begin(srv.Context())
	if err == nil {
		_, err = tx.Exec(srv.Context(), "LOCK TABLE contract")
	}
	if err != nil {
		srv.Fatal(err)
	}
	return func() { _ = tx.Rollback(context.Background()) } // a second time it is over
}

// waiting returns how many statements wait for a lock.
func (srv *testServer) waiting() (n int) {
	srv.Helper()
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	if err := srv.conn.QueryRow(srv.Context(), waiting).Scan(&n); err != nil {
		srv.Fatal(err)
	}
	return n
}

// TestCancelReachesTheDatabase: who leaves ends the query that they wait for.
func TestCancelReachesTheDatabase(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	s := srv.as("administrator1")
	release := srv.lockContracts()
	defer release()
	for name, ask := range map[string]func(context.Context) error{
		"rows": func(ctx context.Context) error {
			_, err := collect(s.ContractList(ctx, gen.ContractListParams{}))
			return err
		},
		"count": func(ctx context.Context) error { _, err := s.ContractCount(ctx, gen.ContractListParams{}); return err },
		"write": func(ctx context.Context) error {
			_, err := s.ContractAdd(ctx, gen.ContractAddParams{CustomerID: 1, TotalAmount: 1})
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- ask(ctx) }()
		for srv.waiting() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		err := <-ended
		if known := describe(err); err != context.Canceled && !(name == "write" && known.Reason == failure.OutcomeUnknown) {
			t.Errorf("%s: %v", name, err)
		}
		for began := time.Now(); srv.waiting() > 0; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatalf("%s: the query waits on", name)
			}
		}
	}
}

// TestLimit: the lesser limit of the two ends holds, and the server is the one that says so.
func TestLimit(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	client := srv.client()
	s := srv.over(client, "administrator1")
	limited, err := client.Within(300 * time.Millisecond).As(s.(*Session).token)
	if err != nil {
		t.Fatal(err)
	}
	release := srv.lockContracts()
	defer release()
	_, err = collect(limited.ContractList(t.Context(), gen.ContractListParams{}))
	fails(t, failure.Unavailable, "", "did not answer in time", err)
}

// TestStop lets finish what is under way, and takes nothing new.
func TestStop(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	s := srv.as("administrator1")
	release := srv.lockContracts()
	defer release()
	var got gen.ContractCountRow
	underWay := make(chan error)
	go func() {
		var err error
		got, err = s.ContractCount(t.Context(), gen.ContractListParams{})
		underWay <- err
	}()
	for srv.waiting() == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	srv.stop()
	for { // until the listener is closed
		conn, err := net.Dial("unix", srv.socket)
		if err != nil {
			break
		}
		conn.Close()
		time.Sleep(time.Millisecond)
	}
	release()
	if err := <-underWay; err != nil || got.Count == 0 {
		t.Errorf("what was under way: %+v %v", got, err)
	}
	if err := <-srv.ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	_, err := srv.client().Login(t.Context(), "none1", schema.SamplePassword)
	fails(t, failure.Unavailable, "", "The server cannot be reached", err)
}

// TestCutIsNotInterrupted: who is cut by a server that ends has interrupted nothing.
func TestCutIsNotInterrupted(t *testing.T) {
	t.Parallel()
	unknown := &failure.Error{Code: failure.Unavailable, Reason: failure.OutcomeUnknown, Message: "Interrupted: whether.", Hint: "look", Err: errors.Join(io.EOF, context.Canceled)}
	fails(t, failure.Unavailable, failure.OutcomeUnknown, "The server is shutting down: whether this was done is not known.", describe(unknown))
	if told := describe(unknown); told.Hint != "look" || unknown.Message != "Interrupted: whether." {
		t.Errorf("%+v, and what it was made from %+v", told, unknown)
	}
	unknown.Err = io.EOF
	fails(t, failure.Unavailable, failure.OutcomeUnknown, "Interrupted", describe(unknown))
	fails(t, failure.Unavailable, "", "The server is shutting down.", describe(context.Canceled))
}

func TestClearListenersAreRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := (&Server{Log: slog.New(slog.DiscardHandler)}).Serve(t.Context(), Listener{Listener: listener}); err != errClear {
		t.Errorf("a listener without TLS: %v", err)
	}
}
