package schema

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/golang-migrate/migrate/v4/database"
	"github.com/jackc/pgx/v5"
)

// UnknownError says that a database is at none of the versions of this program.
type UnknownError struct {
	Version     int64  // the one that it comes closest to
	Differences string // from that one, the first of them
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("schema: at no known version; unlike version %d: %s", e.Version, e.Differences)
}

// Repair sets the version of a database that says no version, or one whose migration did not finish, as tools leave it
// that write the version apart from the migration. It compares what is there with what each version has, for which the
// migrations are run in a schema of their own that is rolled back. UnknownError if it is at none; then nothing is changed.
func Repair(ctx context.Context, config *pgx.ConnConfig) error {
	d, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Lock(); err != nil {
		return err
	}
	version, dirty, err := d.Version()
	if err != nil || version != database.NilVersion && !dirty {
		return err
	}
	return pgx.BeginFunc(ctx, d.conn, func(tx pgx.Tx) error {
		if err := d.execute(versionTable + versionLock); err != nil {
			return err
		}
		actual, err := readCatalogue(ctx, tx)
		if err != nil {
			return err
		}
		versions, err := everyCatalogue(ctx, tx)
		if err != nil {
			return err
		}
		// What others keep beside crm's tables is theirs.
		known := map[string]bool{}
		for _, expected := range versions {
			for object := range expected {
				known[object.owner] = true
			}
		}
		maps.DeleteFunc(actual, func(object object, _ string) bool { return !known[object.owner] })
		found := slices.IndexFunc(versions, func(expected catalogue) bool { return maps.Equal(expected, actual) })
		if found < 0 {
			return unknown(versions, actual)
		}
		if found == 0 {
			found = database.NilVersion
		}
		return d.execute(versionRecord(found))
	})
}

// catalogue is what a schema holds: the definition of each object.
type catalogue map[object]string

// object is a table, view, type or function, or what belongs to it.
type object struct{ owner, name string }

// everyCatalogue gives that of each version, from 0 on, and leaves the database as it was.
func everyCatalogue(ctx context.Context, tx pgx.Tx) ([]catalogue, error) {
	files, err := fs.Glob(migrations, "*.up.sql")
	if err != nil {
		return nil, err
	}
	scratch, err := tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer scratch.Rollback(context.WithoutCancel(ctx))
	// What the migrations name is looked for, and made, in the first schema of the path.
	_, err = scratch.Exec(ctx, `
		CREATE SCHEMA crm_repair;
		SELECT set_config('search_path', 'crm_repair, ' || current_setting('search_path'), true)`)
	if err != nil {
		return nil, err
	}
	versions := []catalogue{{}}
	for _, file := range files {
		text, err := migrations.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if _, err := scratch.Exec(ctx, string(text)); err != nil {
			return nil, err
		}
		made, err := readCatalogue(ctx, scratch)
		if err != nil {
			return nil, err
		}
		versions = append(versions, made)
	}
	return versions, scratch.Rollback(ctx)
}

// readCatalogue reads the first schema of the search path, less what extensions and golang-migrate made there. Whether
// definitions name the schema depends on the version of PostgreSQL; here they never do.
func readCatalogue(ctx context.Context, tx pgx.Tx) (catalogue, error) {
	rows, err := tx.Query(ctx, `
WITH relation AS (
    SELECT pg_class.*
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace
      AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND relname <> 'schema_migrations'
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
), routine AS (
    SELECT pg_proc.*, oid::regprocedure::text AS signature
    FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
      AND prokind IN ('f', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
), own_type AS (
    SELECT pg_type.*
    FROM pg_type
    WHERE typnamespace = current_schema()::regnamespace
      AND typtype IN ('e', 'd', 'r')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = pg_type.oid AND deptype = 'e')
), item (owner, name, definition) AS (
    SELECT relname::text, CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view ' WHEN 'S' THEN 'sequence ' ELSE 'table ' END || relname,
           concat_ws(' ', relkind, relrowsecurity, relforcerowsecurity, CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END,
                     obj_description(oid, 'pg_class'))
    FROM relation
    UNION ALL
    SELECT relname, 'column ' || relname || '.' || attname,
           concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid),
                     col_description(relation.oid, attnum))
    FROM relation
    JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = relation.oid AND adnum = attnum
    WHERE relkind <> 'S'
    UNION ALL
    SELECT relname, 'constraint ' || conname, concat_ws(' ', pg_get_constraintdef(pg_constraint.oid), obj_description(pg_constraint.oid, 'pg_constraint'))
    FROM relation
    JOIN pg_constraint ON conrelid = relation.oid
    UNION ALL
    SELECT relname, 'index ' || indexrelid::regclass, concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid)
    FROM relation
    JOIN pg_index ON indrelid = relation.oid
    UNION ALL
    SELECT relname, 'trigger ' || tgname, concat_ws(' ', pg_get_triggerdef(pg_trigger.oid), tgenabled, obj_description(pg_trigger.oid, 'pg_trigger'))
    FROM relation
    JOIN pg_trigger ON tgrelid = relation.oid AND NOT tgisinternal
    UNION ALL
    SELECT relname, 'policy ' || polname,
           concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM relation
    JOIN pg_policy ON polrelid = relation.oid
    UNION ALL
    SELECT signature, 'function ' || signature, concat_ws(' ', pg_get_functiondef(oid), obj_description(oid, 'pg_proc'))
    FROM routine
    UNION ALL
    SELECT typname, 'type ' || typname,
           concat_ws(' ', typtype, format_type(typbasetype, typtypmod),
                     (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = own_type.oid),
                     obj_description(oid, 'pg_type'))
    FROM own_type
)
SELECT owner, name, replace(definition, quote_ident(current_schema()) || '.', '')
FROM item`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	read := catalogue{}
	for rows.Next() {
		var key object
		var definition string
		if err := rows.Scan(&key.owner, &key.name, &definition); err != nil {
			return nil, err
		}
		read[key] = definition
	}
	return read, rows.Err()
}

// unknown says how what is there differs from the version that it comes closest to.
func unknown(versions []catalogue, actual catalogue) error {
	differences := make([][]string, len(versions))
	closest := 0
	for version, expected := range versions {
		for key, definition := range expected {
			switch is, ok := actual[key]; {
			case !ok:
				differences[version] = append(differences[version], key.name+" is missing")
			case is != definition:
				differences[version] = append(differences[version], key.name+" is another")
			}
		}
		for key := range actual {
			if _, ok := expected[key]; !ok {
				differences[version] = append(differences[version], key.name+" is too many")
			}
		}
		if len(differences[version]) < len(differences[closest]) {
			closest = version
		}
	}
	const shown = 3
	listed := differences[closest]
	slices.Sort(listed)
	if more := len(listed) - shown; more > 0 {
		listed = append(listed[:shown], fmt.Sprintf("and %d more", more))
	}
	return &UnknownError{int64(closest), strings.Join(listed, ", ")}
}
