//go:build unix

package cli

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestPaymentKilledAndRepeated: a payment whose command dies at whatever moment is recorded once when it is repeated, and
// nothing stays behind in a transaction. make torture does this more often.
func TestPaymentKilledAndRepeated(t *testing.T) {
	e := newEnv(t)
	e.login("administrator1")
	const deaths = 16
	contract := e.contractOf(deaths * 100)
	args := func(id string) []string {
		return []string{"contract", "add-payment", contract, "--payment", "1", "--payment-id", id}
	}
	start := time.Now()
	if code, _, stderr := e.crm("", args(uuid.NewString())...); code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	took := time.Since(start)
	for i := 1; i < deaths; i++ {
		id := uuid.NewString()
		ctx, cancel := context.WithTimeout(t.Context(), took*time.Duration(i)/deaths)
		cmd := exec.CommandContext(ctx, "crm", args(id)...)
		cmd.Dir, cmd.Env = e.home, e.vars
		_ = cmd.Run()
		cancel()
		if code, _, stderr := e.crm("", args(id)...); code != 0 {
			t.Errorf("repeated after death %d: exit %d, %s", i, code, stderr)
		}
	}
	if rows := e.number("SELECT count(*) FROM payment WHERE contract_id = $1", contract); rows != deaths {
		t.Errorf("%d payments are recorded, want %d", rows, deaths)
	}
	if due := e.number("SELECT total_due FROM contract_view WHERE id = $1", contract); due != 0 {
		t.Errorf("%d cents are due", due)
	}
	if idle := e.number("SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state LIKE 'idle in transaction%'", e.config.Database); idle > 0 {
		t.Errorf("%d sessions idle in a transaction", idle)
	}
}
