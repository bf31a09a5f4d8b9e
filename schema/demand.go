package schema

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// UnfitError says why crm's schema cannot be in a database as it is, and what to run.
type UnfitError struct{ Message, Remedy string }

func (e *UnfitError) Error() string { return "schema: " + e.Message }

// Querier is a connection, a transaction or a pool.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// ground is what a database offers to crm's schema.
type ground struct {
	database, user, encoding, path string
	schema                         string // in which tables are made; "" if the search path names none that exists
	versionTable                   string // the columns of schema_migrations
	extension                      string // the schema that has pg_trgm; "" if none
	extensionUsable                bool
	extensionOnPath                bool
	extensionAvailable             bool
	mayCreateInDatabase            bool
	mayCreateInSchema              bool
	made                           bool   // crm's functions are there
	owner                          string // of the table of the version; "" if there is none
	owns                           bool
	unreadable                     bool // the table of the version
}

func readGround(ctx context.Context, db Querier) (g ground, err error) {
	err = db.QueryRow(ctx, `
		SELECT current_database()::text,
		       current_user::text,
		       current_setting('server_encoding'),
		       current_setting('search_path'),
		       coalesce(current_schema(), '')::text,
		       coalesce((
		           SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
		           FROM pg_attribute
		           WHERE attrelid = to_regclass('schema_migrations')
		             AND attnum > 0
		             AND NOT attisdropped
		       ), ''),
		       coalesce(nspname, '')::text,
		       coalesce(has_schema_privilege(pg_namespace.oid, 'USAGE'), false),
		       coalesce(nspname = ANY (current_schemas(true)), false),
		       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'),
		       has_database_privilege(current_database(), 'CREATE'),
		       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
		       to_regproc('is_line') IS NOT NULL OR to_regproc('search_pattern') IS NOT NULL,
		       coalesce(pg_get_userbyid(relowner)::text, ''),
		       coalesce(pg_has_role(relowner, 'USAGE'), false),
		       coalesce(NOT has_column_privilege(pg_class.oid, 'version', 'SELECT'), false)
		FROM (SELECT) AS one
		LEFT JOIN pg_class ON pg_class.oid = to_regclass('schema_migrations')
		LEFT JOIN pg_extension ON extname = 'pg_trgm'
		LEFT JOIN pg_namespace ON pg_namespace.oid = extnamespace`).Scan(
		&g.database, &g.user, &g.encoding, &g.path, &g.schema, &g.versionTable, &g.extension, &g.extensionUsable, &g.extensionOnPath,
		&g.extensionAvailable, &g.mayCreateInDatabase, &g.mayCreateInSchema, &g.made, &g.owner, &g.owns, &g.unreadable)
	return g, err
}

// Fit returns an UnfitError if crm cannot work in the database, migrated or not: for the encoding, the search path, a
// table of another program, the extension, or the user's rights.
func Fit(ctx context.Context, db Querier) error {
	g, err := readGround(ctx, db)
	if err != nil {
		return err
	}
	if err := g.foreign(ctx, db); err != nil {
		return err
	}
	if err := g.unfit(); err != nil {
		return err
	}
	if g.unreadable {
		rights, err := RightsOf(ctx, db, "")
		if err == nil {
			err = rights.unfit()
		}
		return err
	}
	return nil
}

// Foreign returns an UnfitError if the table of the version belongs to another program.
func Foreign(ctx context.Context, db Querier) error {
	g, err := readGround(ctx, db)
	if err != nil {
		return err
	}
	return g.foreign(ctx, db)
}

// foreign reports a table of another program, whose columns are others or that has a version without anything of crm's.
func (g ground) foreign(ctx context.Context, db Querier) error {
	if g.versionTable == "" || g.made || g.unreadable {
		return nil
	}
	if g.versionTable == "version bigint, dirty boolean" {
		var theirs bool
		err := db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM schema_migrations WHERE NOT dirty)").Scan(&theirs)
		if err != nil || !theirs {
			return err
		}
	}
	return &UnfitError{
		fmt.Sprintf("The table schema_migrations in the database %s belongs to another program.", g.database),
		"give crm a database of its own, or a schema: CREATE SCHEMA crm; then search_path=crm in database.url"}
}

// unfit reports what keeps the schema from being made, or from holding every name.
func (g ground) unfit() error {
	user, schema := quoted(g.user), quoted(g.schema)
	switch {
	case g.encoding != "UTF8":
		return &UnfitError{
			fmt.Sprintf("The database %s stores text as %s, which does not have every letter; crm needs UTF8.", g.database, g.encoding),
			"CREATE DATABASE " + quoted(g.database+"_utf8") + " TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'; then name it in database.url"}
	case g.schema == "":
		return &UnfitError{
			fmt.Sprintf("No schema of the search path (%s) exists in the database %s, or the user %s may not use it.", g.path, g.database, g.user),
			"name one: search_path=... in database.url, or ALTER ROLE " + user + " SET search_path = ..."}
	case g.made && g.extension != "": // all is there
		return nil
	case !g.mayCreateInSchema:
		return &UnfitError{
			fmt.Sprintf("The user %s may not make tables in the schema %s of the database %s.", g.user, g.schema, g.database),
			"have its owner run: GRANT USAGE, CREATE ON SCHEMA " + schema + " TO " + user}
	case g.extension == "" && !g.extensionAvailable:
		return &UnfitError{
			"The server does not have the extension pg_trgm, which crm searches with.",
			"install it there: it is in the package postgresql-contrib"}
	case g.extension == "" && !g.mayCreateInDatabase:
		return &UnfitError{
			fmt.Sprintf("The user %s may not add the extension pg_trgm, which crm searches with, to the database %s.", g.user, g.database),
			"have the database's owner run in it: CREATE EXTENSION pg_trgm"}
	case g.extension != "" && !g.extensionUsable:
		return &UnfitError{
			fmt.Sprintf("The user %s may not use the schema %s, which has the extension pg_trgm.", g.user, g.extension),
			"have its owner run: GRANT USAGE ON SCHEMA " + quoted(g.extension) + " TO " + user}
	}
	return nil
}

// prepare refuses what cannot be migrated before anything is, and has the extension found where it is.
func (d *driver) prepare() error {
	g, err := readGround(d.ctx, d.conn)
	if err == nil {
		err = g.foreign(d.ctx, d.conn)
	}
	if err == nil {
		err = g.unfit()
	}
	if err == nil && g.owner != "" && !g.owns {
		err = &UnfitError{
			fmt.Sprintf("The user %s does not own crm's schema in the database %s, and so cannot change it.", g.user, g.database),
			"name its owner " + g.owner + " in database.url"}
	}
	if err == nil && g.extension != "" && !g.extensionOnPath {
		_, err = d.conn.Exec(d.ctx, "SELECT set_config('search_path', concat_ws(', ', current_setting('search_path'), quote_ident($1)), false)", g.extension)
	}
	return err
}

func quoted(name string) string {
	if plain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == ""; plain && name != "" && strings.Trim(name[:1], "0123456789") != "" {
		return name
	}
	return pgx.Identifier{name}.Sanitize()
}

// LogsParameters reports whether the server's log has the parameters of this user's statements in it.
func LogsParameters(ctx context.Context, db Querier) (logs bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT current_setting('log_parameter_max_length') <> '0'
		   AND (current_setting('log_statement') IN ('mod', 'all')
		    OR current_setting('log_min_duration_statement') <> '-1'
		    OR current_setting('log_min_duration_sample') <> '-1'
		    OR current_setting('log_transaction_sample_rate') <> '0')`).Scan(&logs)
	return logs, err
}
