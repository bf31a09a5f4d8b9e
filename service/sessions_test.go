//go:build unix

package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// TestSessionsAreSettled: whatever the database says of encoding, dates and timeouts, names are stored and times are
// read as they are, straight and through PgBouncer.
func TestSessionsAreSettled(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		t.Run(fmt.Sprintf("pooled %v", pooled), func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			for _, setting := range []string{
				"client_encoding = 'LATIN1'", "datestyle = 'SQL, DMY'", "intervalstyle = 'sql_standard'", "timezone = 'Asia/Kathmandu'",
				"standard_conforming_strings = off", "bytea_output = 'escape'", "idle_session_timeout = '300ms'", "row_security = on",
				"default_transaction_isolation = 'repeatable read'", "jit = on",
			} {
				p.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET " + strings.ReplaceAll(setting, "'", "''") + "', current_database()); END $$")
			}
			config := p.config.Copy()
			if pooled {
				config = dbtest.PgBouncer(t, config)
			}
			config.RuntimeParams["client_encoding"] = "LATIN1"
			schema.Settle(config)
			pool, err := service.Connect(t.Context(), config, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			s := p.asOn(service.New(pool, testKey), "commercial1")
			const name = `Œdipe Žižek \ 'Ольга'`
			if !pooled {
				time.Sleep(500 * time.Millisecond) // longer than the timeout of the database
			}
			changed, err := s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Fullname: new(name)})
			if err != nil {
				t.Fatal(err)
			}
			if changed.Now.Fullname != name || time.Since(changed.Now.UpdatedAt).Abs() > time.Minute {
				t.Errorf("%+v", changed.Now)
			}
			conn := dbtest.Connect(t, p.with("client_encoding", "UTF8"))
			var stored string
			if err := conn.QueryRow(t.Context(), "SELECT fullname FROM customer WHERE id = $1", ownCustomer).Scan(&stored); err != nil || stored != name {
				t.Errorf("%q is stored, %v", stored, err)
			}
			if err := pool.QueryRow(t.Context(), "SHOW jit").Scan(&stored); err != nil || !pooled && stored != "off" {
				t.Errorf("jit is %s, %v", stored, err)
			}
			if err := pool.QueryRow(t.Context(), "SHOW client_encoding").Scan(&stored); err != nil || stored != "UTF8" {
				t.Errorf("client_encoding is %s, %v", stored, err)
			}
		})
	}
}

// TestConnectionLostAtPrompt: what is done after it was thought about goes over another connection.
func TestConnectionLostAtPrompt(t *testing.T) {
	t.Parallel()
	p := sample(t)
	pool, err := service.Connect(t.Context(), p.config, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := p.asOn(service.New(pool, testKey), "administrator1")
	if err := second(s.CustomerDetail(t.Context(), ownCustomer)); err != nil {
		t.Fatal(err)
	}
	p.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	time.Sleep(1100 * time.Millisecond)
	if err := second(s.ContractAdd(t.Context(), gen.ContractAddParams{CustomerID: ownCustomer, TotalAmount: 1000})); err != nil {
		t.Error(err)
	}
}
