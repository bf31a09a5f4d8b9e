//go:build linux || darwin

package localdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ensureDatabase fills a scratch database and renames it when it is complete.
func (c *Cluster) ensureDatabase(ctx context.Context, progress func(string), create Create) error {
	admin, err := pgx.Connect(ctx, c.URL(adminDatabase))
	if err != nil {
		return c.sqlFailure(err)
	}
	defer admin.Close(context.WithoutCancel(ctx))

	found, err := c.found(ctx, admin)
	if err != nil || found {
		return err
	}
	if err := c.requireExtension(ctx, admin, "pg_trgm"); err != nil {
		return err
	}
	progress(c.creating())
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+scratchDatabase+" WITH (FORCE)"); err != nil {
		return c.sqlFailure(err)
	}
	// A command that was killed may have asked for the new name, and the server may have been about to give it.
	if found, err = c.found(ctx, admin); err != nil || found {
		return err
	}
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+scratchDatabase); err != nil {
		return c.sqlFailure(err)
	}
	if err := create(ctx, c.URL(scratchDatabase)); err != nil {
		return err
	}
	if _, err := admin.Exec(ctx, "ALTER DATABASE "+scratchDatabase+" RENAME TO "+Database); err != nil {
		return c.sqlFailure(err)
	}
	return nil
}

// found says whether the database is there.
func (c *Cluster) found(ctx context.Context, admin *pgx.Conn) (found bool, err error) {
	const lookup = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err := admin.QueryRow(ctx, lookup, Database).Scan(&found); err != nil {
		return false, c.sqlFailure(err)
	}
	return found, nil
}

// requireExtension says how to install what some systems package apart from the server.
func (c *Cluster) requireExtension(ctx context.Context, conn *pgx.Conn, name string) error {
	var found bool
	const lookup = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)"
	if err := conn.QueryRow(ctx, lookup, name).Scan(&found); err != nil {
		return c.sqlFailure(err)
	}
	if !found {
		return &Error{
			Message: fmt.Sprintf("This PostgreSQL lacks its extension %s", name),
			Hint:    "install it with: " + c.installCommand() + "; " + alternatives,
		}
	}
	return nil
}

// ping connects once. A server that is stopped by a debugger accepts, but does not answer.
func (c *Cluster) ping(ctx context.Context, database string) error {
	const longest = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL(database))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
