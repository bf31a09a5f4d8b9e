package service_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// TestCheck makes one thing after the other that should not be, where need be without the rule that refuses it.
func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		signed   = "ab37b23d-c031-4ced-86aa-2691c368e777" // over 450.00 €, nothing paid
		unsigned = "fb819b38-e035-4e65-b4ea-ae5076a82518"
	)
	const sampleOnly = "event_without_support event 8 Salon du livre jeunesse begins in "
	for name, test := range map[string]struct {
		change string
		want   []string // how each finding begins, but for the sample data's own
	}{
		"sample data": {"", nil},
		"due below zero": {"ALTER TABLE contract DROP CONSTRAINT contract_not_overpaid; UPDATE contract SET paid_amount = 45001 WHERE id = '" + signed + "'",
			[]string{"due_below_zero contract " + signed + " 450.01 € of 450.00 € are paid",
				"sum_mismatch contract " + signed + " 450.01 € are noted as paid, the payments are 0.00 €",
				"schema_differs contract contract_not_overpaid this constraint is missing"}},
		"a payment that was not counted": {`ALTER TABLE payment DISABLE TRIGGER USER;
			INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), '` + signed + `', 1, 'a');
			ALTER TABLE payment ENABLE TRIGGER USER`,
			[]string{"sum_mismatch contract " + signed + " 0.00 € are noted as paid, the payments are 0.01 €"}},
		"paid unsigned": {"INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), '" + unsigned + "', 275000, 'a')",
			[]string{"paid_unsigned contract " + unsigned + " 2750.00 € are paid; in charge is commercial1"}},
		"signed too early": {"UPDATE contract SET signed_at = created_at - interval '1 second' WHERE id = '" + signed + "'",
			[]string{"signed_too_early contract " + signed}},
		"paid too early": {`INSERT INTO payment (id, contract_id, amount, recorded_by, recorded_at)
			VALUES ('5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10', '` + signed + `', 1, 'a', '2020-01-01')`,
			[]string{"paid_too_early payment 5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10 recorded before contract " + signed}},
		"events without support": {`UPDATE event SET support_id = NULL, end_at = NULL WHERE cancelled_at IS NULL;
			UPDATE event SET start_at = date_trunc('day', now(), 'UTC') + interval '30 days 23 hours' WHERE id = 1;
			UPDATE event SET start_at = date_trunc('day', now(), 'UTC') + interval '31 days' WHERE id = 2;
			UPDATE event SET start_at = now() - interval '1 hour', end_at = now() + interval '1 hour' WHERE id = 3;
			UPDATE event SET start_at = now() - interval '1 hour', end_at = now() - interval '1 minute' WHERE id = 4;
			UPDATE event SET start_at = date_trunc('day', now(), 'UTC') + interval '1 day 23 hours' WHERE id = 5;
			UPDATE event SET start_at = now() + interval '10 minutes' WHERE id = 6`,
			[]string{"event_without_support event 1 Séminaire annuel Marsh begins in 30 days, on 20", "event_without_support event 3 Soirée fado has begun",
				"event_without_support event 5 Mariage Pérez-Roche begins tomorrow, 20", "event_without_support event 6 Régate des deux baies begins to"}},
		"bad phones": {"UPDATE customer SET phone = '+33999999' WHERE id = 3; UPDATE customer SET phone = '+331456789010' WHERE id = 11",
			[]string{"bad_phone customer 3 Anaïs Morel has the phone number +33999999", "bad_phone customer 11 Maëlys Zimmer has the phone number +331456789010"}},
		"a phone of overseas": {"UPDATE customer SET phone = '+33596631234' WHERE id = 3; UPDATE customer SET phone = '+596596631234' WHERE id = 11",
			[]string{"bad_phone customer 3 Anaïs Morel has the phone number +33596631234"}},
		"a trigger off": {"ALTER TABLE payment DISABLE TRIGGER payment_sum", []string{"rule_off payment payment_sum this trigger is disabled"}},
		"a constraint that was not validated": {`ALTER TABLE event DROP CONSTRAINT event_attendees_positive;
			ALTER TABLE event ADD CONSTRAINT event_attendees_positive CHECK (attendees >= 0) NOT VALID`,
			[]string{"rule_off event event_attendees_positive this constraint was not validated"}},
		"a rule that was lost": {"DROP TRIGGER payment_lock ON payment", []string{"schema_differs payment payment_lock this trigger is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.exec(test.change)
			rows, err := all(p.as("none1").Check(t.Context(), gen.CheckParams{WithinDays: 30}))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range rows {
				line := strings.Join([]string{row.Finding, row.Resource, row.ID, row.Detail}, " ")
				if !strings.HasPrefix(line, sampleOnly) {
					got = append(got, line)
				}
			}
			if len(rows) != len(got)+1 {
				t.Errorf("not the finding of the sample data: %v", rows)
			}
			for i, want := range test.want {
				if i >= len(got) || !strings.HasPrefix(got[i], want) {
					t.Fatalf("got %q, want %q", got, test.want)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestCheckSamplePassword: an account has the published password until it gets another, which cannot be that one again.
func TestCheckSamplePassword(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("UPDATE employee SET password_hash = '" + regexp.MustCompile(`\$argon2id\$[^']+`).FindString(schema.Sample) + "' WHERE username <> 'none1'")
	s := p.as("none1")
	published := func() (details []string) {
		rows, err := all(s.Check(t.Context(), gen.CheckParams{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.Finding == "sample_password" {
				details = append(details, row.Detail)
			}
		}
		return details
	}
	if got := published(); len(got) != 8 || !strings.HasPrefix(got[0], "administrator1 has the password of the sample data") {
		t.Errorf("got %q", got)
	}
	p.exec("UPDATE employee SET password_hash = '$argon2id$own' WHERE username NOT IN ('support2', 'none1')")
	if got := published(); len(got) != 1 || !strings.HasPrefix(got[0], "support2 has") {
		t.Errorf("got %q", got)
	}
	if service.CheckPassword("support2", schema.SamplePassword) == nil {
		t.Error("the published password can be chosen anew")
	}
}

func TestCheckSorts(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("UPDATE customer SET phone = '+33999999' WHERE id IN (2, 3, 10)")
	ids := func(sort string) (ids []string) {
		rows, err := all(p.as("none1").Check(t.Context(), gen.CheckParams{Sort: sort}))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		return ids
	}
	for sort, want := range map[string][]string{
		"": {"2", "3", "10"}, "id": {"10", "2", "3"}, "id:desc": {"3", "2", "10"}, "detail": {"3", "10", "2"}, "detail:desc": {"2", "10", "3"},
		"finding": {"2", "3", "10"}, "finding:desc": {"2", "3", "10"}, "resource": {"2", "3", "10"}, "resource:desc": {"2", "3", "10"},
	} {
		same(t, "in the order of "+sort, ids(sort), want)
	}
}

// TestD9DaysOfTheCalendar: days are counted as in a calendar of the zone, and their date is there, whatever the time of day.
func TestD9DaysOfTheCalendar(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("UPDATE event SET support_id = 7 WHERE support_id IS NULL AND cancelled_at IS NULL")
	p.exec("UPDATE event SET support_id = NULL, start_at = now() + interval '3 days 12 hours', end_at = NULL WHERE id = 1")
	at := one[time.Time](p, "SELECT start_at FROM event WHERE id = 1")
	zoned := func(name string) *pgx.ConnConfig {
		config := p.config.Copy()
		config.RuntimeParams["TimeZone"] = name
		return config
	}
	for _, name := range []string{"Europe/Paris", "Pacific/Pago_Pago", "Pacific/Kiritimati", "America/New_York", "UTC"} {
		zone := must[*time.Location](t)(time.LoadLocation(name))
		before := value.DateOf(time.Now().In(zone))
		there := service.New(p.connect(zoned(name)), testKey)
		rows := must[[]gen.CheckRow](t)(all(p.asOn(there, "none1").Check(t.Context(), gen.CheckParams{WithinDays: 30})))
		day := value.DateOf(at.In(zone))
		days := day.Start(time.UTC).Sub(before.Start(time.UTC)) / (24 * time.Hour)
		want := fmt.Sprintf("Séminaire annuel Marsh begins in %d days, on %s", days, day)
		if before == value.DateOf(time.Now().In(zone)) && (len(rows) != 1 || rows[0].Detail != want) { // and midnight has not passed
			t.Errorf("in %s: %+v, want %s", name, rows, want)
		}
	}
	if _, err := service.Connect(t.Context(), zoned("Mars/Olympus"), 0); err == nil || !strings.Contains(err.Error(), "TimeZone") {
		t.Errorf("a database that does not know the zone: %v", err)
	}
}

// TestCheckOfSome looks for some findings, or for all but some.
func TestCheckOfSome(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("UPDATE customer SET phone = '+33999999' WHERE id = 3")
	check := func(params gen.CheckParams) string {
		params.WithinDays = 30
		var names []string
		for _, row := range must[[]gen.CheckRow](t)(all(p.as("none1").Check(t.Context(), params))) {
			names = append(names, row.Finding)
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct {
		only, except []string
		want         string
	}{
		{nil, nil, "event_without_support bad_phone"},
		{[]string{"bad_phone"}, nil, "bad_phone"},
		{[]string{"bad_phone", "event_without_support"}, nil, "event_without_support bad_phone"},
		{nil, []string{"bad_phone"}, "event_without_support"},
		{[]string{"sum_mismatch"}, nil, ""},
		{nil, []string{"bad_phone", "event_without_support"}, ""},
	} {
		if got := check(gen.CheckParams{OnlyFindings: c.only, ExceptFindings: c.except}); got != c.want {
			t.Errorf("only %v, except %v: %q, want %q", c.only, c.except, got, c.want)
		}
	}
}
