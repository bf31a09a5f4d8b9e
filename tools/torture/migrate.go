//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// migrations has many migrate an empty database at once, kills them and the server at random moments, and resumes. In
// the end the schema must be the one that an undisturbed migration makes, to the last byte of its dump.
func migrations(t *trial) {
	s := t.newServer("server")
	m := &migrating{t: t, s: s}
	clean := m.empty()
	start := time.Now()
	clean.must("db", "migrate")
	usual := time.Since(start)
	m.want = m.dump()
	m.atOnce()
	m.killed("crm", t.times(40), usual, func(kill context.CancelFunc) { kill() })
	m.killed("the server's session", t.times(20), usual, func(context.CancelFunc) {
		s.must("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'crm'")
	})
	m.killed("the server", t.times(10), usual, func(context.CancelFunc) {
		s.crash()
		s.start()
	})
	m.otherVersion()
}

type migrating struct {
	t    *trial
	s    *server
	want string
	n    int
}

// empty is a desk at a new database. The one before is dropped: a server that was killed syncs every file that it has before
// it answers, and a hundred schemas are a minute's worth of them.
func (m *migrating) empty() *desk {
	m.s.must("postgres", "DROP DATABASE IF EXISTS "+m.database()+" WITH (FORCE)")
	m.n++
	m.s.must("postgres", fmt.Sprintf("CREATE DATABASE m%d OWNER crm", m.n))
	return m.t.desk(fmt.Sprintf("home%d", m.n), strings.Replace(m.s.url(), "/crm?", fmt.Sprintf("/m%d?", m.n), 1), usualLimit)
}

func (m *migrating) database() string { return fmt.Sprintf("m%d", m.n) }

// dump is the schema of the database that empty made last, and the version that it says it has.
func (m *migrating) dump() string {
	output, err := m.t.asServer(m.t, m.t.bin+"/pg_dump", "--schema-only", "--host="+m.s.socket(), fmt.Sprintf("--port=%d", m.s.port),
		"--username=postgres", m.database()).Output()
	m.t.must(err)
	var lines []string
	for line := range strings.Lines(string(output)) {
		if !strings.HasPrefix(line, `\`) { // a password of the dump's own, different each time
			lines = append(lines, line)
		}
	}
	version, err := read[string](m.s, m.database(), "SELECT version || ' ' || dirty FROM schema_migrations")
	m.t.must(err)
	return version + "\n" + strings.Join(lines, "")
}

func (m *migrating) atOnce() {
	const processes = 16
	rounds := m.t.times(5)
	slowest := time.Duration(0)
	for range rounds {
		d := m.empty()
		answers := make([]answer, processes)
		var all sync.WaitGroup
		for i := range processes {
			all.Go(func() { answers[i] = d.crm("db", "migrate") })
		}
		all.Wait()
		for _, a := range answers {
			if slowest = max(slowest, a.took); a.code != 0 {
				m.t.fault("one of %d migrations at once: %v", processes, a)
			}
		}
		if m.dump() != m.want {
			m.t.fault("%d migrations at once left another schema", processes)
		}
	}
	m.t.figure("%d processes migrated an empty database at once, %d times: all exit 0, slowest %.1f s, schema as it should be", processes, rounds, slowest.Seconds())
}

// killed does harm at a random moment of a migration and migrates again.
func (m *migrating) killed(what string, times int, usual time.Duration, harm func(kill context.CancelFunc)) {
	harmed := 0
	for range times {
		d := m.empty()
		ctx, kill := context.WithCancel(m.t)
		var migrating sync.WaitGroup
		var first answer
		migrating.Go(func() { first = d.run(ctx, "", "db", "migrate") })
		m.t.wait(rand.N(usual))
		harm(kill)
		migrating.Wait()
		kill()
		if first.code == 0 {
			continue
		}
		harmed++
		if first.code != -1 && first.code != 7 {
			m.t.fault("a migration while %s was killed: %v", what, first)
		}
		if a := d.crm("db", "migrate"); a.code != 0 {
			m.t.fault("migrating after %s was killed: %v", what, a)
			continue
		}
		if got := m.dump(); got != m.want {
			m.t.fault("after %s was killed the schema is another", what)
		}
	}
	m.t.figure("killed %s at a random moment of %v: %d of %d migrations did not end, all resumed by migrating again",
		what, usual.Round(time.Millisecond), harmed, times)
}

// otherVersion has nothing written to a schema of another version, whether older or newer.
func (m *migrating) otherVersion() {
	t, s := m.t, m.s
	d := t.desk("versions", s.url(), usualLimit)
	d.found()
	contract := d.contract(100)
	for _, change := range []string{"version + 1", "version - 1"} {
		s.must("crm", "UPDATE schema_migrations SET version = "+change)
		for _, args := range [][]string{
			{"contract", "add-payment", contract, "--payment", "1"},
			{"contract", "add", "--customer-id", "5", "--total-amount", "7"},
			{"contract", "sign", contract},
			{"employee", "add", "--fullname", "Nouvelle", "--username", "nouvelle"},
			{"employee", "delete", "none1", "--yes"},
			{"db", "status"},
		} {
			if a := d.crm(args...); a.code != 7 {
				t.fault("crm %s at the schema's %s: %v", strings.Join(args, " "), change, a)
			}
		}
		s.must("crm", "UPDATE schema_migrations SET version = 2 * version - ("+change+")")
	}
	if wrote := one[int](s, `SELECT (SELECT count(*) FROM payment WHERE contract_id = $1)::int + (SELECT count(*) FROM contract WHERE total_amount = 700)::int
		+ (SELECT count(*) FROM employee WHERE username = 'nouvelle')::int + (SELECT 1 - count(*) FROM employee WHERE username = 'none1')::int
		+ (SELECT count(*) FROM contract WHERE id = $1 AND signed)::int`, contract); wrote > 0 {
		t.fault("%d changes were made in a schema of another version", wrote)
	}
	t.figure("at a schema version one newer and one older: 5 changes each, exit 7, nothing written")
}
