package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
)

// TestEveryRuleIsTested walks the catalogue.
func TestEveryRuleIsTested(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	broken, shown := map[string]bool{}, map[string]bool{}
	for _, rule := range rules {
		broken[rule.table+"."+rule.name] = true
	}
	for _, effect := range slices.Concat(effects, recordings) {
		shown[effect.table+"."+effect.name] = true
	}
	for _, constraint := range all[string](t, conn, `
		SELECT conrelid::regclass || '.' || conname
		FROM pg_constraint
		WHERE connamespace = 'public'::regnamespace
		  AND contype IN ('p', 'u', 'f', 'c', 'x')`) {
		table, name, _ := strings.Cut(constraint, ".")
		if !isMessage(comment(t, conn, table, name)) {
			t.Errorf("the comment on %s is no message", constraint)
		}
		if !broken[constraint] {
			t.Errorf("no case in rules breaks %s", constraint)
		}
		delete(broken, constraint)
	}
	for _, refuses := range []bool{true, false} {
		for _, trigger := range all[string](t, conn, `
			SELECT tgrelid::regclass || '.' || tgname
			FROM pg_trigger
			JOIN pg_proc ON pg_proc.oid = tgfoid
			WHERE NOT tgisinternal
			  AND (prosrc ~* '\mraise\M') = $1`, refuses) {
			table, name, _ := strings.Cut(trigger, ".")
			if !isMessage(triggerComment(t, conn, table, name)) {
				t.Errorf("the comment on %s is no message", trigger)
			}
			cases := shown
			if refuses {
				cases = broken
			}
			if !cases[trigger] {
				t.Errorf("no case for trigger %s", trigger)
			}
			delete(cases, trigger)
		}
	}
	for name := range broken {
		t.Errorf("rules names %s, which does not exist", name)
	}
	for name := range shown {
		t.Errorf("effects names %s, which does not exist", name)
	}
}

// isMessage reports whether a user can be shown the text: one sentence.
func isMessage(text string) bool {
	return text != "" && text == strings.TrimSpace(text) && !strings.Contains(text, "\n") &&
		text[:1] == strings.ToUpper(text[:1])
}

func triggerComment(t *testing.T, conn *pgx.Conn, table, trigger string) string {
	t.Helper()
	return one[string](t, conn, `SELECT coalesce(trigger_message($1::text::regclass, $2), '')`, table, trigger)
}

// TestDictionary requires that everything is explained, and that every foreign key can be followed backwards.
func TestDictionary(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	for what, query := range map[string]string{
		"table or view without comment": `
			SELECT relname::text
			FROM pg_class
			WHERE relnamespace = 'public'::regnamespace
			  AND relkind IN ('r', 'p', 'v', 'm')
			  AND obj_description(oid, 'pg_class') IS NULL`,
		"column without comment": `
			SELECT relname || '.' || attname
			FROM pg_attribute
			JOIN pg_class ON pg_class.oid = attrelid
			WHERE relnamespace = 'public'::regnamespace
			  AND relkind IN ('r', 'p')
			  AND attnum > 0
			  AND NOT attisdropped
			  AND attname <> 'id'
			  AND col_description(attrelid, attnum) IS NULL`,
		"function of queries without comment": `
			SELECT proname::text
			FROM pg_proc
			WHERE pronamespace = 'public'::regnamespace
			  AND prorettype <> 'trigger'::regtype
			  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
			  AND obj_description(oid, 'pg_proc') IS NULL`,
		"foreign key without index": `
			SELECT conname::text
			FROM pg_constraint
			WHERE contype = 'f'
			  AND NOT EXISTS (
			      SELECT
			      FROM pg_index
			      WHERE indrelid = conrelid
			        AND indkey[0] = conkey[1]
			        AND indpred IS NULL)`,
	} {
		for _, name := range all[string](t, conn, query) {
			t.Errorf("%s: %s", what, name)
		}
	}
}
