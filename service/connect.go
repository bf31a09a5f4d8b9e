package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/schema"
)

// DB is what a Service needs of a database: a pool of connections, one connection, or a transaction.
type DB interface {
	gen.DBTX
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	Begin(ctx context.Context) (pgx.Tx, error)
}

const (
	cancelTime = time.Second     // how long a server has to confirm that it ended what was given up
	idleTime   = time.Second     // after which a connection has to prove that it still is one
	pingTime   = 2 * time.Second // how long it has for that
)

// Connect opens one connection, for a command that runs a few statements and leaves; the pool opens another where that
// one is lost. Nothing is prepared, so a statement is one round trip, also through PgBouncer, and is planned for what is
// asked: of a prepared one PostgreSQL makes a generic plan after five uses, which reads a whole table for a list of 50
// rows. A limit of zero is none.
//
// A server that cannot be reached is an error at once; one that is just starting is waited for. Of several hosts one may
// be taking over from another, so they are tried as long as the limit lasts.
func Connect(ctx context.Context, config *pgx.ConnConfig, limit time.Duration) (*pgxpool.Pool, error) {
	return ConnectMany(ctx, config, limit, 0)
}

// ConnectMany is Connect for a server, whose pool opens so many connections at most, as they are needed; pgx's choice if
// zero.
func ConnectMany(ctx context.Context, config *pgx.ConnConfig, limit time.Duration, most int32) (*pgxpool.Pool, error) {
	p := &budget{limit: limit}
	pool, err := connect(ctx, config, p, most)
	if _, refused := schema.IsPoolerRefusal(err); refused {
		pool, err = connect(ctx, schema.Pooled(config), p, most)
	}
	return pool, translate(ctx, nil, err)
}

func connect(ctx context.Context, config *pgx.ConnConfig, p *budget, most int32) (*pgxpool.Pool, error) {
	pooled, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	if most > 0 {
		pooled.MaxConns = most
	}
	pooled.ConnConfig = config.Copy()
	pooled.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	// What is given up is ended on the server too, whose answer then says that nothing was changed.
	pooled.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTime}
	}
	pooled.ConnConfig.OnNotice = func(conn *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.Code == "01000" {
			conn.CustomData()[warned] = true
		}
	}
	// The server's log of statements has no parameters. Only a superuser may say so, and pays a round trip for it.
	pooled.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if conn.PgConn().ParameterStatus("is_superuser") != "on" || config.RuntimeParams["log_parameter_max_length_on_error"] == "" {
			return nil
		}
		return conn.PgConn().Exec(ctx, "SET log_parameter_max_length = 0").Close()
	}
	// While somebody thinks at a prompt the connection may be lost: another one is opened before anything is sent.
	pooled.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool { return p.IdleDuration > idleTime }
	pooled.PingTimeout = pingTime
	pool, err := pgxpool.NewWithConfig(ctx, pooled)
	if err != nil {
		return nil, err
	}
	several := slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.Host != config.Host || f.Port != config.Port
	})
	err = p.attempts(ctx, func(err error) bool {
		refusal, ok := errors.AsType[*pgconn.PgError](err)
		return several && isTransient(err) || ok && refusal.Code == "57P03"
	}, func() error {
		return p.within(ctx, 1, func(ctx context.Context) error {
			conn, err := pool.Acquire(ctx)
			if err == nil {
				conn.Release()
			}
			return err
		})
	})
	if err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}
