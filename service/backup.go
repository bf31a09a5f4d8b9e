package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
)

// BackupVersion returns the schema version of a database that is to be saved, which may be an old one. Unavailable if
// it has none, or one of which this program does not know what must stay out of a backup, or through a pooler.
func (s *Service) BackupVersion(ctx context.Context, conn *pgx.Conn) (int64, error) {
	err := s.budget.within(ctx, 1, func(ctx context.Context) error { return schema.RequireSession(ctx, conn) })
	if err != nil {
		return 0, s.migrationFailure(ctx, err)
	}
	version, err := s.CheckVersion(ctx)
	if 0 < version && version <= schema.Version() {
		err = nil
	}
	return version, err
}

// ArchiveVersion returns the schema version of a backup. Usage if it is none, Unavailable if it is newer than this
// program.
func ArchiveVersion(archive schema.Archive) (int64, error) {
	version, err := schema.ArchiveVersion(archive)
	switch {
	case errors.Is(err, schema.ErrForeign):
		return 0, errForeign
	case errors.Is(err, schema.ErrAmbiguous):
		return 0, errAmbiguous
	case err == nil && version > schema.Version():
		return 0, &failure.Error{Code: failure.Unavailable, Hint: "install a newer crm",
			Message: fmt.Sprintf("The backup is of schema version %d, this crm knows only %d.", version, schema.Version())}
	}
	return version, err
}

var (
	errForeign   = failure.Misuse("The file is not a backup of crm.", "")
	errAmbiguous = failure.Misuse("The file holds crm in several schemas: make a backup of one of them, with pg_dump --schema.", "")
)

// HoldsData reports whether a database has anything of crm's to lose, of whatever version and however damaged.
func (s *Service) HoldsData(ctx context.Context) (holds bool, err error) {
	err = s.budget.within(ctx, 1, func(ctx context.Context) error {
		holds, err = schema.HoldsData(ctx, s.db)
		return err
	})
	return holds, s.translate(ctx, err)
}

// Restored is what came of a restore.
type Restored struct {
	LeftOut  []string // what the backup has beside crm's tables and columns
	Findings int64    // sums that do not fit the payments, as Check finds them
}

// Restore replaces everything of crm's in the database by a backup, or changes nothing. Conflict if it holds data and
// replace is not set, or if what is not crm's is in the way; Usage if the data of the backup is not as it must be.
func (s *Service) Restore(ctx context.Context, config *pgx.ConnConfig, archive schema.Archive, replace bool, begins func(table string)) (r Restored, err error) {
	if r.LeftOut, err = schema.Restore(ctx, config, archive, replace, begins); err != nil {
		return r, s.restoreFailure(ctx, err)
	}
	if version, _ := s.CheckVersion(ctx); version != schema.Version() { // the query knows the newest schema only
		return r, nil
	}
	err = s.budget.within(ctx, 1, func(ctx context.Context) error {
		r.Findings, err = s.wrongSums(ctx)
		return err
	})
	return r, s.translate(ctx, err)
}

// obstacle begins a sentence about what is not crm's.
const obstacle = "What is not crm's is in the way: "

// inTheWay is what keeps crm's schema from being dropped: something that is not crm's depends on it. Else it is nil.
func inTheWay(err error) error {
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	if !refused || refusal.Code != "2BP01" {
		return nil
	}
	return &failure.Error{Code: failure.Conflict, Message: obstacle + strings.ReplaceAll(refusal.Detail, "\n", "; ") + ".", Err: err,
		Hint: "drop it before, and make it anew after"}
}

// restoreFailure makes what a restore can fail of into an Error.
func (s *Service) restoreFailure(ctx context.Context, err error) error {
	if incomplete, ok := errors.AsType[*schema.IncompleteError](err); ok {
		return failure.Misuse("The file is not a backup of crm, or not of all of it: it lacks the "+incomplete.What+".", "")
	}
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	data, ofData := errors.AsType[*schema.DataError](err)
	if what, exists := existing(err); exists {
		return &failure.Error{Code: failure.Conflict, Message: obstacle + what + ".", Err: err, Hint: "give crm a database or a schema of its own"}
	}
	if blocked := inTheWay(err); blocked != nil {
		return blocked
	}
	switch {
	case errors.Is(err, schema.ErrForeign):
		return errForeign
	case errors.Is(err, schema.ErrAmbiguous):
		return errAmbiguous
	case errors.Is(err, schema.ErrHoldsData):
		return &failure.Error{Code: failure.Conflict, Message: "The database holds data.", Err: err}
	case refused && ofData && strings.HasPrefix(refusal.Code, "23"):
		return failure.Misuse(fmt.Sprintf("The data of the backup breaks a rule of the schema: %s of the table %s.", refusal.ConstraintName, data.Table), "")
	case refused && ofData && strings.HasPrefix(refusal.Code, "22"):
		return failure.Misuse(fmt.Sprintf("The data of the backup for the table %s cannot be read: %s.", data.Table, refusal.Message), "")
	case refused && strings.HasPrefix(refusal.Code, "42"):
		return &failure.Error{Code: failure.Conflict, Message: "The backup does not fit this database: " + refusal.Message + ".", Err: err}
	}
	return s.migrationFailure(ctx, err)
}

// wrongSums counts the contracts whose sum is not that of their payments.
func (s *Service) wrongSums(ctx context.Context) (n int64, err error) {
	rows, err := s.db.Query(ctx, gen.Check, fields(gen.CheckParams{})...)
	if err != nil {
		return 0, err
	}
	var row gen.CheckRow
	_, err = pgx.ForEachRow(rows, columns.Addresses(&row), func() error {
		if row.Finding == "sum_mismatch" || row.Finding == "due_below_zero" {
			n++
		}
		return nil
	})
	return n, err
}
