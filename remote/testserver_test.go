package remote

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Run(m)) }

var testKey = func() service.Key {
	key, err := service.NewKey([]byte("a key of thirty-two bytes, or so."))
	if err != nil {
		panic(err)
	}
	return key
}()

// testServer is a server of one test, with the sample data behind it.
type testServer struct {
	testing.TB
	conn   *pgx.Conn // looks at the database from outside
	svc    *service.Service
	socket string
	log    *logged
	stop   context.CancelFunc
	ended  chan error
}

// logged is a log that may be read while it is written.
type logged struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

func newTestServer(t testing.TB) *testServer {
	t.Helper()
	config := dbtest.Sample(t)
	pool, err := service.Connect(t.Context(), config, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return serve(t, config, pool)
}

func serve(t testing.TB, config *pgx.ConnConfig, pool *pgxpool.Pool) *testServer {
	t.Helper()
	srv := &testServer{TB: t, conn: dbtest.Connect(t, config), svc: service.New(pool, testKey), socket: socketIn(t), log: &logged{}, ended: make(chan error, 1)}
	hash, err := argon2id.CreateHash(schema.SamplePassword, &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	srv.exec("UPDATE employee SET password_hash = $1", hash)
	listener, err := net.Listen("unix", srv.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	srv.stop = stop
	server := &Server{Service: srv.svc, Version: "1.5.0", Log: slog.New(slog.NewJSONHandler(srv.log, nil)), Most: time.Minute}
	go func() { srv.ended <- server.Serve(ctx, Listener{Listener: listener, Own: true}) }()
	t.Cleanup(stop)
	return srv
}

// socketIn returns where a socket can be: the folder of a test may have too long a name.
func socketIn(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "crm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return filepath.Join(folder, "crm.sock")
}

func (srv *testServer) exec(sql string, args ...any) {
	srv.Helper()
	if _, err := srv.conn.Exec(srv.Context(), sql, args...); err != nil {
		srv.Fatalf("%s: %v", sql, err)
	}
}

func (srv *testServer) client() *Client {
	srv.Helper()
	return dialed(srv, srv.socket)
}

func dialed(t testing.TB, socket string) *Client {
	t.Helper()
	client, err := Dial("unix://"+socket, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// token is that of a login.
func (srv *testServer) token(username string) string {
	srv.Helper()
	token, err := srv.client().Login(srv.Context(), username, schema.SamplePassword)
	if err != nil {
		srv.Fatal(err)
	}
	return token
}

func (srv *testServer) as(username string) service.Operations {
	srv.Helper()
	return srv.over(srv.client(), username)
}

func (srv *testServer) over(client *Client, username string) service.Operations {
	srv.Helper()
	s, err := client.As(srv.token(username))
	if err != nil {
		srv.Fatal(err)
	}
	return s
}

// fails checks code, reason and message of an error.
func fails(t testing.TB, code failure.Code, reason failure.Reason, message string, err error) {
	t.Helper()
	if err == nil || failure.CodeOf(err) != code || failure.ReasonOf(err) != reason || !strings.Contains(err.Error(), message) {
		t.Errorf("%q (%s, %s), want %q (%s, %s)", fmt.Sprint(err), failure.CodeOf(err), failure.ReasonOf(err), message, code, reason)
	}
}
