package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
)

// CheckVersion returns the schema version of the database. Unavailable if it is not the one this program works with.
func (s *Service) CheckVersion(ctx context.Context) (int64, error) {
	var row gen.SchemaMigration
	err := s.send(ctx, readOnly, queryNoArgs(ctx, (*gen.Queries).SchemaVersion, &row))
	if err == nil {
		err = checkVersion(row.Version, row.Dirty)
	}
	if err != nil {
		if unfit, ok := errors.AsType[*schema.UnfitError](s.examine(ctx, schema.Foreign)); ok {
			return 0, unfitness(unfit)
		}
	}
	return row.Version, s.translate(ctx, err)
}

// Fit refuses a database in which crm cannot work, whatever the version of its schema: Unavailable, with what to run.
func (s *Service) Fit(ctx context.Context) error {
	return s.migrationFailure(ctx, s.examine(ctx, schema.Fit))
}

// LogsParameters reports whether the server's log has in it what crm stores, hashes of passwords among it.
func (s *Service) LogsParameters(ctx context.Context) (logs bool, err error) {
	err = s.examine(ctx, func(ctx context.Context, db schema.Querier) error {
		logs, err = schema.LogsParameters(ctx, db)
		return err
	})
	return logs, s.translate(ctx, err)
}

func (s *Service) examine(ctx context.Context, look func(context.Context, schema.Querier) error) error {
	return s.budget.within(ctx, 1, func(ctx context.Context) error { return look(ctx, s.db) })
}

func unfitness(err *schema.UnfitError) error {
	return hostError(err.Message, err.Remedy, err)
}

// Clock returns the database's time at this moment.
func (s *Service) Clock(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.send(ctx, readOnly, queryNoArgs(ctx, (*gen.Queries).DatabaseClock, &now))
	return now, s.translate(ctx, err)
}

// Migrate brings the database to the schema version of this program. Unavailable if the database is at a newer one, if
// an earlier migration did not finish, or through a pooler.
func (s *Service) Migrate(ctx context.Context, config *pgx.ConnConfig) error {
	var row gen.SchemaMigration
	err := s.send(ctx, readOnly, queryNoArgs(ctx, (*gen.Queries).SchemaVersion, &row))
	switch {
	case errors.Is(err, pgx.ErrNoRows), isUndefinedTable(err), errors.Is(err, errOlder):
		// Nothing was migrated yet, or not by crm, which is told below; or another has just begun to migrate.
	case err != nil:
		return s.translate(ctx, err)
	case row.Dirty, row.Version >= schema.Version():
		_, err := s.CheckVersion(ctx)
		return err
	}
	return s.migrationFailure(ctx, schema.Migrate(ctx, config))
}

// migrationFailure makes what a migration can fail of into an Error.
func (s *Service) migrationFailure(ctx context.Context, err error) error {
	if errors.Is(err, schema.ErrPooled) {
		return hostError("This does not work through a pooler such as PgBouncer, which lends one session of the server to several.",
			"name the server itself: crm --database.url ...", err)
	}
	if errors.Is(err, schema.ErrVersion) {
		_, err = s.CheckVersion(ctx)
	}
	if unfit, ok := errors.AsType[*schema.UnfitError](err); ok {
		return unfitness(unfit)
	}
	if what, exists := existing(err); exists {
		return &failure.Error{Code: failure.Conflict, Reason: failure.ForHost, Err: err, Hint: "give crm a database or a schema of its own, or put back a backup of crm: crm db restore FILE",
			Message: "crm's schema cannot be made here: " + what + "."}
	}
	return s.translate(ctx, err)
}

// Grant lets a role of the database work with crm and no more, and returns what it may do beyond that all the same. NotFound
// if there is none, Conflict if nothing limits it, Unavailable if the schema belongs to another user.
func (s *Service) Grant(ctx context.Context, config *pgx.ConnConfig, role string) (excess []string, err error) {
	excess, err = schema.Grant(ctx, config, role)
	if boundless, ok := errors.AsType[*schema.BoundlessError](err); ok {
		return nil, &failure.Error{Code: failure.Conflict, Err: err, Hint: "CREATE ROLE ... LOGIN makes one that owns nothing",
			Message: fmt.Sprintf("The role %s %s, and so is limited by no grant.", role, boundless.Why)}
	}
	if errors.Is(err, schema.ErrNoRole) {
		return nil, notFound("have it made first: CREATE ROLE ... LOGIN", "The database has no role %s.", role)
	}
	return excess, s.migrationFailure(ctx, err)
}

// Rights returns how the user of the database stands to crm's schema, which has to be at this program's version.
func (s *Service) Rights(ctx context.Context) (rights schema.Rights, err error) {
	err = s.examine(ctx, func(ctx context.Context, db schema.Querier) error {
		rights, err = schema.RightsOf(ctx, db, "")
		return err
	})
	return rights, s.translate(ctx, err)
}

// Empty deletes all data and the schema, also one that somebody damaged. Conflict if what is not crm's depends on it.
func (s *Service) Empty(ctx context.Context, config *pgx.ConnConfig) error {
	err := schema.Empty(ctx, config)
	if obstacle := inTheWay(err); obstacle != nil {
		return obstacle
	}
	return s.migrationFailure(ctx, err)
}

// HasNoEmployee reports whether nobody can log in yet.
func (s *Service) HasNoEmployee(ctx context.Context) (bool, error) {
	var exists bool
	err := s.send(ctx, readOnly, queryNoArgs(ctx, (*gen.Queries).EmployeeExists, &exists))
	return !exists, s.translate(ctx, err)
}

// HoldsSample reports whether the sample data was put into the database, whatever was added since.
func (s *Service) HoldsSample(ctx context.Context) (bool, error) {
	var held bool
	err := s.send(ctx, readOnly, queryNoArgs(ctx, (*gen.Queries).SampleHeld, &held))
	if isUndefinedTable(err) {
		return false, nil
	}
	return held, s.translate(ctx, err)
}

// HoldsOnlySample reports whether there is nobody's work in the database: nothing but the sample data as it was put in,
// nothing at all, or no schema.
func (s *Service) HoldsOnlySample(ctx context.Context) (bool, error) {
	var only bool
	err := s.send(ctx, readOnly, queryNoArgs(ctx, (*gen.Queries).SampleOnly, &only))
	if isUndefinedTable(err) { // there is no schema, or what is left of one
		holds, err := s.HoldsData(ctx)
		return !holds, err
	}
	return only, s.translate(ctx, err)
}

// Customers is how many customers the database holds; an error where there is no schema.
func (s *Service) Customers(ctx context.Context) (int64, error) {
	var n int64
	err := s.send(ctx, readOnly, queryNoArgs(ctx, (*gen.Queries).CustomersHeld, &n))
	return n, s.translate(ctx, err)
}

// DbPopulate puts the sample data into a database that holds no customer yet; Conflict if it does.
func (s *Session) DbPopulate(ctx context.Context) error {
	by, err := s.allow(ctx, "DbPopulate")
	if err != nil {
		return err
	}
	return s.translate(ctx, s.write(ctx, by, addSample(ctx)))
}

// Populate is DbPopulate in a database that nobody can log in to yet.
func (s *Service) Populate(ctx context.Context) error {
	return s.translate(ctx, s.change(ctx, "db populate", notIdempotent, addSample(ctx)))
}

func addSample(ctx context.Context) statement {
	return func(db gen.DBTX) error {
		_, err := db.Exec(ctx, schema.Sample)
		return err
	}
}
