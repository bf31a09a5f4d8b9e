//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// serveKill kills crm serve under load and starts it again, as whoever watches over it does.
func serveKill(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	f := d.newFront(false)
	p := f.start()
	t.underLoad(s, f.desk(), crowd, "crm serve", max(2, t.times(8)), func() {
		p.kill()
		p = f.start()
	})
	p.stop()
}

// mixed counts what becomes of lists and of what may not be repeated, beside the payments.
type mixed struct {
	lists, adds, refused, unknown atomic.Int64
	sum                           int64 // of a contract that is added
	rows                          int
}

// newMixed fills the database so that a list takes a while.
func (t *trial) newMixed(s *server) *mixed {
	const rows = 5000
	s.must("crm", fmt.Sprintf("INSERT INTO contract (customer_id, total_amount, signed_at) SELECT 6, 88, now() FROM generate_series(1, %d)", rows))
	return &mixed{sum: 7_654_321, rows: rows}
}

// load has workers list and add until ctx ends, and lets those on their way come to their end. What is refused may be so
// because nobody listens; anything else is a fault, and so is a list that is not whole.
func (m *mixed) load(ctx context.Context, t *trial, d *desk, all *sync.WaitGroup, refusals bool) {
	scenario := t.Context
	judge := func(a answer, done *atomic.Int64) {
		switch {
		case scenario.Err() != nil:
		case a.code == 0:
			done.Add(1)
			return
		case a.code == 7 && refusals && strings.Contains(a.stderr, "The server cannot be reached"):
			m.refused.Add(1)
		case a.unknown():
			m.unknown.Add(1)
			if !refusals {
				t.fault("an outcome that is not known: %v", a)
			}
		default:
			a.stdout = ""
			t.fault("a command was cut: %v", a)
		}
		time.Sleep(50 * time.Millisecond) // as somebody who tries again
	}
	until := func(do func()) {
		all.Go(func() {
			for ctx.Err() == nil && scenario.Err() == nil {
				do()
			}
		})
	}
	for range 2 {
		until(func() {
			a := d.run(scenario, "", "contract", "list", "-o", "csv", "--no-header", "--fields", "id")
			if lines := strings.Count(a.stdout, "\n"); a.code == 0 && lines < m.rows {
				t.fault("a list of %d lines of %d ended with exit 0", lines, m.rows)
			}
			judge(a, &m.lists)
		})
		until(func() {
			judge(d.run(scenario, "", "contract", "add", "--customer-id", "5", "--total-amount", euros(m.sum)), &m.adds)
		})
	}
}

// holds compares what was added with what was said.
func (m *mixed) holds(t *trial, s *server) string {
	rows := one[int64](s, "SELECT count(*) FROM contract WHERE total_amount = $1", m.sum)
	if rows < m.adds.Load() || rows > m.adds.Load()+m.unknown.Load() {
		t.fault("%d contracts were added, and %d said to be, %d perhaps", rows, m.adds.Load(), m.unknown.Load())
	}
	return fmt.Sprintf("%d lists, each whole; %d contracts added = %d rows, and %d more of which that is not known; %d refused while nobody listened",
		m.lists.Load(), m.adds.Load(), rows, m.unknown.Load(), m.refused.Load())
}

// serveStop tells crm serve to end under load and starts another when it has: what is under way ends, and the rest is told
// that nobody is there.
func serveStop(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	m := t.newMixed(s)
	f := d.newFront(false)
	p := f.start()
	far := f.desk()
	const workers = 16
	l := far.newLedger()
	ctx, cancel := context.WithCancel(t)
	defer cancel()
	var refused atomic.Int64
	loading := l.load(ctx, far, workers, func(a answer) {
		if a.code != 7 || !strings.Contains(a.stderr, "The server cannot be reached") {
			t.fault("a payment was cut: %v", a)
		}
		refused.Add(1)
		time.Sleep(50 * time.Millisecond)
	})
	m.load(ctx, t, far, loading, true)
	longest, cut := time.Duration(0), 0
	times := max(2, t.times(8))
	for range times {
		t.wait(2 * time.Second)
		longest = max(longest, p.stop())
		cut += p.told("unavailable") + p.told("gone") + p.told("internal")
		p = f.start()
	}
	t.wait(time.Second)
	cancel()
	loading.Wait()
	t.must(nil)
	cut += p.told("unavailable") + p.told("gone") + p.told("internal")
	if cut > 0 {
		t.fault("%d requests were cut, as the servers' logs have it", cut)
	}
	t.figure("told to end %d times under %d clients who pay and 4 others; it took up to %.2f s: %d requests cut, %d payments refused while nobody listened",
		times, workers, longest.Seconds(), cut, refused.Load())
	t.figure("    %s", m.holds(t, s))
	l.settle(far)
	t.figure("    %v", l.holds(s))
	p.stop()
}

// serveRoll replaces crm serve under load by the next process, which takes over a socket that never goes away: nobody may
// notice.
func serveRoll(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	m := t.newMixed(s)
	f := d.newFront(true)
	p := f.start()
	far := f.desk()
	const workers = 16
	l := far.newLedger()
	ctx, cancel := context.WithCancel(t)
	defer cancel()
	loading := l.load(ctx, far, workers, func(a answer) { t.fault("a payment while the server was replaced: %v", a) })
	m.load(ctx, t, far, loading, false)
	times := max(2, t.times(8))
	longest := time.Duration(0)
	for range times {
		t.wait(2 * time.Second)
		next := f.start()
		longest = max(longest, p.stop())
		p = next
	}
	t.wait(time.Second)
	cancel()
	loading.Wait()
	t.must(nil)
	t.figure("replaced %d times under %d clients who pay and 4 others; the one before took up to %.2f s to end: %v, no exit but 0, longest gap between two payments %.2f s",
		times, workers, longest.Seconds(), l.holds(s), l.gap().Seconds())
	t.figure("    %s", m.holds(t, s))
	t.onTime(l, far)
	p.stop()
}

// serveFailover kills the primary behind crm serve.
func serveFailover(t *trial) {
	t.failovers("synchronous, through crm serve", true, 20*time.Millisecond, func(d *desk) *desk {
		f := d.newFront(false)
		f.start()
		return f.desk()
	})
}

// serveIdle has readers stand still in the middle of their rows and connections say nothing, far more than crm serve has
// places for, while others work.
func serveIdle(t *trial) {
	const readers, silent, workers = 50, 1000, 8
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	s.must("crm", "INSERT INTO contract (customer_id, total_amount) SELECT 5, 88 FROM generate_series(1, 50000)")
	f := d.newFront(false)
	p := f.start()
	far := f.desk()
	idle := p.needs()
	ctx, cancel := context.WithCancel(t)
	defer cancel()
	f.silent(ctx, silent)
	var standing sync.WaitGroup
	for range readers {
		standing.Go(func() {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.fault("%v", err)
				return
			}
			defer reader.Close()
			list := far.command(ctx, "contract", "list", "-o", "csv")
			list.Stdout = writer
			err = list.Start()
			writer.Close()
			if err != nil {
				t.fault("%v", err)
				return
			}
			_ = list.Wait() // refused, or cut because nobody read
		})
	}
	t.wait(time.Second)
	l := far.newLedger()
	paying, stop := context.WithTimeout(ctx, time.Duration(max(5, t.times(40)))*time.Second)
	defer stop()
	loading := l.load(paying, far, workers, func(a answer) { t.fault("a payment beside them: %v", a) })
	most := needs{}
	for paying.Err() == nil {
		now := p.needs()
		most.memory, most.files = max(most.memory, now.memory), max(most.files, now.files)
		t.wait(200 * time.Millisecond)
	}
	loading.Wait()
	t.must(nil)
	t.figure("beside %d readers that stand still and %d connections that say nothing, %d clients: %v, slowest command %.2f s",
		readers, silent, workers, l.holds(s), l.longest.Seconds())
	t.figure("    the server had up to %.0f MiB and %d files, and %.0f MiB and %d before", mib(most.memory), most.files, mib(idle.memory), idle.files)
	t.onTime(l, far)
	if most.memory > 256<<10 {
		t.fault("the server needed %.0f MiB", mib(most.memory))
	}
	cancel()
	standing.Wait()
	t.figure("    it took %.2f s to end", p.stop().Seconds())
}

func mib(kib int) float64 { return float64(kib) / 1024 }

// serveSoak has few clients do everything for long, well and badly, and looks at what the server needs: no more at the end
// than at the beginning.
func serveSoak(t *trial) {
	s := t.newServer("server")
	d := t.desk("home", s.url(), usualLimit)
	d.found()
	t.newMixed(s)
	f := d.newFront(false)
	p := f.start()
	far := f.desk()
	l := far.newLedger()
	lasts := max(20*time.Second, time.Duration(t.scale*float64(30*time.Minute)))
	ctx, cancel := context.WithTimeout(t, lasts)
	defer cancel()
	var all sync.WaitGroup
	var counts [6]atomic.Int64
	const pause = 300 * time.Millisecond
	every := func(kind int, pause time.Duration, do func()) {
		all.Go(func() {
			for ctx.Err() == nil {
				do()
				counts[kind].Add(1)
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
		})
	}
	scenario := t.Context
	expect := func(code int, d *desk, stdin string, args ...string) {
		if a := d.run(scenario, stdin, args...); a.code != code && scenario.Err() == nil {
			a.stdout = ""
			t.fault("crm %s: %v, want exit %d", strings.Join(args, " "), a, code)
		}
	}
	every(0, pause, func() {
		if a := l.attempt(scenario, far, l.intend()); a.code != 0 && scenario.Err() == nil {
			t.fault("a payment: %v", a)
		}
	})
	every(1, pause, func() { expect(0, far, "", "contract", "list", "--limit", "50", "-o", "json") })
	every(2, 10*pause, func() {
		expect(0, far, "", "contract", "list", "-o", "csv")
		expect(0, far, "", "customer", "list", "--search", "ines")
	})
	login := t.desk("login", "", usualLimit)
	login.front = far.front
	every(3, 30*pause, func() { // not so often that it is throttled, nor that the name is
		expect(0, login, password+"\n", "auth", "login", "tamara", "--password-stdin")
		expect(3, login, "a guess\n", "auth", "login", "nobody"+fmt.Sprint(counts[3].Load()), "--password-stdin")
	})
	every(4, 3*pause, func() {
		expect(5, far, "", "customer", "detail", "999999")
		nobody := *far
		nobody.token = "crm_" + strings.Repeat("A", 75)
		expect(3, &nobody, "", "auth", "whoami")
	})
	every(5, 10*pause, func() { // they leave in the middle
		short, stop := context.WithTimeout(scenario, 100*time.Millisecond)
		defer stop()
		cmd := far.command(short, "contract", "list", "-o", "csv")
		pipe, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.fault("%v", err)
			return
		}
		_, _ = pipe.Read(make([]byte, 100))
		_ = cmd.Wait()
	})
	warm := lasts / 6
	var early, late, most needs
	for began := time.Now(); ctx.Err() == nil; {
		now, gone := p.needs(), time.Since(began)
		most.memory, most.files = max(most.memory, now.memory), max(most.files, now.files)
		switch {
		case gone < warm:
		case gone < lasts/2:
			early.memory, early.files = max(early.memory, now.memory), max(early.files, now.files)
		default:
			late.memory, late.files = max(late.memory, now.memory), max(late.files, now.files)
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Second, lasts/100)):
		}
	}
	all.Wait()
	t.must(nil)
	t.figure("%v of %d payments, %d lists, %d exports, %d logins and guesses, %d refusals, %d clients that left: %v", lasts.Round(time.Second),
		counts[0].Load(), counts[1].Load(), counts[2].Load(), counts[3].Load(), counts[4].Load(), counts[5].Load(), l.holds(s))
	t.figure("    memory up to %.0f MiB in the first half and %.0f MiB in the second, files up to %d and %d; a login alone takes 64 MiB",
		mib(early.memory), mib(late.memory), early.files, late.files)
	const spare = 16 << 10
	if late.memory > early.memory+early.memory/4+spare {
		t.fault("the memory grew from %.0f to %.0f MiB", mib(early.memory), mib(late.memory))
	}
	if late.files > early.files+8 {
		t.fault("the files grew from %d to %d", early.files, late.files)
	}
	t.wait(2 * time.Second)
	rest := p.needs()
	if rest.files > 24 {
		t.fault("%d files are open when nobody works any more", rest.files)
	}
	t.figure("    at rest %.0f MiB and %d files; errors of its own in the log: %d; it took %.2f s to end", mib(rest.memory), rest.files,
		p.told("internal")+p.told("unavailable"), p.stop().Seconds())
}
