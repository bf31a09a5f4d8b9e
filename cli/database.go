package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// database is the connection of one run, opened when a command first needs it.
type database struct {
	pool    *pgxpool.Pool
	spent   time.Duration // of the time limit, on connecting
	service *service.Service
	session service.Operations
	// created is set when this run made the local database, sampled when it has put the sample data into it.
	created, sampled bool
	// unsampled is set by a command that is about to fill the database itself.
	unsampled bool
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

// open connects, or says which database did not answer.
func (a *app) open(ctx context.Context, config *pgx.ConnConfig) (*pgxpool.Pool, error) {
	began := time.Now()
	pool, err := service.Connect(ctx, config, a.config.databaseTimeout)
	a.database.spent = time.Since(began)
	if problem, ok := errors.AsType[*failure.Error](err); ok && problem.Code == failure.Unavailable {
		named := *problem
		named.Message = fmt.Sprintf("%s (%s)", strings.TrimSuffix(problem.Message, "."), location(config))
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
		// A socket folder outside of the database's own is known only now that it is made.
		if config, err = a.connConfig(); err != nil {
			return nil, err
		}
		pool, err = a.open(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	a.database.pool = pool
	if a.config.databaseReset && !a.database.created {
		a.config.databaseReset = false
		only, err := a.holdsOnlySample(ctx)
		if err != nil {
			return nil, err
		}
		if !only {
			return nil, &failure.Error{Code: failure.Conflict, Hint: "remove that setting; crm db reset asks before it deletes anything",
				Message: "database.reset is set, but the database holds more than the sample data; nothing is deleted."}
		}
		a.Notice("database.reset is set: everything in %s is deleted.", a.holdings(ctx, config))
		if err := a.reset(ctx, config, nil); err != nil {
			return nil, err
		}
	}
	return pool, nil
}

// serviceOn gives a service that keeps to what is left of the time limit.
func (a *app) serviceOn(pool *pgxpool.Pool, keys ...service.Key) *service.Service {
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
func (a *app) session(ctx context.Context) (service.Operations, error) {
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
	if err := a.requireMade(); err != nil {
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
	a.database.session, err = s.Accounts().As(token)
	return a.database.session, err
}

// signingKeys are the key that signs and the one before it, whose tokens are good until they expire.
func (a *app) signingKeys() (keys []service.Key, err error) {
	secret, err := a.signingKey()
	if err != nil {
		return nil, err
	}
	secrets := [][]byte{secret}
	if previous := a.config.authSecretKeyPrevious; previous != "" {
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
