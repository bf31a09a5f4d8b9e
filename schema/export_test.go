package schema

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	"github.com/jackc/pgx/v5"
)

// Dump describes the schema that crm lives in, an object a line.
func Dump(ctx context.Context, db Querier) (string, error) {
	read, err := readCatalogue(ctx, db)
	var lines []string
	for o, is := range read {
		lines = append(lines, o.line(is.state, is))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), err
}

// CatalogueFile is what catalogue.txt has to hold, from the database at each version, the newest last.
func CatalogueFile(ctx context.Context, versions func(yield func(Querier) bool)) (string, error) {
	var newest catalogue
	ever := map[object]map[string]bool{}
	for db := range versions {
		read, err := readCatalogue(ctx, db)
		if err != nil {
			return "", err
		}
		for o, is := range read {
			if ever[o] == nil {
				ever[o] = map[string]bool{}
			}
			ever[o][is.comment] = true
		}
		newest = read
	}
	var lines []string
	for o, comments := range ever {
		is, still := newest[o]
		if still {
			lines = append(lines, o.line(current, is))
			delete(comments, is.comment)
		}
		for comment := range maps.Keys(comments) {
			if comment != "" || slices.Contains(standalone, o.kind) && !still {
				lines = append(lines, o.line(former, facts{comment: comment}))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n", nil
}

// GrantedObjects are those that grants.sql names, and of them those that it grants something on.
func GrantedObjects() (all, granted []string) {
	all, _, _, granted, _ = wantedRights()
	return all, granted
}

// Steps is Migrate by some steps, or back.
func Steps(ctx context.Context, config *pgx.ConnConfig, n int) error {
	return run(ctx, config, func(m *migrate.Migrate) error { return m.Steps(n) })
}
