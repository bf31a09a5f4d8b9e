package schema

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// grantsFile is what a role may do that works with crm and owns nothing, as SQL with psql's variables schema and role.
//
//go:embed grants.sql
var grantsFile string

// grantsTo is grantsFile for one role.
func grantsTo(schema, role string) string {
	return strings.NewReplacer(`:"schema"`, pgx.Identifier{schema}.Sanitize(), `:"role"`, pgx.Identifier{role}.Sanitize()).Replace(grantsFile)
}

// ErrNoRole says that the server has no such role.
var ErrNoRole = errors.New("schema: no such role")

// BoundlessError says why no grant limits a role.
type BoundlessError struct{ Why string }

func (e *BoundlessError) Error() string { return "schema: a role that " + e.Why }

// Grant lets a role work with crm's schema, which has to be at Version, and takes back what else it was given there. It
// returns what the role may do beyond that all the same, by way of PUBLIC or of another role. ErrNoRole and BoundlessError
// say why it cannot be limited; UnfitError, that the schema belongs to another user; ErrVersion as in Migrate.
func Grant(ctx context.Context, config *pgx.ConnConfig, role string) (excess []string, err error) {
	d, err := connect(ctx, config)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err := d.Lock(); err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, d.conn, func(tx pgx.Tx) error {
		if version, dirty, err := d.Version(); err != nil {
			return err
		} else if dirty || int64(version) != Version() {
			return ErrVersion
		}
		before, err := RightsOf(ctx, tx, role)
		if err != nil {
			return err
		}
		if before.Boundless != "" {
			return &BoundlessError{before.Boundless}
		}
		if err := d.execute(grantsTo(before.schema, role)); err != nil {
			return err
		}
		after, err := RightsOf(ctx, tx, role)
		if err != nil {
			return err
		}
		excess = after.Excess
		return after.unfit()
	})
	return excess, err
}

// grantees are the schema in which crm is, and the roles that Grant was called for: the only ones that may read its version
// by column.
func (d *driver) grantees(db Querier) (schema string, roles []string, err error) {
	err = db.QueryRow(d.ctx, `
		SELECT nspname::text,
		       ARRAY(
		           SELECT pg_get_userbyid(grantee)::text
		           FROM pg_catalog.pg_attribute, aclexplode(attacl)
		           WHERE attrelid = pg_class.oid
		             AND attname = 'version'
		             AND grantee NOT IN (0, relowner)
		           ORDER BY grantee)
		FROM pg_catalog.pg_class
		JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
		WHERE pg_class.oid = to_regclass('schema_migrations')`).Scan(&schema, &roles)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return schema, roles, err
}

// renewal is the SQL that grants anew what these roles may do, once the schema is at Version; before, it only keeps in mind
// who they are.
func renewal(version int64, schema string, roles []string) string {
	var all strings.Builder
	for _, role := range roles {
		if version == Version() {
			all.WriteString(grantsTo(schema, role))
		} else {
			fmt.Fprintf(&all, "GRANT SELECT (version, dirty) ON schema_migrations TO %s;\n", pgx.Identifier{role}.Sanitize())
		}
	}
	return all.String()
}

// Rights are how a role stands to crm's schema.
type Rights struct {
	Role  string
	Owner string // of the schema's tables
	// Boundless says why the role may do everything, such as "is a superuser"; empty if it may not.
	Boundless string
	// What the role lacks of what Grant gives, and what it may do beyond, such as "UPDATE (paid_amount) on contract".
	Missing, Excess []string

	schema, database string
}

// unfit returns an error if the role cannot work with crm.
func (r Rights) unfit() error {
	if r.Boundless != "" || len(r.Missing) == 0 {
		return nil
	}
	return &UnfitError{
		fmt.Sprintf("The user %s lacks a right on crm's schema in the database %s: %s.", r.Role, r.database, strings.Join(r.Missing, ", ")),
		fmt.Sprintf("as %s, who owns it, run: crm db grant %s", r.Owner, r.Role)}
}

// RightsOf returns how a role stands to a schema at Version, or of the current user where it is empty. ErrNoRole if there
// is no such role.
func RightsOf(ctx context.Context, db Querier, role string) (r Rights, err error) {
	err = db.QueryRow(ctx, `
		SELECT rolname::text,
		       pg_get_userbyid(relowner)::text,
		       nspname::text,
		       datname::text,
		       CASE
		           WHEN rolsuper THEN 'is a superuser'
		           WHEN pg_roles.oid = relowner THEN 'owns crm''s schema'
		           WHEN pg_roles.oid = datdba THEN 'owns the database'
		           WHEN pg_has_role(pg_roles.oid, relowner, 'MEMBER') THEN 'is a member of ' || pg_get_userbyid(relowner) || ', which owns crm''s schema'
		           WHEN pg_has_role(pg_roles.oid, datdba, 'MEMBER') THEN 'is a member of ' || pg_get_userbyid(datdba) || ', which owns the database'
		           ELSE ''
		       END
		FROM pg_catalog.pg_roles,
		     pg_catalog.pg_database,
		     pg_catalog.pg_class
		JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
		WHERE rolname = coalesce(nullif($1, ''), current_user)
		  AND datname = current_database()
		  AND pg_class.oid = to_regclass('schema_migrations')`, role).Scan(&r.Role, &r.Owner, &r.schema, &r.database, &r.Boundless)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNoRole
	}
	if err != nil {
		return r, err
	}
	objects, kinds, privileges, relations, columns := wantedRights()
	rows, err := db.Query(ctx, rightsQuery, r.Role, objects, kinds, privileges, relations, columns)
	if err != nil {
		return r, err
	}
	var wanted bool
	var what string
	_, err = pgx.ForEachRow(rows, []any{&wanted, &what}, func() error {
		if wanted {
			r.Missing = append(r.Missing, what)
		} else {
			r.Excess = append(r.Excess, what)
		}
		return nil
	})
	return r, err
}

// wantedRights reads grantsFile: the objects that it names, and what it grants, one privilege, object and column each; no
// column is all of them.
func wantedRights() (objects, kinds, privileges, relations, columns []string) {
	var text strings.Builder
	for line := range strings.Lines(grantsFile) {
		if !strings.HasPrefix(line, "--") {
			text.WriteString(line)
		}
	}
	for statement := range strings.SplitSeq(text.String(), ";") {
		statement = strings.Join(strings.Fields(statement), " ")
		rights, on, found := strings.Cut(statement, " ON ")
		verb, rights, _ := strings.Cut(rights, " ")
		if !found {
			continue
		}
		on, _, _ = strings.Cut(on, map[string]string{"GRANT": " TO ", "REVOKE": " FROM "}[verb])
		kind := "TABLE"
		for _, other := range []string{"SCHEMA", "SEQUENCE", "FUNCTION"} {
			if rest, is := strings.CutPrefix(on, other+" "); is {
				kind, on = other, rest
			}
		}
		list, within, _ := strings.Cut(strings.TrimSuffix(rights, ")"), " (")
		for _, object := range outsideBrackets(on) {
			objects = append(objects, object)
			for _, privilege := range strings.Split(list, ", ") {
				for _, column := range strings.Split(within, ", ") {
					if verb == "GRANT" {
						kinds, privileges = append(kinds, kind), append(privileges, privilege)
						relations, columns = append(relations, object), append(columns, column)
					}
				}
			}
		}
	}
	return objects, kinds, privileges, relations, columns
}

// outsideBrackets splits a list at its commas, of which those in brackets separate the types of arguments.
func outsideBrackets(list string) (parts []string) {
	depth, begin := 0, 0
	for i, r := range list {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			parts, begin = append(parts, list[begin:i]), i+2
		}
	}
	return append(parts, list[begin:])
}

// rightsQuery compares what a role may do with what it should. Rights on a table are those on all of its columns.
const rightsQuery = `
WITH wanted AS (
    SELECT *
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS wanted (kind, privilege, object, col)
), relation AS (
    SELECT oid, relname::text AS object, relkind
    FROM pg_catalog.pg_class
    WHERE relname = ANY($2::text[])
      AND relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = to_regclass('schema_migrations'))
), standing (privilege, object, col, wanted, has) AS (
    SELECT privilege, object, attname::text,
           EXISTS (SELECT FROM wanted WHERE wanted.object = relation.object AND wanted.privilege = each.privilege AND col IN ('', attname)),
           has_column_privilege($1::text, oid, attnum, privilege)
    FROM relation
    JOIN pg_catalog.pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS each (privilege)
    WHERE relkind <> 'S'
    UNION ALL
    SELECT privilege, object, NULL,
           EXISTS (SELECT FROM wanted WHERE wanted.object = relation.object AND wanted.privilege = each.privilege),
           CASE relkind WHEN 'S' THEN has_sequence_privilege($1::text, oid, privilege) ELSE has_table_privilege($1::text, oid, privilege) END
    FROM relation
    CROSS JOIN unnest(CASE
        WHEN relkind = 'S' THEN ARRAY['SELECT', 'USAGE', 'UPDATE']
        WHEN current_setting('server_version_num')::integer < 170000 THEN ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']
        ELSE ARRAY['DELETE', 'TRUNCATE', 'TRIGGER', 'MAINTAIN']
    END) AS each (privilege)
    UNION ALL
    SELECT privilege, 'the function ' || object, NULL, true, has_function_privilege($1::text, function, privilege)
    FROM wanted
    CROSS JOIN to_regprocedure(CASE kind WHEN 'FUNCTION' THEN object END) AS function
    WHERE function IS NOT NULL
    UNION ALL
    SELECT privilege, 'the schema ' || nspname, NULL, privilege = 'USAGE', has_schema_privilege($1::text, pg_namespace.oid, privilege)
    FROM pg_catalog.pg_class
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
    CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) AS each (privilege)
    WHERE pg_class.oid = to_regclass('schema_migrations')
    UNION ALL
    SELECT 'CREATE', 'the database ' || current_database(), NULL, false, has_database_privilege($1::text, current_database(), 'CREATE')
    UNION ALL
    SELECT attribute, NULL, NULL, false, has
    FROM pg_catalog.pg_roles
    CROSS JOIN LATERAL (VALUES ('CREATEROLE', rolcreaterole), ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls)) AS each (attribute, has)
    WHERE rolname = $1
    UNION ALL
    SELECT 'membership', rolname, NULL, false, pg_has_role($1::text, oid, 'MEMBER')
    FROM pg_catalog.pg_roles
    WHERE rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
), counted AS (
    SELECT *, count(*) OVER (PARTITION BY privilege, object) AS columns
    FROM standing
)
SELECT wanted,
       CASE
           WHEN object IS NULL THEN privilege
           WHEN privilege = 'membership' THEN 'membership in ' || object
           WHEN count(*) = max(columns) THEN privilege || ' on ' || object
           ELSE privilege || ' (' || string_agg(col, ', ' ORDER BY col) || ') on ' || object
       END AS what
FROM counted
WHERE wanted <> has
GROUP BY wanted, privilege, object
ORDER BY wanted, what`
