package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// database is the connection of one run, opened when a command first needs it.
type database struct {
	pool    *pgxpool.Pool
	spent   time.Duration // of the time limit, on connecting
	service *service.Service
	session *service.Session
}

func (d *database) close() {
	if d.pool == nil {
		return
	}
	closed := make(chan struct{})
	go func() {
		d.pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(time.Second): // a server that does not answer is not waited for
	}
}

func (a *app) isLocal() bool { return a.config.databaseURL == "" }

func (a *app) cluster() *localdb.Cluster {
	return localdb.New(a.folder("XDG_DATA_HOME", ".local/share"), a.Getenv)
}

// open connects, or says which database did not answer.
func (a *app) open(ctx context.Context, config *pgx.ConnConfig) (*pgxpool.Pool, error) {
	began := time.Now()
	pool, err := service.Connect(ctx, config, a.config.databaseTimeout)
	a.database.spent = time.Since(began)
	if failure, ok := errors.AsType[*service.Error](err); ok && failure.Code == service.Unavailable {
		named := *failure
		named.Message = fmt.Sprintf("%s (%s)", strings.TrimSuffix(failure.Message, "."), location(config))
		return nil, &named
	}
	return pool, err
}

// connect opens the connection. The local database is started, or made, only when it does not answer.
func (a *app) connect(ctx context.Context) (*pgxpool.Pool, error) {
	if a.database.pool != nil {
		return a.database.pool, nil
	}
	config, err := a.connConfig()
	if err != nil {
		return nil, err
	}
	pool, err := a.open(ctx, config)
	if err != nil && a.isLocal() && !a.neverStart && ctx.Err() == nil {
		if err := a.startLocal(ctx); err != nil {
			return nil, err
		}
		pool, err = a.open(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	a.database.pool = pool
	if a.config.databaseReset {
		a.config.databaseReset = false
		if err := a.resettable(ctx); err != nil {
			return nil, err
		}
		a.notice("database.reset is set: everything in %s is deleted.", a.holdings(ctx, config))
		if err := a.reset(ctx, config); err != nil {
			return nil, err
		}
	}
	return pool, nil
}

// serviceOn gives a service that keeps to what is left of the time limit.
func (a *app) serviceOn(pool *pgxpool.Pool, keys ...[]byte) *service.Service {
	s := service.New(pool, keys...).From(a.peer())
	if limit := a.config.databaseTimeout; limit > 0 {
		s = s.Within(max(limit-a.database.spent, time.Second))
	}
	return s
}

// peer is the account of this machine for which crm works.
func (a *app) peer() string {
	account := fmt.Sprintf("uid %d", os.Getuid())
	if os.Getuid() < 0 { // Windows has no such number
		account = "user " + a.Getenv("USERNAME")
	}
	host, _ := os.Hostname()
	return account + " on " + host
}

// startLocal makes the local database run, after creating it if need be.
func (a *app) startLocal(ctx context.Context) error {
	progress := func(line string) {
		if line == localdb.Starting && a.errWidth == 0 {
			return // a script need not know, and cron would send a mail of it
		}
		a.notice("%s", line)
	}
	created := false
	err := a.cluster().Start(ctx, progress, func(ctx context.Context, url string) error {
		config, err := parseURL(url)
		if err != nil {
			return err
		}
		created = true
		return a.fill(ctx, config)
	})
	if err == nil && created {
		a.welcome()
	}
	return err
}

// welcome says how to go on with a new local database.
func (a *app) welcome() {
	if a.config.populateSample {
		a.notice("It holds sample data. Log in: crm auth login administrator1 (password %s)", schema.SamplePassword)
	} else if a.commandName != "crm db migrate" { // which asks, or says so itself
		a.notice(`It is empty. Add the first administrator: crm db migrate --admin-username USERNAME --admin-fullname "FIRST LAST"`)
	}
}

// fill migrates an empty local database and puts the sample data into it, if that is wanted.
func (a *app) fill(ctx context.Context, config *pgx.ConnConfig) error {
	if err := schema.Migrate(ctx, config); err != nil {
		return err
	}
	if !a.config.populateSample {
		return nil
	}
	pool, err := service.Connect(ctx, config, 0)
	if err != nil {
		return err
	}
	defer pool.Close()
	return service.New(pool).Populate(ctx)
}

// resettable refuses to delete anybody's data but a developer's own: the local database, or one that holds the sample
// data only.
func (a *app) resettable(ctx context.Context) error {
	if a.isLocal() {
		return nil
	}
	pool, err := a.connect(ctx)
	if err != nil {
		return err
	}
	sampleOnly, err := a.serviceOn(pool).HoldsOnlySample(ctx)
	if err != nil {
		return err
	}
	if !sampleOnly {
		return &service.Error{Code: service.Conflict, Message: "This database is not the local one and holds more than the sample data; it is not reset."}
	}
	return nil
}

// holdings names a database and how many customers are in it, for whoever is about to delete them.
func (a *app) holdings(ctx context.Context, config *pgx.ConnConfig) string {
	name := "the database " + location(config)
	if a.isLocal() {
		name = "the local database"
	}
	pool, err := a.connect(ctx)
	if err != nil {
		return name // deleting will tell
	}
	switch n, err := a.serviceOn(pool, nil).Customers(ctx); {
	case err != nil:
		return name
	case n == 1:
		return name + " (1 customer)"
	default:
		return fmt.Sprintf("%s (%d customers)", name, n)
	}
}

// reset deletes everything and fills a local database anew.
func (a *app) reset(ctx context.Context, config *pgx.ConnConfig) error {
	pool, err := a.connect(ctx)
	if err != nil {
		return err
	}
	s := service.New(pool)
	if err := s.Empty(ctx, config); err != nil {
		return err
	}
	if err := s.Migrate(ctx, config); err != nil {
		return err
	}
	if a.isLocal() && a.config.populateSample {
		return s.Populate(ctx)
	}
	return nil
}

// service gives what can be done without a session.
func (a *app) service(ctx context.Context) (*service.Service, error) {
	if a.database.service != nil {
		return a.database.service, nil
	}
	keys, err := a.signingKeys()
	if err != nil {
		return nil, err
	}
	pool, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	a.database.service = a.serviceOn(pool, keys...)
	return a.database.service, nil
}

// session gives what the employee who is logged in can do. Without a token no database is opened.
func (a *app) session(ctx context.Context) (*service.Session, error) {
	if a.database.session != nil {
		return a.database.session, nil
	}
	if !a.isLocal() {
		if err := checkURL(a.config.databaseURL); err != nil {
			return nil, err
		}
	}
	token, err := a.token()
	if err == nil && token == "" {
		_, err = service.New(nil).As("")
	}
	if err != nil {
		return nil, err
	}
	keys, err := a.signingKeys()
	if err != nil {
		return nil, err
	}
	if _, err := service.New(nil, keys...).As(token); err != nil {
		return nil, err
	}
	s, err := a.service(ctx)
	if err != nil {
		return nil, err
	}
	a.database.session, err = s.As(token)
	return a.database.session, err
}

// signingKeys are the key that signs and the one before it, whose tokens are good until they expire.
func (a *app) signingKeys() ([][]byte, error) {
	key, err := a.signingKey()
	if err != nil {
		return nil, err
	}
	keys := [][]byte{key}
	if previous := a.config.authSecretKeyPrevious; previous != "" {
		keys = append(keys, []byte(previous))
	}
	return keys, nil
}

// keyFile is where the signing key for the local database lies.
func (a *app) keyFile() string {
	return filepath.Join(a.folder("XDG_DATA_HOME", ".local/share"), "auth_secret_key")
}

// signingKey is the configured one, or for the local database one that is generated once.
func (a *app) signingKey() ([]byte, error) {
	if a.config.authSecretKey != "" {
		return []byte(a.config.authSecretKey), nil
	}
	if !a.isLocal() {
		return nil, &usageError{"controller.auth_secret_key is not set; it is needed with database.url.", keyHint}
	}
	name := a.keyFile()
	folder := filepath.Dir(name)
	fail := func(err error) ([]byte, error) {
		failure := &service.Error{Code: service.Internal, Message: fmt.Sprintf("The key in %s cannot be read or made.", name), Err: err}
		if cause, ok := errors.AsType[syscall.Errno](err); ok {
			failure.Message = fmt.Sprintf("The key in %s cannot be read or made: %v.", name, cause)
			failure.Hint = "make that a folder of yours, or name another above it with XDG_DATA_HOME"
		}
		return nil, failure
	}
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		// Open to pass, no more: started by root, the server's account has to reach the database in there.
		if err := errors.Join(os.MkdirAll(filepath.Dir(folder), 0o755), os.MkdirAll(folder, 0o711)); err != nil {
			return fail(err)
		}
		// Written aside and linked, so that two first commands agree on one whole key.
		file, err := os.CreateTemp(folder, "auth_secret_key-*")
		if err != nil {
			return fail(err)
		}
		defer os.Remove(file.Name())
		random := make([]byte, 32)
		_, _ = rand.Read(random)
		_, err = file.WriteString(hex.EncodeToString(random) + "\n")
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			return fail(err)
		}
		if err := os.Link(file.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
			return fail(err)
		}
		if key, err = os.ReadFile(name); err != nil {
			return fail(err)
		}
	} else if err != nil {
		return fail(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return fail(err)
	}
	if err := a.guarded("key file", name, signingKeySecret, info); err != nil {
		return nil, err
	}
	a.noticeReadable()
	key = []byte(strings.TrimSpace(string(key)))
	if len(key) < 32 {
		return fail(errors.New("the key is too short"))
	}
	return key, nil
}
