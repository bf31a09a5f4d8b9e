package service_test

import (
	"context"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// fill adds payments to a contract, past the trigger that sums them up.
func (p *env) fill(rows int) gen.PaymentListParams {
	p.Helper()
	p.exec("SET session_replication_role = replica")
	p.exec(`INSERT INTO payment (id, contract_id, amount, recorded_by)
		SELECT gen_random_uuid(), $1, 1, 'commercial1' FROM generate_series(1, $2::int)`, ownUnsigned, rows)
	p.exec("RESET session_replication_role")
	return gen.PaymentListParams{ContractID: new(ownUnsigned)}
}

// TestStreamMemory runs alone: what other tests hold would be measured too.
func TestStreamMemory(t *testing.T) {
	p := sample(t)
	const rows = 200_000
	params := p.fill(rows)
	s := p.as("none1")
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before, most, n := heap(), uint64(0), 0
	for payment, err := range s.PaymentList(t.Context(), params) {
		if err != nil {
			t.Fatal(err)
		}
		if payment.Amount != 1 {
			t.Fatalf("row %d: %+v", n, payment)
		}
		if n++; n%20_000 == 0 {
			most = max(most, heap())
		}
	}
	if n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	if grown := int64(most) - int64(before); grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// TestStreamBreak leaves the Service good for the next operation, also after the first row of many.
func TestStreamBreak(t *testing.T) {
	t.Parallel()
	p := sample(t)
	params := p.fill(20_000)
	pool := must[*pgxpool.Pool](t)(service.Connect(t.Context(), p.config, 0))
	t.Cleanup(pool.Close)
	s := p.asOn(service.New(pool, testKey), "none1")
	for _, after := range []int{1, 1000, 19_999} {
		n := 0
		for _, err := range s.PaymentList(t.Context(), params) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == after {
				break
			}
		}
		must[gen.CustomerView](t)(s.CustomerDetail(t.Context(), ownCustomer))
	}
	func() {
		defer func() { _ = recover() }()
		for range s.PaymentList(t.Context(), params) {
			panic("in the loop")
		}
	}()
	list := s.PaymentList(t.Context(), params)
	for range 2 { // a list may be gone through again
		if rows := must[[]gen.PaymentView](t)(all(list)); len(rows) != 20_000 {
			t.Errorf("%d rows", len(rows))
		}
	}
}

// TestStreamRefused leaves the connection good too.
func TestStreamRefused(t *testing.T) {
	t.Parallel()
	p := sample(t)
	over := p.as("none1")
	if err := over.AuthLogout(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := all(over.ContractList(t.Context(), gen.ContractListParams{}))
	if fails(t, failure.Unauthenticated, sessionOver, err); len(rows) > 0 {
		t.Errorf("rows for nobody: %v", rows)
	}
	fails(t, failure.Usage, "The database cannot store this value.",
		second(all(p.as("none1").ContractList(t.Context(), gen.ContractListParams{Search: new("\xff")}))))
	fails(t, failure.Usage, "The database cannot store this value.",
		second(all(p.as("none1").ContractList(t.Context(), gen.ContractListParams{RowLimit: new(int64(-1))}))))
	must[[]gen.ContractView](t)(all(p.as("none1").ContractList(t.Context(), gen.ContractListParams{})))
}

// TestStreamReadsWhatDetailReads compares the two ways by which rows arrive: a list's as they are stored, one by itself as
// text. It has what either could read differently, and, as all rows are compared in the end, what a pointer in one row
// points at is not the next row's.
func TestStreamReadsWhatDetailReads(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(`UPDATE event SET support_id = NULL, start_at = '1900-06-01 00:00:00.000001+00:09:21', end_at = '2200-12-30 23:59:59.999999+00' WHERE id = 1`)
	p.exec(`UPDATE contract SET due_on = '2200-12-31' WHERE id = $1`, ownSigned)
	s := p.as("administrator1")
	compare(t, s.ContractList(t.Context(), gen.ContractListParams{}), func(row gen.ContractView) (gen.ContractView, error) {
		return s.ContractDetail(t.Context(), row.ID)
	})
	compare(t, s.CustomerList(t.Context(), gen.CustomerListParams{}), func(row gen.CustomerView) (gen.CustomerView, error) {
		return s.CustomerDetail(t.Context(), row.ID)
	})
	compare(t, s.EmployeeList(t.Context(), gen.EmployeeListParams{}), func(row gen.EmployeeView) (gen.EmployeeView, error) {
		return s.EmployeeDetail(t.Context(), row.Username)
	})
	compare(t, s.EventList(t.Context(), gen.EventListParams{}), func(row gen.EventView) (gen.EventView, error) {
		return s.EventDetail(t.Context(), row.ID)
	})
}

func compare[T any](t *testing.T, list iter.Seq2[T, error], detail func(T) (T, error)) {
	t.Helper()
	rows := must[[]T](t)(all(list))
	if len(rows) < 3 {
		t.Errorf("only %d rows", len(rows))
	}
	for _, row := range rows {
		same(t, "", row, must[T](t)(detail(row)))
	}
}

// pool returns one of so many connections at most.
func (p *env) pool(most int32) *pgxpool.Pool {
	p.Helper()
	pool, err := service.ConnectMany(p.Context(), p.config, 0, most)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(pool.Close)
	return pool
}

// TestStreamsLeaveRoom: whoever reads a list and pauses holds a connection, and half of them stay for everybody else.
func TestStreamsLeaveRoom(t *testing.T) {
	t.Parallel()
	p := sample(t)
	params := p.fill(20_000) // more than fits into the buffers between the two
	pool := p.pool(4)
	svc := service.New(pool, testKey)
	request := func(limit time.Duration) *service.Session { return p.asOn(svc.Within(limit), "none1") }
	const long, short = time.Minute, 100 * time.Millisecond

	for range 5 { // who leaves a list in the middle gives the place back
		for _, err := range request(long).PaymentList(t.Context(), params) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	var leave []func()
	for range 2 {
		next, stop := iter.Pull2(request(long).PaymentList(t.Context(), params))
		defer stop()
		if _, err, ok := next(); err != nil || !ok {
			t.Fatal(err, ok)
		}
		leave = append(leave, stop)
	}
	const full = "Too many lists are being read at this moment."
	fails(t, failure.Unavailable, full, second(all(request(short).PaymentList(t.Context(), params))))
	late, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	fails(t, failure.Unavailable, full, second(all(request(long).PaymentList(late, params))))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := second(all(request(long).PaymentList(gone, params))); err != context.Canceled {
		t.Errorf("given up: %v", err)
	}
	must[service.Whoami](t)(request(long).AuthWhoami(t.Context()))

	waiting, third := make(chan error), request(long)
	go func() { waiting <- second(all(third.PaymentList(t.Context(), params))) }()
	leave[0]()
	if err := <-waiting; err != nil {
		t.Errorf("a place became free: %v", err)
	}
}

// TestStreamWithoutAConnection: a list that gets none in its time is too slow, and was not given up by anybody.
func TestStreamWithoutAConnection(t *testing.T) {
	t.Parallel()
	p := sample(t)
	pool := p.pool(1)
	svc := service.New(pool, testKey)
	other := must[*pgxpool.Conn](t)(pool.Acquire(t.Context()))
	fails(t, failure.Unavailable, tooSlow, second(all(p.asOn(svc.Within(100*time.Millisecond), "none1").ContractList(t.Context(), gen.ContractListParams{}))))
	other.Release()
	must[[]gen.ContractView](t)(all(p.asOn(svc.Within(time.Minute), "none1").ContractList(t.Context(), gen.ContractListParams{})))
}

// TestStreamInEveryMode: how a connection asks for other rows makes no difference to a list.
func TestStreamInEveryMode(t *testing.T) {
	t.Parallel()
	p := sample(t)
	want := must[[]gen.ContractView](t)(all(p.as("none1").ContractList(t.Context(), gen.ContractListParams{})))
	wantPayments := must[[]gen.PaymentView](t)(all(p.as("none1").PaymentList(t.Context(), gen.PaymentListParams{ContractID: new(ownSigned)})))
	if len(want) != 20 || len(wantPayments) == 0 {
		t.Fatalf("%d contracts, %d payments", len(want), len(wantPayments))
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeCacheStatement} {
		config := p.config.Copy()
		config.DefaultQueryExecMode = mode
		s := p.asOn(service.New(dbtest.Connect(t, config), testKey), "none1")
		for range 2 { // the second time from what the connection remembers
			same(t, mode.String(), must[[]gen.ContractView](t)(all(s.ContractList(t.Context(), gen.ContractListParams{}))), want)
			same(t, mode.String(), must[[]gen.PaymentView](t)(all(s.PaymentList(t.Context(), gen.PaymentListParams{ContractID: new(ownSigned)}))), wantPayments)
		}
	}
}

// TestNothingIsPrepared: each list is planned for its own filters and limit.
func TestNothingIsPrepared(t *testing.T) {
	t.Parallel()
	p := sample(t)
	pool := must[*pgxpool.Pool](t)(service.Connect(t.Context(), p.config, 0))
	t.Cleanup(pool.Close)
	s := p.asOn(service.New(pool, testKey), "commercial1")
	for range 3 {
		must[[]gen.ContractView](t)(all(s.ContractList(t.Context(), gen.ContractListParams{RowLimit: new(int64(5))})))
		must[gen.CustomerView](t)(now(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Company: new("X")})))
	}
	conns := pool.AcquireAllIdle(t.Context())
	if len(conns) == 0 {
		t.Fatal("no connection was used")
	}
	for _, conn := range conns {
		defer conn.Release()
		var prepared int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&prepared); err != nil || prepared != 0 {
			t.Errorf("%d prepared statements, %v", prepared, err)
		}
	}
}

// TestStreamCutOff returns an error, never a shorter list.
func TestStreamCutOff(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]struct {
		message string
		do      func(p *env)
	}{
		// Whether the server finds the time to say why is a matter of luck.
		"terminated": {"", func(p *env) {
			one[bool](p, "SELECT pg_terminate_backend($1, 10000)", int64(p.svcDB.PgConn().PID()))
		}},
		"socket closed": {lost, func(p *env) { p.svcDB.PgConn().Conn().Close() }},
		"statement cancelled": {tooSlow, func(p *env) {
			one[bool](p, "SELECT pg_cancel_backend($1)", int64(p.svcDB.PgConn().PID()))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			const rows = 30_000 // more than fits into the buffers between the two
			params := p.fill(rows)
			n := 0
			var problem error
			for _, err := range p.as("none1").PaymentList(t.Context(), params) {
				if problem != nil {
					t.Fatal("a row after the error")
				}
				if problem = err; err == nil {
					if n++; n == 10 {
						cut.do(p)
					}
				}
			}
			if n >= rows {
				t.Fatalf("all %d rows came", n)
			}
			unfitFree(t, failure.Unavailable, cut.message, problem)
		})
	}
}

func TestStreamCancelled(t *testing.T) {
	t.Parallel()
	p := sample(t)
	params := p.fill(30_000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var problem error
	var began time.Time
	for _, err := range p.as("none1").PaymentList(ctx, params) {
		if problem = err; err == nil {
			if n++; n == 10 {
				began = time.Now()
				cancel()
			}
		}
	}
	if problem != context.Canceled {
		t.Errorf("cancelled: %v", problem)
	}
	if took := time.Since(began); took > 5*time.Second || n >= 30_000 {
		t.Errorf("went on for %s and %d rows", took, n)
	}
}

// TestPool: a Service works on a pool as on a connection, and returns every connection.
func TestPool(t *testing.T) {
	t.Parallel()
	p := sample(t)
	pool := p.pool(1)
	s := p.asOn(service.New(pool, testKey), "commercial1")
	for range 3 {
		for _, err := range s.ContractList(t.Context(), gen.ContractListParams{}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		must[gen.ContractCountRow](t)(s.ContractCount(t.Context(), gen.ContractListParams{Search: new("marsh")}))
		must[gen.CustomerView](t)(now(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Company: new("X")})))
		fails(t, failure.Conflict, badCompany, second(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Company: new(strings.Repeat("x", 256))})))
	}
}
