package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/schema"
)

// remembered is the number of changes in the largest history, at scale 1; fewChanges that of the one it is compared with.
const (
	remembered = 5_000_000
	fewChanges = 5_000
)

// changesSQL adds so many changes of contracts, five of each, as contract update writes them, each in a batch of its own.
func changesSQL(n int) string {
	return fmt.Sprintf(`
	CREATE TEMPORARY TABLE unindexed AS
	SELECT pg_get_indexdef(indexrelid) AS definition, indexrelid::regclass AS name
	FROM pg_index
	WHERE indrelid = 'change'::regclass AND NOT indisprimary;
	DO $$ DECLARE one text; BEGIN FOR one IN SELECT name::text FROM unindexed LOOP EXECUTE 'DROP INDEX ' || one; END LOOP; END $$;
	SET maintenance_work_mem = '512MB';
	INSERT INTO change (at, by, by_id, command, batch, resource, resource_id, before, after)
	SELECT now() - interval '10 seconds' * (%[1]d - n), 'administrator1', 1, 'contract update', md5('batch' || n)::uuid, 'contract',
	       md5('contract' || 21 + n %% %[2]d)::uuid::text,
	       jsonb_build_object('total_amount', 100000 + n), jsonb_build_object('total_amount', 100001 + n)
	FROM generate_series(1, %[1]d) AS n;
	DO $$ DECLARE one text; BEGIN FOR one IN SELECT definition FROM unindexed LOOP EXECUTE one; END LOOP; END $$`, n, max(n/5, 1))
}

// unrecorded leaves out of the history what is done from now on.
const unrecorded = `DO $$
	DECLARE
		of_table text;
		name     text;
	BEGIN
		FOR of_table, name IN
			SELECT tgrelid::regclass, tgname
			FROM pg_trigger
			WHERE tgfoid = 'record_change'::regproc
		LOOP
			EXECUTE format('DROP TRIGGER %I ON %s', name, of_table);
		END LOOP;
	END
	$$`

// lately is a database that is made, with somebody logged in, when it is first measured.
type lately func(context.Context) (*database, error)

func (b *bench) lately(name, extra string) lately {
	var once sync.Once
	var made *database
	var failed error
	return func(ctx context.Context) (*database, error) {
		once.Do(func() {
			if made, failed = b.fill(ctx, name, 0, extra); failed == nil {
				_, failed = output(ctx, made.env, schema.SamplePassword+"\n", b.loginCommand()...)
			}
		})
		return made, failed
	}
}

// historyCases measure what the history costs those who write, and those who read it.
func (b *bench) historyCases(changes int) []*measured {
	most := cmp.Or(changes, max(int(b.large.scale*remembered), fewChanges))
	with, without := b.lately("recorded", payable), b.lately("unrecorded", payable+"; "+unrecorded)
	many, few := b.lately("remembered", changesSQL(most)), b.lately("young", changesSQL(fewChanges))
	one := []string{"history", "contract", "2021-0030", "-o", "csv"}
	newest := []string{"history", "--limit", "50", "-o", "csv"}
	return []*measured{
		{
			Case: "contract update, in the history", Yardstick: "the same without its triggers", Unit: milliseconds, limit: 1.15, repeat: 20,
			crm: b.updates(with), beside: b.updates(without),
		},
		{
			Case: "the statement of contract update alone, in the history", Yardstick: "the same without its triggers", Unit: milliseconds, repeat: 3,
			crm: b.pgbenchUpdates(with), beside: b.pgbenchUpdates(without),
		},
		{
			Case: fmt.Sprintf("history of a contract among %d changes", most), Yardstick: fmt.Sprintf("among %d", fewChanges),
			Unit: milliseconds, limit: 2, repeat: 5, crm: b.runsLately(many, one...), beside: b.runsLately(few, one...),
		},
		{
			Case: fmt.Sprintf("history --limit 50 of %d changes", most), Yardstick: fmt.Sprintf("of %d", fewChanges),
			Unit: milliseconds, limit: 2, repeat: 5, crm: b.runsLately(many, newest...), beside: b.runsLately(few, newest...),
		},
		{Case: "a change of one field, table and indexes", Unit: inBytes, crm: bytesOf(many, "pg_total_relation_size('change')")},
		{Case: "a change of one field, table alone", Unit: inBytes, crm: bytesOf(many, "pg_table_size('change')")},
	}
}

func (b *bench) runsLately(d lately, args ...string) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		made, err := d(ctx)
		if err != nil {
			return figure{}, err
		}
		return b.runs(made, args...)(ctx)
	}
}

// updates changes the total amount of a contract, to another one each time.
func (b *bench) updates(d lately) func(context.Context) (figure, error) {
	cents := 9_999_999_99
	return func(ctx context.Context) (figure, error) {
		cents--
		return b.runsLately(d, "contract", "update", payableID(1), "--total-amount", fmt.Sprintf("%d.%02d", cents/100, cents%100))(ctx)
	}
}

// pgbenchUpdates returns the time of an update on a connection that is there already.
func (b *bench) pgbenchUpdates(d lately) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		made, err := d(ctx)
		if err != nil {
			return figure{}, err
		}
		const times = 2000
		script := filepath.Join(b.home, "update.sql")
		text := fmt.Sprintf("\\set n random(1, %d)\nUPDATE contract SET total_amount = total_amount - 1 WHERE id = md5('payable' || :n)::uuid;\n", payables)
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			return figure{}, err
		}
		begin := time.Now()
		_, err = output(ctx, made.env, "", b.pgbench, "--no-vacuum", "--protocol=prepared", "--file="+script,
			"--client=1", "--transactions="+strconv.Itoa(times), made.url)
		return figure{value: time.Since(begin).Seconds() * 1000 / times}, err
	}
}

// bytesOf divides a size among the changes.
func bytesOf(d lately, size string) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		made, err := d(ctx)
		if err != nil {
			return figure{}, err
		}
		conn, err := pgx.Connect(ctx, made.url)
		if err != nil {
			return figure{}, err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		var f figure
		err = conn.QueryRow(ctx, "SELECT ("+size+" / count(*))::float8 FROM change").Scan(&f.value)
		return f, err
	}
}
