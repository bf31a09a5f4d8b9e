package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/schema"
)

// BackupVersion gives the schema version of a database that is to be saved, which may be an old one. Unavailable if it
// has none, or one of which this program does not know what must stay out of a backup, or through a pooler.
func (s *Service) BackupVersion(ctx context.Context, conn *pgx.Conn) (int64, error) {
	err := s.patience.within(ctx, 1, func(ctx context.Context) error { return schema.RequireSession(ctx, conn) })
	if err != nil {
		return 0, s.migrationFailure(ctx, err)
	}
	version, err := s.CheckVersion(ctx)
	if 0 < version && version <= schema.Version() {
		err = nil
	}
	return version, err
}

// ArchiveVersion gives the schema version of a backup. Usage if it is none, Unavailable if it is newer than this program.
func ArchiveVersion(archive schema.Archive) (int64, error) {
	version, err := schema.ArchiveVersion(archive)
	switch {
	case errors.Is(err, schema.ErrForeign):
		return 0, errForeign
	case err == nil && version > schema.Version():
		return 0, &Error{Code: Unavailable, Hint: "install a newer crm",
			Message: fmt.Sprintf("The backup is of schema version %d, this crm knows only %d.", version, schema.Version())}
	}
	return version, err
}

var errForeign = &InputError{Message: "The file is not a backup of crm."}

// HoldsData says whether a database has anything to lose: an employee.
func (s *Service) HoldsData(ctx context.Context) (bool, error) {
	empty, err := s.HasNoEmployee(ctx)
	if isUndefinedTable(err) {
		return false, nil
	}
	return !empty, err
}

// Restore replaces everything in the database by a backup, or changes nothing. Conflict if it holds data and replace is
// not set; Unavailable if it is of a newer schema version.
func (s *Service) Restore(ctx context.Context, config *pgx.ConnConfig, archive schema.Archive, replace bool, begins func(table string)) error {
	err := schema.Restore(ctx, config, archive, replace, begins)
	switch {
	case errors.Is(err, schema.ErrForeign):
		return errForeign
	case errors.Is(err, schema.ErrHoldsData):
		return &Error{Code: Conflict, Message: "The database holds data.", Err: err}
	}
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if ok && (strings.HasPrefix(refusal.Code, "42") || strings.HasPrefix(refusal.Code, "2B")) { // what is not crm's is in the way
		return &Error{Code: Conflict, Message: "The backup does not fit this database: " + refusal.Message + ".", Err: err}
	}
	return s.migrationFailure(ctx, err)
}
