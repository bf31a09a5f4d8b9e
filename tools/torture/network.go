//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// network has crm work through a proxy that cuts, stalls, delays or refuses most connections at a random byte. Its time
// limit is short, so that a stall takes little of the trial's own time.
func network(t *trial) {
	s := t.newServer("server", "max_connections=500") // a stalled connection stays on the server
	direct := t.desk("home", s.tcp(""), usualLimit)
	direct.found()
	n := &badNetwork{t: t, s: s, direct: direct}
	n.payments()
	n.others("contract add, which is not idempotent", t.times(100), func(i int) ([]string, string) {
		total := int64(5_000_000 + i)
		return []string{"contract", "add", "--customer-id", "5", "--total-amount", euros(total)},
			fmt.Sprintf("SELECT count(*)::int FROM contract WHERE total_amount = %d", total)
	})
	unsigned, err := readAll[string](s, "crm", fmt.Sprintf(`INSERT INTO contract (customer_id, total_amount)
		SELECT 5, 77 FROM generate_series(0, %d) RETURNING id::text`, t.times(100)))
	t.must(err)
	n.others("contract sign", len(unsigned)-1, func(i int) ([]string, string) {
		return []string{"contract", "sign", unsigned[i]}, fmt.Sprintf("SELECT count(*)::int FROM contract WHERE signed AND id = '%s'", unsigned[i])
	})
	n.lists()
}

// badNetwork is what lies between crm and a server.
type badNetwork struct {
	t      *trial
	s      *server
	direct *desk
}

const networkWorkers = 4

// around gives a proxy whose harm is done within as many bytes as a command needs, each way, and how many that are.
func (n *badNetwork) around(command func(d *desk)) *proxy {
	clean := n.t.newProxy(n.s.port, func(int) harm { return harm{} })
	command(n.direct.at(n.s.tcp("", clean.port), usualLimit))
	clean.close()
	bytes := map[string]int{toServer: int(clean.passedToServer.Load()), toClient: int(clean.passedToClient.Load())}
	if bytes[toServer] == 0 || bytes[toClient] == 0 {
		n.t.must(fmt.Errorf("nothing went through the proxy"))
	}
	return n.t.newProxy(n.s.port, func(int) harm {
		toward := []string{toServer, toClient}[rand.IntN(2)]
		h := harm{toward: toward, after: 1 + rand.IntN(bytes[toward])}
		if toward == toClient && rand.IntN(2) == 0 { // towards the end, where the answer to a change is
			h.after = bytes[toward] - rand.IntN(bytes[toward]/3)
		}
		switch dice := rand.IntN(100); {
		case dice < 30:
			return harm{}
		case dice < 45:
			return harm{delay: rand.N(300 * time.Millisecond)}
		case dice < 50:
			h.kind = "refuse"
		case dice < 75:
			h.kind = "cut"
		default:
			h.kind = "stall"
		}
		return h
	})
}

// quiet ends the bad network and waits until the server has done what it still got.
func (n *badNetwork) quiet(bad *proxy) {
	bad.close()
	n.t.eventually("the sessions end", func() bool {
		return one[int](n.s, "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm'") == 0
	})
}

// each runs something for 0 to times-1, several at a time.
func (n *badNetwork) each(times int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range networkWorkers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < times && n.t.Err() == nil; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
	n.t.must(nil)
}

func (n *badNetwork) payments() {
	t := n.t
	l := n.direct.newLedger()
	bad := n.around(func(d *desk) { l.attempt(t, d, l.intend()) })
	d := n.direct.at(n.s.tcp("", bad.port), shortLimit)
	o := &outcomes{}
	n.each(t.times(300), func(int) {
		a := l.attempt(t, d, l.intend())
		o.count(t, d, a, d.limit)
	})
	n.quiet(bad)
	l.holds(n.s) // what was told without repeating
	repeated, before := l.settle(n.direct)
	t.figure("payments: %v; %d repeated, %d of them had been recorded: %v", o, repeated, before, l.holds(n.s))
}

// others runs changes that are made or not: each adds one to what its query counts. One more is there to be measured.
func (n *badNetwork) others(what string, times int, change func(i int) (args []string, query string)) {
	t := n.t
	measured, _ := change(times)
	bad := n.around(func(d *desk) { d.must(measured...) })
	d := n.direct.at(n.s.tcp("", bad.port), shortLimit)
	o := &outcomes{}
	answers := make([]answer, times)
	n.each(times, func(i int) {
		args, _ := change(i)
		answers[i] = d.crm(args...)
		o.count(t, d, answers[i], d.limit)
	})
	n.quiet(bad)
	made := 0
	for i, a := range answers {
		_, query := change(i)
		done := one[int](n.s, query)
		made += done
		if done > 1 || a.code == 0 && done != 1 || a.code == 7 && !a.unknown() && done != 0 {
			t.fault("%s: it was done %d times: %v", what, done, a)
		}
	}
	t.figure("%s: %v; done %d times", what, o, made)
}

// lists reads a long list: it comes whole, or not with exit 0.
func (n *badNetwork) lists() {
	t := n.t
	n.s.must("crm", "INSERT INTO contract (customer_id, total_amount) SELECT 5, 88 FROM generate_series(1, 2000)")
	rows := one[int](n.s, "SELECT count(*)::int FROM contract")
	list := []string{"contract", "list", "-o", "csv", "--no-header", "--fields", "id"}
	bad := n.around(func(d *desk) { d.must(list...) })
	d := n.direct.at(n.s.tcp("", bad.port), shortLimit)
	o := &outcomes{}
	n.each(t.times(100), func(int) {
		a := d.crm(list...)
		if lines := strings.Count(a.stdout, "\n"); a.code == 0 && lines != rows {
			t.fault("a list of %d lines of %d ended with exit 0", lines, rows)
		}
		a.stdout = ""
		o.count(t, d, a, 2*d.limit) // the limit is that of each wait, once rows come
	})
	n.quiet(bad)
	t.figure("lists of %d rows: %v; each with exit 0 was whole", rows, o)
}

// outcomes counts how commands ended.
type outcomes struct {
	mu                     sync.Mutex
	done, nothing, unknown int
	longest                time.Duration
}

func (o *outcomes) String() string {
	return fmt.Sprintf("exit 0 %d, exit 7 %d that nothing was done and %d that the outcome is unknown, slowest %.1f s",
		o.done, o.nothing, o.unknown, o.longest.Seconds())
}

func (o *outcomes) count(t *trial, d *desk, a answer, limit time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.longest = max(o.longest, a.took)
	switch {
	case a.code == 0:
		o.done++
	case a.unknown():
		o.unknown++
	case a.code == 7:
		o.nothing++
	default:
		t.fault("through a bad network: %v", a)
	}
	if a.took > limit+slack {
		t.fault("with a limit of %v: %v", d.limit, a)
	}
}
