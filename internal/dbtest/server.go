package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
)

const variable = "CRM_TEST_POSTGRES"

var (
	run         = newRun()  // begins the names of all databases of this process
	maintenance string      // URL of the database to connect to for making others
	keeper      *pgx.Conn   // shows other processes that this one lives
	server      string      // what was chosen, for people
	stopServer  = func() {} // removes all traces
	startOnce   = sync.OnceValue(start)
)

func newRun() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return "crm_test_" + hex.EncodeToString(random[:])
}

// choose says which server the tests use: local, container or a URL.
func choose() string {
	if choice := os.Getenv(variable); choice != "" {
		return choice
	}
	_, err := localdb.New(os.TempDir(), os.Getenv).Program(context.Background(), "initdb")
	if err != nil && os.Getenv("CRM_POSTGRES_BIN") == "" {
		return "container"
	}
	return "local"
}

// Chosen says for people which server the tests use, without starting one.
func Chosen() string {
	switch choice := choose(); choice {
	case "local":
		return "PostgreSQL's programs on this machine"
	case "container":
		return "a container of " + image()
	default:
		return "the server of " + variable
	}
}

// start makes the chosen server available and says on stderr which it is; its error says how to get one.
func start() error {
	var from string
	var err error
	switch choice := choose(); choice {
	case "local":
		from, err = startPrivate()
	case "container":
		from, err = startContainer()
	default:
		from, err = Chosen(), useShared(choice)
	}
	if err == nil {
		server = fmt.Sprintf("PostgreSQL %s, %s", keeper.PgConn().ParameterStatus("server_version"), from)
		_, _ = fmt.Fprintln(os.Stderr, "dbtest:", server)
		return nil
	}
	if mendable, ok := errors.AsType[*failure.Error](err); ok {
		err = fmt.Errorf("%s: %s", mendable.Message, mendable.Hint)
	}
	if choice := os.Getenv(variable); choice != "" {
		return fmt.Errorf("%s=%s cannot be used: %w\nunset it to test with the PostgreSQL programs of this machine, or else a container", variable, choice, err)
	}
	return fmt.Errorf("no PostgreSQL for the tests, neither programs on this machine nor: %w\nor set %s to the URL of a server whose user may create databases and roles", err, variable)
}

func useShared(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return errors.New("it is neither local nor container, and does not begin with postgres://")
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

func admin(ctx context.Context, statement string) error { return execute(ctx, maintenance, statement) }

func execute(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if _, gone := errors.AsType[*pgconn.ConnectError](err); gone {
		return fmt.Errorf("the tests have lost their server, %s: %w", server, err)
	}
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
