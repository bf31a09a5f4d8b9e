package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/internal/roundtrip"
	"github.com/epicevents/crm/schema"
)

//go:embed data.sql
var data string

// bench is a server with three databases, each ten times the one before, and the programs to compare.
type bench struct {
	home                 string
	cluster              *localdb.Cluster
	start, wire, floor   string // the least that a program, a query and a request cost
	crm, psql, pgbench   string
	small, middle, large *database
	front                *front
	trips                *roundtrip.Counter
	endProxy             func() error
	proxy                string // URL of the large database through the counter
}

// database is one size of the data, and how crm is told of it.
type database struct {
	url   string
	scale float64
	env   []string
}

const (
	key    = "the key of a benchmark, which signs nothing else"
	socket = ".s.PGSQL.5432"
)

// settings: the machine's disk is not what is measured, and nothing works in the background.
var settings = []string{"fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=200",
	"shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=1h"}

func newBench(ctx context.Context, scale float64, crm string) (*bench, error) {
	// Not TMPDIR, which may be too long for a socket and closed to the account that runs the server where root works.
	home, err := os.MkdirTemp("/tmp", "crm-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(home, 0o755); err != nil { // the server's account has to pass
		return nil, errors.Join(err, os.RemoveAll(home))
	}
	b := &bench{home: home, crm: crm, cluster: localdb.New(home, os.Getenv), trips: &roundtrip.Counter{}, endProxy: func() error { return nil }}
	b.cluster.Settings = settings
	if err := b.prepare(ctx, scale); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) prepare(ctx context.Context, scale float64) (err error) {
	progress("Building crm, and a server in %s", b.home)
	if b.start, err = build(ctx, b.home, "./tools/bench/start"); err != nil {
		return err
	}
	if b.wire, err = build(ctx, b.home, "./tools/bench/wire"); err != nil {
		return err
	}
	if b.floor, err = build(ctx, b.home, "./tools/bench/floor"); err != nil {
		return err
	}
	if b.crm == "" {
		if b.crm, err = build(ctx, b.home, "."); err != nil {
			return err
		}
	}
	if err := b.cluster.Start(ctx, nil, func(context.Context, string) error { return nil }); err != nil {
		return err
	}
	if b.psql, err = b.program(ctx, "psql"); err != nil {
		return err
	}
	if b.pgbench, err = b.program(ctx, "pgbench"); err != nil {
		return err
	}
	if b.small, err = b.fill(ctx, "small", scale/100, ""); err != nil {
		return err
	}
	if b.middle, err = b.fill(ctx, "middle", scale/10, ""); err != nil {
		return err
	}
	if b.large, err = b.fill(ctx, "large", scale, payable); err != nil {
		return err
	}
	config, err := pgx.ParseConfig(b.large.url)
	if err != nil {
		return err
	}
	address, end, err := b.trips.Proxy("unix", filepath.Join(config.Host, socket))
	if err != nil {
		return err
	}
	b.endProxy, b.proxy = end, "postgres://crm@"+address+"/large?sslmode=disable"
	b.front, err = b.newFront(ctx, "server")
	return err
}

// program finds one of PostgreSQL's own programs beside the server: what PATH has may be Debian's wrapper, which takes
// longer than the program itself.
func (b *bench) program(ctx context.Context, name string) (string, error) {
	server, err := b.cluster.Program(ctx, "postgres")
	if err != nil {
		return "", err
	}
	if server, err = filepath.EvalSymlinks(server); err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(filepath.Dir(server), name))
}

func (b *bench) close() error {
	var err error
	if b.front != nil {
		err = b.front.stop()
	}
	return errors.Join(err, b.endProxy(), b.cluster.Stop(context.Background()), os.RemoveAll(b.cluster.Dir()), os.RemoveAll(b.home))
}

// fill makes a database; extra is SQL for what only this one has.
func (b *bench) fill(ctx context.Context, name string, scale float64, extra string) (*database, error) {
	d := &database{url: b.cluster.URL(name), scale: scale}
	d.env = b.environment(name, d.url)
	progress("Filling the database %s: %d customers, %d contracts, %d events", name, d.customers(), d.contracts(), d.events())
	admin, err := pgx.Connect(ctx, b.cluster.AdminURL("postgres"))
	if err != nil {
		return nil, err
	}
	defer admin.Close(context.WithoutCancel(ctx))
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" OWNER crm"); err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(d.url)
	if err != nil {
		return nil, err
	}
	if err := schema.Migrate(ctx, config); err != nil {
		return nil, err
	}
	// The tables are crm's; only a superuser may fill them without their triggers.
	conn, err := pgx.Connect(ctx, b.cluster.AdminURL(name))
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range []string{
		fmt.Sprintf("SET bench.customers = %d; SET bench.contracts = %d; SET bench.events = %d", d.customers(), d.contracts(), d.events()),
		schema.Sample, data, extra, "VACUUM ANALYZE",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return nil, err
		}
	}
	_, err = admin.Exec(ctx, "CHECKPOINT")
	return d, err
}

func (d *database) customers() int { return max(int(d.scale*100_000), 100) }
func (d *database) contracts() int { return max(int(d.scale*1_000_000), 1000) }
func (d *database) events() int    { return max(int(d.scale*500_000), 500) }

// environment is that of a crm with settings and a session of its own.
func (b *bench) environment(name, url string) []string {
	home := filepath.Join(b.home, name)
	return []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TERM=dumb", "LC_ALL=C.UTF-8",
		"CRM_DATABASE_URL=" + url, "CRM_CONTROLLER_AUTH_SECRET_KEY=" + key}
}

// login starts a session in each database and by each way to the server, as an administrator, who may do all that is measured.
func (b *bench) login(ctx context.Context) error {
	for _, env := range [][]string{b.small.env, b.middle.env, b.large.env, b.front.unix, b.front.tls} {
		if _, err := output(ctx, env, schema.SamplePassword+"\n", b.loginCommand()...); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) loginCommand() []string {
	return []string{b.crm, "auth", "login", "--username", "administrator1", "--password-stdin"}
}

// through is the environment with the large database behind the counter.
func (b *bench) through() []string {
	env := make([]string, len(b.large.env))
	for i, entry := range b.large.env {
		if strings.HasPrefix(entry, "CRM_DATABASE_URL=") {
			entry = "CRM_DATABASE_URL=" + b.proxy
		}
		env[i] = entry
	}
	return env
}
