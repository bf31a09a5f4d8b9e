package schema

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Transient are the tables that are never saved nor put back: who is logged in, also by a token, and who failed to.
// Whoever got hold of a backup that was put back could otherwise go on with a session of old.
var Transient = []string{"session", "login_failure"}

// ErrHoldsData says that rows would be lost.
var ErrHoldsData = errors.New("schema: the database holds data")

// IncompleteError says what a backup lacks, such as "table customer".
type IncompleteError struct{ What string }

func (e *IncompleteError) Error() string { return "schema: the backup lacks the " + e.What }

// DataError says that what a backup holds for a table was refused.
type DataError struct {
	Table string
	Err   error
}

func (e *DataError) Error() string { return "schema: the data of " + e.Table + ": " + e.Err.Error() }
func (e *DataError) Unwrap() error { return e.Err }

// Restore replaces crm's schema and all its data by those of a backup, in one transaction: it is put back whole, or
// nothing is changed. Nothing of the file is run: the schema is made by the migrations up to the version of the backup,
// and into its tables go the rows that the backup has for them, but for the Transient ones. What there was of crm's may be
// of any version and damaged; unless replace is set it may hold no rows. begins is called with each table whose rows are
// next. What the backup has beside that is left out and returned.
func Restore(ctx context.Context, config *pgx.ConnConfig, archive Archive, replace bool, begins func(table string)) (leftOut []string, err error) {
	saved, err := inspect(archive)
	if err == nil && saved.version > Version() {
		err = ErrVersion
	}
	if err != nil {
		return nil, err
	}
	d, err := connect(ctx, config)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err := d.Lock(); err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, d.conn, func(tx pgx.Tx) error {
		if err := d.execute(homeFirst + versionTable + versionLock); err != nil {
			return err
		}
		home, roles, err := d.grantees(tx)
		if err != nil {
			return err
		}
		if err := d.removeAll(tx, replace); err != nil {
			return err
		}
		files, err := fs.Glob(migrations, "*.up.sql")
		if err != nil {
			return err
		}
		if err := d.execute(versionTable); err != nil {
			return err
		}
		for _, file := range files[:saved.version] {
			text, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			if err := d.execute(string(text)); err != nil {
				return err
			}
		}
		if err := d.execute(versionRecord(int(saved.version))); err != nil {
			return err
		}
		tables, err := d.tables(tx)
		if err != nil {
			return err
		}
		if leftOut, err = d.fill(tables, saved, begins); err != nil {
			return err
		}
		return d.execute(renewal(saved.version, home, roles))
	})
	return leftOut, err
}

// homeFirst makes what the migrations make stand where crm is, if it is not in the first schema of the search path.
const homeFirst = `
SELECT set_config('search_path', quote_ident(nspname) || ', ' || current_setting('search_path'), true)
FROM pg_catalog.pg_class
JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
WHERE pg_class.oid = to_regclass('schema_migrations')
  AND nspname <> current_schema();
`

// table is one that the migrations made.
type table struct {
	name      string
	columns   []string // that can be written
	needed    []string // of them, those that have no default
	identity  []string // of them, those that a sequence numbers
	here      []string // of them, those that only this server can fill, as with the transaction that wrote the row
	deferring []string // its foreign keys that are checked at once
}

func (t table) sql() string { return pgx.Identifier{t.name}.Sanitize() }

// tables are those that a backup has rows for.
func (d *driver) tables(tx pgx.Tx) ([]table, error) {
	_, comments := madeByMigrations()
	var names []string
	for o := range comments {
		if o.kind == "table" && o.name != "schema_migrations" && !slices.Contains(Transient, o.name) {
			names = append(names, o.name)
		}
	}
	rows, err := tx.Query(d.ctx, `
		SELECT relname::text,
		       array_agg(attname::text) FILTER (WHERE attgenerated = ''),
		       coalesce(array_agg(attname::text) FILTER (WHERE NOT atthasdef), '{}'),
		       coalesce(array_agg(attname::text) FILTER (WHERE attidentity <> ''), '{}'),
		       coalesce(array_agg(attname::text) FILTER (WHERE pg_get_expr(adbin, adrelid) = 'pg_current_xact_id()'), '{}'),
		       ARRAY(
		           SELECT conname::text
		           FROM pg_catalog.pg_constraint
		           WHERE conrelid = pg_class.oid
		             AND contype = 'f'
		             AND NOT condeferrable)
		FROM pg_catalog.pg_class
		JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid
		LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE relkind = 'r'
		  AND attnum > 0
		  AND NOT attisdropped
		  AND relname = ANY($1)
		  AND relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = to_regclass('schema_migrations'))
		GROUP BY pg_class.oid, relname
		ORDER BY relname`, names)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t table, err error) {
		return t, row.Scan(&t.name, &t.columns, &t.needed, &t.identity, &t.here, &t.deferring)
	})
}

// fill copies the rows of a backup into the tables. They come in any order: foreign keys are checked when all are there.
// Triggers are off meanwhile, for what they add to other rows is in the backup already.
func (d *driver) fill(tables []table, saved source, begins func(table string)) (leftOut []string, err error) {
	var before, after strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&before, "ALTER TABLE %s DISABLE TRIGGER USER;\n", t.sql())
		fmt.Fprintf(&after, "ALTER TABLE %s ENABLE TRIGGER USER;\n", t.sql())
		for _, name := range t.deferring {
			alter := fmt.Sprintf("ALTER TABLE %s ALTER CONSTRAINT %s ", t.sql(), pgx.Identifier{name}.Sanitize())
			before.WriteString(alter + "DEFERRABLE INITIALLY DEFERRED;\n")
			after.WriteString(alter + "NOT DEFERRABLE;\n")
		}
	}
	if err := d.execute(before.String() + "SET CONSTRAINTS ALL DEFERRED"); err != nil {
		return nil, err
	}
	filled := map[string]bool{}
	err = saved.eachTable(func(from savedTable, rows io.Reader) error {
		place := slices.IndexFunc(tables, func(t table) bool { return t.name == from.name })
		switch {
		case from.schema == saved.schema && (from.name == "schema_migrations" || slices.Contains(Transient, from.name)):
			return nil
		case from.schema != saved.schema || place < 0:
			leftOut = append(leftOut, "table "+from.String())
			return nil
		case filled[from.name]:
			return ErrForeign // pg_dump writes each once
		}
		filled[from.name] = true
		begins(from.name)
		unknown, err := d.fillTable(tables[place], from, rows)
		leftOut = append(leftOut, unknown...)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if !filled[t.name] {
			return nil, &IncompleteError{"table " + t.name}
		}
	}
	if err := d.execute("SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		if refused := refusal(err); refused != nil {
			err = &DataError{refused.TableName, err}
		}
		return nil, err
	}
	for _, t := range tables {
		for _, column := range t.identity {
			// Also the number of a row that was deleted is never given again: payments may name who had it.
			given := saved.sequences[t.name+"_"+column+"_seq"]
			fmt.Fprintf(&after, "SELECT setval(pg_get_serial_sequence('%s', '%s'), greatest(max(%[3]s), %[5]d, 1), greatest(max(%[3]s), %[5]d) > 0) FROM %[4]s;\n",
				strings.ReplaceAll(t.sql(), "'", "''"), strings.ReplaceAll(column, "'", "''"), pgx.Identifier{column}.Sanitize(), t.sql(), given)
		}
	}
	return leftOut, d.execute(after.String())
}

// fillTable copies rows into the columns that are known.
func (d *driver) fillTable(to table, from savedTable, rows io.Reader) (leftOut []string, err error) {
	for _, needed := range to.needed {
		if !slices.Contains(from.columns, needed) {
			return nil, &IncompleteError{"column " + needed + " of the table " + to.name}
		}
	}
	kept := &keptFields{of: len(from.columns)}
	var columns []string
	for i, column := range from.columns {
		switch {
		case slices.Contains(to.here, column):
		case slices.Contains(to.columns, column):
			kept.keep, columns = append(kept.keep, i), append(columns, pgx.Identifier{column}.Sanitize())
		default:
			leftOut = append(leftOut, "column "+from.String()+"."+column)
		}
	}
	if len(columns) < len(from.columns) {
		kept.from = bufio.NewReader(rows)
		rows = kept
	}
	statement := fmt.Sprintf("COPY %s (%s) FROM STDIN WITH (ENCODING '%s')", to.sql(), strings.Join(columns, ", "), from.encoding)
	_, err = d.conn.PgConn().CopyFrom(d.ctx, rows, statement)
	if refusal(err) != nil {
		err = &DataError{to.name, err}
	}
	return leftOut, err
}
