package service_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/value"
)

// plan is a node of what EXPLAIN returns.
type plan struct {
	NodeType string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Cond     string  `json:"Index Cond"`
	Filter   string  `json:"Filter"`
	Rows     float64 `json:"Plan Rows"`
	Plans    []plan
}

func (n plan) walk(visit func(plan)) {
	visit(n)
	for _, child := range n.Plans {
		child.walk(visit)
	}
}

// isQuadratic reports whether for each of many rows as many others are read, of which no index finds the right ones.
func (n plan) isQuadratic() (is bool) {
	const many = 1000
	n.walk(func(loop plan) {
		is = is || loop.Rows >= many && strings.Contains(loop.Filter, "NOT (SubPlan")
		if loop.NodeType != "Nested Loop" || loop.Plans[0].Rows < many {
			return
		}
		loop.Plans[1].walk(func(inner plan) {
			scans := strings.HasSuffix(inner.NodeType, " Scan") && inner.NodeType != "Subquery Scan" && inner.NodeType != "Bitmap Heap Scan"
			is = is || scans && inner.Cond == "" && inner.Rows >= many
		})
	})
	return is
}

// wholeTable are the orders that nothing can serve, because they go by a name beside the row that may be missing, or by
// text longer than an index takes, or by what only those have that lists leave out. They read all events, and sort only as many as are shown.
var wholeTable = []string{"ContractList cancelled_at", "ContractList cancelled_at:desc", "ContractList cancel_reason", "ContractList cancel_reason:desc",
	"EventList cancelled_at", "EventList cancelled_at:desc", "EventList cancel_reason", "EventList cancel_reason:desc",
	"ContractList days_due", "ContractList days_due:desc", "EventList support", "EventList support:desc", "EventList support_fullname", "EventList support_fullname:desc", "EventList note", "EventList note:desc"}

// TestPlans asks the server how it would run the lists on a large database, with the parameters sent as crm sends them.
// No filter and no order reads a large table from end to end, and no index is without a use.
func TestPlans(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	p := &env{TB: t, config: config, conn: dbtest.Connect(t, config)}
	p.fillLarge()
	used := map[string]bool{}
	explain := func(name, query string, params ...any) {
		var text []byte
		if err := p.conn.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+query, params...).Scan(&text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var plans []struct{ Plan plan }
		if err := json.Unmarshal(text, &plans); err != nil {
			t.Fatal(err)
		}
		plans[0].Plan.walk(func(n plan) {
			used[n.Index] = true
			large := slices.Contains([]string{"customer", "contract", "event", "payment"}, n.Relation)
			if strings.Contains(n.NodeType, "Seq Scan") && large && !slices.Contains(wholeTable, name) {
				t.Errorf("%s reads the whole table %s:\n%s", name, n.Relation, text)
			}
		})
	}
	list := func(name, query string, params any) {
		value := reflect.ValueOf(params)
		values := make([]any, value.NumField())
		for i := range values {
			values[i] = value.Field(i).Interface()
		}
		explain(name, query, values...)
	}

	p.checkLinear()

	fifty := new(int64(50))
	commercial, support := one[int64](p, "SELECT id FROM employee WHERE username = 'commercial1'"), one[int64](p, "SELECT id FROM employee WHERE username = 'support1'")
	autumn, winter := time.Date(2021, 9, 22, 0, 0, 0, 0, time.UTC), time.Date(2021, 9, 23, 0, 0, 0, 0, time.UTC)
	for name, params := range map[string]gen.CustomerListParams{
		"CustomerList --mine":                {CommercialID: &commercial, RowLimit: fifty},
		"CustomerList --commercial":          {Commercial: new("commercial1"), RowLimit: fifty},
		"CustomerList --company":             {Company: new("theatre weiss"), RowLimit: fifty},
		"CustomerList --company without end": {Company: new("theatre weiss")},
		"CustomerList --search":              {Search: new("ines"), RowLimit: fifty},
		"CustomerList --search, few":         {Search: new("ines.weiss1"), RowLimit: fifty},
		"CustomerList --search without end":  {Search: new("ines.weiss1")},
	} {
		list(name, gen.CustomerList, params)
	}
	for name, params := range map[string]gen.ContractListParams{
		"ContractList --not-signed-filter":         {NotSigned: true, RowLimit: fifty},
		"ContractList --not-paid-filter":           {NotPaid: true, RowLimit: fifty},
		"ContractList --signed-filter":             {Signed: true, RowLimit: fifty},
		"ContractList --overdue":                   {Overdue: true, RowLimit: fifty},
		"ContractList --overdue, last first":       {Overdue: true, Sort: "days_due:desc", RowLimit: fifty},
		"ContractList --status":                    {Status: new(gen.ContractStatusPartPaid), RowLimit: fifty},
		"ContractList --signed-from --signed-to":   {SignedFrom: new(value.Date("2021-09-22")), SignedTo: new(value.Date("2021-09-22")), RowLimit: fifty},
		"ContractList --changed-since":             {ChangedSince: new(time.Now()), RowLimit: fifty},
		"ContractList --mine":                      {CommercialID: &commercial, RowLimit: fifty},
		"ContractList --commercial":                {Commercial: new("commercial1"), RowLimit: fifty},
		"ContractList --customer-id":               {CustomerID: new(int64(7)), RowLimit: fifty},
		"ContractList --customer-id, without end":  {CustomerID: new(int64(7))},
		"ContractList --search":                    {Search: new("ines"), RowLimit: fifty},
		"ContractList --search, few":               {Search: new("ines.weiss1"), RowLimit: fifty},
		"ContractList --search, few, without end":  {Search: new("ines.weiss1")},
		"ContractList --search --not-paid, of few": {Search: new("ines.weiss1"), NotPaid: true, RowLimit: fifty},
	} {
		list(name, gen.ContractList, params)
	}
	for name, params := range map[string]gen.EventListParams{
		"EventList --no-support-assigned":      {NoSupportAssigned: true, RowLimit: fifty},
		"EventList --assigned-to-me":           {SupportID: &support, RowLimit: fifty},
		"EventList --support":                  {Support: new("support1"), RowLimit: fifty},
		"EventList --from --to":                {FromAt: &autumn, ToAt: &winter, RowLimit: fifty},
		"EventList --from --to without end":    {FromAt: &autumn, ToAt: &winter},
		"EventList --from":                     {FromAt: &winter, RowLimit: fifty},
		"EventList --mine":                     {CommercialID: &commercial, RowLimit: fifty},
		"EventList --commercial":               {Commercial: new("commercial1"), RowLimit: fifty},
		"EventList --customer-id":              {CustomerID: new(int64(7)), RowLimit: fifty},
		"EventList --contract-uuid":            {ContractID: new(one[uuid.UUID](p, "SELECT max(contract_id::text)::uuid FROM event")), RowLimit: fifty},
		"EventList --changed-since":            {ChangedSince: new(time.Now().Add(time.Hour)), RowLimit: fifty},
		"EventList from today":                 {NotOverAt: new(time.Now()), RowLimit: fifty},
		"EventList --search":                   {Search: new("gala 12345"), RowLimit: fifty},
		"EventList --search without end":       {Search: new("gala 12345")},
		"EventList --search, found by company": {Search: new("ines.weiss1"), RowLimit: fifty},
	} {
		list(name, gen.EventList, params)
	}
	changed, batch := one[int64](p, "SELECT max(id) FROM change"), one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id DESC LIMIT 1")
	for name, params := range map[string]gen.HistoryParams{
		"History":               {RowLimit: fifty},
		"History, oldest first": {Sort: "at", RowLimit: fifty},
		"History of a customer": {Resource: new("customer"), ResourceID: new("7"), RowLimit: fifty},
		"History of a contract": {Resource: new("contract"), ResourceID: new("x"), ContractID: new(one[uuid.UUID](p, "SELECT max(contract_id::text)::uuid FROM event"))},
		"History --since":       {Since: new(time.Now().Add(time.Hour))},
		"History --by":          {By: new("commercial1"), RowLimit: fifty},
		"History of a batch":    {Batch: &batch, RowLimit: fifty},
	} {
		list(name, gen.History, params)
	}
	for name, params := range map[string]gen.FindParams{
		"Find, many":       {Text: "ines", RowLimit: fifty},
		"Find, few":        {Text: "ines.weiss1"},
		"Find an event":    {Text: "gala 12345"},
		"Find a number":    {Text: "2021-0030", Number: new("2021-0030")},
		"Find an id":       {Text: "b0f94a", FirstID: new(uuid.MustParse("b0f94a00-0000-0000-0000-000000000000")), LastID: new(uuid.MustParse("b0f94aff-ffff-ffff-ffff-ffffffffffff"))},
		"Find a telephone": {Text: "01 45 67 89 01", RowLimit: fifty},
	} {
		list(name, gen.Find, params)
		list(name+", counted", gen.FindCount, gen.FindCountParams{Text: params.Text, Number: params.Number, FirstID: params.FirstID, LastID: params.LastID})
	}
	for name, params := range map[string]gen.CustomerDuplicatesParams{
		"CustomerDuplicates":        {RowLimit: fifty},
		"CustomerDuplicates --mine": {CommercialID: &commercial, Archived: true, Sort: "fullname:desc"},
	} {
		list(name, gen.CustomerDuplicates, params)
	}
	// What functions of SQL do, of which a plan says no more than their name.
	p.exec("SET enable_seqscan = off") // as the function does: it is read from end to end only where no index has it all
	explain("customer_twins", "SELECT * FROM customer_twin")
	p.exec("RESET enable_seqscan")
	explain("customers_reached_by", "SELECT id FROM customer WHERE fold(email) = fold($1) OR phone = $2", "Ines.Weiss1@example.com", "+33145678901")
	list("CustomerContracts", gen.CustomerContracts, gen.CustomerContractsParams{CustomerID: 7})
	list("CustomerSums", gen.CustomerSums, struct{ ID int64 }{7})
	list("ContractSums", gen.ContractSums, struct{ ID uuid.UUID }{uuid.New()})
	list("EventClashes", gen.EventClashes, gen.EventClashesParams{RowLimit: fifty})
	list("EventClashes --support --from", gen.EventClashes, gen.EventClashesParams{Support: new("support1"), FromAt: new(time.Now()), RowLimit: fifty})
	list("EventIcs", gen.EventIcs, gen.EventIcsParams{ID: new(int64(7))})
	list("EventIcs --support --from", gen.EventIcs, gen.EventIcsParams{SupportID: new(int64(7)), FromAt: new(time.Now())})
	list("EventStaff", gen.EventStaff, struct{ ID int64 }{7})
	for _, of := range []string{"commercial1", "support1", "administrator1"} {
		list("Today --for "+of, gen.Today, gen.TodayParams{For: &of, RowLimit: fifty})
		list("TodayCount --for "+of, gen.TodayCount, gen.TodayCountParams{For: &of})
		id := one[int64](p, "SELECT id FROM employee WHERE username = $1", of)
		list("Today of "+of, gen.Today, gen.TodayParams{AsEmployeeID: id})
		list("Today of "+of+", by day", gen.Today, gen.TodayParams{AsEmployeeID: id, Sort: "day:desc", RowLimit: fifty})
	}
	list("EventSheet", gen.EventSheet, struct{ ID int64 }{7})
	list("Changes", gen.Changes, gen.ChangesParams{AfterXid: "0", RowLimit: fifty})
	list("Changes --after", gen.Changes, gen.ChangesParams{AfterXid: one[string](p, "SELECT max(xid)::text FROM change"), AfterID: changed, RowLimit: fifty})
	list("ChangeFrom", gen.ChangeFrom, gen.ChangeFromParams{Xid: new("1"), ID: &changed, Batch: new("12345678")})
	list("ChangeBatches", gen.ChangeBatches, gen.ChangeBatchesParams{FirstID: batch, LastID: batch})
	list("CustomerCount --company", gen.CustomerCount, gen.CustomerCountParams{Company: new("theatre weiss")})
	list("CustomerCount --search", gen.CustomerCount, gen.CustomerCountParams{Search: new("ines.weiss1")})
	list("ContractCount --customer-id", gen.ContractCount, gen.ContractCountParams{CustomerID: new(int64(7))})
	list("ContractCount --search", gen.ContractCount, gen.ContractCountParams{Search: new("ines.weiss1")})
	list("EventCount --from --to", gen.EventCount, gen.EventCountParams{FromAt: &autumn, ToAt: &winter})
	list("EventCount --search", gen.EventCount, gen.EventCountParams{Search: new("gala 12345")})
	for _, order := range append(sorts(t, "customer.sql", "CustomerList"), "") {
		list("CustomerList "+order, gen.CustomerList, gen.CustomerListParams{Sort: order, RowLimit: fifty})
	}
	for _, order := range append(sorts(t, "contract.sql", "ContractList"), "") {
		list("ContractList "+order, gen.ContractList, gen.ContractListParams{Sort: order, RowLimit: fifty})
	}
	for _, order := range append(sorts(t, "event.sql", "EventList"), "") {
		list("EventList "+order, gen.EventList, gen.EventListParams{Sort: order, RowLimit: fifty})
	}
	contract := one[uuid.UUID](p, "SELECT max(contract_id::text)::uuid FROM payment")
	for name, params := range map[string]gen.PaymentListParams{
		"PaymentList":                 {RowLimit: fifty},
		"PaymentList --from --to":     {ReceivedFrom: new(value.Date("2021-09-22")), ReceivedTo: new(value.Date("2021-09-22")), RowLimit: fifty},
		"PaymentList --changed-since": {ChangedSince: new(time.Now().Add(time.Hour)), RowLimit: fifty},
		"PaymentList, last first":     {Sort: "received_on:desc", RowLimit: fifty},
	} {
		list(name, gen.PaymentList, params)
	}
	list("PaymentList of a contract", gen.PaymentList, gen.PaymentListParams{ContractID: &contract})
	// What triggers do when a role changes or an employee leaves.
	explain("the end of all sessions", "DELETE FROM session WHERE employee_id = $1", commercial)
	explain("the customers of an employee", "SELECT count(*) FROM customer WHERE commercial_id = $1", commercial)
	explain("the events of an employee", "SELECT count(*) FROM event WHERE support_id = $1", support)

	rows, err := p.conn.Query(t.Context(), `SELECT index.indexrelid::regclass::text FROM pg_index AS index
		WHERE index.indrelid::regclass::text IN ('customer', 'contract', 'event', 'payment', 'session', 'employee', 'login_failure')
		  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = index.indexrelid)
		  AND NOT indisunique`)
	if err != nil {
		t.Fatal(err)
	}
	indexes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(indexes) < 20 {
		t.Fatalf("indexes %v: %v", indexes, err)
	}
	for _, index := range indexes {
		if !used[index] {
			t.Errorf("nothing uses the index %s", index)
		}
	}
}

// checkLinear asks for the plans of the reports, of now and of what was known, and of what is found: they may read everything,
// once. The functions that say what was changed since are not part of a plan, and are asked about one by one.
func (p *env) checkLinear() {
	p.Helper()
	asked := 0
	linear := func(name, query string, params any) {
		p.Helper()
		asked++
		var text []byte
		var values []any
		for value := reflect.ValueOf(params); len(values) < value.NumField(); {
			values = append(values, value.Field(len(values)).Interface())
		}
		if err := p.conn.QueryRow(p.Context(), "EXPLAIN (FORMAT JSON) "+query, values...).Scan(&text); err != nil {
			p.Fatalf("%s: %v", name, err)
		}
		var plans []struct{ Plan plan }
		if err := json.Unmarshal(text, &plans); err != nil {
			p.Fatal(err)
		}
		if plans[0].Plan.isQuadratic() {
			p.Errorf("%s reads many rows for each of many:\n%s", name, text)
		}
	}
	for _, knownAt := range []*time.Time{nil, new(time.Now())} {
		for _, ofDay := range []*value.Date{nil, new(value.Date("2021-09-22"))} {
			for _, by := range [][]string{{"age"}, {"customer"}, {"commercial"}, {"age", "customer", "commercial"}} {
				linear("ReportReceivables", gen.ReportReceivables, gen.ReportReceivablesParams{By: by, KnownAt: knownAt, OfDay: ofDay})
				linear("ReportPipeline", gen.ReportPipeline, gen.ReportPipelineParams{By: by, KnownAt: knownAt, OfDay: ofDay})
			}
			for _, by := range [][]string{{"month"}, {"customer"}, {"commercial"}, {"month", "commercial", "customer"}} {
				linear("ReportRevenue", gen.ReportRevenue, gen.ReportRevenueParams{By: by, KnownAt: knownAt, OfDay: ofDay})
				linear("ReportReceipts", gen.ReportReceipts, gen.ReportReceiptsParams{By: by, KnownAt: knownAt, OfDay: ofDay})
			}
			linear("ReportReceipts by method", gen.ReportReceipts, gen.ReportReceiptsParams{By: []string{"method"}, KnownAt: knownAt, OfDay: ofDay})
		}
		for _, by := range [][]string{{"month"}, {"support"}, {"month", "support"}} {
			linear("ReportWorkload", gen.ReportWorkload, gen.ReportWorkloadParams{By: by, KnownAt: knownAt})
		}
	}
	for _, text := range []string{"ines", "e", "gala 12345", "2021-0030"} {
		linear("Find "+text, gen.Find, gen.FindParams{Text: text, Number: &text})
		linear("FindCount "+text, gen.FindCount, gen.FindCountParams{Text: text, Number: &text})
	}
	for _, function := range []string{"changed_ids", "changed_after"} {
		query := one[string](p, `SELECT (regexp_match(pg_get_function_sqlbody(oid), '^BEGIN ATOMIC(.*);\s*END$'))[1] FROM pg_proc WHERE proname = $1`, function)
		query = strings.NewReplacer(function+".of_resource", "$1::text", function+".known_at", "$2::timestamptz").Replace(query)
		linear(function, query, struct {
			Resource string
			KnownAt  time.Time
		}{"contract", time.Now().Add(-24 * time.Hour)})
	}
	subPlan := plan{NodeType: "Seq Scan", Rows: 1e5, Filter: "(NOT (SubPlan 1))"}
	if !subPlan.isQuadratic() {
		p.Error("of a list that is read anew for each row it is not said")
	}
	if loop := (plan{NodeType: "Nested Loop", Plans: []plan{{Rows: 1e5}, {NodeType: "Materialize", Plans: []plan{{NodeType: "CTE Scan", Rows: 1e4}}}}}); !loop.isQuadratic() || asked < 60 {
		p.Errorf("%d plans were asked for, and of a quadratic one it is said that it is: %t", asked, loop.isQuadratic())
	}
}

// fillLarge puts the data of the benchmark into the database.
func (p *env) fillLarge() {
	p.Helper()
	data, err := os.ReadFile("../tools/bench/data.sql")
	if err != nil {
		p.Fatal(err)
	}
	for _, sql := range []string{
		"SET bench.customers = 100000; SET bench.contracts = 50000; SET bench.events = 20000",
		// What the checks refuse is tested elsewhere, and they take most of the time.
		`DO $$ DECLARE rule record; BEGIN
			FOR rule IN SELECT conrelid::regclass AS holder, conname FROM pg_constraint
				WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conrelid <> 0
			LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', rule.holder, rule.conname); END LOOP;
		END $$`,
		string(data),
		"ALTER TABLE event DROP CONSTRAINT event_no_clash, DISABLE TRIGGER USER", // there are more than supports have time for
		"UPDATE event SET clash_allowed = false WHERE id % 500 <> 0",
		"ALTER TABLE event ENABLE TRIGGER USER",
		"INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), 1 + n % 40 FROM generate_series(1, 5000) AS n",
		"ALTER TABLE customer SET (autovacuum_enabled = false)",
		"ALTER TABLE contract SET (autovacuum_enabled = false)",
		"ALTER TABLE event SET (autovacuum_enabled = false)",
		"ALTER TABLE payment SET (autovacuum_enabled = false)",
		"SET default_statistics_target = 1000", // all rows are looked at, so that the plans are the same each time
		"VACUUM ANALYZE",
	} {
		p.exec(sql)
	}
}
