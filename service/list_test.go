package service_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
)

// combinations returns values of the parameters P whose fields, by name, are the first of what they may be, but for at most
// three: what filters do to each other, any three show. The last has the last of each. A field that is not named keeps its
// zero value.
func combinations[P any](fields map[string][]any) []P {
	type partly struct {
		params P
		others int // fields that are not the first of what they may be
	}
	set := func(params *P, field string, value any) {
		if f := reflect.ValueOf(params).Elem().FieldByName(field); value != nil {
			f.Set(reflect.ValueOf(value))
		} else {
			f.SetZero()
		}
	}
	made := []partly{{}}
	var last P
	for field, values := range fields {
		var next []partly
		for _, p := range made {
			for i, value := range values {
				if others := p.others + min(i, 1); others <= 3 {
					set(&p.params, field, value)
					next = append(next, partly{p.params, others})
				}
			}
		}
		made = next
		set(&last, field, values[len(values)-1])
	}
	all := []P{}
	for _, p := range made {
		all = append(all, p.params)
	}
	return append(all, last)
}

// sorts are the orders that a query of queries/ names.
func sorts(t testing.TB, file, query string) []string {
	t.Helper()
	text, err := os.ReadFile("../queries/" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "-- name: "+query+" :many")
	after, _, _ = strings.Cut(after, "-- name: ")
	var orders []string
	for _, match := range regexp.MustCompile(`@sort(?:::text)? = '([^']+)'`).FindAllStringSubmatch(after, -1) {
		orders = append(orders, match[1])
	}
	if len(orders) < 6 {
		t.Fatalf("%s of %s has the orders %v", query, file, orders)
	}
	return orders
}

// resource is a list with its count and the generated query that it streams.
type resource[P, R any] struct {
	file, query string
	list        func(context.Context, P) iter.Seq2[R, error]
	count       func(context.Context, P) (int64, error)
	generated   func(context.Context, P) ([]R, error)
	fields      map[string][]any
	key         string // what the rows are ordered by in the end
}

func (r resource[P, R]) check(t *testing.T, p *env) {
	t.Helper()
	ctx := t.Context()
	orders := append(sorts(t, r.file, r.query), "", "no such order")
	sort := func(params *P, order string) { reflect.ValueOf(params).Elem().FieldByName("Sort").SetString(order) }

	found := map[int]bool{}
	for i, params := range combinations[P](r.fields) {
		sort(&params, orders[i%len(orders)])
		got, want := must[[]R](t)(all(r.list(ctx, params))), must[[]R](t)(r.generated(ctx, params))
		same(t, fmt.Sprintf("%s %+v", r.query, params), got, want)
		unlimited := params // the count is that of all rows, whatever part of them is shown
		reflect.ValueOf(&unlimited).Elem().FieldByName("RowLimit").SetZero()
		rows := must[[]R](t)(r.generated(ctx, unlimited))
		if n := must[int64](t)(r.count(ctx, params)); n != int64(len(rows)) {
			t.Errorf("%s %+v: count is %d, want %d", r.query, params, n, len(rows))
		}
		found[len(got)] = true
	}
	if len(found) < 3 {
		t.Errorf("%s: the filters make no difference: %v rows", r.query, found)
	}

	var params P
	natural := must[[]R](t)(all(r.list(ctx, params)))
	if keys := ranks(p, natural, r.key); !slices.IsSorted(keys) {
		t.Errorf("%s comes in the order %v of %s", r.query, keys, r.key)
	}
	for _, order := range orders[:len(orders)-2] {
		sort(&params, order)
		got := must[[]R](t)(all(r.list(ctx, params)))
		same(t, r.query+" "+order+" again", must[[]R](t)(all(r.list(ctx, params))), got)
		inOrder(t, p, r.query+" "+order, got, natural, order)
	}
}

// inOrder checks that rows come by a field, without a value last, and equal ones as they do without an order.
func inOrder[R any](t *testing.T, p *env, what string, rows, natural []R, order string) {
	t.Helper()
	field, descending := strings.CutSuffix(order, ":desc")
	keys := ranks(p, rows, field)
	place := func(row R) int {
		return slices.IndexFunc(natural, func(other R) bool { return reflect.DeepEqual(row, other) })
	}
	if len(rows) != len(natural) {
		t.Errorf("%s: %d rows, want %d", what, len(rows), len(natural))
	}
	for i := range len(rows) - 1 {
		one, next := keys[i], keys[i+1]
		if descending && one != absent && next != absent {
			one, next = next, one
		}
		if one > next || one == next && place(rows[i]) >= place(rows[i+1]) {
			t.Errorf("%s: row %d goes before row %d:\n%+v\n%+v", what, i, i+1, rows[i], rows[i+1])
		}
	}
}

// absent is the rank of no value: behind all.
const absent = 1 << 30

// ranks returns the rank of each row by a field, which the database finds out: it knows how to order text.
func ranks[R any](p *env, rows []R, field string) []int {
	p.Helper()
	var values []*string
	cast := "value" // where all is empty
	for _, row := range rows {
		v := reflect.ValueOf(row).FieldByNameFunc(func(name string) bool {
			f, _ := reflect.TypeFor[R]().FieldByName(name)
			return f.Tag.Get("json") == field
		})
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				values = append(values, nil)
				continue
			}
			v = v.Elem()
		}
		text := fmt.Sprint(v.Interface())
		switch v := v.Interface().(type) {
		case time.Time:
			cast, text = "value::timestamptz", v.Format(time.RFC3339Nano)
		case uuid.UUID:
			cast = "value::uuid"
		case gen.Role:
			cast = "value::role"
		case gen.PaymentMethod:
			cast = "value::payment_method"
		case gen.ContractStatus:
			cast = "value::contract_status"
		case value.Date:
			cast = "value::date"
		case string, value.Phone:
			cast = "fold(value)"
		case int64, int32, value.Cents:
			cast = "value::bigint"
		case bool:
			cast = "value::boolean"
		default:
			p.Fatalf("%s is a %T", field, v)
		}
		values = append(values, &text)
	}
	found, err := p.conn.Query(p.Context(), "SELECT CASE WHEN value IS NULL THEN "+fmt.Sprint(absent)+` ELSE rank END::int FROM (
		SELECT value, n, dense_rank() OVER (ORDER BY `+cast+`) AS rank FROM unnest($1::text[]) WITH ORDINALITY AS u (value, n)
	) AS ranked ORDER BY n`, values)
	if err != nil {
		p.Fatal(err)
	}
	list, err := pgx.CollectRows(found, pgx.RowTo[int])
	if err != nil {
		p.Fatalf("ranks by %s: %v", field, err)
	}
	return list
}

// limits are what every list takes.
var limits = []any{nil, new(int64(0)), new(int64(3))}

func TestEmployeeList(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("INSERT INTO employee (username, fullname, role, password_hash) VALUES ('twin', 'INÈS KLÉBER', 'none', $1)", cheapHash())
	s := p.as("none1")
	resource[gen.EmployeeListParams, gen.EmployeeView]{
		"employee.sql", "EmployeeList", s.EmployeeList, s.EmployeeCount, gen.New(p.conn).EmployeeList,
		map[string][]any{
			"Role":     {nil, new(gen.RoleCommercial), new(gen.RoleNone)},
			"Search":   {nil, new("Kleber ines"), new("commercial"), new("%")},
			"RowLimit": limits,
		}, "id",
	}.check(t, p)
}

// counted takes the number of rows out of what they add up to.
func counted[P, S any](sums func(context.Context, P) (S, error)) func(context.Context, P) (int64, error) {
	return func(ctx context.Context, p P) (int64, error) {
		sum, err := sums(ctx, p)
		return reflect.ValueOf(sum).FieldByName("Count").Int(), err
	}
}

func TestCustomerList(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("commercial1")
	resource[gen.CustomerListParams, gen.CustomerView]{
		"customer.sql", "CustomerList", s.CustomerList, s.CustomerCount, gen.New(p.conn).CustomerList,
		map[string][]any{
			"CommercialID": {nil, new(s.EmployeeID())},
			"Commercial":   {nil, new("commercial2"), new("nobody")},
			"Company":      {nil, new("ATELIER"), new("%")},
			"IDBegins":     {nil, new("1")},
			"ChangedSince": {nil, new(time.Date(2026, 1, 8, 0, 0, 0, 0, time.UTC))},
			"Search":       {nil, new("lefevre"), new("example"), new("_")},
			"RowLimit":     limits,
		}, "id",
	}.check(t, p)
}

// Two entries have the same address in another case, three the same number, one of them archived, and four name and company.
const entriesOfOne = `INSERT INTO customer (fullname, company, commercial_id, email, phone, archived_at)
	SELECT twin.fullname, twin.company, employee.id, twin.email, twin.phone, twin.archived_at::timestamptz
	FROM employee,
	     (VALUES (1, 'Zoé Un', 'Zed', 'commercial1', 'Zoe@Zed.example', NULL, NULL),
	             (2, 'Zoé Deux', NULL, 'commercial2', 'zoe@zed.example', '+33145670102', NULL),
	             (3, 'Zoé Trois', NULL, 'commercial1', NULL, '+33145670102', NULL),
	             (4, 'Zoé Quatre', NULL, 'commercial3', NULL, '+33145670102', '2026-05-01'),
	             (5, 'Éve  Long', 'L’Œuf', 'commercial1', 'eve@oeuf.example', NULL, NULL),
	             (6, 'EVE LONG', 'l''oeuf', 'commercial1', 'e@oeuf.example', NULL, NULL),
	             (7, 'Ada', NULL, 'commercial2', 'ada@ada.example', NULL, '2026-05-02'),
	             (8, 'ada', NULL, 'commercial2', 'a@ada.example', NULL, NULL)) AS twin (n, fullname, company, username, email, phone, archived_at)
	WHERE employee.username = twin.username
	ORDER BY twin.n`

func TestCustomerDuplicates(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(entriesOfOne)
	s := p.as("commercial1")
	resource[gen.CustomerDuplicatesParams, gen.CustomerDuplicatesRow]{
		"customer.sql", "CustomerDuplicates", s.CustomerDuplicates, s.CustomerDuplicatesCount, gen.New(p.conn).CustomerDuplicates,
		map[string][]any{
			"Archived":     {false, true},
			"CommercialID": {nil, new(s.EmployeeID())},
			"RowLimit":     limits,
		}, "same",
	}.check(t, p)
	groups := func(params gen.CustomerDuplicatesParams) (found []string) {
		names := map[int64]string{}
		for _, row := range must[[]gen.CustomerDuplicatesRow](t)(all(s.CustomerDuplicates(t.Context(), params))) {
			names[row.ID] = row.Fullname
			found = append(found, row.Same+" "+names[row.FirstID]+": "+row.Fullname)
		}
		return found
	}
	mail := []string{"email Zoé Un: Zoé Un", "email Zoé Un: Zoé Deux"}
	name := []string{"name Éve  Long: Éve  Long", "name Éve  Long: EVE LONG"}
	phone := []string{"phone Zoé Deux: Zoé Deux", "phone Zoé Deux: Zoé Trois"}
	same(t, "duplicates", groups(gen.CustomerDuplicatesParams{}), slices.Concat(mail, name, phone))
	same(t, "with those who are archived", groups(gen.CustomerDuplicatesParams{Archived: true}),
		slices.Concat(mail, name, []string{"name Ada: Ada", "name Ada: ada"}, phone, []string{"phone Zoé Deux: Zoé Quatre"}))
	same(t, "of one commercial", groups(gen.CustomerDuplicatesParams{CommercialID: new(s.EmployeeID())}), name)
}

func TestContractList(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("UPDATE contract SET due_on = current_date - 3 + n FROM generate_series(0, 5) AS n WHERE number LIKE '%' || n")
	s := p.as("commercial1")
	resource[gen.ContractListParams, gen.ContractView]{
		"contract.sql", "ContractList", s.ContractList, counted(s.ContractCount), gen.New(p.conn).ContractList,
		map[string][]any{
			"NotSigned":    {false, true},
			"NotPaid":      {false, true},
			"CommercialID": {nil, new(s.EmployeeID())},
			"Commercial":   {nil, new("commercial1")},
			"CustomerID":   {nil, new(int64(ownCustomer))},
			"Search":       {nil, new("MARSH"), new("nothing like it")},
			"RowLimit":     limits,
		}, "created_at",
	}.check(t, p)
	resource[gen.ContractListParams, gen.ContractView]{
		"contract.sql", "ContractList", s.ContractList, counted(s.ContractCount), gen.New(p.conn).ContractList,
		map[string][]any{
			"Signed":       {false, true},
			"Overdue":      {false, true},
			"Status":       {nil, new(gen.ContractStatusPartPaid)},
			"SignedFrom":   {nil, new(value.Date("2026-02-01"))},
			"SignedTo":     {nil, new(value.Date("2026-06-08"))},
			"NumberBegins": {nil, new("2026-001"), new("_")},
			"ChangedSince": {nil, new(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))},
			"RowLimit":     {nil, new(int64(3))},
		}, "created_at",
	}.check(t, p)
}

func TestPaymentList(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(`INSERT INTO payment (id, contract_id, amount, received_on, method, reference, recorded_by, recorded_by_id, recorded_at, voided_at, voided_by, void_reason)
		SELECT gen_random_uuid(), $1, n % 3 + 1, current_date - n % 4, CASE WHEN n % 3 > 0 THEN 'cash'::payment_method END, nullif('R' || n / 2, 'R1'), 'employee' || n % 2, nullif(n % 3, 0),
		       now() - interval '1 minute' * (n % 4), CASE WHEN n % 2 = 0 THEN now() END, CASE WHEN n % 2 = 0 THEN 'v' || n % 4 END, CASE WHEN n % 2 = 0 THEN 'because' END
		FROM generate_series(1, 12) AS n`, ownSigned)
	s := p.as("none1")
	resource[gen.PaymentListParams, gen.PaymentView]{
		"payment.sql", "PaymentList", s.PaymentList, counted(s.PaymentCount), gen.New(p.conn).PaymentList,
		map[string][]any{
			"Voided": {true, false}, "ContractID": {nil, &ownSigned, &missing}, "CustomerID": {nil, new(int64(3))}, "Commercial": {nil, new("commercial2")}, "RowLimit": limits,
		}, "received_on",
	}.check(t, p)
	resource[gen.PaymentListParams, gen.PaymentView]{
		"payment.sql", "PaymentList", s.PaymentList, counted(s.PaymentCount), gen.New(p.conn).PaymentList,
		map[string][]any{
			"Voided": {true, false}, "RecordedBy": {nil, new("employee1")}, "Method": {nil, new(gen.PaymentMethodCash)},
			"ReceivedFrom": {nil, new(value.Date("2026-03-01"))}, "ReceivedTo": {nil, new(value.Date("2026-04-08"))},
			"ChangedSince": {nil, new(time.Now().Add(-time.Hour))}, "RowLimit": {nil, new(int64(3))},
		}, "received_on",
	}.check(t, p)
}

func TestNoteAndReminderList(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(`INSERT INTO note (at, by, by_id, customer_id, event_id, text)
		SELECT now() - interval '1 hour' * (n % 4), 'employee' || n % 2, nullif(n % 3, 0), CASE WHEN n % 2 = 0 THEN 3 END, CASE WHEN n % 2 = 1 THEN 1 + n % 3 END, 'Été ' || n % 5 FROM generate_series(1, 12) AS n`)
	p.exec(`INSERT INTO note (by, contract_id, text) SELECT 'x', id, 'About it' FROM contract`)
	p.exec(`INSERT INTO reminder (due_on, for_id, customer_id, event_id, text, done_at, updated_at)
		SELECT current_date + n % 4, 7 + n % 2, CASE WHEN n % 2 = 0 THEN 3 END, CASE WHEN n % 2 = 1 THEN 1 + n % 3 END, 'Été ' || n % 5, CASE WHEN n % 3 = 0 THEN now() END,
		       now() - interval '1 day' * (n % 3) FROM generate_series(1, 12) AS n`)
	p.exec(`INSERT INTO reminder (due_on, for_id, contract_id, text) SELECT current_date, 4, id, 'About it' FROM contract`)
	s := p.as("none1")
	about := map[string][]any{
		"CustomerID": {nil, new(int64(3))}, "ContractID": {nil, &ownSigned, &missing}, "EventID": {nil, new(int64(1))},
		"ChangedSince": {nil, new(time.Now().Add(-90 * time.Minute))}, "RowLimit": {nil, new(int64(3))},
	}
	values := maps.Clone(about)
	values["By"] = []any{nil, new("employee1")}
	resource[gen.NoteListParams, gen.NoteView]{"note.sql", "NoteList", s.NoteList, s.NoteCount, gen.New(p.conn).NoteList, values, "at"}.check(t, p)
	values = maps.Clone(about)
	delete(values, "ContractID")
	values["Done"], values["For"], values["ForID"] = []any{true, false}, []any{nil, new("support1")}, []any{nil, new(int64(8))}
	values["DueFrom"], values["DueTo"] = []any{nil, new(value.DateOf(time.Now().AddDate(0, 0, 1)))}, []any{nil, new(value.DateOf(time.Now().AddDate(0, 0, 2)))}
	resource[gen.ReminderListParams, gen.ReminderView]{"reminder.sql", "ReminderList", s.ReminderList, s.ReminderCount, gen.New(p.conn).ReminderList, values, "due_on"}.check(t, p)
}

func TestTodayList(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec(`INSERT INTO reminder (due_on, for_id, event_id, text) SELECT current_date - n % 4, 1 + n % 4, 1 + n % 3, 'Été ' || n % 5 FROM generate_series(1, 24) AS n`)
	p.exec(`UPDATE contract SET due_on = current_date - 3 WHERE status = 'part_paid'`)
	s := p.as("administrator1")
	resource[gen.TodayParams, gen.TodayRow]{
		"today.sql", "Today", s.Today, s.TodayCount, gen.New(p.conn).Today,
		map[string][]any{"AsEmployeeID": {int64(1)}, "For": {nil, new("commercial1"), new("none1")}, "RowLimit": {nil, new(int64(3))}}, "day",
	}.check(t, p)
}

func TestEventList(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("INSERT INTO event (name, contract_id) SELECT 'soiree FADO', contract_id FROM event WHERE id <= 3")
	s := p.as("support1")
	middle := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	resource[gen.EventListParams, gen.EventView]{
		"event.sql", "EventList", s.EventList, s.EventCount, gen.New(p.conn).EventList,
		map[string][]any{
			"NoSupportAssigned": {false, true},
			"Cancelled":         {true, false},
			"SupportID":         {nil, new(s.EmployeeID())},
			"Support":           {nil, new("support2")},
			"CommercialID":      {nil, new(int64(4))},
			"CustomerID":        {nil, new(int64(ownCustomer))},
			"FromAt":            {nil, &middle},
			"ToAt":              {nil, &middle},
			"Search":            {nil, new("SOIRÉE"), new("marsh")},
			"RowLimit":          limits,
		}, "start",
	}.check(t, p)
}
