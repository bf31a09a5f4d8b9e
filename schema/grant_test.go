package schema_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// TestGrantsNameEverything: whoever adds a table, a view, a sequence or a function says in grants.sql what the server may do
// with it, if only that it may nothing.
func TestGrantsNameEverything(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	objects, granted := schema.GrantedObjects()
	for _, relation := range all[string](t, conn, `
		SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S', 'f', 'p')`) {
		if !slices.Contains(objects, relation) {
			t.Errorf("grants.sql does not revoke what an older crm may have granted on %s", relation)
		}
	}
	for _, function := range all[string](t, conn, `
		SELECT pg_proc.oid::regprocedure::text
		FROM pg_proc
		WHERE pronamespace = 'public'::regnamespace
		  AND prorettype <> 'trigger'::regtype
		  AND (prosecdef OR proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0)) -- else it is for others of the owner's
		  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')`) {
		if !slices.Contains(granted, strings.ReplaceAll(function, ",", ", ")) {
			t.Errorf("grants.sql does not let the server call %s, which has EXECUTE only by way of PUBLIC, if it has", function)
		}
	}
}

// TestFunctionsLookAtNothingElse: what is done with the owner's rights, or holds a rule, is not led astray by a search path or
// a temporary table, and nobody else may call it.
func TestFunctionsLookAtNothingElse(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	for _, function := range all[string](t, conn, `
		SELECT pg_proc.oid::regprocedure::text
		FROM pg_proc
		WHERE pronamespace = 'public'::regnamespace
		  AND (prosecdef OR prorettype = 'trigger'::regtype AND prosrc ~* '\m(perform|execute|select|from|into)\M')
		  AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=""']`) {
		t.Errorf("%s does not set search_path = ''", function)
	}
	for _, function := range all[string](t, conn, `
		SELECT pg_proc.oid::regprocedure::text
		FROM pg_proc
		WHERE prosecdef
		  AND pronamespace = 'public'::regnamespace
		  AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0))`) {
		t.Errorf("everybody may call %s", function)
	}
}

// TestGrant gives, gives again, and takes back what an older crm or somebody else gave.
func TestGrant(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	owner := dbtest.Connect(t, config)
	stranger := dbtest.Stranger(t, config)
	role, ctx := stranger.User, t.Context()
	rights := func() schema.Rights {
		t.Helper()
		r, err := schema.RightsOf(ctx, owner, role)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if before := rights(); len(before.Missing) < 20 || before.Boundless != "" {
		t.Errorf("before: %+v", before)
	}
	grant := func() {
		t.Helper()
		if excess, err := schema.Grant(ctx, config, role); err != nil || len(excess) > 0 {
			t.Fatalf("%v; %v", err, excess)
		}
		if now := rights(); len(now.Missing)+len(now.Excess) > 0 {
			t.Errorf("%+v", now)
		}
	}
	grant()
	want := lastingly(t, owner)
	grant()
	if diff := cmp.Diff(want, lastingly(t, owner)); diff != "" {
		t.Errorf("granted again it differs: %s", diff)
	}
	run(t, owner, "GRANT ALL ON ALL TABLES IN SCHEMA public TO "+role+"; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "+role+"; GRANT CREATE ON SCHEMA public TO "+role)
	if more := rights(); !slices.Contains(more.Excess, "SELECT (password_hash) on employee") || !slices.Contains(more.Excess, "TRUNCATE on payment") || !slices.Contains(more.Excess, "CREATE on the schema public") {
		t.Errorf("%+v", more.Excess)
	}
	grant()
	if diff := cmp.Diff(want, lastingly(t, owner)); diff != "" {
		t.Errorf("taken back it differs: %s", diff)
	}
	run(t, owner, "REVOKE UPDATE (signed_at) ON contract FROM "+role)
	if less := rights(); !slices.Equal(less.Missing, []string{"UPDATE (signed_at) on contract"}) {
		t.Errorf("%+v", less.Missing)
	}
	grant()

	// What it may all the same is not the role's own.
	run(t, owner, "GRANT DELETE ON payment TO PUBLIC")
	if excess, err := schema.Grant(ctx, config, role); err != nil || !slices.Equal(excess, []string{"DELETE on payment"}) {
		t.Errorf("%v, %v", excess, err)
	}
}

func TestGrantRefuses(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	owner := dbtest.Connect(t, config)
	ctx := t.Context()
	user := one[string](t, owner, "SELECT current_user::text")
	table, database, member, other := dbtest.Stranger(t, config), dbtest.Stranger(t, config), dbtest.Stranger(t, config), dbtest.Stranger(t, config)
	before := lastingly(t, owner)
	boundless := func(role, why string) {
		t.Helper()
		_, err := schema.Grant(ctx, config, role)
		if is, ok := errors.AsType[*schema.BoundlessError](err); !ok || is.Why != why {
			t.Errorf("%s: %v, want: %s", role, err, why)
		}
	}
	standing := "owns crm's schema"
	if one[bool](t, owner, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") {
		standing = "is a superuser"
	}
	boundless(user, standing)
	if _, err := schema.Grant(ctx, config, "nobody of this name"); !errors.Is(err, schema.ErrNoRole) {
		t.Error(err)
	}
	for _, role := range []string{"public", "current_user", "session_user"} { // words, and no roles
		if _, err := schema.Grant(ctx, config, role); !errors.Is(err, schema.ErrNoRole) {
			t.Errorf("%q: %v", role, err)
		}
	}
	// Whoever does not own the schema cannot give it away.
	_, err := schema.Grant(ctx, other, member.User)
	if unfit, ok := errors.AsType[*schema.UnfitError](err); !ok || !strings.Contains(unfit.Message, "does not own crm's schema") || !strings.Contains(unfit.Remedy, user) {
		t.Error(err)
	}
	if diff := cmp.Diff(before, lastingly(t, owner)); diff != "" {
		t.Errorf("a refusal has changed something: %s", diff)
	}
	run(t, owner, "ALTER TABLE schema_migrations OWNER TO "+table.User+"; GRANT "+table.User+" TO "+member.User)
	boundless(table.User, "owns crm's schema")
	boundless(member.User, "is a member of "+table.User+", which owns crm's schema")
	run(t, owner, "ALTER DATABASE "+config.Database+" OWNER TO "+database.User+"; REVOKE "+table.User+" FROM "+member.User+"; GRANT "+database.User+" TO "+member.User)
	boundless(database.User, "owns the database")
	boundless(member.User, "is a member of "+database.User+", which owns the database")
	run(t, owner, "ALTER DATABASE "+config.Database+" OWNER TO "+user+"; ALTER TABLE schema_migrations OWNER TO "+user)
}

// TestGrantsAreRenewed by a migration, also of a table that is new, by a reset and by a restore of whatever version.
func TestGrantsAreRenewed(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	granted := dbtest.Granted(t, config)
	owner, ctx := dbtest.Connect(t, config), t.Context()
	reader := dbtest.Stranger(t, config) // of somebody who looks at all tables with another program
	run(t, owner, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+reader.User)
	for name, again := range map[string]func(m func(int)){
		"a step back and forth": func(steps func(int)) { steps(-1); steps(1) },
		"made anew": func(func(int)) {
			if err := errors.Join(schema.Empty(ctx, config), schema.Migrate(ctx, config)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		again(func(n int) {
			if err := schema.Steps(ctx, config, n); err != nil {
				t.Fatal(err)
			}
		})
		if r, err := schema.RightsOf(ctx, owner, granted.User); err != nil || len(r.Missing)+len(r.Excess) > 0 {
			t.Errorf("%s: %v, %v", name, r, err)
		}
		if r, err := schema.RightsOf(ctx, owner, reader.User); err != nil || len(r.Missing) < 20 {
			t.Errorf("%s: the reader was granted as well: %v, %v", name, r, err)
		}
	}
	// The role itself is told whose it is to migrate.
	if err := schema.Steps(ctx, config, -1); err != nil {
		t.Fatal(err)
	}
	err := schema.Migrate(ctx, granted)
	if unfit, ok := errors.AsType[*schema.UnfitError](err); !ok || !strings.Contains(unfit.Message, "does not own crm's schema") {
		t.Error(err)
	}
	if _, err := schema.Grant(ctx, config, granted.User); !errors.Is(err, schema.ErrVersion) {
		t.Errorf("at an old version: %v", err)
	}
}

// TestFitForARole names what a role lacks, and whom to ask.
func TestFitForARole(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	stranger := dbtest.Stranger(t, config)
	err := schema.Fit(t.Context(), dbtest.Connect(t, stranger))
	if unfit, ok := errors.AsType[*schema.UnfitError](err); !ok || !strings.Contains(unfit.Message, "SELECT on contract,") || !strings.Contains(unfit.Remedy, "crm db grant "+stranger.User) {
		t.Error(err)
	}
	if _, err := schema.Grant(t.Context(), config, stranger.User); err != nil {
		t.Fatal(err)
	}
	if err := schema.Fit(t.Context(), dbtest.Connect(t, stranger)); err != nil {
		t.Error(err)
	}
}
