package schema_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
)

// catalogue describes each object of a database that is neither PostgreSQL's own nor an extension's: one line an object,
// in an order that does not depend on how it came about. Unlike pg_dump it needs no program of the server's version.
const catalogue = `
	WITH own AS (
		SELECT classid, objid
		FROM (
			SELECT 'pg_class'::regclass AS classid, oid AS objid FROM pg_class
			UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint
			UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE NOT tgisinternal
			UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef
			UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite
			UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy
			UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext
			UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
			UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type
			UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
			UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
			UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
			UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
			UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
			UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace
			UNION ALL SELECT 'pg_extension'::regclass, oid FROM pg_extension
			UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
		) everything
		WHERE objid >= 16384 -- PostgreSQL's own are below
		  AND NOT EXISTS (
		      SELECT FROM pg_depend
		      WHERE pg_depend.classid = everything.classid
		        AND pg_depend.objid = everything.objid
		        AND (deptype = 'e' OR refclassid = 'pg_type'::regclass AND deptype = 'i'))
	)
	SELECT concat_ws(' | ',
		identified.type,
		identified.identity,
		CASE classid
			WHEN 'pg_constraint'::regclass THEN pg_get_constraintdef(objid)
			WHEN 'pg_trigger'::regclass THEN pg_get_triggerdef(objid)
			WHEN 'pg_rewrite'::regclass THEN pg_get_ruledef(objid)
			WHEN 'pg_statistic_ext'::regclass THEN pg_get_statisticsobjdef(objid)
			WHEN 'pg_attrdef'::regclass THEN (
				SELECT pg_get_expr(adbin, adrelid)
				FROM pg_attrdef
				WHERE oid = objid)
			WHEN 'pg_policy'::regclass THEN (
				SELECT concat_ws(' ', polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
				FROM pg_policy
				WHERE oid = objid)
			WHEN 'pg_proc'::regclass THEN (
				SELECT concat_ws(' ', pg_get_functiondef(oid), proacl)
				FROM pg_proc
				WHERE oid = objid AND prokind <> 'a')
			WHEN 'pg_type'::regclass THEN (
				SELECT concat_ws(' ', typtype, typnotnull, typdefault, format_type(nullif(typbasetype, 0), typtypmod), typacl, (
					SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder)
					FROM pg_enum
					WHERE enumtypid = pg_type.oid))
				FROM pg_type
				WHERE oid = objid)
			WHEN 'pg_class'::regclass THEN (
				SELECT concat_ws(' ', relkind, relpersistence, relacl, reloptions, relrowsecurity, relforcerowsecurity, relreplident,
					CASE WHEN relkind = 'i' THEN pg_get_indexdef(oid) END,
					CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END, (
					SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END,
						attidentity, attgenerated, attacl, attcollation::regcollation), ', ' ORDER BY attnum)
					FROM pg_attribute
					WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND relkind <> 'i'), (
					SELECT concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)
					FROM pg_sequence
					WHERE seqrelid = pg_class.oid))
				FROM pg_class
				WHERE oid = objid)
		END,
		(SELECT string_agg(concat_ws(' ',
			-- By name: a column that goes and comes back has another number.
			(SELECT attname FROM pg_attribute WHERE attrelid = objid AND attnum = objsubid AND objsubid > 0),
			description), ' / ' ORDER BY objsubid)
		 FROM pg_description
		 WHERE pg_description.classoid = classid AND pg_description.objoid = objid)) COLLATE "C" AS line
	FROM own, pg_identify_object(classid, objid, 0) AS identified
	WHERE identified.type NOT LIKE 'toast%' AND identified.schema IS DISTINCT FROM 'pg_toast'
	ORDER BY line`

// dump describes the database, to compare it with another.
func dump(t *testing.T, config *pgx.ConnConfig) string {
	t.Helper()
	conn := dbtest.Connect(t, config)
	rows, err := conn.Query(t.Context(), catalogue)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
