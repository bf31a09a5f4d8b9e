package schema

import (
	"cmp"
	"context"
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// catalogueFile describes the schema as the migrations make it, an object a line; make gen writes it.
//
//go:embed catalogue.txt
var catalogueFile string

// catalogue is what the schema that crm lives in holds.
type catalogue map[object]facts

// object names a table, view, type or function, or what belongs to one, which then is its owner.
type object struct{ kind, owner, name string }

// facts are what an object is. Grants are left out: each database has its own.
type facts struct{ definition, comment, state string }

// Difference is one object of the schema that is not as the migrations make it.
type Difference struct {
	Kind, Owner, Name string
	// Off is set if the object is as it should be but does nothing, such as a disabled trigger.
	Off    bool
	Detail string
}

// String names the object, such as "constraint payment_amount_positive of payment is missing".
func (d Difference) String() string {
	what := d.Kind + " " + d.Name
	if d.Owner != d.Name {
		what += " of " + d.Owner
	}
	return what + strings.TrimPrefix(d.Detail, "this "+d.Kind)
}

// Differences compares a database at Version with what the migrations make. What others keep beside crm's objects is no
// difference unless it changes the rules of a table of crm.
func Differences(ctx context.Context, db Querier) ([]Difference, error) {
	actual, err := readCatalogue(ctx, db)
	if err != nil {
		return nil, err
	}
	expected, _ := madeByMigrations()
	var found []Difference
	add := func(o object, off bool, detail string) {
		found = append(found, Difference{o.kind, o.owner, o.name, off, "this " + o.kind + " " + detail})
	}
	has := func(c catalogue, kind, name string) bool { _, ok := c[object{kind, name, name}]; return ok }
	for o, wanted := range expected {
		switch is, exists := actual[o]; {
		case !exists:
			if slices.Contains(standalone, o.kind) || has(actual, "table", o.owner) { // of a table that is missing the rest goes without saying
				add(o, false, "is missing")
			}
		case is.definition != wanted.definition:
			add(o, false, "is not as crm made it")
		case is.state != "":
			add(o, true, is.state)
		case is.comment != wanted.comment:
			add(o, false, "has not the comment that crm gave it")
		}
	}
	for o := range actual {
		if _, ours := expected[o]; !ours && slices.Contains(ruling, o.kind) && (has(expected, "table", o.owner) || has(expected, "view", o.owner) && o.kind != "column") {
			add(o, false, "is not crm's")
		}
	}
	slices.SortFunc(found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

// The first word of a line of catalogueFile: what there is at Version, and what there was before, with another comment or
// at all. Of that only the comment counts.
const (
	current = "current"
	former  = "former"
)

// madeByMigrations reads catalogueFile: what there is at Version, and the comments that each object has or had.
func madeByMigrations() (now catalogue, comments map[object][]string) {
	now, comments = catalogue{}, map[object][]string{}
	for line := range strings.Lines(catalogueFile) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		o, is := object{words[1], words[2], words[3]}, facts{definition: words[4], comment: words[5]}
		if words[0] == current {
			now[o] = is
		}
		comments[o] = append(comments[o], is.comment)
	}
	return now, comments
}

// line writes an object as catalogueFile has it.
func (o object) line(when string, is facts) string {
	return strings.Join([]string{when, o.kind, o.owner, o.name, is.definition, is.comment}, "\t")
}

// readCatalogue reads the schema that crm lives in, or would be made in, less what extensions have there.
func readCatalogue(ctx context.Context, db Querier) (catalogue, error) {
	rows, err := db.Query(ctx, catalogueQuery, pgx.QueryExecModeSimpleProtocol) // one round trip, also through a pooler
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	read, namespaces := catalogue{}, []string{}
	for rows.Next() {
		var o object
		var is facts
		if err := rows.Scan(&o.kind, &o.owner, &o.name, &is.definition, &is.comment, &is.state); err != nil {
			return nil, err
		}
		if o.kind == "namespace" {
			namespaces = append(namespaces, regexp.QuoteMeta(o.name), regexp.QuoteMeta(pgx.Identifier{o.name}.Sanitize()))
		} else {
			read[o] = is
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	qualified := regexp.MustCompile(`(^|[^\w".])(?:` + strings.Join(namespaces, "|") + `)\.`)
	for o, is := range read {
		is.definition, is.comment = plain(o.kind, is.definition, qualified), strings.Join(strings.Fields(is.comment), " ")
		read[o] = is
	}
	return read, nil
}

var qualifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b(\w+)\.`) })

// plain makes a definition one line that is the same wherever extensions are and whatever the version of PostgreSQL is.
func plain(kind, definition string, schemas *regexp.Regexp) string {
	parts := strings.Split(definition, "'") // every second one is in quotes
	qualifiers := map[string]bool{}
	for i := 0; i < len(parts); i += 2 {
		parts[i] = schemas.ReplaceAllString(parts[i], "$1")
		for _, found := range qualifier().FindAllStringSubmatch(parts[i], -1) {
			qualifiers[found[1]] = true
		}
	}
	if kind == "view" && len(qualifiers) == 1 { // of a single table, which versions from 16 on do not name
		for i := 0; i < len(parts); i += 2 {
			parts[i] = qualifier().ReplaceAllString(parts[i], "")
		}
	}
	return strings.Join(strings.Fields(strings.Join(parts, "'")), " ")
}

// catalogueQuery is the one description of what makes two schemas the same.
const catalogueQuery = `
WITH home AS MATERIALIZED (
    SELECT oid, nspname
    FROM pg_catalog.pg_namespace
    WHERE oid = coalesce(
        (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = to_regclass('schema_migrations')),
        (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()))
), relation AS (
    SELECT pg_class.*
    FROM pg_catalog.pg_class
    JOIN home ON home.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
), routine AS (
    SELECT pg_proc.*, format('%s(%s)', proname, oidvectortypes(proargtypes)) AS signature
    FROM pg_catalog.pg_proc
    JOIN home ON home.oid = pronamespace
    WHERE prokind IN ('f', 'p')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
), own_type AS (
    SELECT pg_type.*
    FROM pg_catalog.pg_type
    JOIN home ON home.oid = typnamespace
    WHERE (typtype IN ('e', 'd', 'r') OR typtype = 'c' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE pg_class.oid = typrelid AND relkind = 'c'))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_type'::regclass AND objid = pg_type.oid AND deptype = 'e')
), item (kind, owner, name, definition, comment, state) AS (
    SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
           coalesce((
               SELECT refobjid::regclass::text
               FROM pg_catalog.pg_depend
               WHERE relkind = 'S' AND classid = 'pg_class'::regclass AND objid = relation.oid AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
           ), relname::text),
           relname::text, -- and not a name, which would cut the signature of a function
           concat_ws(' ', nullif(relpersistence, 'p'), CASE WHEN relrowsecurity THEN 'row security' END, CASE WHEN relforcerowsecurity THEN 'forced' END,
               array_to_string(reloptions, ' '), CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END, (
               SELECT concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)
               FROM pg_catalog.pg_sequence
               WHERE seqrelid = relation.oid)),
           obj_description(oid, 'pg_class'), NULL
    FROM relation
    UNION ALL
    SELECT 'column', relname, attname,
           concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attcollation <> typcollation THEN attcollation::regcollation END,
               CASE WHEN attnotnull THEN 'NOT NULL' END, nullif(attidentity, ''), nullif(attgenerated, ''), pg_get_expr(adbin, adrelid)),
           col_description(relation.oid, attnum), NULL
    FROM relation
    JOIN pg_catalog.pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_catalog.pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_catalog.pg_attrdef ON adrelid = relation.oid AND adnum = attnum
    WHERE relkind <> 'S'
    UNION ALL
    -- From version 18 on NOT NULL is a constraint too.
    SELECT 'constraint', relname, conname, regexp_replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID$', ''),
           obj_description(pg_constraint.oid, 'pg_constraint'),
           CASE
               WHEN NOT convalidated THEN 'was not validated'
               WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgconstraint = pg_constraint.oid AND tgisinternal AND tgenabled IN ('D', 'R')) THEN 'is disabled'
           END
    FROM relation
    JOIN pg_catalog.pg_constraint ON conrelid = relation.oid
    WHERE contype NOT IN ('n', 't')
    UNION ALL
    SELECT CASE WHEN indisunique THEN 'unique index' ELSE 'index' END, relation.relname, own.relname, pg_get_indexdef(indexrelid, 0, true),
           obj_description(indexrelid, 'pg_class'), CASE WHEN NOT indisvalid THEN 'is not valid' END
    FROM relation
    JOIN pg_catalog.pg_index ON indrelid = relation.oid
    JOIN pg_catalog.pg_class AS own ON own.oid = indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
    UNION ALL
    SELECT 'trigger', relname, tgname, pg_get_triggerdef(pg_trigger.oid, true), obj_description(pg_trigger.oid, 'pg_trigger'),
           CASE WHEN tgenabled IN ('D', 'R') THEN 'is disabled' END
    FROM relation
    JOIN pg_catalog.pg_trigger ON tgrelid = relation.oid
    WHERE NOT tgisinternal
    UNION ALL
    SELECT 'rule', relname, rulename, pg_get_ruledef(pg_rewrite.oid, true), obj_description(pg_rewrite.oid, 'pg_rewrite'), NULL
    FROM relation
    JOIN pg_catalog.pg_rewrite ON ev_class = relation.oid
    WHERE rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy', relname, polname,
           concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)),
           obj_description(pg_policy.oid, 'pg_policy'), NULL
    FROM relation
    JOIN pg_catalog.pg_policy ON polrelid = relation.oid
    UNION ALL
    SELECT 'child table', relname, inhrelid::regclass::text, NULL, NULL, NULL
    FROM relation
    JOIN pg_catalog.pg_inherits ON inhparent = relation.oid
    UNION ALL
    SELECT 'function', signature, signature,
           concat_ws(' ', pg_get_function_arguments(routine.oid), pg_get_function_result(routine.oid), lanname, provolatile, proparallel,
               CASE WHEN proisstrict THEN 'strict' END, CASE WHEN proleakproof THEN 'leakproof' END, CASE WHEN prosecdef THEN 'security definer' END,
               array_to_string(proconfig, ' '), coalesce(pg_get_function_sqlbody(routine.oid), prosrc)),
           obj_description(routine.oid, 'pg_proc'), NULL
    FROM routine
    JOIN pg_catalog.pg_language ON pg_language.oid = prolang
    UNION ALL
    SELECT 'type', typname, typname,
           concat_ws(' ', typtype, CASE WHEN typbasetype <> 0 THEN format_type(typbasetype, typtypmod) END, CASE WHEN typnotnull THEN 'NOT NULL' END, typdefault,
               (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = own_type.oid),
               (SELECT string_agg(pg_get_constraintdef(pg_constraint.oid), ' ' ORDER BY conname)
                FROM pg_catalog.pg_constraint
                WHERE contypid = own_type.oid AND contype <> 'n'),
               (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
                FROM pg_catalog.pg_attribute
                WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped)),
           obj_description(own_type.oid, 'pg_type'), NULL
    FROM own_type
    UNION ALL
    -- Which column has the locale differs between versions.
    SELECT 'collation', collname, collname,
           concat_ws(' ', collprovider, collisdeterministic, collcollate, to_jsonb(pg_collation) ->> 'colliculocale', to_jsonb(pg_collation) ->> 'colllocale'),
           obj_description(pg_collation.oid, 'pg_collation'), NULL
    FROM pg_catalog.pg_collation
    JOIN home ON home.oid = collnamespace
    UNION ALL
    SELECT 'statistics', stxrelid::regclass::text, stxname, replace(pg_get_statisticsobjdef(pg_statistic_ext.oid), quote_ident(nspname) || '.', ''),
           obj_description(pg_statistic_ext.oid, 'pg_statistic_ext'), NULL
    FROM pg_catalog.pg_statistic_ext
    JOIN home ON home.oid = stxnamespace
    UNION ALL
    -- Definitions name these schemas where they are off the search path.
    SELECT 'namespace', nspname, nspname, NULL, NULL, NULL
    FROM pg_catalog.pg_extension
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace
)
SELECT kind, owner::text, name::text, coalesce(definition, ''), coalesce(comment, ''), coalesce(state, '')
FROM item`

// standalone are the kinds of objects that stand for themselves; all others go with the table or view that they belong to.
var standalone = []string{"view", "materialized view", "table", "function", "type", "collation"}

// ruling are the kinds that change what a table takes or shows.
var ruling = []string{"column", "constraint", "unique index", "trigger", "rule", "policy", "child table"}
