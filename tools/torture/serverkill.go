//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"time"
)

// serverKill kills the server under load and starts it again, as whoever watches over it does; then single processes of
// it, after which it starts itself again.
func serverKill(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	times := max(2, t.times(5))
	t.underLoad(s, d, 16, "the server and all its processes", times, func() {
		s.crash()
		s.start()
	})
	t.underLoad(s, d, 16, "one process of the server", times, func() {
		t.eventually("a session of crm that can be killed before it ends", func() bool {
			sessions, _ := readAll[int](s, "crm", "SELECT pid FROM pg_stat_activity WHERE usename = 'crm'")
			return len(sessions) > 0 && syscall.Kill(sessions[0], syscall.SIGKILL) == nil
		})
		t.wait(100 * time.Millisecond) // until the postmaster has heard of it
		s.awaitReady()
	})
	t.underLoad(s, d, 16, "no process: the server is restarted", times, func() {
		s.stop()
		s.start()
	})
}

// underLoad does harm again and again while clients pay, and then has them repeat what was not acknowledged.
func (t *trial) underLoad(s *server, d *desk, workers int, killed string, times int, harm func()) {
	l := d.newLedger()
	var unavailable, unknown atomic.Int64
	ctx, cancel := context.WithCancel(t)
	defer cancel()
	loading := l.load(ctx, d, workers, func(a answer) {
		switch {
		case a.unknown():
			unknown.Add(1)
		case a.code == 7:
			unavailable.Add(1)
			time.Sleep(50 * time.Millisecond) // as somebody who tries again
		default:
			t.fault("a payment while a server died: %v", a)
		}
	})
	down := time.Duration(0)
	for range times {
		t.wait(time.Second + rand.N(time.Second))
		start := time.Now()
		harm()
		down = max(down, time.Since(start))
	}
	t.wait(2 * time.Second)
	cancel()
	loading.Wait()
	t.must(nil)
	gap := l.gap() // before the repeats
	t.settled(l, d, func() {
		t.figure("killed %d times under %d clients, %s: longest gap between two payments %.2f s (the server was away up to %.2f s), slowest command %.2f s",
			times, workers, killed, gap.Seconds(), down.Seconds(), l.longest.Seconds())
	})
	t.figure("    exit 7: %d told that nothing was recorded, %d that the outcome is unknown; in the end: %v", unavailable.Load(), unknown.Load(), l.holds(s))
	t.onTime(l, d)
}

// settled repeats what was not acknowledged after saying what was seen until then.
func (t *trial) settled(l *ledger, d *desk, say func()) {
	say()
	if repeated, before := l.settle(d); repeated > 0 {
		t.figure("    %d payments repeated under their ids: %d had been recorded, %d not", repeated, before, repeated-before)
	}
}

// onTime holds the slowest command to the limit.
func (t *trial) onTime(l *ledger, d *desk) {
	if l.longest > d.limit+slack {
		t.fault("a command took %.1f s, and its limit was %v", l.longest.Seconds(), d.limit)
	}
}
