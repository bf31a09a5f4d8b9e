package service_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// told writes lines of the history as "who: command, what field: before > after".
func told(t *testing.T, rows iter.Seq2[gen.ChangeView, error]) (lines []string) {
	t.Helper()
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s: %s, %s %s: %s > %s", row.By, text(row.Command), text(row.Name), row.Field, text(row.Before), text(row.After)))
	}
	return lines
}

// TestHistory: who did what is said of every operation, under the names that people know.
func TestHistory(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	administrator, commercial := p.as("administrator1"), p.as("commercial1")
	p.exec("DELETE FROM change")
	contract := targets[0].contract
	must[service.Change[gen.ContractView]](t)(administrator.ContractUpdate(ctx, gen.ContractUpdateParams{ID: contract, TotalAmount: new(value.Cents(99_999_999))}))
	must[service.Change[gen.CustomerView]](t)(administrator.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: targets[0].customer, Commercial: "commercial3"}))
	must[service.Change[gen.EventView]](t)(administrator.EventSetSupport(ctx, gen.EventSetSupportParams{ID: targets[0].event, Support: "support2"}))
	if _, err := commercial.ContractSign(ctx, targets[1].unsigned); failure.CodeOf(err) != failure.PermissionDenied {
		t.Fatal(err)
	}
	number := one[string](p, "SELECT number FROM contract WHERE id = '"+contract.String()+"'")
	all := told(t, commercial.History(ctx, gen.HistoryParams{}))
	for i, want := range []string{
		"administrator1: event set-support, ", "administrator1: customer set-commercial, ", "administrator1: contract update, " + number + " total_amount: ",
	} {
		if i >= len(all) || !strings.HasPrefix(all[i], want) {
			t.Fatalf("%d of %q is not %s", i, all, want)
		}
	}
	if !strings.HasSuffix(all[1], " commercial: commercial1 > commercial3") || !strings.HasSuffix(all[2], " > 999999.99") || len(all) != 3 {
		t.Error(all)
	}
	if ids := one[int64](p, "SELECT count(DISTINCT batch) FROM change WHERE by_id = 1"); ids != 3 {
		t.Errorf("%d batches", ids)
	}
	backwards := told(t, commercial.History(ctx, gen.HistoryParams{Sort: "at"}))
	slices.Reverse(backwards)
	if diff := cmp.Diff(all, backwards); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		filter gen.HistoryParams
		want   []string
	}{
		"resource":      {gen.HistoryParams{Resource: new("customer")}, all[1:2]},
		"a customer":    {gen.HistoryParams{Resource: new("customer"), ResourceID: new(fmt.Sprint(targets[0].customer))}, all[1:2]},
		"another":       {gen.HistoryParams{Resource: new("customer"), ResourceID: new(fmt.Sprint(targets[0].event + 100))}, nil},
		"its contract":  {gen.HistoryParams{Resource: new("contract"), ResourceID: new(contract.String()), ContractID: &contract}, all[2:3]},
		"by":            {gen.HistoryParams{By: new("commercial1")}, nil},
		"command":       {gen.HistoryParams{Command: new("event set-support")}, all[:1]},
		"batch":         {gen.HistoryParams{Batch: new(one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id LIMIT 1"))}, all[2:]},
		"since a while": {gen.HistoryParams{Since: new(time.Now().Add(-time.Minute))}, all},
		"since later":   {gen.HistoryParams{Since: new(time.Now().Add(time.Minute))}, nil},
		"limit":         {gen.HistoryParams{RowLimit: new(int64(2))}, all[:2]},
	} {
		if diff := cmp.Diff(c.want, told(t, commercial.History(ctx, c.filter))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if n, err := commercial.HistoryCount(ctx, c.filter); err != nil || int(n) != len(c.want) && name != "limit" {
			t.Errorf("%s: %d counted, %v", name, n, err)
		}
	}
}

// settled waits until no older transaction is open on the server, be it of another test, that holds back what is committed.
func (p *env) settled() {
	p.Helper()
	within(p, time.Minute, "older transactions to end", func() bool { // another test may hold one for seconds
		return one[bool](p, "SELECT coalesce(max(xid) < pg_snapshot_xmin(pg_current_snapshot()), true) FROM change")
	})
}

// read takes the lines after a cursor and returns the cursor of the last.
func read(t *testing.T, s service.Operations, after string) (lines []string, last string) {
	t.Helper()
	last = after
	for row, err := range s.Changes(t.Context(), service.ChangesParams{After: after}) {
		if err != nil {
			t.Fatal(err)
		}
		lines, last = append(lines, fmt.Sprintf("%s %s %s", row.Resource, row.ResourceID, row.Field)), row.Cursor
	}
	return lines, last
}

// TestLateCommitIsNotSkipped: a transaction that stays open has changes with lower numbers than those that commit before
// it. Whoever reads meanwhile gets nothing that they could go on after and so miss them, and later gets all, once.
func TestLateCommitIsNotSkipped(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	p.settled()
	_, start := read(t, s, "")
	late := p.connect(p.config)
	exec := func(conn *pgx.Conn, sql string) {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(late, "BEGIN; UPDATE customer SET company = 'Late' WHERE id = 1")
	p.exec("UPDATE customer SET company = 'Early' WHERE id = 2")
	lines, cursor := read(t, s, start)
	if len(lines) != 0 || cursor != start {
		t.Fatal(lines)
	}
	exec(late, "COMMIT")
	p.settled()
	lines, cursor = read(t, s, cursor)
	if diff := cmp.Diff([]string{"customer 1 company", "customer 2 company"}, lines); diff != "" {
		t.Error(diff)
	}
	if lines, _ = read(t, s, cursor); len(lines) != 0 {
		t.Error(lines)
	}
}

// TestReaderStopsAnywhere: a reader who goes on after any line has all lines in the end, and none twice.
func TestReaderStopsAnywhere(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	p.settled()
	whole, _ := read(t, s, "")
	if len(whole) < 100 {
		t.Fatal(len(whole))
	}
	var parts []string
	after := ""
	for i := 0; ; i++ {
		n := len(parts)
		for row, err := range s.Changes(t.Context(), service.ChangesParams{After: after, RowLimit: new(int64(1 + i%17))}) {
			if err != nil {
				t.Fatal(err)
			}
			parts, after = append(parts, fmt.Sprintf("%s %s %s", row.Resource, row.ResourceID, row.Field)), row.Cursor
		}
		if len(parts) == n {
			break
		}
	}
	if diff := cmp.Diff(whole, parts); diff != "" {
		t.Error(diff)
	}
}

// TestCursorOfAnother: a cursor is never taken for one of this database that it is not.
func TestCursorOfAnother(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("administrator1")
	p.settled()
	_, cursor := read(t, s, "")
	first := func(after string) error {
		for _, err := range s.Changes(t.Context(), service.ChangesParams{After: after}) {
			return err
		}
		return nil
	}
	for _, bad := range []string{"x", "1-2-3", "1-2-3-12345678-", "1-2-3-XXXXXXXX", "-1-2-3-12345678", cursor + "0", "99999999999999999999-1-1-12345678", "1-1-1-1234567\x00"} {
		if err := first(bad); failure.CodeOf(err) != failure.Usage {
			t.Errorf("%q: %v", bad, err)
		}
	}
	parts := strings.Split(cursor, "-")
	for i, other := range []string{"18446744073709551615", "9223372036854775807", "", "00000000"} {
		if other == "" {
			continue
		}
		changed := slices.Clone(parts)
		changed[i] = other
		if err := first(strings.Join(changed, "-")); failure.CodeOf(err) != failure.Conflict {
			t.Errorf("%q: %v", changed, err)
		}
	}
	if err := first(cursor); err != nil {
		t.Error(err)
	}
	// Rows that were copied from another server by hand.
	p.exec("UPDATE change SET xid = (pg_current_xact_id()::text::bigint + 1000000)::text::xid8 WHERE id = 1")
	for _, after := range []string{"", cursor} {
		if err := first(after); failure.CodeOf(err) != failure.Conflict || !strings.Contains(err.Error(), "another server") {
			t.Errorf("%q: %v", after, err)
		}
	}
}
