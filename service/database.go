package service

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/schema"
)

// CheckVersion gives the schema version of the database. Unavailable if it is not the one this program works with.
func (s *Service) CheckVersion(ctx context.Context) (int64, error) {
	var row gen.SchemaMigration
	if err := s.send(ctx, reads, fetch(ctx, (*gen.Queries).SchemaVersion, &row)); err != nil {
		return 0, translate(ctx, s.db, err)
	}
	return row.Version, checkVersion(row.Version, row.Dirty)
}

// Migrate brings the database to the schema version of this program. Unavailable if the database is at a newer one, or
// if an earlier migration did not finish.
func (s *Service) Migrate(ctx context.Context, config *pgx.ConnConfig) error {
	var row gen.SchemaMigration
	err := s.send(ctx, reads, fetch(ctx, (*gen.Queries).SchemaVersion, &row))
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
	var exists bool
	err := s.send(ctx, reads, fetch(ctx, (*gen.Queries).EmployeeExists, &exists))
	return !exists, translate(ctx, s.db, err)
}

// HoldsOnlySample says whether there is nobody's work in the database: no customer but those of the sample data, whose
// e-mail addresses end in a reserved domain, or no schema at all.
func (s *Service) HoldsOnlySample(ctx context.Context) (bool, error) {
	var only bool
	err := s.send(ctx, reads, fetch(ctx, (*gen.Queries).CustomersAreSample, &only))
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
	err := s.patience.within(ctx, 1, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, schema.Sample)
		return err
	})
	return translate(ctx, s.db, err)
}
