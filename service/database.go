package service

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/schema"
)

// CheckVersion gives the schema version of the database. Unavailable if it is not the one this program works with.
func (s *Service) CheckVersion(ctx context.Context) (int64, error) {
	row, err := s.gen.SchemaVersion(ctx)
	if err != nil {
		return 0, translate(ctx, s.db, err)
	}
	return row.Version, checkVersion(row.Version, row.Dirty)
}

// Migrate brings the database to the schema version of this program. Unavailable if the database is at a newer one, or
// if an earlier migration did not finish.
func (s *Service) Migrate(ctx context.Context, config *pgx.ConnConfig) error {
	row, err := s.gen.SchemaVersion(ctx)
	switch {
	case errors.Is(err, pgx.ErrNoRows), isUndefinedTable(err):
		// nothing was migrated yet
	case err != nil:
		return translate(ctx, s.db, err)
	case row.Dirty || row.Version >= schema.Version():
		return checkVersion(row.Version, row.Dirty)
	}
	return translate(ctx, s.db, schema.Migrate(ctx, config))
}

// Empty deletes all data and the schema.
func (s *Service) Empty(ctx context.Context, config *pgx.ConnConfig) error {
	return translate(ctx, s.db, schema.Empty(ctx, config))
}

// HasNoEmployee says whether nobody can log in yet.
func (s *Service) HasNoEmployee(ctx context.Context) (bool, error) {
	exists, err := s.gen.EmployeeExists(ctx)
	return !exists, translate(ctx, s.db, err)
}

// HoldsOnlySample says whether there is nobody's work in the database: no customer but those of the sample data, whose
// e-mail addresses end in a reserved domain, or no schema at all.
func (s *Service) HoldsOnlySample(ctx context.Context) (bool, error) {
	only, err := s.gen.CustomersAreSample(ctx)
	if isUndefinedTable(err) {
		return true, nil
	}
	return only, translate(ctx, s.db, err)
}

// DbPopulate puts the sample data into a database that holds no customer yet; Conflict if it does.
func (s *Session) DbPopulate(ctx context.Context) error {
	if _, err := s.allow(ctx, "DbPopulate"); err != nil {
		return err
	}
	return s.populate(ctx)
}

// Populate is DbPopulate in a database that nobody can log in to yet.
func (s *Service) Populate(ctx context.Context) error { return s.populate(ctx) }

func (s *core) populate(ctx context.Context) error {
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		if _, err := s.gen.WithTx(tx).CustomerTableLock(ctx); err != nil {
			return err
		}
		exists, err := s.gen.WithTx(tx).CustomerExists(ctx)
		if err != nil {
			return err
		}
		if exists {
			return &Error{Code: Conflict, Message: "The database holds customers already; the sample data goes into an empty one."}
		}
		_, err = tx.Exec(ctx, schema.Sample)
		return err
	})
	return translate(ctx, s.db, err)
}
