//go:build unix

package cli

import (
	"slices"
	"strings"
	"testing"
)

// TestOffers: there is to choose from what the command can be used on, and nothing else.
func TestOffers(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	e.vars[patientVariable] = "1"
	for _, offer := range []struct{ username, command, query string }{
		{"administrator1", "contract detail", "SELECT number FROM contract_view"},
		{"administrator1", "contract sign", "SELECT number FROM contract_view WHERE NOT signed"},
		{"administrator1", "contract add-payment", "SELECT number FROM contract_view WHERE total_due > 0"},
		{"administrator1", "contract update", "SELECT number FROM contract_view"},
		{"administrator1", "contract add --customer-id", "SELECT id::text FROM customer_view WHERE archived_at IS NULL"},
		{"administrator1", "customer set-commercial", "SELECT id::text FROM customer_view WHERE archived_at IS NULL"},
		{"administrator1", "event set-support", "SELECT id::text FROM event_view WHERE cancelled_at IS NULL"},
		{"administrator1", "event update", "SELECT '' WHERE false"},
		{"commercial1", "contract detail", "SELECT number FROM contract_view"},
		{"commercial1", "contract sign", "SELECT number FROM contract_view WHERE NOT signed AND commercial = 'commercial1'"},
		{"commercial1", "contract add-payment", "SELECT number FROM contract_view WHERE total_due > 0 AND commercial = 'commercial1'"},
		{"commercial1", "contract update", "SELECT number FROM contract_view WHERE commercial = 'commercial1'"},
		{"commercial1", "contract update b0f94a --customer-id", "SELECT id::text FROM customer_view WHERE commercial = 'commercial1'"},
		{"commercial1", "event add --contract-uuid", "SELECT number FROM contract_view WHERE signed AND commercial = 'commercial1'"},
		{"commercial1", "customer detail", "SELECT id::text FROM customer_view WHERE archived_at IS NULL"},
		{"commercial1", "customer update", "SELECT id::text FROM customer_view WHERE commercial = 'commercial1'"},
		{"support1", "event update", "SELECT id::text FROM event_view WHERE support = 'support1' AND cancelled_at IS NULL"},
		{"support1", "event detail", "SELECT id::text FROM event_view WHERE cancelled_at IS NULL"},
		{"support1", "customer update", "SELECT '' WHERE false"},
	} {
		t.Run(offer.username+" "+offer.command, func(t *testing.T) {
			e.as(offer.username)
			var want []string
			err := e.conn.QueryRow(t.Context(), "SELECT coalesce(array_agg(id), '{}') FROM ("+offer.query+") AS list (id)").Scan(&want)
			if err != nil {
				t.Fatal(err)
			}
			got, shown := []string{}, e.complete(t, append(strings.Fields(offer.command), "")...)
			for _, line := range shown {
				value, _, _ := strings.Cut(line, "\t")
				got = append(got, value)
			}
			slices.Sort(want)
			if first := "8\t"; offer.command == "event set-support" && !strings.HasPrefix(shown[0], first) {
				t.Errorf("the first to choose is not without a support: %q", shown)
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("offered are %v, want %v", got, want)
			}
		})
	}
}

// TestNothingToChoose says so, before anything else is asked.
func TestNothingToChoose(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.sql(`DELETE FROM event WHERE cancelled_at IS NOT NULL; UPDATE event SET support_id = NULL; UPDATE contract SET signed_at = now() WHERE signed_at IS NULL;
		DELETE FROM event; UPDATE contract SET total_amount = paid_amount;
		INSERT INTO employee (username, fullname, role, password_hash)
		SELECT 'commercial9', 'Nouvelle', 'commercial', password_hash FROM employee WHERE username = 'none1'`)
	for username, commands := range map[string]map[string]string{
		"commercial9":    {"customer update": "There is no customer of your own.", "event add": "There is no contract of your own customers that is signed."},
		"administrator1": {"contract sign": "There is no contract to sign.", "contract add-payment": "There is no contract with anything due.", "event detail": "There is no event."},
		"support1":       {"event update": "There is no event that you run."},
	} {
		e.login(username)
		for command, message := range commands {
			t.Run(username+" "+command, func(t *testing.T) {
				s := startPTY(t, screens["80x24"], e.command(strings.Fields(command)...))
				s.expect("crm: " + message)
				s.ends(5)
			})
		}
	}
}
