//go:build linux || darwin

package localdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// helper is a second superuser that exists only during changeOver: nobody can rename the role of their own session.
const helper = "crm_upkeep"

// isUnknownRole reports whether the server answered, but does not know the role.
func isUnknownRole(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "28000" && strings.HasSuffix(answer.Message, " does not exist")
}

// ensureOwner makes the role that crm works as.
func (c *Cluster) ensureOwner(ctx context.Context, admin *pgx.Conn) error {
	_, err := admin.Exec(ctx, `DO $$ BEGIN
		IF to_regrole('`+owner+`') IS NULL THEN CREATE ROLE `+owner+` LOGIN; END IF;
	END $$`)
	if err != nil {
		return c.sqlFailure(err)
	}
	return nil
}

// changeOver takes the rights of a superuser from the role that crm works as, which was the server's only role in the
// clusters that crm once made. PostgreSQL never lets go of the role of initdb, so that role gets the name of superuser,
// and a new one the name of owner, and the database with what is in it. That is one transaction; a changeOver that is
// killed before it or after is completed by the next.
func (c *Cluster) changeOver(ctx context.Context) error {
	admin, err := pgx.Connect(ctx, c.AdminURL(adminDatabase))
	if isUnknownRole(err) {
		if err := c.swapRoles(ctx); err != nil {
			return c.sqlFailure(err)
		}
		admin, err = pgx.Connect(ctx, c.AdminURL(adminDatabase))
	}
	if err != nil {
		return c.sqlFailure(err)
	}
	defer admin.Close(context.WithoutCancel(ctx))
	if _, err := admin.Exec(ctx, "DROP ROLE IF EXISTS "+helper); err != nil {
		return c.sqlFailure(err)
	}
	return nil
}

func (c *Cluster) swapRoles(ctx context.Context) error {
	old, err := pgx.Connect(ctx, c.URL(adminDatabase))
	if err != nil {
		return err
	}
	defer old.Close(context.WithoutCancel(ctx))
	var found bool
	err = old.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", Database).Scan(&found)
	if err != nil {
		return err
	}
	_, err = old.Exec(ctx, `DO $$ BEGIN
		IF to_regrole('`+helper+`') IS NULL THEN CREATE ROLE `+helper+` SUPERUSER LOGIN; END IF;
	END $$`)
	if err != nil {
		return err
	}
	database := adminDatabase // a start was killed before there was another
	if found {
		database = Database
	}
	conn, err := pgx.Connect(ctx, c.url(helper, database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		_, err = conn.Exec(ctx, swap)
		if answer, ok := errors.AsType[*pgconn.PgError](err); !ok || answer.Code != deadlock && answer.Code != lockTimeout {
			return err
		}
		select { // whoever is at work already goes on meanwhile
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// The SQLSTATEs of a swap that yielded.
const (
	deadlock    = "40P01"
	lockTimeout = "55P03"
)

// swap runs as helper in Database, as one transaction, one at a time: the server may still be at work for a start that was
// killed. What the system's own objects and those of extensions belong to is left as it is.
//
// A command may have connected as soon as the server ran. PostgreSQL refuses either of two that wait for each other, the
// one that has waited for deadlock_timeout, by default a second. So swap looks at once, and yields long before then.
var swap = fmt.Sprintf(`
SELECT pg_advisory_xact_lock(hashtext('%[1]s'));
SET LOCAL deadlock_timeout = '1ms';
SET LOCAL lock_timeout = '200ms';
DO $$
DECLARE
    initial CONSTANT oid := 10; -- the role that initdb made
    item record;
BEGIN
    IF to_regrole('%[2]s') IS NOT NULL THEN
        RETURN;
    END IF;
    ALTER ROLE %[3]s RENAME TO %[2]s;
    CREATE ROLE %[3]s LOGIN;
    IF current_database() <> '%[4]s' THEN
        RETURN;
    END IF;
    ALTER DATABASE %[4]s OWNER TO %[3]s;
    FOR item IN
        SELECT identified.type, identified.identity
        FROM (
            SELECT 'pg_namespace'::regclass AS class, oid FROM pg_namespace WHERE nspowner = initial AND nspname !~ '^pg_'
            UNION ALL
            SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typowner = initial AND typtype IN ('d', 'e', 'r')
            UNION ALL
            SELECT 'pg_collation'::regclass, oid FROM pg_collation WHERE collowner = initial
            UNION ALL
            SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE proowner = initial
            UNION ALL
            SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relowner = initial AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
        ) AS owned
        CROSS JOIN pg_identify_object(owned.class, owned.oid, 0) AS identified
        WHERE owned.oid >= 16384 -- the first that initdb did not make
          AND NOT EXISTS (
              SELECT FROM pg_depend -- of an extension, or a sequence that goes with its table
              WHERE classid = owned.class
                AND objid = owned.oid
                AND (deptype = 'e' OR refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i') AND owned.class = 'pg_class'::regclass))
    LOOP
        EXECUTE format('ALTER %%s %%s OWNER TO %[3]s', item.type, item.identity);
    END LOOP;
END
$$`, helper, superuser, owner, Database)
