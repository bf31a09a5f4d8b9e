package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/roundtrip"
	"github.com/epicevents/crm/service"
)

// roundTrips is how often an operation may wait for the database, where that is not once to read and twice to change.
var roundTrips = map[string]int{
	"AuthChangePassword": 3, // who acts, the count of the attempt, the change
	"Changes":            2, // whether the cursor is of this history, what comes after it
	"Check":              2, // what the schema is, the findings

	// Who acts, a transaction, the session, two for the rows or three where the server answers before all of them are sent,
	// what is wrong with them, what is written, the end, the commit; and of employees what a role is.
	"CustomerImport": 10, "ContractImport": 10, "PaymentImport": 10, "EventImport": 10, "EmployeeImport": 11,
	"ContractReconcile": 9, // as they, with what is wrong and what is written in one
}

// TestRoundTrips calls every operation as someone who may use it: what it costs on a slow network.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.employee("none2", "none")
	var trips roundtrip.Counter
	config := p.owner.Copy() // what makes a call possible may be more than crm does
	config.DialFunc = trips.Dial
	conn := p.connect(config)
	for operation, scopes := range readPermissions(t) {
		role := ""
		for i, each := range gen.AllRoleValues() {
			if scopes[i] != "-" {
				role = string(each)
			}
		}
		call, token := calls[operation], p.token(role+"1")
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), call.before); err != nil {
			t.Fatal(err)
		}
		s := must[*service.Session](t)(service.New(tx, testKey).As(token))
		trips.Reset()
		if err := call.do(t.Context(), s, targets[0]); err != nil {
			t.Errorf("%s as %s: %v", operation, role, err)
		}
		most, named := roundTrips[operation]
		if !named {
			most = 1
			if call.writes {
				most = 2
			}
		}
		if n := trips.Count(); n < 1 || n > most {
			t.Errorf("%s waits %d times for the database; %d is the most", operation, n, most)
		}
		if err := tx.Rollback(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRoundTripsOfLogin counts from an open connection too.
func TestRoundTripsOfLogin(t *testing.T) {
	t.Parallel()
	p := sample(t)
	var trips roundtrip.Counter
	config := p.config.Copy()
	config.DialFunc = trips.Dial
	pool, err := service.Connect(t.Context(), config, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if n := trips.Count(); n > 0 {
		t.Errorf("connecting waits %d times more than it must", n)
	}
	if _, err := service.New(pool, testKey).Login(t.Context(), "none1", password); err != nil {
		t.Fatal(err)
	}
	if n := trips.Count(); n < 1 || n > 3 {
		t.Errorf("a login waits %d times for the database; 3 is the most", n)
	}
}
