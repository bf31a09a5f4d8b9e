package schema

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/golang-migrate/migrate/v4/database"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// driver is golang-migrate's way to a PostgreSQL database. Unlike the driver that comes with it, it runs a migration and
// records its version in one transaction, so that a client or server that dies in between leaves either all of it or
// nothing; it never marks a version as dirty; and it ends with its context.
type driver struct {
	ctx    context.Context // of the call of this package: the interface passes none
	conn   *pgx.Conn
	lock   string // the name of the advisory lock, golang-migrate's own: its tools wait for us, and we for them
	target int    // the version that the next migration leads to
}

// ErrPooled says that a pooler such as PgBouncer stands between: the lock on which migrations wait for each other, and the
// settings that pg_dump makes, belong to a session of the server, which a pooler may give to somebody else after each
// transaction.
var ErrPooled = errors.New("schema: this needs a session of its own on the server")

// ErrVersion says that the database is at a version from which this program cannot go on: a newer or a dirty one.
var ErrVersion = errors.New("schema: the database is at a version that this program cannot change")

// RequireSession returns ErrPooled through a pooler, which tells its clients a process number of its own.
func RequireSession(ctx context.Context, conn *pgx.Conn) error {
	var backend uint32
	err := conn.QueryRow(ctx, "SELECT pg_backend_pid()::bigint").Scan(&backend)
	if err == nil && backend != conn.PgConn().PID() {
		err = ErrPooled
	}
	return err
}

func connect(ctx context.Context, config *pgx.ConnConfig) (*driver, error) {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0"     // a migration takes as long as it takes
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // nothing prepared, which a pooler would lose
	conn, err := pgx.ConnectConfig(ctx, config)
	if _, pooled := IsPoolerRefusal(err); pooled {
		return nil, ErrPooled
	}
	if err != nil {
		return nil, err
	}
	d := &driver{ctx: ctx, conn: conn}
	var name, schema string
	if err = RequireSession(ctx, conn); err == nil {
		err = d.prepare()
	}
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT current_database(), coalesce(current_schema(), '')").Scan(&name, &schema)
	}
	if err == nil {
		d.lock, err = database.GenerateAdvisoryLockId(name, schema, "schema_migrations")
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close also releases the lock, whatever happened.
func (d *driver) Close() error { return d.conn.Close(context.WithoutCancel(d.ctx)) }

// Lock waits for the migrations of others, though not for ever.
func (d *driver) Lock() error {
	return d.execute("SET lock_timeout = '1min'; SELECT pg_advisory_lock(" + d.lock + ")")
}

func (d *driver) Unlock() error { return d.execute("SELECT pg_advisory_unlock(" + d.lock + ")") }

// Version is that of the last migration; that there is none is no error.
func (d *driver) Version() (version int, dirty bool, err error) {
	err = d.conn.QueryRow(d.ctx, "SELECT version, dirty FROM schema_migrations").Scan(&version, &dirty)
	if refusal, ok := errors.AsType[*pgconn.PgError](err); errors.Is(err, pgx.ErrNoRows) || ok && refusal.Code == "42P01" {
		return database.NilVersion, false, nil
	}
	return version, dirty, err
}

// SetVersion is called before and after each migration. Run records the version.
func (d *driver) SetVersion(version int, _ bool) error {
	d.target = version
	return nil
}

// Run sends a migration and the record of its version as one message, which PostgreSQL takes as one transaction. The
// table of the version is locked first, against readers too: whoever has read the version in a transaction may rely on it
// until that ends, and whoever asks meanwhile gets the new one. Since all others then wait behind us, this is not tried
// for long.
func (d *driver) Run(migration io.Reader) error {
	text, err := io.ReadAll(migration)
	if err != nil {
		return err
	}
	grants := ""
	if int64(d.target) == Version() { // what is new is granted to those who may use the rest
		schema, roles, err := d.grantees(d.conn)
		if err != nil {
			return err
		}
		grants = renewal(Version(), schema, roles)
	}
	return d.execute(versionTable + versionLock + asCommand + string(text) + "\n;" + versionRecord(d.target) + grants)
}

const (
	versionTable = `
CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
`
	versionLock = `
SET LOCAL lock_timeout = '5s';
LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE;
`
	// asCommand is what the history says of the rows that a migration changes.
	asCommand = `
SELECT set_config('crm.command', 'db migrate', true);
`
)

func versionRecord(version int) string {
	const none = "DELETE FROM schema_migrations;"
	if version == database.NilVersion {
		return none
	}
	return none + fmt.Sprintf("INSERT INTO schema_migrations (version, dirty) VALUES (%d, false);", version)
}

// execute sends statements without parameters, which go together as one message.
func (d *driver) execute(statements string) error {
	_, err := d.conn.Exec(d.ctx, statements)
	return err
}

var errNotUsed = errors.New("schema: not used by crm")

// refusal is what the server says of a statement that it refused, else nil.
func refusal(err error) *pgconn.PgError {
	refused, _ := errors.AsType[*pgconn.PgError](err)
	return refused
}

// Open and Drop complete the interface; crm connects and empties a database in other ways.
func (d *driver) Open(string) (database.Driver, error) { return nil, errNotUsed }
func (d *driver) Drop() error                          { return errNotUsed }
