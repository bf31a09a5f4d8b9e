package service

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
)

// retry is whether statements may be sent a second time.
type retry int

const (
	readOnly      retry = iota // changes nothing, however often it is sent
	idempotent                 // sending it twice has the effect of sending it once
	notIdempotent              // never sent again once the server may have seen it
)

const (
	pauseFirst = 20 * time.Millisecond // before a second attempt; twice as long before each one after it
	pauseMost  = time.Second
	// retryTime is how long attempts at one thing go on where no limit is set.
	retryTime = 10 * time.Second
)

// budget is how long one request, such as a command, still waits for its database.
type budget struct {
	limit time.Duration // none if zero
	mutex sync.Mutex
	spent time.Duration
}

// charge takes the time since then off the budget.
func (p *budget) charge(since time.Time) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.spent += time.Since(since)
}

// remaining returns the time until the limit, if there is one.
func (p *budget) remaining() time.Duration {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.limit - p.spent
}

// within runs one attempt with a share of the time that is left.
func (p *budget) within(ctx context.Context, share float64, attempt func(context.Context) error) error {
	defer p.charge(time.Now())
	if p.limit == 0 {
		return attempt(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(float64(p.remaining())*share))
	defer cancel()
	return attempt(ctx)
}

// attempts runs attempt until it succeeds, fails in a way that does not pass, or no time is left. The pauses between are
// random, so that many who were thrown out together do not come back together.
func (p *budget) attempts(ctx context.Context, passes func(error) bool, attempt func() error) error {
	remaining := p.remaining
	if p.limit == 0 { // what was waited for others is not counted: a Service may live long
		began := time.Now()
		remaining = func() time.Duration { return retryTime - time.Since(began) }
	}
	for pause := pauseFirst; ; pause = min(2*pause, pauseMost) {
		err := attempt()
		wait := pause/2 + rand.N(pause)
		if err == nil || !passes(err) || remaining() <= wait || ctx.Err() != nil {
			return err
		}
		began := time.Now()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		p.charge(began)
	}
}

// write sends statements that change something in the name of an employee whom allow let through. Their session, role
// and schema version may have changed since then, so the first statement of the transaction requires them again.
func (s *Session) write(ctx context.Context, by actor, statements ...statement) error {
	err := s.send(ctx, by.again, append([]statement{s.require(ctx, by)}, statements...)...)
	if isSessionOver(err) {
		return s.over(err)
	}
	return err
}

// writeOrTry is write, or only tries what that would do: the same statements, rolled back once all of them have answered.
func (s *Session) writeOrTry(ctx context.Context, by actor, dryRun bool, statements ...statement) error {
	if !dryRun {
		return s.write(ctx, by, statements...)
	}
	err := s.write(ctx, by, append(statements, queryNoArgs(ctx, (*gen.Queries).DryRunEnds, new(bool)))...)
	if isDryRun(err) {
		return nil
	}
	return err
}

// require is the first statement of every transaction that writes in the name of an employee.
func (s *Session) require(ctx context.Context, by actor) statement {
	return queryOne(ctx, (*gen.Queries).SessionRequire, gen.SessionRequireParams{
		Version: schema.Version(), SessionID: s.claims.sessionID, EmployeeID: by.ID, Role: by.Role, Command: by.command,
	}, new(bool))
}

// change sends statements that change something in nobody's name, in a schema of this program's version only. The command
// is what the history says of it.
func (s *core) change(ctx context.Context, command string, r retry, statements ...statement) error {
	return s.send(ctx, r, append([]statement{requireVersion(ctx, command)}, statements...)...)
}

func requireVersion(ctx context.Context, command string) statement {
	return queryOne(ctx, (*gen.Queries).VersionRequire, gen.VersionRequireParams{Version: schema.Version(), Command: command}, new(bool))
}

// send runs statements in one round trip and one transaction. What fails for a reason that passes is sent again, as long
// as that cannot do it twice; when in the end no answer tells whether it was done, the error says so.
func (s *core) send(ctx context.Context, r retry, statements ...statement) error {
	pool, _ := s.db.(*pgxpool.Pool)
	share := 1.0
	if r != notIdempotent {
		share = 0.75 // time enough to ask again on another connection
	}
	unknown := false
	err := s.budget.attempts(ctx, func(err error) bool {
		if pool == nil || !isTransient(err) || r == notIdempotent && isOutcomeUnknown(err) {
			return false
		}
		forget(pool, err)
		return true
	}, func() error {
		return s.budget.within(ctx, share, func(ctx context.Context) error {
			err := s.runOn(ctx, pool, statements)
			if err == nil && ctx.Err() != nil && r != readOnly {
				// Given up while a standby had not confirmed: the commit then stands here alone.
				err = ctx.Err()
			}
			unknown = unknown || r != readOnly && isOutcomeUnknown(err)
			return err
		})
	})
	if !unknown && asks(err) {
		return s.translate(ctx, err)
	}
	if !unknown && r != readOnly && ctx.Err() == nil && isTooSlow(err) {
		return &failure.Error{Code: failure.Unavailable, Message: "The database did not answer in time; nothing was changed.", Hint: tooSlowHint, Err: err}
	}
	if !unknown || err == nil || isRejected(err) {
		return err
	}
	problem := &failure.Error{Code: failure.Unavailable, Reason: failure.OutcomeUnknown, Err: err}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		problem.Message = "Interrupted: whether this was done is not known."
		problem.Err = errors.Join(problem.Err, context.Canceled)
	case isTimeout(err):
		problem.Message = "The database did not answer in time: whether this was done is not known."
	default:
		problem.Message = "The connection to the database was lost: whether this was done is not known."
	}
	problem.Hint = r.hint()
	return problem
}

// forget closes the connections of the pool if the error says that the server they lead to is gone, or is a standby now.
// A connection that was lost is closed already, and says nothing of those that others work on.
func forget(pool *pgxpool.Pool, err error) {
	if isServerGone(err) {
		pool.Reset()
	}
}

// translate is the function of that name, within the time limit: what some refusals mean is asked of the database.
func (s *core) translate(ctx context.Context, err error) error {
	if !asks(err) {
		return translate(ctx, s.db, err)
	}
	return s.budget.within(ctx, 1, func(ctx context.Context) error { return translate(ctx, s.db, err) })
}

// runOn runs the statements on a connection of the pool, if there is one.
func (s *core) runOn(ctx context.Context, pool *pgxpool.Pool, statements []statement) error {
	if pool == nil {
		return sendBatch(ctx, s.db, statements)
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return notSent{err}
	}
	defer conn.Release()
	data := conn.Conn().PgConn().CustomData()
	delete(data, warned)
	err = sendBatch(ctx, conn, statements)
	if err == nil && data[warned] != nil {
		// Committed here, and the wait for the standby was ended from outside: it may have no other copy.
		return outcomeUnknown{errors.New("not confirmed by the standby")}
	}
	return err
}

// warned is set on a connection whose server warned.
const warned = "warned"

// notSent is a failure before anything was sent.
type notSent struct{ error }

func (e notSent) Unwrap() error     { return e.error }
func (e notSent) SafeToRetry() bool { return true }
