package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/localdb"
)

const variable = "CRM_TEST_DATABASE_URL"

var (
	run         = newRun()  // begins the names of all databases of this process
	maintenance string      // URL of the database to connect to for making others
	keeper      *pgx.Conn   // shows other processes that this one lives
	stopServer  = func() {} // removes all traces
	startOnce   = sync.OnceValue(start)
)

func newRun() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return "crm_test_" + hex.EncodeToString(random[:])
}

// start makes a server available; its error says how to get one.
func start() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if os.Getenv(variable) != "" {
		if err := useShared(ctx, os.Getenv(variable)); err != nil {
			return fmt.Errorf("%s cannot be used: %w\nunset it to test with the PostgreSQL programs of this machine", variable, err)
		}
		return nil
	}
	if err := startPrivate(ctx); err != nil {
		if mendable, ok := errors.AsType[*localdb.Error](err); ok {
			err = fmt.Errorf("%s: %s", mendable.Message, mendable.Hint)
		}
		return fmt.Errorf("no PostgreSQL for the tests: %w\nor set %s to the URL of a server whose user may create databases", err, variable)
	}
	return nil
}

func useShared(ctx context.Context, address string) error {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return errors.New("it does not begin with postgres://")
	}
	if err := keep(ctx, address); err != nil {
		return err
	}
	stopServer = func() { _ = keeper.Close(context.Background()) }
	return sweep(ctx, keeper)
}

// keep shows others, who may share a private server too, that the databases of this process are in use.
func keep(ctx context.Context, address string) error {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = run
	maintenance = address
	keeper, err = pgx.ConnectConfig(ctx, config)
	return err
}

func startPrivate(ctx context.Context) error {
	// Not TMPDIR, which may be too long for a socket and closed to the account that runs the server where root tests.
	home, err := os.MkdirTemp("/tmp", "crm-test-")
	if err != nil {
		return err
	}
	if stopServer, err = guard(home); err != nil {
		return errors.Join(err, os.RemoveAll(home))
	}
	if err := os.Chmod(home, 0o755); err != nil {
		return err
	}
	cluster := localdb.New(home, os.Getenv)
	cluster.Settings = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=200"}
	if err := cluster.Start(ctx, nil, func(context.Context, string) error { return nil }); err != nil {
		return err
	}
	return keep(ctx, cluster.URL("postgres"))
}

// guard leaves a shell behind that waits for this process to end, however it ends, and then removes the server and its
// home. The function that it returns has that done at once, and waits for it.
//
// A server that was not yet ready, or an initdb, may write into the home while it is removed; hence the loop.
func guard(home string) (func(), error) {
	const script = `trap '' HUP INT TERM
cat >/dev/null
while [ -e "$1" ]; do
	pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null)
	if [ "${pid:-0}" -gt 1 ] && kill -QUIT "$pid" 2>/dev/null; then sleep 0.02; else rm -rf "$1"; fi
done`
	shell := exec.Command("sh", "-c", script, "sh", home)
	shell.Dir = "/"
	stdin, err := shell.StdinPipe() // closed by the system when this process is gone
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = stdin.Close()
		_ = shell.Wait()
	}, nil
}

func admin(ctx context.Context, statement string) error { return execute(ctx, maintenance, statement) }

func execute(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// databaseURL is the URL of a database of the server.
func databaseURL(name string) string {
	address, err := url.Parse(maintenance)
	if err != nil {
		panic("dbtest: " + err.Error()) // pgx has parsed it before
	}
	address.Path = "/" + name
	return address.String()
}
