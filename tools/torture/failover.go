//go:build linux

package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// pair is a primary and its standby, which follows through a link that can be delayed and held up.
type pair struct {
	t                *trial
	primary, standby *server
	link             *proxy
	delay            time.Duration // from node to node
}

// newPair makes two nodes. Where sync, a commit is acknowledged once the standby has it on its disk.
func (t *trial) newPair(sync bool, delay time.Duration) *pair {
	p := &pair{t: t, primary: t.newServer("one"), standby: t.place("two"), delay: delay}
	p.standby.password = p.primary.password // they have the same roles
	p.primary.must("postgres", "CREATE ROLE follower LOGIN REPLICATION PASSWORD '"+p.primary.password+"'")
	p.follow(sync)
	return p
}

// follow makes the standby anew, as a copy of the primary.
func (p *pair) follow(sync bool) {
	p.t.must(p.t.ownDir(p.standby.data()))
	p.link = p.t.newProxy(p.primary.port, func(int) harm { return harm{delay: p.delay} })
	source := fmt.Sprintf("host=127.0.0.1 port=%d user=follower password=%s application_name=standby", p.primary.port, p.primary.password)
	p.t.must(p.t.program("pg_basebackup", "--pgdata="+p.standby.data(), "--dbname="+source, "--wal-method=stream", "--checkpoint=fast", "--no-sync"))
	through := fmt.Sprintf("primary_conninfo=host=127.0.0.1 port=%d user=follower password=%s application_name=standby", p.link.port, p.primary.password)
	p.t.must(p.t.touch(p.standby.data() + "/standby.signal"))
	p.standby.settings = []string{through, "recovery_target_timeline=latest"}
	p.standby.start()
	p.t.eventually("the standby follows", func() bool {
		state, err := read[string](p.primary, "postgres", "SELECT state FROM pg_stat_replication WHERE application_name = 'standby'")
		return err == nil && state == "streaming"
	})
	if sync {
		p.primary.set("synchronous_standby_names", "standby")
		p.t.eventually("the standby is waited for", func() bool {
			state, err := read[string](p.primary, "postgres", "SELECT sync_state FROM pg_stat_replication WHERE application_name = 'standby'")
			return err == nil && state == "sync"
		})
	}
}

// promote makes the standby the primary, as the one who watches over both does when the primary is gone. What is asked
// of it from then on is acknowledged by it alone.
func (p *pair) promote() {
	p.link.close() // what is still on its way does not arrive
	p.standby.settings = nil
	p.standby.must("postgres", "ALTER SYSTEM RESET synchronous_standby_names")
	p.standby.must("postgres", "SELECT pg_reload_conf()")
	p.standby.must("postgres", "SELECT pg_promote()")
	p.primary, p.standby = p.standby, p.primary
}

// url leads to both nodes, whichever is the primary.
func (p *pair) url() string {
	return p.primary.tcp("&target_session_attrs=read-write", p.primary.port, p.standby.port)
}

// failover kills the primary under load and promotes the standby, with asynchronous and with synchronous replication.
func failover(t *trial) {
	for _, mode := range []struct {
		name  string
		sync  bool
		delay time.Duration
	}{{"asynchronous", false, 100 * time.Millisecond}, {"synchronous", true, 20 * time.Millisecond}} {
		t.part(mode.name, func(t *trial) { t.failovers(mode.name, mode.sync, mode.delay, func(d *desk) *desk { return d }) })
	}
}

// failovers has clients pay while nodes die; through leads them there.
func (t *trial) failovers(mode string, sync bool, delay time.Duration, through func(*desk) *desk) {
	const workers = 8
	p := t.newPair(sync, delay)
	d := t.desk("home", p.url(), usualLimit)
	d.found()
	d = through(d)
	times := max(2, t.times(5))
	var lost, acknowledged, unavailable int
	var gap, away, longest time.Duration
	for round := range times {
		l := d.newLedger()
		t.wait(10 * delay) // so that the contract is on both nodes
		var refused atomic.Int64
		ctx, cancel := context.WithCancel(t)
		loading := l.load(ctx, d, workers, func(a answer) {
			if a.code != 7 {
				t.fault("a payment during a failover: %v", a)
			}
			refused.Add(1)
			time.Sleep(50 * time.Millisecond)
		})
		t.wait(2 * time.Second)
		start := time.Now()
		p.primary.crash()
		p.promote()
		away = max(away, time.Since(start))
		t.wait(2 * time.Second)
		cancel()
		loading.Wait()
		gap, longest = max(gap, l.gap()), max(longest, l.longest)
		l.settle(d)
		c := l.compare(p.primary)
		lost, acknowledged, unavailable = lost+c.lost, acknowledged+c.acknowledged, unavailable+int(refused.Load())
		t.onTime(l, d)
		p.standby.remove()
		if round < times-1 {
			p.follow(sync)
		}
	}
	if sync && lost > 0 {
		t.fault("%d payments were acknowledged and are lost", lost)
	}
	t.figure("%s, %d failovers under %d clients, %v from node to node: %d acknowledged, lost %d, doubled 0, due exact", mode, times, workers, delay, acknowledged, lost)
	t.figure("    longest gap between two payments %.2f s (no primary for up to %.2f s), slowest command %.2f s, exit 7 %d times",
		gap.Seconds(), away.Seconds(), longest.Seconds(), unavailable)
	p.primary.stop()
}
