//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// difference counts where the history, played from its beginning, leads to other rows or fields than the tables have, and
// the rows that it adds twice. The first column of recordedTables goes into it.
const difference = `
	WITH stands AS (
		SELECT resource, resource_id, field.key, field.value
		FROM (%s) AS row
		CROSS JOIN LATERAL jsonb_each(jsonb_strip_nulls(content - unrecorded_columns())) AS field
	), told AS (
		SELECT DISTINCT ON (resource, resource_id, name) resource, resource_id, name AS key, coalesce(after, 'null') -> name AS value
		FROM change
		CROSS JOIN LATERAL jsonb_object_keys(coalesce(after, before)) AS name
		WHERE resource <> 'schema'
		ORDER BY resource, resource_id, name, id DESC
	)
	SELECT (SELECT count(*)
	        FROM stands
	        FULL JOIN (SELECT * FROM told WHERE value <> 'null') AS told USING (resource, resource_id, key)
	        WHERE stands.value IS DISTINCT FROM told.value)
	     + (SELECT count(*)
	        FROM (
	            SELECT
	            FROM change
	            WHERE resource <> 'schema'
	            GROUP BY resource, resource_id
	            HAVING count(*) FILTER (WHERE before IS NULL) - count(*) FILTER (WHERE after IS NULL) NOT IN (0, 1)) AS twice)`

// recordedTables makes the query of all rows whose changes are recorded, by the trigger that does it.
const recordedTables = `
	SELECT string_agg(format('SELECT %1$L AS resource, id::text AS resource_id, to_jsonb(%1$I) AS content FROM %1$I', relname), ' UNION ALL ')
	FROM pg_class
	WHERE oid IN (SELECT tgrelid FROM pg_trigger WHERE tgfoid = 'record_change'::regproc)`

// remembers holds the history of a server to its tables: what was done is in it, once, and nothing else is.
func (s *server) remembers() {
	if n := s.differs(); n > 0 {
		s.t.fault("the history of server %s differs from its tables %d times", s.name, n)
	}
}

func (s *server) differs() (times int) {
	conn, err := s.connect("crm")
	s.t.must(err)
	defer conn.Close(context.WithoutCancel(s.t))
	_, err = conn.Exec(s.t, "SET timezone = 'UTC'") // as the history writes times
	s.t.must(err)
	var rows string
	s.t.must(conn.QueryRow(s.t, recordedTables).Scan(&rows))
	s.t.must(conn.QueryRow(s.t, fmt.Sprintf(difference, rows)).Scan(&times))
	return times
}

// recorded counts the payments of a contract in the history.
func (l *ledger) recorded(s *server) int {
	return one[int](s, `SELECT count(*)::int FROM change
		WHERE resource = 'payment' AND before IS NULL AND after ->> 'contract_id' = $1`, l.contract)
}

// reader is another program that takes all changes, is killed, and goes on after the cursor that it has written down.
type reader struct {
	t      *trial
	cursor string
	lines  []string // of the changes that it has taken: cursor and content
	kills  int
	killed int // while rows were still to come
}

// changedLine is what the reader keeps of a line.
type changedLine struct {
	Cursor        string
	ID            int64
	Resource      string
	ResourceID    string `json:"resource_id"`
	Field         string
	Before, After *string
}

func (l changedLine) String() string {
	text := func(s *string) string {
		if s == nil {
			return "NULL"
		}
		return strconv.Quote(*s)
	}
	return fmt.Sprintf("%d %s %s %s %s > %s", l.ID, l.Resource, l.ResourceID, l.Field, text(l.Before), text(l.After))
}

// take runs crm changes from where the reader stopped. It kills it after so many lines; what was read of a line that is
// not whole is thrown away. It returns how many lines it took.
func (r *reader) take(d *desk, most int) int {
	args := []string{"changes", "-o", "jsonl"}
	if r.cursor != "" {
		args = append(args, "--after", r.cursor)
	}
	ctx, kill := context.WithCancel(r.t)
	defer kill()
	cmd := d.command(ctx, args...)
	pipe, err := cmd.StdoutPipe()
	r.t.must(err)
	r.t.must(cmd.Start())
	taken := 0
	rows := bufio.NewReader(pipe)
	for taken < most {
		text, err := rows.ReadBytes('\n')
		if err != nil {
			break
		}
		var line changedLine
		if err := json.Unmarshal(text, &line); err != nil || line.Cursor == "" {
			r.t.fault("a line of crm changes: %v: %s", err, text)
			break
		}
		r.cursor, r.lines = line.Cursor, append(r.lines, line.String())
		taken++
	}
	if taken == most {
		_ = cmd.Process.Kill()
		r.kills++
		if cmd.Wait() != nil {
			r.killed++
		}
		return taken
	}
	if err := cmd.Wait(); err != nil {
		r.t.fault("crm changes: %v", err)
	}
	return taken
}

// changes are the lines that a reader of all changes has to have.
func (s *server) changes() (lines []string) {
	conn, err := s.connect("crm")
	s.t.must(err)
	defer conn.Close(context.WithoutCancel(s.t))
	_, err = conn.Exec(s.t, "SET timezone = 'Europe/Paris'") // as crm has it
	s.t.must(err)
	rows, err := conn.Query(s.t, "SELECT '', id, resource, resource_id, field, before, after FROM change_line ORDER BY xid, id, position")
	s.t.must(err)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[changedLine])
	s.t.must(err)
	for _, line := range found {
		lines = append(lines, line.String())
	}
	return lines
}

// feed has a program read crm changes, near and through a server, and be killed again and again, while others write and
// some transactions commit long after they wrote.
func feed(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	f := d.newFront(false)
	p := f.start()
	far := f.desk()
	contract := d.contract(largest)
	l := d.newLedger()

	ctx, cancel := context.WithCancel(t)
	defer cancel()
	writing := l.load(ctx, d, 8, func(a answer) { t.fault("a payment beside a reader: %v", a) })
	var updates, late atomic.Int64
	writing.Go(func() {
		for cents := largest - 1; ctx.Err() == nil; cents-- {
			if a := d.crm("contract", "update", contract, "--total-amount", euros(int64(cents))); a.code == 0 {
				updates.Add(1)
			} else if t.Err() == nil {
				t.fault("an update beside a reader: %v", a)
			}
		}
	})
	for customer := range 3 {
		writing.Go(func() { t.commitLate(ctx, s, customer+1, &late) })
	}

	times := max(5, t.times(50))
	r := &reader{t: t}
	for empty := 0; r.kills < times; {
		reads := d
		if r.kills%2 == 1 {
			reads = far
		}
		if r.take(reads, 1+rand.IntN(30)) == 0 {
			if empty++; empty > 1000 {
				t.must(fmt.Errorf("nothing new in a thousand reads, after %d lines", len(r.lines)))
			}
		}
	}
	cancel()
	writing.Wait()
	t.must(nil)
	for r.take(d, 1<<30) > 0 {
	}
	p.stop()

	want := s.changes()
	seen := map[string]int{}
	for _, line := range r.lines {
		seen[line]++
	}
	lost, doubled, disordered := 0, 0, 0
	for i, line := range want {
		n := seen[line]
		if n == 0 {
			lost++
		}
		doubled += max(0, n-1)
		if i < len(r.lines) && r.lines[i] != line {
			disordered++
		}
	}
	if lost+doubled+disordered > 0 || len(want) != len(r.lines) {
		t.fault("a reader who was killed %d times has %d lines of %d: lost %d, doubled %d, not in the order of commits %d",
			r.kills, len(r.lines), len(want), lost, doubled, disordered)
	}
	t.figure("a reader of crm changes, killed %d times, %d of them in the middle of rows, near and through a server, under 12 writers: %d lines, lost %d, doubled %d",
		r.kills, r.killed, len(r.lines), lost, doubled)
	updated := one[int64](s, "SELECT count(*) FROM change WHERE resource = 'contract' AND command = 'contract update'")
	lateRows := one[int64](s, "SELECT count(*) FROM change WHERE by = 'sql:postgres'")
	if updated != updates.Load() || lateRows != late.Load() {
		t.fault("the history has %d updates of %d, and %d of %d changes by SQL", updated, updates.Load(), lateRows, late.Load())
	}
	t.figure("    payments: %v; %d updates and %d changes by SQL, each in the history once", l.holds(s), updates.Load(), late.Load())

	const behind = "ALTER TABLE customer DISABLE TRIGGER USER; UPDATE customer SET company = %s WHERE id = 4; ALTER TABLE customer ENABLE TRIGGER USER"
	was := one[string](s, "SELECT quote_nullable(company) FROM customer WHERE id = 4")
	s.must("crm", fmt.Sprintf(behind, "'Unseen'"))
	if s.differs() != 1 {
		t.fault("one change that is not in the history is not noticed")
	}
	s.must("crm", fmt.Sprintf(behind, was))
}

// commitLate changes a customer again and again in transactions that stay open for a while, and counts those that
// committed.
func (t *trial) commitLate(ctx context.Context, s *server, customer int, committed *atomic.Int64) {
	conn, err := s.connect("crm")
	if err != nil {
		t.fault("a late writer: %v", err)
		return
	}
	defer conn.Close(context.WithoutCancel(t))
	for n := 0; ctx.Err() == nil; n++ {
		err := pgx.BeginFunc(t, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t, "UPDATE customer SET company = $1 WHERE id = $2", fmt.Sprintf("Late %d", n), customer); err != nil {
				return err
			}
			time.Sleep(rand.N(400 * time.Millisecond))
			return nil
		})
		if err != nil {
			if t.Err() == nil {
				t.fault("a late writer: %v", err)
			}
			return
		}
		committed.Add(1)
	}
}
