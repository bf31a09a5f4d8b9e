package service_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

const unknownOutcome = "The connection to the database was lost: whether this was done is not known."

// cable leads to the database and breaks as often as it is told, at the statement of a name: before the statement leaves
// or, when it was done, before the answer arrives.
type cable struct {
	at      string
	breaks  atomic.Int32
	arrives bool // the statement does
}

func (c *cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return &cabled{Conn: conn, cable: c}, err
}

type cabled struct {
	net.Conn
	cable *cable
	lost  atomic.Bool
}

func (c *cabled) Write(message []byte) (int, error) {
	if !bytes.Contains(message, []byte("-- name: "+c.cable.at+" ")) || c.cable.breaks.Add(-1) < 0 {
		return c.Conn.Write(message)
	}
	c.lost.Store(true)
	if !c.cable.arrives {
		c.Conn.Close()
		return len(message), nil
	}
	return c.Conn.Write(message)
}

func (c *cabled) Read(into []byte) (int, error) {
	for c.lost.Load() {
		n, err := c.Conn.Read(into)
		if err != nil || bytes.HasSuffix(into[:n], []byte{'Z', 0, 0, 0, 5, 'I'}) { // the server has done all
			c.Conn.Close()
			return 0, io.ErrUnexpectedEOF
		}
	}
	return c.Conn.Read(into)
}

// limited is a service whose connections change as they are told, with a time limit.
func (p *env) limited(limit time.Duration, change func(*pgx.ConnConfig)) *service.Service {
	p.Helper()
	config := p.config.Copy()
	change(config)
	pool, err := service.Connect(p.Context(), config, limit)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(pool.Close)
	return service.New(pool, testKey).Within(limit)
}

func (p *env) behind(c *cable) *service.Service {
	return p.limited(20*time.Second, func(config *pgx.ConnConfig) { config.DialFunc = c.dial })
}

// TestLostConnection: what does the same when it is sent twice is sent again; of what would do it twice, the outcome is
// told as unknown. Whether it was done the database says.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	payment := gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 100}
	for name, test := range map[string]struct {
		at       string
		username string
		do       func(ctx context.Context, s *service.Session) error
		settled  bool
		done     string // a query that reports whether it was done
	}{
		"payment": {"ContractAddPayment", "commercial1", func(ctx context.Context, s *service.Session) error {
			return second(s.ContractAddPayment(ctx, payment))
		}, true, "SELECT count(*) = 1 FROM payment WHERE amount = 100"},
		"update": {"CustomerUpdate", "commercial1", func(ctx context.Context, s *service.Session) error {
			return second(s.CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: ownCustomer, Company: new("Twice")}))
		}, true, "SELECT count(*) = 1 FROM customer WHERE company = 'Twice'"},
		"sign": {"ContractSign", "commercial1", func(ctx context.Context, s *service.Session) error {
			return second(s.ContractSign(ctx, ownUnsigned))
		}, true, fmt.Sprintf("SELECT signed FROM contract WHERE id = '%s'", ownUnsigned)},
		"list": {"ContractList", "none1", func(ctx context.Context, s *service.Session) error {
			rows, err := all(s.ContractList(ctx, gen.ContractListParams{}))
			if err == nil && len(rows) != 20 {
				err = fmt.Errorf("%d rows", len(rows))
			}
			return err
		}, true, "SELECT true"},
		"new customer": {"CustomerAdd", "commercial1", func(ctx context.Context, s *service.Session) error {
			return second(s.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: "Zoé", Company: new("Once"), Email: new("z@example.com"), Phone: new(value.Phone("+33145670102"))}))
		}, false, "SELECT count(*) = 1 FROM customer WHERE company = 'Once'"},
		"new contract": {"ContractAdd", "administrator1", func(ctx context.Context, s *service.Session) error {
			return second(s.ContractAdd(ctx, gen.ContractAddParams{CustomerID: ownCustomer, TotalAmount: 777}))
		}, false, "SELECT count(*) = 1 FROM contract WHERE total_amount = 777"},
		"deletion": {"EmployeeDelete", "administrator1", func(ctx context.Context, s *service.Session) error {
			return s.EmployeeDelete(ctx, "none1")
		}, false, "SELECT count(*) = 0 FROM employee WHERE username = 'none1'"},
	} {
		for _, arrives := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, arrived %t", name, arrives), func(t *testing.T) {
				t.Parallel()
				p := sample(t)
				c := &cable{at: test.at, arrives: arrives}
				s := p.asOn(p.behind(c), test.username)
				c.breaks.Store(2)
				err := test.do(t.Context(), s)
				if test.settled && err != nil {
					t.Errorf("%s: %v", failure.CodeOf(err), err)
				}
				if !test.settled {
					fails(t, failure.Unavailable, unknownOutcome, err)
				}
				if got, want := one[bool](p, test.done), test.settled || arrives; got != want {
					t.Errorf("done is %t, want %t", got, want)
				}
			})
		}
	}
}

// TestOthersKeepTheirConnections: what befalls one connection closes no other, unless the server says that it is gone.
func TestOthersKeepTheirConnections(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sqlstate string
		breaks   int32
		kept     int // of two connections
	}{
		"lost":                    {breaks: 1, kept: 1},
		"in conflict":             {sqlstate: "40001", kept: 2},
		"in a deadlock":           {sqlstate: "40P01", kept: 2},
		"of a server that reads":  {sqlstate: "25006", kept: 0},
		"of a server that leaves": {sqlstate: "57P01", kept: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			if test.sqlstate != "" {
				p.refuseFirst(1, "UPDATE", test.sqlstate)
			}
			c := &cable{at: "CustomerUpdate"}
			config := p.config.Copy()
			config.DialFunc = c.dial
			pool := must[*pgxpool.Pool](t)(service.Connect(t.Context(), config, 0))
			t.Cleanup(pool.Close)
			var opened []uint32
			for _, conn := range []*pgxpool.Conn{must[*pgxpool.Conn](t)(pool.Acquire(t.Context())), must[*pgxpool.Conn](t)(pool.Acquire(t.Context()))} {
				opened = append(opened, conn.Conn().PgConn().PID())
				conn.Release()
			}
			c.breaks.Store(test.breaks)
			s := p.asOn(service.New(pool, testKey), "commercial1")
			must[gen.CustomerView](t)(now(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Company: new("Twice")})))
			kept := 0
			for _, conn := range pool.AcquireAllIdle(t.Context()) {
				if slices.Contains(opened, conn.Conn().PgConn().PID()) {
					kept++
				}
				conn.Release()
			}
			if kept != test.kept {
				t.Errorf("%d connections were kept, want %d", kept, test.kept)
			}
		})
	}
}

// refuseFirst has the first changes of customers, so many, fail in the way that the code says.
func (p *env) refuseFirst(times int, change, sqlstate string) {
	p.Helper()
	p.exec("CREATE SEQUENCE refusals")
	p.exec(fmt.Sprintf(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN
			IF nextval('refusals') <= %d THEN
				RAISE EXCEPTION USING ERRCODE = '%s';
			END IF;
			RETURN NEW;
		END $$`, times, sqlstate))
	p.exec("CREATE TRIGGER refuse BEFORE " + change + " ON customer FOR EACH ROW EXECUTE FUNCTION refuse()")
}

// TestUnknownPayment says how to repeat the payment, and repeating it so is safe.
func TestUnknownPayment(t *testing.T) {
	t.Parallel()
	p := sample(t)
	c := &cable{at: "ContractAddPayment", arrives: true}
	svc := p.limited(time.Second, func(config *pgx.ConnConfig) { config.DialFunc = c.dial })
	c.breaks.Store(1000)
	id := uuid.New()
	payment := gen.ContractAddPaymentParams{ID: id, ContractID: ownSigned, Amount: 12345}
	_, err := p.asOn(svc, "commercial1").ContractAddPayment(t.Context(), payment)
	fails(t, failure.Unavailable, "", err)
	problem, ok := err.(*failure.Error)
	if want := fmt.Sprintf("crm contract add-payment %s --payment 123.45 --payment-id %s ", ownSigned, id); !ok || !strings.HasPrefix(problem.Hint, want) {
		t.Fatalf("%#v does not say %q", err, want)
	}
	again := must[service.RecordedPayment](t)(now(p.as("commercial1").ContractAddPayment(t.Context(), payment)))
	if n := one[int](p, "SELECT count(*) FROM payment WHERE amount = 12345"); n != 1 || again.Created {
		t.Errorf("%d payments, and the repeated one is new: %t", n, again.Created)
	}
}

// TestPassingRefusals are ridden out: a conflict with another transaction, and a server that takes no writes yet.
func TestPassingRefusals(t *testing.T) {
	t.Parallel()
	for _, sqlstate := range []string{"40001", "40P01", "25006"} {
		t.Run(sqlstate, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.refuseFirst(3, "INSERT", sqlstate)
			s := p.asOn(p.limited(20*time.Second, func(*pgx.ConnConfig) {}), "commercial1")
			must[gen.CustomerView](t)(now(s.CustomerAdd(t.Context(), gen.CustomerAddParams{Fullname: "Zoé", Company: new("Once"), Email: new("z@example.com"), Phone: new(value.Phone("+33145670102"))})))
			if n := one[int](p, "SELECT count(*) FROM customer WHERE company = 'Once'"); n != 1 {
				t.Errorf("%d customers", n)
			}
		})
	}
}

// TestTimeLimit: a lock that somebody else holds is waited for as long as the limit, and then nothing is left behind.
func TestTimeLimit(t *testing.T) {
	t.Parallel()
	p := sample(t)
	tx, err := p.connect(p.config).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), "SELECT FROM contract WHERE id = $1 FOR UPDATE", ownSigned); err != nil {
		t.Fatal(err)
	}
	s := p.asOn(p.limited(time.Second, func(*pgx.ConnConfig) {}), "commercial1")
	began := time.Now()
	_, err = s.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 100})
	fails(t, failure.Unavailable, tooSlowToChange, err)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if _, err := p.svcDB.Exec(t.Context(), "SELECT"); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := p.svcDB.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%ContractAddPayment%' AND pid <> pg_backend_pid() AND state <> 'idle'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d statements go on, %v", left, err)
	}
}

// TestStalledStream: a list whose rows stop coming ends; one whose reader takes long does not.
func TestStalledStream(t *testing.T) {
	t.Parallel()
	p := sample(t)
	params := p.fill(20_000)
	s := p.asOn(p.limited(time.Second, func(*pgx.ConnConfig) {}), "none1")
	n := 0
	for _, err := range s.PaymentList(t.Context(), params) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			time.Sleep(2 * time.Second)
		}
	}
	if n != 20_000 {
		t.Errorf("%d rows for a slow reader", n)
	}

	p.exec("ALTER VIEW payment_view RENAME TO payment_kept")
	p.exec(`CREATE VIEW payment_view AS SELECT * FROM payment_kept
		UNION ALL SELECT payment_kept.* FROM payment_kept, pg_sleep(60)`)
	p.exec("GRANT SELECT ON payment_view TO PUBLIC")
	began := time.Now()
	_, err := all(p.asOn(p.limited(time.Second, func(*pgx.ConnConfig) {}), "none1").PaymentList(t.Context(), params))
	fails(t, failure.Unavailable, tooSlow, err)
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestSeveralHosts: of two hosts the one that takes writes is found, also when it takes over later.
func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("ALTER DATABASE " + pgx.Identifier{p.config.Database}.Sanitize() + " SET default_transaction_read_only = on")
	go func() {
		time.Sleep(time.Second)
		config := p.owner.Copy()
		config.RuntimeParams["default_transaction_read_only"] = "off"
		conn, err := pgx.ConnectConfig(context.Background(), config)
		if err != nil {
			return
		}
		defer conn.Close(context.Background())
		_, _ = conn.Exec(context.Background(), "ALTER DATABASE "+pgx.Identifier{p.config.Database}.Sanitize()+" RESET default_transaction_read_only")
	}()
	url := fmt.Sprintf("postgres://%s:%s@/%s?host=%s,127.0.0.1&port=%d,1&target_session_attrs=read-write&sslmode=disable",
		p.config.User, p.config.Password, p.config.Database, p.config.Host, p.config.Port)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	pool := must[*pgxpool.Pool](t)(service.Connect(t.Context(), config, 20*time.Second))
	t.Cleanup(pool.Close)
	s := p.asOn(service.New(pool, testKey).Within(20*time.Second), "commercial1")
	must[gen.CustomerView](t)(now(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Company: new("Elsewhere")})))
}
