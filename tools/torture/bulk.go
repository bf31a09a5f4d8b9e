//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// bulk kills, near and through a server, clients that write many rows at once: imports, their undo, and bank statements.
// Of each there is all or nothing, and repeating it makes it whole.
func bulk(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), time.Minute)
	d.found()
	f := d.newFront(false)
	p := f.start()
	far := f.desk()
	far.login("tamara", password) // a token is not enough to take something back
	desks := []*desk{d, far}
	b := &bulkTrial{t: t, s: s}

	b.imports(desks)
	b.undos(desks)
	b.statements(desks)
	p.stop()
	t.eventually("the sessions of dead clients end", func() bool {
		return one[int](s, "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm'") == 0
	})
}

type bulkTrial struct {
	t *trial
	s *server
}

// kills runs a command a number of times and kills it at a random moment of the time that it took before, on each desk in
// turn. Between them it counts the rows that the command writes: none of them, or all if it was faster.
func (b *bulkTrial) kills(what string, desks []*desk, usual time.Duration, all int, rows func() int, again func(), args func() []string) {
	var killed, ended, late int
	for i := range b.t.times(40) {
		ctx, cancel := context.WithTimeout(b.t, rand.N(usual))
		a := desks[i%len(desks)].run(ctx, "", args()...)
		cancel()
		b.t.must(nil)
		b.settled()
		n := rows()
		switch {
		case n != 0 && n != all:
			b.t.fault("%s was killed after %.2f s: %d rows of %d", what, a.took.Seconds(), n, all)
		case a.code == 0 && n != all:
			b.t.fault("%s said that it is done: %d rows of %d", what, n, all)
		case a.code > 0:
			b.t.fault("%s: %v", what, a)
		case a.code == 0:
			ended++
		case n == all:
			late++
		default:
			killed++
		}
		if n > 0 {
			again()
		}
	}
	b.t.figure("%s of %d rows, near and through a server, killed at a random moment of %v: %d times nothing was written, %d times all (the kill was too late), %d were faster",
		what, all, usual.Round(time.Millisecond), killed, late, ended)
}

// settled waits until no session is at work for a client that is gone.
func (b *bulkTrial) settled() {
	b.t.eventually("the server has given up what a dead client sent", func() bool {
		return one[int](b.s, "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm' AND state <> 'idle'") == 0
	})
}

// ran runs a command that has to succeed, on each desk, and returns the longest time.
func (b *bulkTrial) ran(desks []*desk, before func(), args func() []string) (longest time.Duration) {
	for _, d := range desks {
		before()
		longest = max(longest, d.must(args()...).took)
	}
	return longest
}

const importedRows = "SELECT count(*)::int FROM customer WHERE email LIKE '%@bulk.example'"

// customers writes a file of customers.
func (b *bulkTrial) customers(n int) (file string) {
	var text strings.Builder
	text.WriteString("fullname,company,email,commercial\n")
	for i := range n {
		fmt.Fprintf(&text, "Client %d,Bulk,c%d@bulk.example,commercial1\n", i, i)
	}
	return b.file("customers.csv", text.String())
}

func (b *bulkTrial) file(name, text string) string {
	path := filepath.Join(b.t.dir, name)
	b.t.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (b *bulkTrial) imports(desks []*desk) {
	n := max(500, b.t.times(5000))
	file := b.customers(n)
	rows := func() int { return one[int](b.s, importedRows) }
	forget := func() { b.s.must("crm", "DELETE FROM customer WHERE email LIKE '%@bulk.example'") }
	args := func() []string { return []string{"customer", "import", file} }
	usual := b.ran(desks, forget, args)
	forget()
	b.kills("an import", desks, usual, n, rows, forget, args)

	again := []string{"customer", "import", file, "--match", "email", "--on-match", "skip"}
	desks[0].must(again...)
	if found := rows(); found != n {
		b.t.fault("the import was repeated: %d rows of %d", found, n)
	}
}

// undos takes back what imports left, and brings it in again whenever that was done.
func (b *bulkTrial) undos(desks []*desk) {
	n := one[int](b.s, importedRows)
	file := filepath.Join(b.t.dir, "customers.csv")
	var batch string
	bringIn := func() {
		a := desks[0].must("customer", "import", file, "--match", "email", "--on-match", "skip", "-o", "json")
		var done struct{ Batch string }
		b.t.must(json.Unmarshal([]byte(a.stdout), &done))
		batch = done.Batch
	}
	b.s.must("crm", "DELETE FROM customer WHERE email LIKE '%@bulk.example'")
	args := func() []string { return []string{"undo", batch} }
	usual := b.ran(desks, bringIn, args)
	bringIn()
	gone := func() int { return n - one[int](b.s, importedRows) }
	b.kills("an undo", desks, usual, n, gone, bringIn, args)
}

// statements records what a bank's file says that contracts were paid.
func (b *bulkTrial) statements(desks []*desk) {
	n := max(50, b.t.times(500))
	b.s.must("crm", fmt.Sprintf(`INSERT INTO contract (customer_id, total_amount, signed_at)
		SELECT 6, 100000, now() - interval '1 day' FROM generate_series(1, %d)`, n))
	text := one[string](b.s, `SELECT string_agg(format('%s;VIR %s;10,00', to_char(current_date - 1, 'DD/MM/YYYY'), number), E'\n')
		FROM contract WHERE total_amount = 100000`)
	file := b.file("statement.csv", "Date;Libellé;Montant\n"+text+"\n")
	const paid = `SELECT count(*)::int FROM payment JOIN contract ON contract.id = contract_id
		WHERE contract.total_amount = 100000 AND payment.voided_at IS NULL`
	rows := func() int { return one[int](b.s, paid) }
	args := func() []string { return []string{"contract", "reconcile", file, "--apply"} }
	takeBack := func() {
		batch := one[string](b.s, "SELECT coalesce((SELECT batch::text FROM change WHERE command = 'contract reconcile' ORDER BY id DESC LIMIT 1), '')")
		if batch != "" && rows() > 0 {
			desks[0].must("undo", batch)
		}
	}
	usual := b.ran(desks, takeBack, args)
	takeBack()
	b.kills("a bank statement", desks, usual, n, rows, takeBack, args)

	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if a := desks[i%len(desks)].crm(args()...); a.code != 0 {
				b.t.fault("eight apply the same statement: %v", a)
			}
		})
	}
	all.Wait()
	b.t.must(nil)
	if found := rows(); found != n {
		b.t.fault("eight applied the same statement of %d lines: %d payments", n, found)
	}
	b.t.figure("eight at once apply the same statement of %d lines: %d payments", n, rows())
}
