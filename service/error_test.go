package service_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

const (
	tooSlow = "The database did not answer in time."

	tooSlowToChange = "The database did not answer in time; nothing was changed."
	refused         = "The database cannot be reached: connection refused."
	lost            = "The connection to the database was lost."
	shuttingDown    = "The database is starting or shutting down."
	busy            = "Someone else changed the same data at this moment; nothing was changed."
	inside          = "Something went wrong inside crm."
)

// unfit is what no message may show: SQL, Go's types and packages, the server's own words, a secret, a second line.
var unfit = regexp.MustCompile(`SELECT|INSERT|UPDATE |SQLSTATE|pgconn|pgx|\*|ERROR|FATAL|secret|127\.0\.0\.1|/tmp|\n|%!`)

// unfitFree is fails, for what the user must not see too.
func unfitFree(t testing.TB, code failure.Code, message string, err error) {
	t.Helper()
	fails(t, code, message, err)
	problem, ok := errors.AsType[*failure.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	if shown := problem.Message + problem.Hint; unfit.MatchString(shown) {
		t.Errorf("shown to the user: %q", shown)
	}
	if problem.Err == nil {
		t.Error("the cause is lost")
	}
}

// with is the database of the environment under other settings of the connection.
func (p *env) with(setting, value string) *pgx.ConnConfig {
	config := p.config.Copy()
	config.RuntimeParams[setting] = value
	return config
}

// change is an operation that writes.
func change(ctx context.Context, s *service.Session) error {
	return second(s.CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: ownCustomer, Company: new("Changed")}))
}

func TestConnectFails(t *testing.T) {
	t.Parallel()
	p := newEnv(t, dbtest.Empty(t))
	role := fmt.Sprintf("crm_role_%d", time.Now().UnixNano())
	p.exec("CREATE ROLE " + role + " LOGIN PASSWORD 'secret' CONNECTION LIMIT 0")
	p.exec("CREATE ROLE " + role + "_out NOLOGIN")
	t.Cleanup(func() {
		if _, err := p.conn.Exec(context.Background(), "DROP ROLE "+role+", "+role+"_out"); err != nil {
			t.Error(err)
		}
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deaf.Close() })
	at := func(address net.Addr) *pgx.ConnConfig {
		config, err := pgx.ParseConfig(fmt.Sprintf("postgres://u:secret@%s/crm?sslmode=disable&connect_timeout=1", address))
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
	changed := func(change func(*pgx.ConnConfig)) *pgx.ConnConfig {
		config := p.config.Copy()
		change(config)
		return config
	}
	for message, config := range map[string]*pgx.ConnConfig{
		refused:                        at(closed.Addr()),
		tooSlow:                        at(deaf.Addr()),
		"The database does not exist.": changed(func(c *pgx.ConnConfig) { c.Database = "no_such_database" }),
		"The database refused the user or password of its URL.": changed(func(c *pgx.ConnConfig) { c.User = role + "_out" }),
		"The database has no free connection.":                  changed(func(c *pgx.ConnConfig) { c.User, c.Password = role, "secret" }),
	} {
		began := time.Now()
		_, err := service.Connect(t.Context(), config, 0)
		unfitFree(t, failure.Unavailable, message, err)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %s", message, took)
		}
	}
	noSocket := changed(func(c *pgx.ConnConfig) { c.Host = filepath.Join(t.TempDir(), "nowhere") })
	unfitFree(t, failure.Unavailable, "The database cannot be reached: no server is behind its socket.", second(service.Connect(t.Context(), noSocket, 0)))

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	unfitFree(t, failure.Unavailable, tooSlow, second(service.Connect(ctx, at(deaf.Addr()), 0)))
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := service.Connect(ctx, p.config, 0); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// TestHintsForTheHost: what only whoever runs the database can do says so, and nothing else does.
func TestHintsForTheHost(t *testing.T) {
	t.Parallel()
	p := sample(t)
	missing := p.config.Copy()
	missing.Database = "no_such_database"
	unknown := p.config.Copy()
	unknown.RuntimeParams["no_such_setting"] = "on"
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	on := func(setting, value string) *service.Session {
		return p.asOn(service.New(p.connect(p.with(setting, value)), testKey), "commercial1")
	}
	for name, test := range map[string]struct {
		err    error
		reason failure.Reason
	}{
		"no database":         {second(service.Connect(t.Context(), missing, 0)), failure.ForHost},
		"a bad setting":       {second(service.Connect(t.Context(), unknown, 0)), failure.ForHost},
		"no schema":           {change(t.Context(), on("search_path", "pg_catalog")), failure.ForHost},
		"only reads":          {change(t.Context(), on("default_transaction_read_only", "on")), failure.ForHost},
		"too late":            {change(late, p.as("commercial1")), ""},
		"no such customer":    {second(p.as("none1").CustomerDetail(t.Context(), 1000)), ""},
		"a wrong value":       {second(p.as("commercial1").CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Phone: new(value.Phone("+1"))})), ""},
		"somebody else's own": {second(p.as("commercial1").CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: foreignCustomer, Company: new("X")})), ""},
	} {
		if problem, ok := errors.AsType[*failure.Error](test.err); !ok || problem.Reason != test.reason || problem.Hint != "" && forHost.MatchString(problem.Hint) != (test.reason == failure.ForHost) {
			t.Errorf("%s: %#v; want the reason %q", name, test.err, test.reason)
		}
	}
	p.exec("UPDATE schema_migrations SET version = version - 1")
	if err := change(t.Context(), p.as("commercial1")); failure.ReasonOf(err) != failure.ForHost {
		t.Errorf("another version: %#v", err)
	}
}

// TestDatabaseRefuses an operation for reasons of its own.
func TestDatabaseRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, refusal := range map[string]struct {
		setting, value, message string
		during                  string // what somebody else does in a transaction meanwhile
	}{
		"statement timeout": {"statement_timeout", "100", tooSlowToChange, "SELECT FROM customer WHERE id = 1 FOR UPDATE"},
		"lock timeout":      {"lock_timeout", "100", tooSlowToChange, "SELECT FROM customer WHERE id = 1 FOR UPDATE"},
		"read-only":         {"default_transaction_read_only", "on", "The database only accepts reads at the moment.", ""},
		"other schema":      {"search_path", "pg_catalog", noSchema, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			s := p.asOn(service.New(p.connect(p.with(refusal.setting, refusal.value)), testKey), "commercial1")
			if refusal.during != "" {
				tx, err := dbtest.Connect(t, p.config).Begin(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.Exec(ctx, refusal.during); err != nil {
					t.Fatal(err)
				}
			}
			p.refuses(failure.Unavailable, refusal.message, func() error {
				err := change(ctx, s)
				unfitFree(t, failure.Unavailable, refusal.message, err)
				return err
			})
		})
	}
}

// TestChangedMeanwhile is what a stricter isolation than crm asks for makes of two writers.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	conn := p.connect(p.with("default_transaction_isolation", "repeatable read"))
	s := p.asOn(service.New(conn, testKey), "commercial1")
	tx, err := p.conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "UPDATE customer SET company = 'First' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() { result <- change(ctx, s) }()
	p.waits(conn)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	unfitFree(t, failure.Unavailable, busy, <-result)
	if company := one[string](p, "SELECT company FROM customer WHERE id = 1"); company != "First" {
		t.Errorf("company is %s", company)
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	p := sample(t)
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"cancelled": context.WithCancel,
		"cancelled for a reason": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			return ctx, func() { cancel(errors.New("reason")) }
		},
	} {
		ctx, cancel := end(t.Context())
		cancel()
		s := p.asOn(service.New(p.connect(p.config), testKey), "commercial1")
		p.refuses(failure.Internal, "context canceled", func() error {
			err := change(ctx, s)
			if err != context.Canceled {
				t.Errorf("%s: %v", name, err)
			}
			return err
		})
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	s := p.asOn(service.New(p.connect(p.config), testKey), "commercial1")
	p.refuses(failure.Unavailable, tooSlow, func() error { return change(ctx, s) })
}

func TestConnectionLost(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	for name, lose := range map[string]struct {
		message string
		do      func(conn *pgx.Conn)
	}{
		"socket closed": {lost, func(conn *pgx.Conn) { conn.PgConn().Conn().Close() }},
		"conn closed":   {lost, func(conn *pgx.Conn) { conn.Close(ctx) }},
		// Whether the server finds the time to say why is a matter of luck.
		"terminated": {"", func(conn *pgx.Conn) {
			one[bool](p, "SELECT pg_terminate_backend($1, 10000)", int64(conn.PgConn().PID()))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			conn := p.connect(p.config)
			s := p.asOn(service.New(conn, testKey), "commercial1")
			if err := change(ctx, s); err != nil {
				t.Fatal(err)
			}
			lose.do(conn)
			p.refuses(failure.Unavailable, lose.message, func() error {
				err := change(ctx, s)
				unfitFree(t, failure.Unavailable, lose.message, err)
				return err
			})
			fails(t, failure.Unavailable, lost, change(ctx, s))
			fails(t, failure.Unavailable, lost, second(all(s.CustomerList(ctx, gen.CustomerListParams{}))))
			fails(t, failure.Unavailable, lost, second(s.CustomerCount(ctx, gen.CustomerListParams{})))
		})
	}
}

// answering is a database that answers every statement with one error, for those that a test cannot bring about.
type answering struct {
	service.DB
	err error
}

func (db answering) QueryRow(context.Context, string, ...any) pgx.Row {
	return answeringRow{err: db.err}
}

type answeringRow struct {
	pgx.Row
	err error
}

func (row answeringRow) Scan(...any) error { return row.err }

func TestTranslate(t *testing.T) {
	t.Parallel()
	const secret = "secret password at 127.0.0.1\nSELECT"
	for sqlstate, want := range map[string]struct {
		code    failure.Code
		message string
	}{
		"08006": {failure.Unavailable, shuttingDown},
		"22003": {failure.Usage, "The database cannot store this value."},
		"22021": {failure.Usage, "The database cannot store this value."},
		"23502": {failure.Internal, inside},
		"23505": {failure.Internal, "The database refused this by a rule without a message."},
		"25006": {failure.Unavailable, "The database only accepts reads at the moment."},
		"28000": {failure.Unavailable, "The database refused the user or password of its URL."},
		"28P01": {failure.Unavailable, "The database refused the user or password of its URL."},
		"3D000": {failure.Unavailable, "The database does not exist."},
		"40001": {failure.Unavailable, busy},
		"40P01": {failure.Unavailable, busy},
		"42501": {failure.Unavailable, "The database's user lacks rights on crm's schema."},
		"42601": {failure.Internal, inside},
		"42703": {failure.Unavailable, noSchema},
		"42883": {failure.Unavailable, noSchema},
		"42P01": {failure.Unavailable, noSchema},
		"53100": {failure.Unavailable, "The database's disk is full."},
		"53300": {failure.Unavailable, "The database has no free connection."},
		"55P03": {failure.Unavailable, tooSlow},
		"57014": {failure.Unavailable, tooSlow},
		"57P01": {failure.Unavailable, shuttingDown},
		"57P02": {failure.Unavailable, shuttingDown},
		"57P03": {failure.Unavailable, shuttingDown},
		"XX000": {failure.Internal, inside},
	} {
		cause := &pgconn.PgError{Code: sqlstate, Message: secret, Detail: secret, Severity: "ERROR"}
		svc := service.New(answering{err: fmt.Errorf("pgconn: %w", cause)}, testKey)
		err := second(svc.CheckVersion(t.Context()))
		unfitFree(t, want.code, want.message, err)
		if !errors.Is(err, cause) {
			t.Errorf("%s: the cause is lost", sqlstate)
		}
	}
	svc := service.New(answering{err: errors.New(secret)}, testKey)
	unfitFree(t, failure.Internal, inside, second(svc.CheckVersion(t.Context())))
}
