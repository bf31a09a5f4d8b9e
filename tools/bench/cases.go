package main

import (
	"context"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/schema"
)

const (
	exported = 500_000 // rows of an export, of a million contracts

	// Those who pay at once, and how often each does.
	clients, payments = 64, 4
	payables          = 1000
)

// payable are contracts that take a cent as often as anybody likes, and those who log in at once.
var payable = fmt.Sprintf(`INSERT INTO contract (id, customer_id, total_amount, signed_at)
	SELECT md5('payable' || n)::uuid, 1, 99999999999, now() FROM generate_series(1, %d) AS n;
	INSERT INTO employee (username, fullname, role, password_hash)
	SELECT 'login' || n, 'Somebody', 'none', password_hash FROM employee, generate_series(1, %d) AS n WHERE username = 'none1'`, payables, loginsAtOnce)

func (b *bench) cases(changes int) []*measured {
	rows := int64(exported)
	if n := int64(b.large.contracts()) / 2; n < rows {
		rows = n
	}
	tenth := rows / 10
	export := func(name, format string, rows int64, limit, peak float64) *measured {
		return &measured{
			Case: fmt.Sprintf("contract list -o %s, %d rows%s", format, rows, name), Yardstick: "psql, COPY of the same query",
			Unit: milliseconds, limit: limit, PeakTarget: peak,
			crm:    b.runs(b.large, "contract", "list", "-o", format, "--limit", strconv.FormatInt(rows, 10)),
			beside: b.psqlRuns(b.large, "COPY ("+inline(gen.ContractList, gen.ContractListParams{RowLimit: &rows})+") TO STDOUT CSV HEADER"),
		}
	}
	fifty := int64(50)
	search := "ines"
	unpaid := []string{"contract", "list", "-o", "csv", "--not-paid-filter", "--limit", "50"}
	found := []string{"customer", "list", "-o", "csv", "--search", search, "--limit", "50"}
	find := []string{"find", search, "-o", "csv", "--limit", "50"}
	completed := []string{"__complete", "customer", "detail", search}
	cases := []*measured{
		export("", "csv", rows, 1.15, 40),
		export("", "csv", tenth, 0, 40),
		export("", "json", rows, 1.4, 40),
		{
			Case: "contract list --limit 50", Yardstick: "pgx alone: start, connection, session check, query", Unit: milliseconds, repeat: 5,
			crm:    b.runs(b.large, "contract", "list", "-o", "csv", "--limit", "50"),
			beside: b.wireSends(b.large, inline(gen.ContractList, gen.ContractListParams{RowLimit: &fifty})),
		},
		{
			Case: fmt.Sprintf("contract list --not-paid-filter --limit 50, %d contracts", b.middle.contracts()), Yardstick: fmt.Sprintf("with %d", b.small.contracts()),
			Unit: milliseconds, limit: 1.3, repeat: 5, crm: b.runs(b.middle, unpaid...), beside: b.runs(b.small, unpaid...),
		},
		{
			Case: fmt.Sprintf("contract list --not-paid-filter --limit 50, %d contracts", b.large.contracts()), Yardstick: fmt.Sprintf("with %d", b.small.contracts()),
			Unit: milliseconds, limit: 1.3, repeat: 5, crm: b.runs(b.large, unpaid...), beside: b.runs(b.small, unpaid...),
		},
		{
			Case: fmt.Sprintf("customer list --search ines --limit 50, %d customers", b.large.customers()), Yardstick: fmt.Sprintf("with %d", b.small.customers()),
			Unit: milliseconds, limit: 2, repeat: 5, crm: b.runs(b.large, found...), beside: b.runs(b.small, found...),
		},
		{
			Case: fmt.Sprintf("find ines --limit 50, %d customers", b.large.customers()), Yardstick: fmt.Sprintf("with %d", b.small.customers()),
			Unit: milliseconds, limit: 1.5, repeat: 5, crm: b.runs(b.large, find...), beside: b.runs(b.small, find...),
		},
		{
			Case: fmt.Sprintf("find a contract's number, %d contracts", b.large.contracts()), Yardstick: fmt.Sprintf("with %d", b.small.contracts()),
			Unit: milliseconds, limit: 1.5, repeat: 5, crm: b.runs(b.large, "find", "2021-30", "-o", "csv"), beside: b.runs(b.small, "find", "2021-30", "-o", "csv"),
		},
		{
			Case: fmt.Sprintf("Tab after customer detail ines, %d customers", b.large.customers()), Yardstick: fmt.Sprintf("with %d", b.small.customers()),
			Unit: milliseconds, repeat: 5, crm: b.runs(b.large, completed...), beside: b.runs(b.small, completed...),
		},
		{
			Case: fmt.Sprintf("contract add-payment, %d processes", clients), Yardstick: fmt.Sprintf("pgbench -C, %d clients", clients),
			Unit: perSecond, limit: 0.5, crm: b.payAll, beside: b.pgbenchPays,
		},
		{
			Case: "crm --help", Yardstick: "a Go program that prints", Unit: milliseconds, limit: 2, repeat: 10,
			crm: b.runs(b.large, "--help"), beside: b.prints,
		},
		{
			Case: "crm completion bash", Yardstick: "a Go program that prints", Unit: milliseconds, limit: 2, repeat: 10,
			crm: b.runs(b.large, "completion", "bash"), beside: b.prints,
		},
		{
			Case: "contract list, a table of 10000 rows", Unit: milliseconds, PeakTarget: 64,
			crm: b.runs(b.large, "contract", "list", "--limit", "10000"),
		},
	}
	cases = append(cases, b.reportCases()...)
	cases = append(cases, b.serverCases(rows)...)
	cases = append(cases, b.historyCases(changes)...)
	for _, counted := range []struct {
		limit float64
		argv  []string
	}{
		{1, []string{"contract", "list", "-o", "csv", "--limit", "50"}},
		{1, []string{"customer", "list", "-o", "csv", "--search", "ines"}},
		{2, []string{"contract", "add-payment", payableID(1), "--payment", "0.01"}},
		{2, []string{"contract", "update", payableID(2), "--customer-id", "2"}},
		{2, []string{"event", "set-support", "1", "--username", "support2"}},
		{2, []string{"customer", "set-commercial", "1", "--commercial-username", "commercial2"}},
		{3, b.loginCommand()[1:]},
	} {
		cases = append(cases, &measured{
			Case: "round trips of " + short(counted.argv), limit: counted.limit, crm: b.counts(counted.argv),
		})
	}
	return cases
}

// short is a command line without what is too long to read.
func short(argv []string) string {
	text := strings.Join(argv, " ")
	for n := range payables {
		text = strings.ReplaceAll(text, payableID(n), "UUID")
	}
	return text
}

func payableID(n int) string { return uuid.UUID(md5.Sum([]byte("payable" + strconv.Itoa(n)))).String() }

// runs measures crm on a database.
func (b *bench) runs(d *database, args ...string) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		return b.timed(ctx, d.env, append([]string{b.crm}, args...)...)
	}
}

// psqlRuns measures psql on a database.
func (b *bench) psqlRuns(d *database, sql string, args ...string) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		// As in a session of crm: to compile a report takes longer than the report.
		env := append(slices.Clone(d.env), "PGOPTIONS=-c jit=off")
		return b.timed(ctx, env, append([]string{b.psql, "--no-psqlrc", "-c", sql, d.url}, args...)...)
	}
}

// wireSends measures the least that a Go program needs for a query: the wire, which checks the session as crm does.
func (b *bench) wireSends(d *database, sql string) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		session, err := latestSession(ctx, d)
		if err != nil {
			return figure{}, err
		}
		return b.timed(ctx, d.env, b.wire, d.url, inline(gen.SessionEmployee, session), sql)
	}
}

// latestSession is that of the login of this round.
func latestSession(ctx context.Context, d *database) (session gen.SessionEmployeeParams, err error) {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return session, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, "SELECT id, employee_id FROM session ORDER BY created_at DESC LIMIT 1").Scan(&session.SessionID, &session.EmployeeID)
	return session, err
}

func (b *bench) prints(ctx context.Context) (figure, error) { return b.timed(ctx, nil, b.start) }

// payAll lets as many processes at a time as there are clients record payments, and gives payments per second.
func (b *bench) payAll(ctx context.Context) (figure, error) {
	failures := make(chan error, clients)
	begin := time.Now()
	var working sync.WaitGroup
	for client := range clients {
		working.Go(func() {
			for payment := range payments {
				_, err := output(ctx, b.large.env, "", b.crm, "contract", "add-payment", payableID(1+(client*payments+payment)%payables), "--payment", "0.01")
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	working.Wait()
	took := time.Since(begin)
	close(failures)
	return figure{value: clients * payments / took.Seconds()}, <-failures
}

// pgbenchPays sends what crm sends for a payment to a contract of which the id is known: the check of the session, the
// payment and what is due after it, over a new connection each time.
func (b *bench) pgbenchPays(ctx context.Context) (figure, error) {
	session, err := latestSession(ctx, b.large)
	if err != nil {
		return figure{}, err
	}
	const contract, fresh = "md5('payable' || :n)::uuid", "gen_random_uuid()"
	placeholder := uuid.New()
	pay := inline(gen.ContractAddPayment, gen.ContractAddPaymentParams{ContractID: placeholder, Amount: 1, AsUsername: "administrator1"})
	pay = strings.NewReplacer(quoted(placeholder), contract, quoted(uuid.Nil), fresh).Replace(pay)
	reread := strings.ReplaceAll(inline(gen.ContractDetail, struct{ ID uuid.UUID }{placeholder}), quoted(placeholder), contract)
	script := filepath.Join(b.home, "pay.sql")
	text := fmt.Sprintf("\\set n random(1, %d)\n%s;\n%s;\n%s;\n", payables, inline(gen.SessionEmployee, session), pay, reread)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return figure{}, err
	}
	begin := time.Now()
	_, err = output(ctx, b.large.env, "", b.pgbench, "--no-vacuum", "--connect", "--protocol=extended", "--file="+script,
		"--client="+strconv.Itoa(clients), "--transactions="+strconv.Itoa(payments), b.large.url)
	return figure{value: clients * payments / time.Since(begin).Seconds()}, err
}

// counts gives the round trips of a command.
func (b *bench) counts(args []string) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		b.trips.Reset()
		_, err := output(ctx, b.through(), schema.SamplePassword+"\n", append([]string{b.crm}, args...)...)
		return figure{value: float64(b.trips.Count())}, err
	}
}

var parameter = regexp.MustCompile(`\$\d+`)

// reportCases are the reports, each beside its own query.
func (b *bench) reportCases() (cases []*measured) {
	for _, report := range []struct {
		name, by, query string
		params          any
	}{
		{"receivables", "customer", gen.ReportReceivables, gen.ReportReceivablesParams{By: []string{"customer"}}},
		{"revenue", "month", gen.ReportRevenue, gen.ReportRevenueParams{By: []string{"month"}}},
		{"receipts", "month", gen.ReportReceipts, gen.ReportReceiptsParams{By: []string{"month"}}},
		{"workload", "support", gen.ReportWorkload, gen.ReportWorkloadParams{By: []string{"support"}}},
		{"pipeline", "age", gen.ReportPipeline, gen.ReportPipelineParams{By: []string{"age"}}},
	} {
		cases = append(cases, &measured{
			Case: fmt.Sprintf("report %s --by %s, %d contracts", report.name, report.by, b.large.contracts()), Yardstick: "psql --csv of the same query",
			Unit: milliseconds, limit: 1.1, crm: b.runs(b.large, "report", report.name, "--by", report.by, "-o", "csv"),
			beside: b.psqlRuns(b.large, inline(report.query, report.params), "--csv"),
		})
	}
	// What was known when this began is rewound by nothing, and all is read as if it were.
	began := time.Now().UTC()
	for _, report := range []struct {
		name, by, query string
		params          any
	}{
		{"receivables", "customer", gen.ReportReceivables, gen.ReportReceivablesParams{By: []string{"customer"}, KnownAt: &began}},
		{"revenue", "month", gen.ReportRevenue, gen.ReportRevenueParams{By: []string{"month"}, KnownAt: &began}},
		{"receipts", "month", gen.ReportReceipts, gen.ReportReceiptsParams{By: []string{"month"}, KnownAt: &began}},
	} {
		cases = append(cases, &measured{
			Case: fmt.Sprintf("report %s --by %s --known-at, %d contracts", report.name, report.by, b.large.contracts()), Yardstick: "psql --csv of the same query",
			Unit: milliseconds, limit: 1.1, crm: b.runs(b.large, "report", report.name, "--by", report.by, "--known-at", began.Format(time.RFC3339Nano), "-o", "csv"),
			beside: b.psqlRuns(b.large, inline(report.query, report.params), "--csv"),
		})
	}
	return cases
}

// inline puts the values of a query's parameters, a generated struct in their order, into its text, for programs that
// have no other way to give them.
func inline(query string, params any) string {
	fields := reflect.ValueOf(params)
	return parameter.ReplaceAllStringFunc(query, func(name string) string {
		n, _ := strconv.Atoi(name[1:])
		return literal(fields.Field(n - 1))
	})
}

func literal(value reflect.Value) string {
	if kind := value.Kind(); (kind == reflect.Pointer || kind == reflect.Slice) && value.IsNil() {
		return "NULL"
	} else if kind == reflect.Pointer {
		return literal(value.Elem())
	}
	switch v := value.Interface().(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case uuid.UUID:
		return quoted(v)
	case time.Time:
		return "'" + v.Format(time.RFC3339Nano) + "'"
	case []string: // words without a quote
		return "'{" + strings.Join(v, ",") + "}'"
	default:
		return fmt.Sprint(v)
	}
}

func quoted(id uuid.UUID) string { return "'" + id.String() + "'" }
