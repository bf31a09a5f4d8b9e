// Package backend is the way from the settings to the operations: the local database, started or made if need be, or the
// one that database.url names, or that of a server; the token of who is logged in, and the key that tokens are signed with.
//
// Nothing is opened before a command needs it. Commands take a Session, or a Service for what needs no login; those about
// the database itself take its connection.
package backend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/remote"
	"github.com/epicevents/crm/service"
)

// Backend is where the operations are done: the local database, or the one that the settings name. It is opened when a
// command first needs it.
type Backend struct {
	settings *config.Config
	screen   *terminal.Terminal

	pool    *pgxpool.Pool
	spent   time.Duration // of the time limit, on connecting
	service *service.Service
	session service.Operations
	client  *remote.Client // of server.url

	Connections int32 // to the database at most, where many work with it at once

	NeverStart bool // whoever presses tab does not wait for a server to start
	Unsampled  bool // the command is about to fill a new local database itself
	Samples    bool // the command gets a new local database the sample data even where nobody sees it
	Greets     bool // the command says itself how to go on with a new database
	created    bool // this run made the local database
	sampled    bool // and put the sample data into it
	warned     bool // of a weak sslmode
}

func New(settings *config.Config, screen *terminal.Terminal) *Backend {
	return &Backend{settings: settings, screen: screen}
}

// Close closes the connections, if there are any.
func (b *Backend) Close() {
	if b.client != nil {
		b.client.Close()
	}
	if b.pool == nil {
		return
	}
	closed := make(chan struct{})
	go func() {
		b.pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(time.Second): // a server that does not answer is not waited for
	}
}

// open connects, or says which database did not answer.
func (b *Backend) open(ctx context.Context, config *pgx.ConnConfig) (*pgxpool.Pool, error) {
	began := time.Now()
	pool, err := service.ConnectMany(ctx, config, b.settings.DatabaseTimeout, b.Connections)
	b.spent = time.Since(began)
	if problem, ok := errors.AsType[*failure.Error](err); ok && problem.Code == failure.Unavailable {
		named := *problem
		named.Message = fmt.Sprintf("%s (%s)", strings.TrimSuffix(problem.Message, "."), Location(config))
		return nil, &named
	}
	return pool, err
}

// Reach connects to a database that runs: nothing is started or made for it.
func (b *Backend) Reach(ctx context.Context) (*pgxpool.Pool, error) {
	if b.pool != nil {
		return b.pool, nil
	}
	config, err := b.ConnConfig()
	if err != nil {
		return nil, err
	}
	b.pool, err = b.open(ctx, config)
	return b.pool, err
}

// Connect opens the connection. The local database is started, or made, only when it does not answer.
func (b *Backend) Connect(ctx context.Context) (*pgxpool.Pool, error) {
	if b.pool != nil {
		return b.pool, nil
	}
	config, err := b.ConnConfig()
	if err != nil {
		return nil, err
	}
	pool, err := b.open(ctx, config)
	if err != nil && b.IsLocal() && !b.NeverStart && ctx.Err() == nil {
		if err := b.startLocal(ctx); err != nil {
			return nil, err
		}
		// A socket folder outside of the database's own is known only now that it is made.
		if config, err = b.ConnConfig(); err != nil {
			return nil, err
		}
		pool, err = b.open(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	b.pool = pool
	if b.settings.DatabaseReset && !b.created {
		b.settings.DatabaseReset = false
		only, err := b.holdsOnlySample(ctx)
		if err != nil {
			return nil, err
		}
		if !only {
			return nil, &failure.Error{Code: failure.Conflict, Hint: "remove that setting; crm db reset asks before it deletes anything",
				Message: "database.reset is set, but the database holds more than the sample data; nothing is deleted."}
		}
		b.screen.Notice("database.reset is set: everything in %s is deleted.", b.Holdings(ctx, config))
		if err := b.Reset(ctx, config, nil); err != nil {
			return nil, err
		}
	}
	return pool, nil
}

// ServiceOn returns a service that keeps to what is left of the time limit.
func (b *Backend) ServiceOn(pool *pgxpool.Pool, keys ...service.Key) *service.Service {
	s := service.New(pool, keys...).From(b.peer()).Lasting(b.settings.SessionIdle, b.settings.SessionLimit)
	if limit := b.settings.DatabaseTimeout; limit > 0 {
		s = s.Within(max(limit-b.spent, time.Second))
	}
	return s
}

// peer is the account of this machine for which crm works.
func (b *Backend) peer() string {
	account := fmt.Sprintf("uid %d", os.Getuid())
	if os.Getuid() < 0 { // Windows has no such number
		account = "user " + b.settings.Getenv("USERNAME")
	}
	host, _ := os.Hostname()
	return account + " on " + host
}

// Service returns what can be done without a session.
func (b *Backend) Service(ctx context.Context) (*service.Service, error) {
	if b.service != nil {
		return b.service, nil
	}
	if b.IsRemote() {
		return nil, ErrForHost
	}
	keys, err := b.signingKeys()
	if err != nil {
		return nil, err
	}
	pool, err := b.Connect(ctx)
	if err != nil {
		return nil, err
	}
	b.service = b.ServiceOn(pool, keys...)
	return b.service, nil
}

// Session returns what the employee who is logged in can do. Without a token no database is opened.
func (b *Backend) Session(ctx context.Context) (service.Operations, error) {
	if b.session != nil {
		return b.session, nil
	}
	if b.IsRemote() {
		return b.remoteSession(ctx)
	}
	if !b.IsLocal() {
		if err := checkURL(b.settings.DatabaseURL); err != nil {
			return nil, err
		}
	}
	token, err := b.Token()
	if err == nil && token == "" {
		_, err = service.New(nil).As("")
	}
	if err != nil {
		return nil, err
	}
	if err := b.RequireMade(); err != nil {
		return nil, err
	}
	keys, err := b.signingKeys()
	if err != nil {
		return nil, err
	}
	if _, err := service.New(nil, keys...).As(token); err != nil {
		return nil, err
	}
	s, err := b.Service(ctx)
	if err != nil {
		return nil, err
	}
	b.session, err = s.Accounts().As(token)
	return b.session, err
}

// Begin goes on as whom a token is for, and keeps the token for the next command.
func (b *Backend) Begin(ctx context.Context, token string) (service.Operations, error) {
	s, err := b.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	if b.session, err = s.As(token); err != nil {
		return nil, err
	}
	return b.session, b.saveToken(token)
}

// Role returns the role of who is logged in; empty as long as it is not known.
func (b *Backend) Role() gen.Role {
	if b.session == nil {
		return ""
	}
	return b.session.Role()
}

// signingKeys are the key that signs and the one before it, whose tokens are good until they expire.
func (b *Backend) signingKeys() (keys []service.Key, err error) {
	secret, err := b.SigningKey()
	if err != nil {
		return nil, err
	}
	secrets := [][]byte{secret}
	if previous := b.settings.AuthSecretKeyPrevious; previous != "" {
		secrets = append(secrets, []byte(previous))
	}
	for _, secret := range secrets {
		key, err := service.NewKey(secret)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
