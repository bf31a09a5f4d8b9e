//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// clientKill kills clients at random moments and repeats what they did, then freezes some, as a laptop that is closed.
func clientKill(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	l := d.newLedger()
	watch := t.watchSessions(s)

	const workers = 4
	usual := time.Duration(0)
	for range 5 {
		var all sync.WaitGroup
		for range workers {
			p := l.intend()
			all.Go(func() {
				if a := l.attempt(t, d, p); a.code != 0 {
					t.fault("before any harm: %v", a)
				}
			})
		}
		start := time.Now()
		all.Wait()
		usual = max(usual, time.Since(start))
	}
	kills := t.times(200)
	var killed, ended, before, after int
	var mu sync.Mutex
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := worker; i < kills && t.Err() == nil; i += workers {
				p := l.intend()
				ctx, cancel := context.WithTimeout(t, rand.N(usual))
				a := l.attempt(ctx, d, p)
				cancel()
				mu.Lock()
				if a.code < 0 {
					killed++
				} else {
					ended++
				}
				mu.Unlock()
				if p.id == "" { // killed before it told the id that it made: it has not sent anything yet
					continue
				}
				if a := l.attempt(t, d, p); a.code != 0 {
					t.fault("repeating payment %s: %v", p.id, a)
				}
				mu.Lock()
				if p.created {
					before++
				} else {
					after++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	t.must(nil)
	c := l.holds(s)
	t.figure("%d clients killed at a random moment of %v, %d were faster; of the repeats %d found nothing recorded, %d the payment: %v",
		killed, usual.Round(time.Millisecond), ended, before, after, c)
	unnamed := 0
	for _, p := range l.payments {
		if p.id == "" {
			unnamed++
		}
	}
	t.figure("%d were killed before they told the id that they made; %d of these were recorded", unnamed, c.rows-(c.attempted-unnamed))
	t.frozen(s, d, l)
	watch()
}

// frozen stops clients at random moments, has others pay the same contract meanwhile, and lets the stopped ones go on.
func (t *trial) frozen(s *server, d *desk, l *ledger) {
	const sleepers = 16
	var all sync.WaitGroup
	awake := make(chan struct{})
	for range sleepers {
		p := l.intend()
		all.Go(func() {
			cmd := d.command(t, l.args(p)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.fault("%v", err)
				return
			}
			time.Sleep(rand.N(60 * time.Millisecond))
			_ = cmd.Process.Signal(syscall.SIGSTOP)
			<-awake
			_ = cmd.Process.Signal(syscall.SIGCONT)
			_ = cmd.Wait() // its answer says it too
			a := answer{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
			if l.record(p, a); a.code != 0 && a.code != 7 {
				t.fault("a client that was stopped for a while: %v", a)
			}
			if p.id == "" {
				return
			}
			if a := l.attempt(t, d, p); a.code != 0 {
				t.fault("repeating payment %s of a stopped client: %v", p.id, a)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	slowest := time.Duration(0)
	for range 20 {
		a := l.attempt(t, d, l.intend())
		slowest = max(slowest, a.took)
		if a.code != 0 {
			t.fault("a payment while other clients are stopped: %v", a)
		}
	}
	close(awake)
	all.Wait()
	t.must(nil)
	t.figure("%d clients stopped in the middle (SIGSTOP): 20 payments of others meanwhile took at most %.2f s; after they went on: %v",
		sleepers, slowest.Seconds(), l.holds(s))
}

// watchSessions looks, until the function that it returns is called, for sessions of crm that idle in a transaction. At
// the end none may be left.
func (t *trial) watchSessions(s *server) (stop func()) {
	const idle = "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm' AND state LIKE 'idle in transaction%'"
	ctx, cancel := context.WithCancel(t)
	looks, seen := 0, 0
	var watching sync.WaitGroup
	watching.Go(func() {
		conn, err := s.connect("crm")
		if err != nil {
			t.fault("watching sessions: %v", err)
			return
		}
		defer conn.Close(context.WithoutCancel(t))
		for ctx.Err() == nil {
			var n int
			if err := conn.QueryRow(t, idle).Scan(&n); err != nil {
				t.fault("watching sessions: %v", err)
				return
			}
			looks++
			if n > 0 {
				seen++
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	return func() {
		cancel()
		watching.Wait()
		if left := one[int](s, idle); left > 0 {
			t.fault("%d sessions are left idle in a transaction", left)
		}
		t.eventually("the sessions of dead clients end", func() bool {
			return one[int](s, "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm'") == 0
		})
		if seen > 0 {
			t.fault("a session idled in a transaction at %d of %d looks", seen, looks)
		}
		t.figure("a session idle in a transaction: %s; sessions left at the end: 0", fmt.Sprintf("%d of %d looks", seen, looks))
	}
}
