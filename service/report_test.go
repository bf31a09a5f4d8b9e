package service_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// sum is how many rows are one row of a report, and what they add up to.
type sum struct{ Count, Amount int64 }

// sums are the rows of a report, by what they are grouped by.
type sums map[string]sum

func (s sums) add(key string, amount int64) {
	s[key] = sum{s[key].Count + 1, s[key].Amount + amount}
}

// text is what is named in a key; nothing of what is absent.
func text[T any](p *T) string {
	if p == nil {
		return ""
	}
	return fmt.Sprint(*p)
}

// given reads a report, whose rows key and measure take apart. No two rows are of the same group.
func given[T any](t *testing.T, rows iter.Seq2[T, error], key func(T) string, measure func(T) sum) sums {
	t.Helper()
	got := sums{}
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := got[key(row)]; twice {
			t.Errorf("%s comes twice", key(row))
		}
		got[key(row)] = measure(row)
	}
	return got
}

// ageOf is the group of an age as people would say it.
func ageOf(days int) string {
	for _, group := range []struct {
		most int
		name string
	}{{-1, "not due"}, {30, "0-30"}, {60, "31-60"}, {90, "61-90"}} {
		if days <= group.most {
			return group.name
		}
	}
	return "over 90"
}

// daysFrom counts the days of the calendar from one to another.
func daysFrom(from, to value.Date) int {
	return int(to.Start(time.UTC).Sub(from.Start(time.UTC)).Hours() / 24)
}

// withoutHistory fills tables in half the time, where nobody asks for the history.
const withoutHistory = `
	DO $$ DECLARE history record; BEGIN
		FOR history IN SELECT tgrelid::regclass AS holder, tgname AS name FROM pg_trigger WHERE tgfoid = 'record_change'::regproc
		LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', history.holder, history.name); END LOOP;
	END $$`

// randomRows are contracts, payments and events around the ends of months in all zones of the test, from a seed.
const randomRows = `
	WITH instants AS MATERIALIZED (
		SELECT n,
		       least(now() - interval '3 days', ((current_date - interval '1 month' * (random() * 7)::integer)::date - extract(day FROM current_date)::integer + 1
		           + CASE WHEN random() < 0.5 THEN (random() * 27)::integer ELSE 0 END)::timestamp
		           AT TIME ZONE (ARRAY['Europe/Paris', 'Pacific/Auckland', 'America/Los_Angeles'])[1 + floor(random() * 3)::integer]
		           + interval '1 microsecond' * CASE WHEN random() < 0.5 THEN (random() * 3)::integer - 2 ELSE (random() * 7200000000) - 3600000000 END) AS at,
		       random() AS chance,
		       (random() * 100000)::bigint + 300 AS amount
		FROM generate_series(1, 24) AS n)
	INSERT INTO contract (customer_id, total_amount, created_at, signed_at, due_on)
	SELECT 1 + n % 13, amount, at - interval '2 days', CASE WHEN chance < 0.75 THEN at END,
	       CASE WHEN chance < 0.4 THEN at::date + (chance * 200)::integer END
	FROM instants;
	INSERT INTO payment (id, contract_id, amount, received_on, method, recorded_by, voided_at, voided_by, void_reason)
	SELECT gen_random_uuid(), id, part,
	       least(signed_at::date + (chance * 40)::integer, current_date - 2),
	       (ARRAY['transfer', 'card', 'cheque', NULL])[1 + n % 4]::payment_method, 'somebody',
	       CASE WHEN chance < 0.2 THEN now() END, CASE WHEN chance < 0.2 THEN 'somebody' END, CASE WHEN chance < 0.2 THEN 'typed twice' END
	FROM (
		SELECT id, signed_at, n, random() AS chance,
		       CASE WHEN id::text < '3' AND n = 1 THEN total_amount ELSE 1 + floor(random() * (total_amount / 4))::bigint END AS part
		FROM contract
		CROSS JOIN generate_series(1, 2) AS n
		WHERE signed_at IS NOT NULL AND (n = 1 OR id::text >= '3') AND random() < 0.6) AS paid;
	UPDATE contract SET cancelled_at = now(), cancel_reason = 'too dear' WHERE paid_amount = 0 AND random() < 0.2;
	INSERT INTO event (clash_allowed, name, contract_id, start_at, attendees, support_id)
	SELECT true, 'Fête', id, CASE WHEN chance < 0.9 THEN signed_at + interval '1 month' * (chance * 5)::integer END, (chance * 300)::integer,
	       (ARRAY[7, 8, NULL])[1 + floor(random() * 3)::integer]
	FROM (SELECT id, signed_at, random() AS chance FROM contract WHERE is_open) AS signed;
	UPDATE event SET cancelled_at = now(), cancel_reason = 'rain' WHERE random() < 0.2`

// TestReportsAddUpToTheLists: each row of a report is what the rows of the lists add up to, to the cent, however it is
// grouped, on whatever day and in whatever zone.
func TestReportsAddUpToTheLists(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("TRUNCATE event, payment, contract, note, reminder, change")
	p.exec(withoutHistory)
	rows := map[string]int{}
	for _, zone := range []string{"Europe/Paris", "Pacific/Auckland", "America/Los_Angeles"} {
		config := p.owner.Copy()
		config.RuntimeParams["TimeZone"] = zone
		conn := p.connect(config)
		s := p.asOn(service.New(conn, testKey), "none1")
		for set := range 67 {
			// In a transaction, which is given up: that is the quickest way to have the tables empty again.
			for _, statement := range []string{"BEGIN", fmt.Sprintf("SELECT setseed(%d / 1000.0)", set), strings.ReplaceAll(randomRows, "7, 8, NULL", supports(p))} {
				if _, err := conn.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
					t.Fatal(err)
				}
			}
			checkReports(t, s, zone, set, rows)
			if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil || t.Failed() {
				t.Fatalf("zone %s, set %d: %v", zone, set, err)
			}
		}
	}
	for _, report := range []string{"receivables", "receivables as of", "revenue", "receipts", "workload", "pipeline", "pipeline as of"} {
		if rows[report] < 300 {
			t.Errorf("%s: %d rows are too few to say anything", report, rows[report])
		}
	}
}

func supports(p *env) string {
	return one[string](p, "SELECT string_agg(id::text, ', ') || ', NULL' FROM employee WHERE role = 'support' AND active")
}

// checkReports holds all reports of one set of rows against the lists.
func checkReports(t *testing.T, s service.Operations, zone string, set int, rows map[string]int) {
	t.Helper()
	ctx := t.Context()
	in, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	dayOf := func(at time.Time) value.Date { return value.Date(at.In(in).Format("2006-01-02")) }
	today := dayOf(time.Now())
	contracts, payments := must[[]gen.ContractView](t)(all(s.ContractList(ctx, gen.ContractListParams{}))), must[[]gen.PaymentView](t)(all(s.PaymentList(ctx, gen.PaymentListParams{})))
	events := must[[]gen.EventView](t)(all(s.EventList(ctx, gen.EventListParams{})))
	same := func(report string, want, got sums) {
		t.Helper()
		rows[report] += len(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-the lists, +the report):\n%s", report, diff)
		}
	}
	key := func(by []string, parts map[string]string) string {
		var words []string
		for _, name := range by {
			words = append(words, parts[name])
		}
		return strings.Join(words, "/")
	}
	bies := func(names ...string) (all [][]string) {
		for _, name := range names {
			all = append(all, []string{name})
		}
		all = append(all, names[:2], names)
		return slices.Concat(all, all)[set%len(all):][:2]
	}
	from, to := value.Date(time.Now().AddDate(0, -3, set%28).Format("2006-01-02")), value.Date(time.Now().AddDate(0, -1, -set%28).Format("2006-01-02"))
	if set%3 == 0 { // the ends of months
		from, to = from[:8]+"01", value.Date(time.Now().AddDate(0, 0, -time.Now().Day()).Format("2006-01-02"))
	}
	within := func(day value.Date) bool { return from <= day && day <= to }

	// One of each in turn: in 67 sets that is all of them with all others, and not a minute more.
	for _, asOf := range []*value.Date{nil, &today, &from, &to}[set%4:][:1] {
		day, name := today, ""
		if asOf != nil {
			day, name = *asOf, " as of"
		}
		paid := map[string]int64{}
		for _, payment := range payments {
			if payment.ReceivedOn <= day {
				paid[payment.Contract.String()] += int64(payment.Amount)
			}
		}
		for _, by := range bies("age", "customer", "commercial") {
			owed, drawn := sums{}, sums{}
			for _, c := range contracts {
				parts := map[string]string{"customer": fmt.Sprint(c.CustomerID), "commercial": c.Commercial}
				if c.SignedAt != nil && dayOf(*c.SignedAt) <= day {
					if due := int64(c.TotalAmount) - paid[c.ID.String()]; due > 0 {
						since := dayOf(*c.SignedAt)
						if c.DueOn != nil {
							since = *c.DueOn
						}
						parts["age"] = ageOf(daysFrom(since, day))
						owed.add(key(by, parts), due)
					}
				} else if dayOf(c.CreatedAt) <= day {
					parts["age"] = ageOf(daysFrom(dayOf(c.CreatedAt), day))
					drawn.add(key(by, parts), int64(c.TotalAmount))
				}
			}
			same("receivables"+name, owed, given(t, s.ReportReceivables(ctx, gen.ReportReceivablesParams{By: by, OfDay: asOf}), func(r gen.ReportReceivablesRow) string {
				return key(by, map[string]string{"age": text(r.Age), "customer": text(r.CustomerID), "commercial": text(r.Commercial)})
			}, func(r gen.ReportReceivablesRow) sum { return sum{r.Contracts, int64(r.TotalDue)} }))
			same("pipeline"+name, drawn, given(t, s.ReportPipeline(ctx, gen.ReportPipelineParams{By: by, OfDay: asOf}), func(r gen.ReportPipelineRow) string {
				return key(by, map[string]string{"age": text(r.Age), "customer": text(r.CustomerID), "commercial": text(r.Commercial)})
			}, func(r gen.ReportPipelineRow) sum { return sum{r.Contracts, int64(r.TotalAmount)} }))
		}
	}
	for _, limited := range []bool{false, true}[set%2:][:1] {
		var first, last *value.Date
		if limited {
			first, last = &from, &to
		}
		for _, by := range bies("month", "commercial", "customer") {
			want := sums{}
			for _, c := range contracts {
				if c.SignedAt != nil && (!limited || within(dayOf(*c.SignedAt))) {
					want.add(key(by, map[string]string{"month": string(dayOf(*c.SignedAt)[:7]), "customer": fmt.Sprint(c.CustomerID), "commercial": text(c.SoldBy)}), int64(c.TotalAmount))
				}
			}
			same("revenue", want, given(t, s.ReportRevenue(ctx, gen.ReportRevenueParams{By: by, FromDay: first, ToDay: last}), func(r gen.ReportRevenueRow) string {
				return key(by, map[string]string{"month": text(r.Month), "customer": text(r.CustomerID), "commercial": text(r.Commercial)})
			}, func(r gen.ReportRevenueRow) sum { return sum{r.Contracts, int64(r.TotalAmount)} }))
		}
		for _, by := range bies("month", "method", "commercial", "customer") {
			want := sums{}
			for _, p := range payments {
				if !limited || within(p.ReceivedOn) {
					want.add(key(by, map[string]string{"month": string(p.ReceivedOn[:7]), "method": text(p.Method), "customer": fmt.Sprint(p.CustomerID), "commercial": p.Commercial}), int64(p.Amount))
				}
			}
			same("receipts", want, given(t, s.ReportReceipts(ctx, gen.ReportReceiptsParams{By: by, FromDay: first, ToDay: last}), func(r gen.ReportReceiptsRow) string {
				return key(by, map[string]string{"month": text(r.Month), "method": text(r.Method), "customer": text(r.CustomerID), "commercial": text(r.Commercial)})
			}, func(r gen.ReportReceiptsRow) sum { return sum{r.Payments, int64(r.Amount)} }))
		}
		for _, by := range bies("month", "support") {
			want := sums{}
			for _, e := range events {
				if limited && (e.Start == nil || !within(dayOf(*e.Start))) {
					continue
				}
				month := ""
				if e.Start != nil {
					month = string(dayOf(*e.Start)[:7])
				}
				guests := int32(0)
				if e.Attendees != nil {
					guests = *e.Attendees
				}
				want.add(key(by, map[string]string{"month": month, "support": text(e.Support)}), int64(guests))
			}
			same("workload", want, given(t, s.ReportWorkload(ctx, gen.ReportWorkloadParams{By: by, FromDay: first, ToDay: last}), func(r gen.ReportWorkloadRow) string {
				return key(by, map[string]string{"month": text(r.Month), "support": text(r.Support)})
			}, func(r gen.ReportWorkloadRow) sum { return sum{r.Events, r.Attendees} }))
		}
	}
}

// everyReport is what all reports say, each line a row.
func everyReport(t *testing.T, s service.Operations, knownAt *time.Time) []string {
	t.Helper()
	ctx := t.Context()
	var lines []string
	add := func(name string, row any, err error) {
		said, errJSON := json.Marshal(row)
		if err != nil || errJSON != nil {
			t.Fatal(name, err, errJSON)
		}
		lines = append(lines, name+" "+string(said))
	}
	for _, by := range [][]string{{"age"}, {"customer", "commercial"}} {
		for row, err := range s.ReportReceivables(ctx, gen.ReportReceivablesParams{By: by, KnownAt: knownAt}) {
			add("receivables", row, err)
		}
		for row, err := range s.ReportPipeline(ctx, gen.ReportPipelineParams{By: by, KnownAt: knownAt}) {
			add("pipeline", row, err)
		}
	}
	for row, err := range s.ReportRevenue(ctx, gen.ReportRevenueParams{By: []string{"month", "customer", "commercial"}, KnownAt: knownAt}) {
		add("revenue", row, err)
	}
	for row, err := range s.ReportReceipts(ctx, gen.ReportReceiptsParams{By: []string{"month", "method", "customer", "commercial"}, KnownAt: knownAt}) {
		add("receipts", row, err)
	}
	for row, err := range s.ReportWorkload(ctx, gen.ReportWorkloadParams{By: []string{"month", "support"}, KnownAt: knownAt}) {
		add("workload", row, err)
	}
	return lines
}

// TestReportsAreAsTheyWereKnown: what a report said, it says again of that time, whatever was written since: 1 000 times.
func TestReportsAreAsTheyWereKnown(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("none1")
	p.exec("TRUNCATE event, payment, contract, note, reminder, change")
	p.exec("SELECT setseed(0.5); " + strings.ReplaceAll(randomRows, "7, 8, NULL", supports(p)))
	then := one[time.Time](p, "SELECT clock_timestamp()")
	said := everyReport(t, s, nil)
	if diff := cmp.Diff(said, everyReport(t, s, &then)); diff != "" {
		t.Fatalf("(-now, +as known now)\n%s", diff)
	}
	// Each a thing of its own: what is signed, paid, void, cancelled, dearer, renamed, in other hands, gone.
	for n := range 100 {
		for _, statement := range []string{
			`INSERT INTO contract (customer_id, total_amount, signed_at, created_at) VALUES (1 + %d %% 13, 77700, now() - interval '40 days', now() - interval '41 days')`,
			`INSERT INTO payment (id, contract_id, amount, received_on, recorded_by) SELECT gen_random_uuid(), id, 1, current_date - 40 - %d, 'late' FROM contract WHERE status IN ('signed', 'part_paid') ORDER BY id LIMIT 1`,
			`UPDATE payment SET voided_at = now(), voided_by = 'x', void_reason = 'x' WHERE id = (SELECT id FROM payment WHERE voided_at IS NULL ORDER BY md5(id::text || %d) LIMIT 1)`,
			`UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE id = (SELECT contract.id FROM contract WHERE paid_amount = 0 AND cancelled_at IS NULL AND NOT EXISTS (SELECT FROM event WHERE contract_id = contract.id AND event.cancelled_at IS NULL) ORDER BY md5(id::text || %d) LIMIT 1)`,
			`UPDATE contract SET total_amount = total_amount + 1 WHERE id = (SELECT id FROM contract WHERE cancelled_at IS NULL ORDER BY md5(id::text || %d) LIMIT 1)`,
			`UPDATE contract SET signed_at = now() WHERE id = (SELECT id FROM contract WHERE signed_at IS NULL AND cancelled_at IS NULL ORDER BY md5(id::text || %d) LIMIT 1)`,
			`UPDATE customer SET fullname = 'Other ' || %d, company = NULL WHERE id = 1 + %[1]d %% 13`,
			`UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE role = 'commercial' ORDER BY md5(id::text || %d) LIMIT 1) WHERE id = 1 + %[1]d %% 13`,
			`UPDATE employee SET fullname = 'Somebody ' || %d WHERE id = 2 + %[1]d %% 7`,
			`UPDATE event SET support_id = NULL, start_at = start_at + interval '1 month', attendees = %d WHERE id = (SELECT id FROM event WHERE cancelled_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
		} {
			p.exec(fmt.Sprintf(statement, n))
		}
	}
	p.exec("DELETE FROM event WHERE id IN (SELECT id FROM event LIMIT 5); DELETE FROM contract WHERE id IN (SELECT id FROM contract WHERE signed_at IS NULL LIMIT 3)")
	if diff := cmp.Diff(said, everyReport(t, s, &then)); diff != "" {
		t.Errorf("(-as it was said, +as it was known)\n%s", diff)
	}
	if now := everyReport(t, s, nil); cmp.Equal(said, now) {
		t.Error("nothing changed in a thousand writes")
	}
}

// TestReportsRefuse: what makes no sense is refused before anything is read.
func TestReportsRefuse(t *testing.T) {
	t.Parallel()
	s := sample(t).as("none1")
	ctx := t.Context()
	for name, err := range map[string]error{
		"by nothing":     second(all(s.ReportRevenue(ctx, gen.ReportRevenueParams{}))),
		"by something":   second(all(s.ReportRevenue(ctx, gen.ReportRevenueParams{By: []string{"month", "age"}}))),
		"no day":         second(all(s.ReportReceipts(ctx, gen.ReportReceiptsParams{By: []string{"month"}, OfDay: new(value.Date("yesterday"))}))),
		"not yet known":  second(all(s.ReportWorkload(ctx, gen.ReportWorkloadParams{By: []string{"month"}, KnownAt: new(time.Now().Add(time.Hour))}))),
		"no first day":   second(all(s.ReportWorkload(ctx, gen.ReportWorkloadParams{By: []string{"month"}, FromDay: new(value.Date("2026-02-30"))}))),
		"another report": second(all(s.ReportPipeline(ctx, gen.ReportPipelineParams{By: []string{"support"}}))),
	} {
		if failure.CodeOf(err) != failure.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, want := service.Groupings[gen.ReportReceiptsRow](), []string{"month", "method", "customer", "commercial"}; !slices.Equal(got, want) {
		t.Errorf("receipts are grouped by %v, not %v", got, want)
	}
}
