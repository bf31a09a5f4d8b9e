//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// bouncerPool is how many connections to the server the pooler has.
const bouncerPool = 10

// pgbouncer has everything done through PgBouncer in transaction mode.
func pgbouncer(t *trial) {
	s := t.newServer("server")
	direct := t.desk("home", s.url(), usualLimit)
	direct.found()
	address := t.startBouncer(s)
	d := direct.at(address, usualLimit)
	t.everyCommand(s, d)

	each := t.times(50)
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
	most := 0
	for done := false; !done; {
		most = max(most, one[int](s, "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'crm'"))
		l.mu.Lock()
		done = len(l.acks) >= crowd*each || len(t.faults) > 0
		l.mu.Unlock()
		t.wait(50 * time.Millisecond)
	}
	all.Wait()
	t.must(nil)
	t.exactly(l.holds(s), crowd*each)
	t.figure("%d processes x %d payments in %.1f s over %d connections: %v; the slowest took %.2f s",
		crowd, each, time.Since(start).Seconds(), most, l.holds(s), l.longest.Seconds())

	kills := t.times(50)
	for range kills {
		p := l.intend()
		ctx, cancel := context.WithTimeout(t, rand.N(100*time.Millisecond))
		l.attempt(ctx, d, p)
		cancel()
		if p.id != "" {
			if a := l.attempt(t, d, p); a.code != 0 {
				t.fault("repeating payment %s: %v", p.id, a)
			}
		}
	}
	t.must(nil)
	t.figure("%d clients killed and repeated: %v", kills, l.holds(s))

	empty := strings.Replace(address, "/crm?", "/other?", 1)
	s.must("postgres", "CREATE DATABASE other OWNER crm")
	reason := regexp.MustCompile(`(?i)bouncer|pooler`)
	a := d.at(empty, usualLimit).crm("db", "migrate")
	if tables, err := read[int](s, "other", "SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace"); err != nil || tables > 0 {
		t.fault("%d tables and indexes were made through PgBouncer, %v", tables, err)
	}
	if a.code == 0 || !reason.MatchString(a.stderr) {
		t.fault("a migration through PgBouncer is not refused with the reason: %v", a)
	}
	t.figure("a migration through PgBouncer: %v", a)
}

// startBouncer runs PgBouncer in front of a server, and gives the way to the database through it.
func (t *trial) startBouncer(s *server) string {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not on everybody's PATH
	}
	if _, err := os.Stat(program); err != nil {
		t.must(fmt.Errorf("PgBouncer is needed: apt-get install --no-install-recommends pgbouncer (%w)", err))
	}
	dir, port := filepath.Join(t.dir, "pgbouncer"), freePort(t)
	t.must(t.ownDir(dir))
	ini := filepath.Join(dir, "pgbouncer.ini")
	users := filepath.Join(dir, "users")
	t.must(os.WriteFile(users, []byte(`"crm" ""`+"\n"), 0o644))
	t.must(os.WriteFile(ini, fmt.Appendf(nil, `[databases]
* = host=%s port=%d
[pgbouncer]
unix_socket_dir = %s
listen_port = %d
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 200
logfile = %s
`, s.socket(), s.port, dir, port, users, bouncerPool, filepath.Join(dir, "log")), 0o644))
	cmd := t.asServer(t, program, "-q", ini)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	t.must(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	address := fmt.Sprintf("postgres://crm@/crm?host=%s&port=%d", url.QueryEscape(dir), port)
	t.eventually("PgBouncer answers", func() bool {
		select {
		case err := <-ended:
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.must(fmt.Errorf("PgBouncer ended: %w\n%s", errors.Join(err), log))
		default:
		}
		config, err := pgx.ParseConfig(address)
		t.must(err)
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		conn, err := pgx.ConnectConfig(t, config)
		if err != nil {
			return false
		}
		defer conn.Close(t)
		return conn.Ping(t) == nil
	})
	return address
}

// everyCommand runs a command of each kind, twice where that makes a difference to a pooler that hands connections on.
func (t *trial) everyCommand(s *server, d *desk) {
	commercial, support := d.as("commercial1"), d.as("support1")
	contract := d.must(csv("id", "contract", "add", "--customer-id", "1", "--total-amount", "1000")...).field(0)
	own := one[int](s, "SELECT min(customer.id)::int FROM customer JOIN employee ON employee.id = commercial_id WHERE username = 'commercial1'")
	signed := d.must(csv("id", "contract", "add", "--customer-id", fmt.Sprint(own), "--total-amount", "1000")...).field(0)
	event := one[int](s, "SELECT min(event.id)::int FROM event JOIN employee ON employee.id = support_id WHERE username = 'support1'")
	const id = "5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10"
	commands := []struct {
		d    *desk
		line string
	}{
		{d, "auth whoami"}, {d, "auth permissions"}, {d, "db status"},
		{d, "employee list"}, {d, "employee list --role-filter support -o json"}, {d, "employee detail support1"},
		{d, "employee add --fullname Nouvelle --username nouvelle --role support"}, {d, "employee set-role nouvelle --role none"},
		{d, "employee update nouvelle --fullname Renommée"}, {d, "employee delete nouvelle --yes"},
		{d, "customer list --search baker"}, {d, "customer list --count"}, {d, "customer detail 1"},
		{commercial, "customer list --mine"}, {commercial, fmt.Sprintf("customer update %d --company Société", own)},
		{commercial, "customer add --fullname Cliente --company Maison --email cliente@maison.example --phone 0612345678"},
		{d, fmt.Sprintf("customer set-commercial %d --commercial-username commercial1", own)},
		{d, "contract list"}, {d, "contract list --not-paid-filter --sort total_due:desc -o csv"}, {d, "contract detail " + contract},
		{d, "contract detail " + contract[:8]}, {d, "contract update " + contract + " --total-amount 2000"}, {d, "contract sign " + contract},
		{d, "contract add-payment " + contract + " --payment 10 --payment-id " + id}, {d, "contract add-payment " + contract + " --payment 10 --payment-id " + id},
		{d, "contract payments " + contract}, {d, "contract sign " + signed},
		{commercial, "event add --contract-uuid " + signed + " --name Fête"}, {d, "event list --no-support-assigned"}, {d, "event list"},
		{d, fmt.Sprintf("event detail %d", event)}, {d, fmt.Sprintf("event set-support %d --username support1", event)},
		{support, fmt.Sprintf("event update %d --attendees 12", event)}, {support, "event list --assigned-to-me"},
		{support, "auth logout"},
	}
	worked := 0
	for _, c := range commands {
		if a := c.d.crm(strings.Fields(c.line)...); a.code != 0 {
			t.fault("crm %s through PgBouncer: %v", c.line, a)
		} else {
			worked++
		}
	}
	if rows := one[int](s, "SELECT count(*)::int FROM payment WHERE id = $1", id); rows != 1 {
		t.fault("a payment repeated through PgBouncer is recorded %d times", rows)
	}
	t.figure("%d of %d commands of all kinds, and 2 logins, work through PgBouncer in transaction mode", worked, len(commands))
}
