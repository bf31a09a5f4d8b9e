package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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

// arrivals counts what becomes of requests on connections of their own.
type arrivals struct {
	*testing.T
	dial              func() (net.Conn, error)
	answered, refused atomic.Int64
}

// come sends requests until the server is gone. Who has a connection, and does not sleep on it, has to be answered.
func (a *arrivals) come(ctx context.Context) {
	for ctx.Err() == nil {
		came := time.Now()
		conn, err := a.dial()
		if err != nil {
			a.refused.Add(1)
			return
		}
		_, err = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: crm\r\nConnection: close\r\n\r\n")
		slept := time.Since(came)
		answer, errRead := io.ReadAll(conn)
		conn.Close()
		switch {
		case strings.Contains(string(answer), "\r\n\r\nok\n"):
			a.answered.Add(1)
		case slept < quietTime/2:
			a.Errorf("a request was cut after %d others: %q, %v", a.answered.Load(), answer, errors.Join(err, errRead))
			return
		}
	}
}

// TestStopCutsNobody has many come, each for one request, while a server is told to end: whoever gets a connection gets an
// answer. Those who connect to a socket that the next server has too notice nothing at all.
func TestStopCutsNobody(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets a server empty the queue of its socket")
	}
	srv := newTestServer(t)
	server := &Server{Service: srv.svc, Version: "1.5.0", Log: slog.New(slog.DiscardHandler)}
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	issue(t, cert, key)
	settings, err := TLS(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(listener Listener) (end func()) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ctx, listener) }()
		return func() {
			t.Helper()
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	listen := func(network, address string) net.Listener {
		t.Helper()
		listener, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		return listener
	}
	for name, test := range map[string]func(a *arrivals) (endAll, endLast func()){
		"a socket of its own": func(a *arrivals) (endAll, endLast func()) {
			socket := socketIn(t)
			a.dial = func() (net.Conn, error) { return net.Dial("unix", socket) }
			return serve(Listener{Listener: listen("unix", socket), Own: true}), func() {
				listen("unix", socket).Close() // the name is free
			}
		},
		"a port": func(a *arrivals) (endAll, endLast func()) {
			listener := listen("tcp", "127.0.0.1:0")
			any := &tls.Config{InsecureSkipVerify: true}
			a.dial = func() (net.Conn, error) { return tls.Dial("tcp", listener.Addr().String(), any) } // and nothing is sent before
			return serve(Listener{Listener: listener, TLS: settings, Own: true}), func() {}
		},
		"a socket that stays": func(a *arrivals) (endAll, endLast func()) {
			socket := socketIn(t)
			kept := listen("unix", socket).(*net.UnixListener)
			t.Cleanup(func() { kept.Close() })
			a.dial = func() (net.Conn, error) { return net.Dial("unix", socket) }
			handed := func() Listener {
				t.Helper()
				file, err := kept.File()
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				listener, err := net.FileListener(file)
				if err != nil {
					t.Fatal(err)
				}
				return Listener{Listener: listener}
			}
			end := serve(handed())
			return func() {
					t.Helper()
					end()
					end = serve(handed())
				}, func() {
					t.Helper()
					end()
					if a.refused.Load() > 0 {
						t.Errorf("%d found no server", a.refused.Load())
					}
				}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rounds, crowd = 4, 16
			for range rounds {
				a := &arrivals{T: t}
				endAll, endLast := test(a)
				ctx, cancel := context.WithCancel(t.Context())
				var all sync.WaitGroup
				for range crowd {
					all.Go(func() { a.come(ctx) })
				}
				for a.answered.Load() < 10*crowd && !t.Failed() {
					time.Sleep(time.Millisecond)
				}
				endAll()
				cancel()
				all.Wait()
				endLast()
			}
		})
	}
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
