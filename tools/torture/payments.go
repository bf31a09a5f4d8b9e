//go:build linux

package main

import (
	"context"
	"sync"
	"time"
)

// crowd is how many processes act at once; a server of 150 connections has room for them.
const crowd = 64

// payments has many processes pay the same contract, a number of times each and then for some time.
func payments(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()

	each := t.times(100)
	l := d.newLedger()
	start := time.Now()
	var all sync.WaitGroup
	for range crowd {
		all.Go(func() {
			for range each {
				if a := l.attempt(t, d, l.intend()); a.code != 0 {
					t.fault("a payment among %d processes: %v", crowd, a)
				}
			}
		})
	}
	all.Wait()
	t.must(nil)
	t.exactly(l.holds(s), crowd*each)
	t.figure("%d processes x %d payments in %.1f s: %v; the slowest took %.2f s", crowd, each, time.Since(start).Seconds(), l.holds(s), l.longest.Seconds())

	l = d.newLedger()
	ctx, cancel := context.WithTimeout(t, 10*time.Second)
	defer cancel()
	start = time.Now()
	l.load(ctx, d, crowd, func(a answer) { t.fault("a payment of %d workers: %v", crowd, a) }).Wait()
	t.must(nil)
	t.exactly(l.holds(s), len(l.payments))
	t.figure("%d workers for %.1f s: %v", crowd, time.Since(start).Seconds(), l.holds(s))

	most, fit := t.times(1000), 0
	total := int64(most) * 10 // of payments of 0.15 €, two thirds fit
	contract := d.contract(total)
	var mu sync.Mutex
	work := make(chan struct{})
	for range crowd {
		all.Go(func() {
			for range work {
				a := d.crm("contract", "add-payment", contract, "--payment", "0.15")
				mu.Lock()
				if a.code == 0 {
					fit++
				} else if a.code != 6 {
					t.fault("a payment that may not fit: %v", a)
				}
				mu.Unlock()
			}
		})
	}
	for range most {
		work <- struct{}{}
	}
	close(work)
	all.Wait()
	t.must(nil)
	rows := one[int](s, "SELECT count(*)::int FROM payment WHERE contract_id = $1", contract)
	due := one[int64](s, "SELECT total_due FROM contract_view WHERE id = $1", contract)
	if want := int(total / 15); fit != want || rows != want || due != total-int64(want)*15 {
		t.fault("%d payments fit: %d were acknowledged, %d are recorded, %d cents are due", want, fit, rows, due)
	}
	t.figure("%d payments where %d fit: %d acknowledged, %d refused, %d rows", most, total/15, fit, most-fit, rows)
}

// exactly holds what is recorded to a number.
func (t *trial) exactly(c count, want int) {
	if c.acknowledged != want || c.rows != want {
		t.fault("%d payments were made, %d acknowledged, %d recorded", want, c.acknowledged, c.rows)
	}
}
