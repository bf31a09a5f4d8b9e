//go:build linux

package main

import (
	"fmt"
	"sync"
	"time"
)

// replicationWait keeps a synchronous standby from answering. What waits for it stands on the primary alone: nobody may
// be told that it is recorded, neither whoever sent it first nor whoever repeats it, for the primary may die.
func replicationWait(t *trial) {
	t.part("standby-returns", func(t *trial) {
		p, d, l := t.heldUp()
		p.link.release()
		repeated, before := l.settle(d)
		t.figure("the standby answers again: %d repeated, %d of them had been recorded: %v", repeated, before, l.holds(p.primary))
	})
	t.part("standby-promoted", func(t *trial) {
		p, d, l := t.heldUp()
		p.primary.crash()
		p.promote()
		repeated, before := l.settle(d)
		t.figure("the standby is promoted: %d repeated, %d of them had been recorded: %v", repeated, before, l.holds(p.primary))
		p.standby.remove()
	})
}

// heldUp has payments that the standby never confirms, given up in each way there is.
func (t *trial) heldUp() (*pair, *desk, *ledger) {
	p := t.newPair(true, 0)
	d := t.desk("home", p.url(), usualLimit)
	d.found()
	l := d.newLedger()
	if a := l.attempt(t, d, l.intend()); a.code != 0 {
		t.must(fmt.Errorf("before any harm: %v", a))
	}
	p.link.hold()
	const waiting = "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm' AND wait_event = 'SyncRep'"
	short := d.at(d.url, shortLimit)
	var told []string
	pay := func(what string, d *desk, payment *payment, while func()) {
		var sending sync.WaitGroup
		var a answer
		sending.Go(func() { a = l.attempt(t, d, payment) })
		if while != nil {
			t.eventually("a payment waits for the standby", func() bool { return one[int](p.primary, waiting) > 0 })
			while()
		}
		sending.Wait()
		t.must(nil)
		told = append(told, fmt.Sprintf("%s: exit %d", what, a.code))
		if a.code == 0 {
			t.fault("%s: acknowledged, and only the primary has it: %v", what, a)
		} else if !payment.unknown {
			t.fault("%s: it stands on the primary, and crm does not say that the outcome is unknown: %v", what, a)
		}
		if a.took > d.limit+slack {
			t.fault("%s: %v", what, a)
		}
	}

	first := l.intend()
	pay("given up at the limit", short, first, nil)
	visible := one[int](p.primary, "SELECT count(*)::int FROM payment WHERE amount = $1", first.cents)
	pay("repeated", short, first, nil)
	pay("repeated again", short, first, nil)
	pay("wait cancelled by the administrator", short, l.intend(), func() {
		one[int](p.primary, "SELECT count(pg_cancel_backend(pid))::int FROM pg_stat_activity WHERE usename = 'crm' AND wait_event = 'SyncRep'")
	})
	pay("session ended by the administrator", short, l.intend(), func() {
		one[int](p.primary, "SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE usename = 'crm' AND wait_event = 'SyncRep'")
	})
	last := l.intend()
	pay("primary killed and started again", d.at(d.url, 6*time.Second), last, func() {
		p.primary.crash()
		p.primary.start()
	})
	visibleLast := one[int](p.primary, "SELECT count(*)::int FROM payment WHERE amount = $1", last.cents)
	pay("repeated after that", short, last, nil)
	t.figure("a standby that does not answer: %v", told)
	t.figure("    to others on the primary the given up one was visible: %v, the one before the primary was killed: %v", visible == 1, visibleLast == 1)
	return p, d, l
}
