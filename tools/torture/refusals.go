//go:build linux

package main

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// refusals asks of servers what they cannot do now: the answer is exit 7 with the reason, in time, and nothing is done.
func refusals(t *trial) {
	s := t.newServer("server", "max_connections=12", "superuser_reserved_connections=3")
	d := t.desk("home", s.url(), shortLimit)
	d.found()
	r := &refusing{t: t, s: s, d: d, contract: d.contract(largest)}
	other := d.contract(largest)
	r.list = []string{"contract", "list", "--limit", "1", "--fields", "id", "-o", "csv"}

	var taken []*pgx.Conn
	for {
		conn, err := pgx.Connect(t, s.url())
		if err != nil {
			break
		}
		taken = append(taken, conn)
	}
	r.refused("no connection is free", "no free connection", d, r.pay())
	r.refused("no connection is free", "no free connection", d, r.list)
	for _, conn := range taken {
		t.must(conn.Close(t))
	}

	r.locked("another session holds the contract's row", "SELECT FROM contract WHERE id = '"+r.contract+"' FOR UPDATE", r.pay, other)
	r.locked("another session holds the table", "LOCK TABLE contract", func() []string { return r.list }, "")

	s.set("default_transaction_read_only", "on")
	r.refused("the server only accepts reads", "only accepts reads", d, r.pay())
	r.must(d, r.list)
	s.unset("default_transaction_read_only")
	r.must(d, r.pay())

	s.freeze()
	r.refused("the server is frozen", "", d, r.list)
	r.refused("the server is frozen", "", d.at(s.tcp(""), shortLimit), r.pay())
	s.thaw()
	s.stop()
	r.refused("no server runs", "cannot be reached", d, r.pay())
	r.refused("no server runs", "cannot be reached", d.at(s.tcp(""), shortLimit), r.list)
	s.start()
	if rows := one[int](s, "SELECT count(*)::int FROM payment WHERE contract_id = $1", r.contract); rows != r.made {
		t.fault("%d payments are recorded, %d were acknowledged", rows, r.made)
	}
	t.figure("of all that was refused, nothing was recorded: %d payments for %d with exit 0", r.made, r.made)
	t.part("standby", func(t *trial) { t.onlyStandby() })
}

// onlyStandby leaves a hot standby alone: it can be read, and nobody may write.
func (t *trial) onlyStandby() {
	p := t.newPair(false, 0)
	d := t.desk("home", p.url(), shortLimit)
	d.found()
	r := &refusing{t: t, s: p.primary, d: d, contract: d.contract(largest), list: []string{"contract", "list", "--limit", "1"}}
	t.eventually("the contract is on the standby", func() bool {
		return one[int](p.standby, "SELECT count(*)::int FROM contract WHERE id = $1", r.contract) == 1
	})
	standby := d.at(strings.Replace(p.primary.tcp("", p.standby.port), "&target_session_attrs=read-write", "", 1), shortLimit)
	r.refused("the server is a standby", "only accepts reads", standby, r.pay())
	r.must(standby, r.list)
	p.primary.stop()
	r.refused("of two hosts only the standby runs", "", d, r.pay())
	p.standby.stop()
	r.refused("of two hosts none runs", "", d, r.pay())
}

type refusing struct {
	t        *trial
	s        *server
	d        *desk
	contract string
	list     []string
	made     int
}

func (r *refusing) pay() []string {
	return []string{"contract", "add-payment", r.contract, "--payment", "1"}
}

// refused runs a command that has to answer exit 7 with a reason, in time.
func (r *refusing) refused(what, reason string, d *desk, args []string) {
	a := d.crm(args...)
	r.t.must(nil)
	line := strings.ReplaceAll(strings.TrimSpace(uuids.ReplaceAllString(a.stderr, "...")), "\n", " / ")
	if a.code != 7 || !strings.Contains(a.stderr, reason) || a.unknown() || a.stdout != "" {
		r.t.fault("%s: %v", what, a)
	}
	if a.took > d.limit+slack {
		r.t.fault("%s: %.1f s with a limit of %v", what, a.took.Seconds(), d.limit)
	}
	r.t.figure("%s: exit %d after %.1f s: %s", what, a.code, a.took.Seconds(), line)
}

// must runs a command that has to work meanwhile.
func (r *refusing) must(d *desk, args []string) {
	if a := d.crm(args...); a.code != 0 {
		r.t.fault("crm %s: %v", strings.Join(args, " "), a)
	} else if args[1] == "add-payment" {
		r.made++
	}
}

// locked holds a lock that a command needs. Another command, on another contract, goes on meanwhile, and on the server
// nothing goes on waiting for the one that was given up.
func (r *refusing) locked(what, lock string, args func() []string, other string) {
	t := r.t
	conn, err := r.s.connect("crm")
	t.must(err)
	defer conn.Close(context.WithoutCancel(t))
	tx, err := conn.Begin(t)
	t.must(err)
	_, err = tx.Exec(t, lock)
	t.must(err)
	r.refused(what, "", r.d, args())
	if other != "" {
		r.made-- // of the other contract
		r.must(r.d, []string{"contract", "add-payment", other, "--payment", "1"})
	}
	start := time.Now()
	t.eventually("the session that was given up ends", func() bool {
		return one[int](r.s, "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm'") == 0
	})
	if took := time.Since(start); took > slack {
		t.fault("%s: the session that was given up was there for %.1f s more", what, took.Seconds())
	}
	t.must(tx.Rollback(t))
	if a := r.d.crm(args()...); a.code != 0 {
		t.fault("after %s: %v", what, a)
	} else if other != "" {
		r.made++
	}
}
