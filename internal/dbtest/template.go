package dbtest

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/schema"
)

var (
	templateMu sync.Mutex
	templates  = map[string]string{} // those known to be complete, by kind
)

// template returns the name of the template database of a kind, made first if the server does not have it.
func template(ctx context.Context, kind string) (string, error) {
	templateMu.Lock()
	defer templateMu.Unlock()
	if name, ok := templates[kind]; ok {
		return name, nil
	}
	name := "crm_template_" + kind + "_" + schema.Hash()
	conn, err := pgx.Connect(ctx, maintenance)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var found bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&found)
	if err != nil {
		return "", err
	}
	if !found {
		if err := makeTemplate(ctx, conn, kind, name); err != nil {
			return "", err
		}
	}
	templates[kind] = name
	return name, nil
}

// makeTemplate fills a database under a name of this process and renames it: a template that is there is complete. When
// several processes make the same one, the first keeps the name.
func makeTemplate(ctx context.Context, conn *pgx.Conn, kind, name string) error {
	building := newName()
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+building+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		return err
	}
	err := func() error {
		config, err := pgx.ParseConfig(databaseURL(building))
		if err != nil {
			return err
		}
		if err := fillers[kind](ctx, config); err != nil {
			return err
		}
		// The comment tells sweep how old a template is.
		const date = "DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), current_date); END $$"
		if err := execute(ctx, databaseURL(building), date); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "ALTER DATABASE "+building+" RENAME TO "+name)
		return err
	}()
	if err == nil {
		return nil
	}
	_, dropErr := conn.Exec(ctx, "DROP DATABASE "+building+" WITH (FORCE)")
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && isTaken(answer.Code) {
		err = nil
	}
	return errors.Join(err, dropErr)
}

// isTaken reports whether a database could not get its name because another has it, even if it got it only just now.
func isTaken(code string) bool { return code == "42P04" || code == "23505" }

// sweep drops what killed test processes left on a shared server, and templates that nobody has made anew for a month.
// A process lives as long as its keeper, a connection whose application is named like its databases.
func sweep(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		SELECT datname
		FROM pg_database
		WHERE pg_get_userbyid(datdba) = current_user
		  AND (datname ~ '^crm_test_[0-9a-f]+_[0-9]+$'
		       AND substring(datname FROM '^crm_test_[0-9a-f]+') NOT IN (
		           SELECT application_name
		           FROM pg_stat_activity
		           WHERE application_name IS NOT NULL)
		    OR datname ~ '^crm_template_[a-z]+_[0-9a-f]+$'
		       AND shobj_description(pg_database.oid, 'pg_database') < (current_date - 30)::text)`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		// Another process may sweep at the same time.
		_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		if _, refused := errors.AsType[*pgconn.PgError](err); err != nil && !refused {
			return err
		}
	}
	return nil
}
