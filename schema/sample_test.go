package schema_test

import (
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

func TestSampleEmployees(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	want := []string{
		"administrator1 administrator", "administrator2 administrator", "administrator3 administrator",
		"commercial1 commercial", "commercial2 commercial", "commercial3 commercial",
		"none1 none",
		"support1 support", "support2 support", "support3 support",
	}
	got := all[string](t, conn, `SELECT username || ' ' || role FROM employee ORDER BY username`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	hashes := all[string](t, conn, `SELECT DISTINCT password_hash FROM employee`)
	if len(hashes) != 1 {
		t.Fatalf("%d different hashes", len(hashes))
	}
	fits, params, err := argon2id.CheckHash(schema.SamplePassword, hashes[0])
	if err != nil {
		t.Fatal(err)
	}
	if !fits {
		t.Errorf("%s is not the password", schema.SamplePassword)
	}
	if params.Memory != 64*1024 || params.Iterations != 3 || params.Parallelism != 4 {
		t.Errorf("hashed with m=%d,t=%d,p=%d", params.Memory, params.Iterations, params.Parallelism)
	}
}

func TestSampleCoversEveryState(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	for what, query := range map[string]string{
		"20 contracts":                          `SELECT count(*) = 20 FROM contract`,
		"an unsigned contract":                  `SELECT count(*) > 0 FROM contract_view WHERE NOT signed`,
		"a signed contract that nobody paid":    `SELECT count(*) > 0 FROM contract_view WHERE signed AND total_due = total_amount`,
		"a part paid contract":                  `SELECT count(*) > 0 FROM contract_view WHERE signed AND total_due > 0 AND total_due < total_amount`,
		"a paid contract":                       `SELECT count(*) > 0 FROM contract_view WHERE signed AND total_due = 0`,
		"payments only of signed contracts":     `SELECT bool_and(signed) FROM payment JOIN contract ON contract.id = contract_id`,
		"signed after it was drawn up":          `SELECT bool_and(signed_at > created_at) FROM contract WHERE signed`,
		"12 customers":                          `SELECT count(*) >= 12 FROM customer`,
		"customers of every commercial":         `SELECT bool_and(EXISTS (SELECT FROM customer WHERE commercial_id = employee.id)) FROM employee WHERE role = 'commercial'`,
		"10 events":                             `SELECT count(*) = 10 FROM event WHERE cancelled_at IS NULL`,
		"a cancelled event":                     `SELECT count(*) > 0 FROM event WHERE cancelled_at IS NOT NULL`,
		"an archived customer":                  `SELECT count(*) = 1 FROM customer WHERE archived_at IS NOT NULL`,
		"an inactive employee":                  `SELECT array_agg(username) = '{support3}' FROM employee WHERE NOT active`,
		"a void payment":                        `SELECT count(*) > 0 FROM payment WHERE voided_at IS NOT NULL`,
		"two events without support":            `SELECT count(*) >= 2 FROM event WHERE support_id IS NULL`,
		"an event in the future":                `SELECT count(*) > 0 FROM event WHERE start_at > now()`,
		"both supports busy":                    `SELECT bool_and(EXISTS (SELECT FROM event WHERE support_id = employee.id)) FROM employee WHERE role = 'support' AND active`,
		"an event without date":                 `SELECT count(*) > 0 FROM event WHERE start_at IS NULL`,
		"a note of several lines":               `SELECT count(*) > 0 FROM event WHERE note LIKE E'%\n%'`,
		"full names of employees with accents":  `SELECT bool_and(fullname ~ '[^\u0001-\u007f]') FROM employee`,
		"text in normal form C":                 `SELECT bool_and(search IS NOT NULL AND fullname IS NFC NORMALIZED AND company IS NFC NORMALIZED) FROM customer`,
		"paid amounts are sums of the payments": `SELECT bool_and(paid_amount = coalesce((SELECT sum(amount) FROM payment WHERE contract_id = contract.id AND voided_at IS NULL), 0)) FROM contract`,
	} {
		if !one[bool](t, conn, query) {
			t.Errorf("not so: %s", what)
		}
	}
}

func TestSampleTwiceIsRefused(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	before := contents(t, conn)
	_, err := conn.Exec(t.Context(), schema.Sample)
	if answer := refusal(t, err); answer == nil || answer.Code != byTrigger || !strings.Contains(answer.Message, "holds customers already") {
		t.Errorf("loading it again: %v", err)
	}
	if diff := cmp.Diff(before, contents(t, conn)); diff != "" {
		t.Errorf("loading it again changed data: %s", diff)
	}
}

func TestSampleBesideFirstAdministrator(t *testing.T) {
	t.Parallel()
	for _, username := range []string{"boss", "administrator1"} {
		conn := dbtest.Connect(t, dbtest.Empty(t))
		run(t, conn, `INSERT INTO employee (username, fullname, role, password_hash) VALUES ($1, 'Zoé Martin', 'administrator', '$argon2id$own')`, username)
		run(t, conn, schema.Sample)
		if !one[bool](t, conn, `SELECT fullname = 'Zoé Martin' AND password_hash = '$argon2id$own' FROM employee WHERE username = $1`, username) {
			t.Errorf("%s was changed", username)
		}
		if got := one[int](t, conn, `SELECT count(*) FROM contract`); got != 20 {
			t.Errorf("%d contracts beside %s", got, username)
		}
	}
}
