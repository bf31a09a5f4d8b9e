//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// The largest total amount of a contract, in cents.
const largest = 99_999_999_999

// ledger is what was tried on one contract, and what crm said of it. Each payment has an amount that no other has, so
// that one recorded twice under two ids shows.
type ledger struct {
	t        *trial
	contract string

	mu       sync.Mutex
	payments []*payment
	acks     []time.Time
	longest  time.Duration // that a command took
}

// payment is one that somebody means to make, in however many attempts.
type payment struct {
	id           string // empty until crm has told it, where crm makes it
	cents        int64
	acknowledged time.Time // zero if it was not
	created      bool      // as acknowledged
	refusal      string    // of the last attempt, where crm has said that nothing was recorded
	unknown      bool
}

func (d *desk) newLedger() *ledger { return &ledger{t: d.t, contract: d.contract(largest)} }

// intend makes a payment to be made. Every other one leaves the id to crm.
func (l *ledger) intend() *payment {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &payment{cents: int64(len(l.payments) + 1)}
	if p.cents%2 == 0 {
		p.id = uuid.NewString()
	}
	l.payments = append(l.payments, p)
	return p
}

var uuids = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)

func (l *ledger) args(p *payment) []string {
	args := csv("id,created", "contract", "add-payment", l.contract, "--payment", euros(p.cents))
	if p.id != "" {
		args = append(args, "--payment-id", p.id)
	}
	return args
}

// attempt tries to make a payment and writes down what crm says.
func (l *ledger) attempt(ctx context.Context, d *desk, p *payment) answer {
	a := d.run(ctx, "", l.args(p)...)
	l.record(p, a)
	return a
}

func (l *ledger) record(p *payment, a answer) {
	now := time.Now()
	if p.id == "" {
		if a.code == 0 {
			p.id = a.field(0)
		} else {
			for _, id := range uuids.FindAllString(a.stderr, -1) {
				if id != l.contract {
					p.id = id
				}
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = max(l.longest, a.took)
	p.refusal = ""
	switch {
	case a.code == 0:
		p.acknowledged, p.created, p.unknown = now, a.field(1) == "true", false
		l.acks = append(l.acks, now)
	case a.code < 0: // killed
		p.unknown = true
	case a.unknown():
		p.unknown = true
		if p.id == "" {
			l.t.fault("the outcome is unknown, and no id is told to repeat it: %v", a)
		}
	case a.code == 7 && p.unknown: // it speaks of this attempt, and an earlier one may have recorded it
	default:
		p.refusal, p.unknown = a.String(), false
	}
}

// load has workers make one payment after the other until ctx ends, and lets those on their way come to their end.
func (l *ledger) load(ctx context.Context, d *desk, workers int, unexpected func(answer)) *sync.WaitGroup {
	var all sync.WaitGroup
	scenario := l.t.Context // which kills what still runs when it cannot go on
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil && scenario.Err() == nil {
				if a := l.attempt(scenario, d, l.intend()); a.code != 0 && scenario.Err() == nil {
					unexpected(a)
				}
			}
		})
	}
	return &all
}

// unsettled are the payments that were not acknowledged and whose id is known.
func (l *ledger) unsettled() []*payment {
	return slices.DeleteFunc(slices.Clone(l.payments), func(p *payment) bool { return !p.acknowledged.IsZero() || p.id == "" })
}

// settle repeats, under their ids, what was not acknowledged; after the harm is over all have to succeed.
func (l *ledger) settle(d *desk) (repeated, recordedBefore int) {
	for _, p := range l.unsettled() {
		l.t.must(nil)
		if a := l.attempt(l.t, d, p); a.code != 0 {
			l.t.fault("repeating payment %s: %v", p.id, a)
		} else if !p.created {
			recordedBefore++
		}
		repeated++
	}
	return repeated, recordedBefore
}

// count says what is in the database of what was tried.
type count struct {
	attempted, acknowledged, rows, recorded, lost, doubled int
	exact                                                  bool // due = total - sum of the payments
}

func (c count) String() string {
	exact := "due exact"
	if !c.exact {
		exact = "DUE WRONG"
	}
	return fmt.Sprintf("%d acknowledged = %d rows = %d in the history, lost %d, doubled %d, %s", c.acknowledged, c.rows, c.recorded, c.lost, c.doubled, exact)
}

// compare reads the contract from the server. A payment that is recorded twice, one that is recorded though crm said that
// it was not, and a wrong sum are faults; whether one may be lost is for the scenario to say.
func (l *ledger) compare(s *server) count {
	type row struct {
		id    string
		cents int64
	}
	ids, err := readAll[string](s, "crm", "SELECT id::text || ' ' || amount FROM payment WHERE contract_id = $1", l.contract)
	l.t.must(err)
	byAmount := map[int64][]string{}
	var sum int64
	for _, text := range ids {
		var r row
		_, err := fmt.Sscan(text, &r.id, &r.cents)
		l.t.must(err)
		byAmount[r.cents] = append(byAmount[r.cents], r.id)
		sum += r.cents
	}
	c := count{attempted: len(l.payments), rows: len(ids), recorded: l.recorded(s)}
	if c.recorded != c.rows {
		l.t.fault("%d payments are recorded, and %d are in the history", c.rows, c.recorded)
	}
	for _, p := range l.payments {
		found := byAmount[p.cents]
		delete(byAmount, p.cents)
		if len(found) > 1 {
			c.doubled++
			l.t.fault("payment %d was recorded %d times: %v", p.cents, len(found), found)
		}
		if len(found) > 0 && p.id == "" {
			l.t.fault("payment %s was recorded before its id was told", found[0])
		}
		if len(found) > 0 && p.id != "" && found[0] != p.id {
			l.t.fault("payment %d was recorded as %s, and crm told %s", p.cents, found[0], p.id)
		}
		if !p.acknowledged.IsZero() {
			c.acknowledged++
			if len(found) == 0 {
				c.lost++
			}
		} else if len(found) > 0 && p.refusal != "" {
			l.t.fault("payment %s was recorded, and crm did not say that it may be: %s", found[0], p.refusal)
		}
	}
	if len(byAmount) > 0 {
		l.t.fault("payments that nobody made: %v", slices.Collect(maps.Values(byAmount)))
	}
	due := one[int64](s, "SELECT total_due FROM contract_view WHERE id = $1", l.contract)
	if c.exact = due == largest-sum; !c.exact {
		l.t.fault("%d cents are due of %d, and the payments are %d together", due, largest, sum)
	}
	return c
}

// holds is compare where nothing may be lost.
func (l *ledger) holds(s *server) count {
	c := l.compare(s)
	if c.lost > 0 {
		l.t.fault("%d payments were acknowledged and are lost", c.lost)
	}
	return c
}

// gap is the longest time between two acknowledgements.
func (l *ledger) gap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	longest := time.Duration(0)
	for i := 1; i < len(l.acks); i++ {
		longest = max(longest, l.acks[i].Sub(l.acks[i-1]))
	}
	return longest
}
