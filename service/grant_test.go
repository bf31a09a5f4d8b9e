package service_test

import (
	"fmt"
	"go/ast"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// TestEveryQueryIsGranted has the server plan each generated query as the role of a server, which checks its rights on all
// that the query names, for whatever parameters.
func TestEveryQueryIsGranted(t *testing.T) {
	t.Parallel()
	p := sample(t)
	parameter := regexp.MustCompile(`\$(\d+)`)
	planned := 0
	for name, text := range queries(t) {
		most := 0
		for _, found := range parameter.FindAllStringSubmatch(text, -1) {
			n, err := strconv.Atoi(found[1])
			if err != nil {
				t.Fatal(err)
			}
			most = max(most, n)
		}
		arguments := ""
		if most > 0 {
			arguments = "(NULL" + strings.Repeat(", NULL", most-1) + ")"
		}
		_, err := p.svcDB.PgConn().Exec(t.Context(), fmt.Sprintf(
			"DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan; PREPARE planned AS %s; EXPLAIN EXECUTE planned%s", text, arguments)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		planned++
	}
	if planned < 60 {
		t.Errorf("only %d queries", planned)
	}
}

// queries are the texts of all generated queries, by their names.
func queries(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, file := range parsed(t, "../gen/*.sql.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
				if text, ok := spec.Values[0].(*ast.BasicLit); ok {
					texts[spec.Names[0].Name] = strings.Trim(text.Value, "`")
				}
			}
			return true
		})
	}
	return texts
}

// TestGrantInWords tells whose turn it is where a role cannot be granted what crm needs, or has not got it.
func TestGrantInWords(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	owner := one[string](p, "SELECT current_user::text")
	fails(t, failure.Conflict, "", second(p.svc.Grant(ctx, p.owner, owner)))
	fails(t, failure.NotFound, "The database has no role nobody.", second(p.svc.Grant(ctx, p.owner, "nobody")))
	fails(t, failure.Unavailable, "The user "+p.config.User+" does not own crm's schema in the database "+p.config.Database+", and so cannot change it.",
		second(p.svc.Grant(ctx, p.config, p.config.User)))
	stranger := service.New(p.connect(dbtest.Stranger(t, p.owner)), testKey)
	fails(t, failure.Unavailable, "The database's user lacks rights on crm's schema.", second(stranger.Login(ctx, "none1", password)))
	rights := must[schema.Rights](t)(stranger.Rights(ctx))
	if len(rights.Missing) < 20 || rights.Owner != owner {
		t.Errorf("%+v", rights)
	}
	p.exec("UPDATE schema_migrations SET version = version - 1")
	fails(t, failure.Unavailable, "", second(p.svc.Grant(ctx, p.owner, p.config.User)))
}
