//go:build linux || darwin

package localdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/failure"
)

// ensureDatabase fills a scratch database and renames it when it is complete.
func (c *Cluster) ensureDatabase(ctx context.Context, progress func(string), create Create) error {
	admin, err := pgx.Connect(ctx, c.AdminURL(adminDatabase))
	if err != nil {
		return c.sqlFailure(err)
	}
	defer admin.Close(context.WithoutCancel(ctx))

	// The server may still be at work for a command that was killed: making the scratch database, or giving it its name.
	// That session holds this lock until it has ended.
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock(hashtext('"+scratchDatabase+"'))"); err != nil {
		return c.sqlFailure(err)
	}
	var found bool
	const lookup = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err := admin.QueryRow(ctx, lookup, Database).Scan(&found); err != nil {
		return c.sqlFailure(err)
	}
	if found {
		return nil
	}
	if err := c.ensureOwner(ctx, admin); err != nil {
		return err
	}
	if err := c.requireExtension(ctx, admin, "pg_trgm"); err != nil {
		return err
	}
	progress(c.creating())
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + scratchDatabase + " WITH (FORCE)",
		"CREATE DATABASE " + scratchDatabase + " OWNER " + owner,
	} {
		if _, err := admin.Exec(ctx, statement); err != nil {
			return c.sqlFailure(err)
		}
	}
	if err := create(ctx, c.URL(scratchDatabase)); err != nil {
		return err
	}
	if _, err := admin.Exec(ctx, "ALTER DATABASE "+scratchDatabase+" RENAME TO "+Database); err != nil {
		return c.sqlFailure(err)
	}
	return nil
}

// requireExtension says how to install what some systems package apart from the server.
func (c *Cluster) requireExtension(ctx context.Context, conn *pgx.Conn, name string) error {
	var found bool
	const lookup = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)"
	if err := conn.QueryRow(ctx, lookup, name).Scan(&found); err != nil {
		return c.sqlFailure(err)
	}
	if !found {
		return &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("This PostgreSQL lacks its extension %s", name),
			Hint:    "install it with: " + c.InstallCommand() + "; " + alternatives,
		}
	}
	return nil
}

// ping connects once. A server that is stopped by a debugger accepts, but does not answer.
func ping(ctx context.Context, url string) error {
	const longest = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
