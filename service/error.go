package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
)

func notFound(hint, format string, values ...any) *failure.Error {
	return &failure.Error{Code: failure.NotFound, Message: fmt.Sprintf(format, values...), Hint: hint}
}

// hostError returns the error of a database in which crm cannot work before something is done to it, or to the setting
// that leads to it.
func hostError(message, hint string, cause error) *failure.Error {
	return &failure.Error{Code: failure.Unavailable, Reason: failure.ForHost, Message: message, Hint: hint, Err: cause}
}

const noSchema = "The database does not have crm's schema."

// translate turns what pgx returns into an Error. The message of a broken rule is the comment on it in the schema.
func translate(ctx context.Context, db DB, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*failure.Error](err); ok {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return translateRefusal(ctx, db, refusal, err)
	}
	if errors.Is(err, pgx.ErrNoRows) { // where no row is an answer, the operation has taken it; the version is always there
		return hostError(noSchema, "crm db migrate", err)
	}
	unavailable := &failure.Error{Code: failure.Unavailable, Hint: tooSlowHint, Err: err}
	if isTimeout(err) {
		unavailable.Message = "The database did not answer in time."
		return unavailable
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		unavailable.Reason = failure.ForHost
		unavailable.Message = "The database cannot be reached" + why(err) + "."
		unavailable.Hint = "see that it runs, and that database.url is right"
		switch text := err.Error(); { // for these the packages below have no types
		case strings.Contains(text, "require_auth check failed"):
			unavailable.Message = "The database asks for the password in a way that can give it away, and does not get it."
			unavailable.Hint = "have the server use scram-sha-256; or add require_auth=password (or md5) to database.url if you trust it"
		case strings.Contains(text, "ValidateConnect failed"):
			unavailable.Message = "None of the database's hosts accepts what target_session_attrs asks for, as a rule writes."
			unavailable.Hint = "see which of them is the primary; target_session_attrs=any in database.url takes a standby, to read only"
		}
		return unavailable
	}
	if _, ok := errors.AsType[net.Error](err); ok || pgconn.SafeToRetry(err) || isClosed(err) {
		unavailable.Message = "The connection to the database was lost."
		return unavailable
	}
	return failure.Unforeseen(err)
}

// why is failure.WhyUnreachable, and knows how a server of PostgreSQL says that it has no TLS.
func why(err error) string {
	if strings.Contains(err.Error(), "server refused TLS connection") {
		return ": it has no TLS"
	}
	return failure.WhyUnreachable(err)
}

// isOutcomeUnknown reports whether a statement that failed so may have been done all the same.
func isOutcomeUnknown(err error) bool {
	if err == nil || pgconn.SafeToRetry(err) {
		return false
	}
	if _, ok := errors.AsType[outcomeUnknown](err); ok {
		return true
	}
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.Code == "57P01" || refusal.Code == "57P02" || strings.HasPrefix(refusal.Code, "08")
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false
	}
	_, network := errors.AsType[net.Error](err)
	return network || isClosed(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// isRejected reports whether the server refused the statement itself (classes 22 and 23, or no row), so that a retry
// cannot help.
func isRejected(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(refusal.Code, "22") || strings.HasPrefix(refusal.Code, "23")) || errors.Is(err, pgx.ErrNoRows)
}

// isTransient reports whether the same statement may succeed in a moment: after a lost connection, a shutdown, a
// failover, or a conflict with another transaction.
func isTransient(err error) bool {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch refusal.Code {
		case "40001", "40P01", "25006", "57P01", "57P02", "57P03", "57P05":
			return true
		case "23P01": // of two events at once; the trigger that looked before it names the other, now that it is there
			return true
		}
		return strings.HasPrefix(refusal.Code, "08")
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	return isOutcomeUnknown(err) || pgconn.SafeToRetry(err)
}

// isServerGone reports whether no connection to this server is of use any more: it shuts down, has crashed, is starting, or
// takes no writes.
func isServerGone(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (slices.Contains([]string{"25006", "57P01", "57P02", "57P03"}, refusal.Code) || strings.HasPrefix(refusal.Code, "08"))
}

// isClosed reports whether the server, or what stands between, ended the connection.
func isClosed(err error) bool {
	text := err.Error()
	return strings.Contains(text, "conn closed") || strings.Contains(text, "unexpected EOF")
}

// isRefusedBy reports whether a constraint of one of these names refused a statement.
func isRefusedBy(err error, constraints ...string) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(constraints, refusal.ConstraintName)
}

// notNull is the code of a refusal of PostgreSQL: a column has no value.
const notNull = "23502"

// isWithout reports whether a statement was refused because this column had no value.
func isWithout(err error, column string) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refusal.Code == notNull && refusal.ColumnName == column
}

// isClash reports whether a support would have run two events at once.
func isClash(err error) bool {
	return isRefusedBy(err, "event_no_clash", "event_clashes", "event_clashes_added")
}

// refusalOf returns what the database said of a row that is the only one of its statement to be refused.
func refusalOf(row gen.ImportWriteRow) *pgconn.PgError {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return &pgconn.PgError{
		Severity: "ERROR", Code: text(row.Code), Message: text(row.Message), TableName: text(row.Relation), ColumnName: text(row.Field),
		ConstraintName: text(row.Rule),
	}
}

// isOverpaid reports whether the payments of a contract would exceed its total amount.
func isOverpaid(err error) bool { return isRefusedBy(err, "contract_not_overpaid") }

// isTimeout reports whether an answer did not come in time.
func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err)
}

const tooSlowHint = "try again in a moment"

// isTooSlow reports whether the server gave a statement up for its time, and did nothing of it.
func isTooSlow(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (refusal.Code == "57014" || refusal.Code == "55P03")
}

// What the schema's functions of the same names raise.
const (
	wrongVersion = "ZC001"
	sessionOver  = "ZC002"
	dryRunEnds   = "ZC003"
)

// isSessionOver reports whether require_session found that the session ended, or the role changed, since they were checked.
func isSessionOver(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refusal.Code == sessionOver
}

// isDryRun reports whether everything was tried, and nothing of it kept.
func isDryRun(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refusal.Code == dryRunEnds
}

// isUndefined reports whether a table, a column or a function does not exist.
func isUndefined(refusal *pgconn.PgError) bool {
	return refusal.Code == "42P01" || refusal.Code == "42703" || refusal.Code == "42883"
}

// isUndefinedTable reports whether a statement failed because its table does not exist, or is one of another program.
func isUndefinedTable(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (refusal.Code == "42P01" || refusal.Code == "42703")
}

const readOnlyHint = "if it is a standby, name the primary, or all of them: postgres://user@one,two/crm; else try again in a moment"

func translateRefusal(ctx context.Context, db DB, refusal *pgconn.PgError, cause error) error {
	unavailable := func(message, hint string) error {
		return &failure.Error{Code: failure.Unavailable, Message: message, Hint: hint, Err: cause}
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](cause)
	switch code := refusal.Code; {
	case connecting && (code == "42704" || code == "22023" || code == "55P02" || code == "08P01" || code == "0A000" ||
		code == "42501" && settingOf(refusal) != ""):
		return refusedSetting(refusal, cause)
	case code == "23000": // raised by a trigger of the schema, which wrote the message
		return &failure.Error{Code: failure.Conflict, Message: refusal.Message, Err: cause}
	case code == "23503" || code == "23505" || code == "23514" || code == "23P01":
		message, err := gen.New(db).RuleMessage(ctx, gen.RuleMessageParams{
			TableName:      refusal.TableName,
			ConstraintName: refusal.ConstraintName,
		})
		switch {
		case err != nil && refusal.ConstraintName != "": // the rule refused all the same
			return &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("The rule %s of the database refused this.", refusal.ConstraintName), Err: cause}
		case err != nil || message == "":
			return &failure.Error{Code: failure.Internal, Message: "The database refused this by a rule without a message.", Err: cause}
		}
		return &failure.Error{Code: failure.Conflict, Message: message, Err: cause}
	case isUndefined(refusal):
		return missing(ctx, db, refusal, cause)
	case code == wrongVersion:
		row, err := gen.New(db).SchemaVersion(ctx)
		if err == nil {
			err = checkVersion(row.Version, row.Dirty)
		}
		if err == nil {
			return unavailable("The database was being migrated; nothing was changed.", "try again")
		}
		return translate(ctx, nil, err)
	case strings.HasPrefix(code, "22"): // out of range, or bytes that are no text
		return &failure.Error{Code: failure.Usage, Message: "The database cannot store this value.", Err: cause}
	case code == "42501":
		return hostError("The database's user lacks rights on crm's schema.", "crm doctor says which", cause)
	case code == "3D000":
		return hostError("The database does not exist.", "have the server's owner create it (CREATE DATABASE), or check database.url", cause)
	case strings.HasPrefix(code, "28"):
		return hostError("The database refused the user or password of its URL.", "check database.url", cause)
	case code == "53300":
		return unavailable("The database has no free connection.", "try again in a moment")
	case code == "53100":
		return hostError("The database's disk is full.", "free some space, then try again", cause)
	case code == "25006":
		return hostError("The database only accepts reads at the moment.", readOnlyHint, cause)
	case isTooSlow(refusal):
		return unavailable("The database did not answer in time.", tooSlowHint)
	case strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "08"):
		return unavailable("The database is starting or shutting down.", "try again in a moment")
	case strings.HasPrefix(code, "40"):
		return unavailable("Someone else changed the same data at this moment; nothing was changed.", "try again")
	}
	return failure.Unforeseen(cause)
}

// refusedSetting says which parameter of the URL the server does not take when connecting, and why.
func refusedSetting(refusal *pgconn.PgError, cause error) error {
	name, pooled := schema.IsPoolerRefusal(refusal)
	if !pooled {
		name = settingOf(refusal)
	}
	if name == "" {
		return failure.Unforeseen(cause)
	}
	problem := &failure.Error{Code: failure.Usage, Reason: failure.ForHost, Err: cause, Hint: "leave it out of database.url"}
	switch {
	case pooled:
		problem.Message = fmt.Sprintf("PgBouncer does not pass on the parameter %s of database.url.", name)
		problem.Hint = "leave it out, and have it set in the database: ALTER ROLE ... SET " + name + " = ..."
	case refusal.Code == "42704":
		problem.Message = fmt.Sprintf("database.url has the parameter %s, which PostgreSQL does not know.", name)
	case refusal.Code == "22023":
		problem.Message = fmt.Sprintf("The parameter %s in database.url has a value that it cannot have.", name)
	default:
		problem.Message = fmt.Sprintf("The parameter %s in database.url may not be set by this user, or only in the server's configuration.", name)
	}
	return problem
}

// settingOf returns the setting that a refusal names; the words around it are in the server's language.
func settingOf(refusal *pgconn.PgError) string {
	if name := settingName().FindStringSubmatch(refusal.Message); name != nil {
		return name[1]
	}
	return ""
}

var settingName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`["«„“]\s?([A-Za-z_][A-Za-z0-9_.]*)\s?["»“”]`)
})

// missing tells a database without crm's schema from one that has lost a part of it.
func missing(ctx context.Context, db DB, refusal *pgconn.PgError, cause error) error {
	if db != nil {
		row, err := gen.New(db).SchemaVersion(ctx)
		if err == nil {
			err = checkVersion(row.Version, row.Dirty)
		}
		_, refused := errors.AsType[*pgconn.PgError](err)
		switch {
		case err != nil && !refused && !errors.Is(err, pgx.ErrNoRows):
			return translate(ctx, nil, err)
		case err == nil:
			return hostError("A part of crm's schema is missing in the database: "+refusal.Message+".",
				"crm doctor says what else; a restored backup brings it back", cause)
		}
	}
	return hostError(noSchema, "crm db migrate", cause)
}

// asks reports whether translating an error asks the database something, which has to be within the time limit too.
func asks(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains([]string{"23503", "23505", "23514", "23P01", "42P01", "42703", "42883", wrongVersion}, refusal.Code)
}

// existing returns what a statement was to make that exists already, such as: relation "customer" already exists.
func existing(err error) (what string, exists bool) {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if ok && (refusal.Code == "42P07" || refusal.Code == "42710" || refusal.Code == "42723") { // a relation, a type, a function
		return refusal.Message, true
	}
	return "", false
}

// errOlder is the cause of what checkVersion says of a schema that a migration makes fit.
var errOlder = errors.New("service: the schema is older than this program")

// checkVersion refuses to work with a schema that this program does not know.
func checkVersion(version int64, dirty bool) error {
	problem := hostError("", "crm db migrate", nil)
	switch {
	case dirty && version <= schema.Version(): // crm's own migrations leave nothing half done
		problem.Message = fmt.Sprintf("The migration of the database to version %d did not finish; another program than crm began it.", version)
		problem.Hint = "finish it with that program, or put back a backup: crm db restore FILE"
	case version < schema.Version():
		problem.Message = fmt.Sprintf("The database is at schema version %d, this crm needs %d.", version, schema.Version())
		problem.Err = errOlder
	case version > schema.Version():
		problem.Message = fmt.Sprintf("The database is at schema version %d, this crm knows only %d.", version, schema.Version())
		problem.Hint = "install a newer crm"
	default:
		return nil
	}
	return problem
}
