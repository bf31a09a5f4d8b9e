package schema

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Transient are the tables that a backup leaves empty: who is logged in, also by a token, and who failed to. Whoever got hold of a backup
// that was put back could otherwise go on with a session of old.
var Transient = []string{"session", "login_failure"}

// Archive writes a backup as SQL, or the part of it that the arguments of pg_restore name. Closing what it gives tells
// whether that was all.
type Archive func(arguments ...string) (io.ReadCloser, error)

// Why a backup is not put back.
var (
	ErrForeign   = errors.New("schema: not a backup of crm")
	ErrHoldsData = errors.New("schema: the database holds data")
)

// ArchiveVersion is the schema version of a backup; ErrForeign if it has none.
func ArchiveVersion(archive Archive) (version int64, err error) {
	script, err := archive("--data-only", "--table=schema_migrations")
	if err != nil {
		return 0, err
	}
	version = -1
	err = eachTable(script, func(_ string, rows io.Reader) error {
		text, err := io.ReadAll(rows)
		if number, _, ok := strings.Cut(string(text), "\t"); ok {
			version, err = strconv.ParseInt(number, 10, 64)
		}
		return err
	}, func(string) error { return nil })
	if err = errors.Join(err, script.Close()); err == nil && version < 0 {
		err = ErrForeign
	}
	return version, err
}

// Restore replaces the schema and all data by those of a backup, in one transaction: it is put back whole, or nothing is
// changed. Unless replace is set the database may not hold any employee. begins is called with each table whose rows are
// next.
func Restore(ctx context.Context, config *pgx.ConnConfig, archive Archive, replace bool, begins func(table string)) error {
	d, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Lock(); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, d.conn, func(tx pgx.Tx) error {
		if err := d.execute(versionTable + versionLock); err != nil {
			return err
		}
		if err := d.removeAll(replace); err != nil {
			return err
		}
		definitions := func(section string) error {
			script, err := archive("--section=" + section)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(script)
			if err := errors.Join(err, script.Close()); err != nil {
				return err
			}
			return d.execute(ours(string(text)))
		}
		if err := definitions("pre-data"); err != nil {
			return err
		}
		script, err := archive("--section=data")
		if err != nil {
			return err
		}
		err = eachTable(script, func(copyFrom string, rows io.Reader) error {
			begins(tableOf(copyFrom))
			_, err := d.conn.PgConn().CopyFrom(ctx, rows, copyFrom)
			return err
		}, d.execute)
		if err := errors.Join(err, script.Close()); err != nil {
			return err
		}
		if err := definitions("post-data"); err != nil {
			return err
		}
		var complete bool
		err = tx.QueryRow(ctx, `
			SELECT set_config('search_path', reset_val, true) IS NOT NULL
			   AND NOT EXISTS (
			       SELECT FROM unnest($1::text[]) AS needed
			       WHERE to_regclass(needed) IS NULL)
			FROM pg_settings
			WHERE name = 'search_path'`, []string{"schema_migrations", "employee", "session", "login_failure"}).Scan(&complete)
		if err == nil && !complete {
			err = ErrForeign
		}
		return err
	})
}

// removeAll undoes every migration, and what remembers them.
func (d *driver) removeAll(evenData bool) error {
	version, dirty, err := d.Version()
	switch {
	case err != nil:
		return err
	case dirty || int64(version) > Version():
		return ErrVersion
	}
	if !evenData && version > 1 {
		var holds bool
		if err := d.conn.QueryRow(d.ctx, "SELECT EXISTS (SELECT FROM employee)").Scan(&holds); err != nil {
			return err
		}
		if holds {
			return ErrHoldsData
		}
	}
	files, err := fs.Glob(migrations, "*.down.sql")
	if err != nil {
		return err
	}
	for _, file := range slices.Backward(files[:max(version, 0)]) {
		text, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		if err := d.execute(string(text)); err != nil {
			return err
		}
	}
	return d.execute("DROP TABLE schema_migrations")
}

// eachTable reads the part of a backup that has the rows: for each table a statement that is followed by lines, and other
// statements of one line each.
func eachTable(script io.Reader, table func(copyFrom string, rows io.Reader) error, other func(statement string) error) error {
	lines := bufio.NewReader(script)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF && line == "" {
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		if statement := strings.TrimRight(line, "\n"); strings.HasPrefix(statement, "COPY ") && strings.HasSuffix(statement, " FROM stdin;") {
			err = table(strings.TrimSuffix(statement, ";"), &copied{from: lines})
		} else if statement = ours(statement); statement != "" && !strings.HasPrefix(statement, "--") {
			err = other(statement)
		} else {
			err = nil
		}
		if err != nil {
			return err
		}
	}
}

// copied is the rows of one table, up to the line that ends them.
type copied struct {
	from  *bufio.Reader
	rest  []byte
	ended bool
}

func (c *copied) Read(into []byte) (int, error) {
	if len(c.rest) == 0 && !c.ended {
		line, err := c.from.ReadBytes('\n')
		if err != nil { // even the last line has an end
			return 0, fmt.Errorf("the backup ends within a table: %w", io.ErrUnexpectedEOF)
		}
		c.rest, c.ended = line, string(line) == "\\.\n"
	}
	if c.ended {
		return 0, io.EOF
	}
	n := copy(into, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// ours leaves out of a script what is for psql, what only the owner of an extension may say, and what older servers do
// not know.
func ours(script string) string {
	var kept strings.Builder
	for line := range strings.Lines(script) {
		switch {
		case strings.HasPrefix(line, `\restrict `), strings.HasPrefix(line, `\unrestrict `),
			strings.HasPrefix(line, "COMMENT ON EXTENSION "), strings.HasPrefix(line, "SET transaction_timeout "):
		default:
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// tableOf is the name in COPY public.contract (id, ...) FROM stdin.
func tableOf(copyFrom string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(copyFrom, "COPY "), " ")
	return name[strings.LastIndex(name, ".")+1:]
}
