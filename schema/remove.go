package schema

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Empty drops all that is crm's, and so all data, in one transaction: of whatever version, and however damaged, which the
// steps back of the migrations would stumble over. What others made stays; if it depends on crm's, nothing is dropped. It
// fails as Migrate does.
func Empty(ctx context.Context, config *pgx.ConnConfig) error {
	d, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Lock(); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, d.conn, func(tx pgx.Tx) error {
		if err := d.execute(homeFirst + versionTable + versionLock); err != nil {
			return err
		}
		if _, dirty, err := d.Version(); err != nil {
			return err
		} else if dirty {
			return ErrVersion
		}
		home, roles, err := d.grantees(tx)
		if err != nil {
			return err
		}
		if err := d.removeAll(tx, true); err != nil {
			return err
		}
		return d.execute(versionTable + renewal(0, home, roles))
	})
}

// HoldsData reports whether there is any row in a table of crm, of whatever version and however damaged.
func HoldsData(ctx context.Context, db Querier) (bool, error) {
	actual, err := readCatalogue(ctx, db)
	if err != nil {
		return false, err
	}
	return holdsData(ctx, db, actual.ours())
}

func holdsData(ctx context.Context, db Querier, ours []object) (bool, error) {
	var any []string
	for _, o := range ours {
		if o.kind == "table" && o.name != "schema_migrations" && !slices.Contains(Transient, o.name) {
			any = append(any, "EXISTS (SELECT FROM "+pgx.Identifier{o.name}.Sanitize()+")")
		}
	}
	if len(any) == 0 {
		return false, nil
	}
	rows, err := db.Query(ctx, "SELECT "+strings.Join(any, " OR "), pgx.QueryExecModeExec)
	if err != nil {
		return false, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
}

// ours are the objects that crm made and that stand for themselves. A table is crm's if it, or anything that belongs to
// it, has a comment that a migration gave it: others may have a table of the same name. What holds no data is crm's by its
// name, where there is anything of crm's at all.
func (c catalogue) ours() (ours []object) {
	_, comments := madeByMigrations()
	commented := map[string]bool{} // by owner
	for o, is := range c {
		if is.comment != "" && slices.Contains(comments[o], is.comment) {
			commented[o.owner] = true
		}
	}
	delete(commented, "schema_migrations") // stays behind when all else goes
	for o := range c {
		_, known := comments[o]
		switch {
		case !known || len(commented) == 0 || !slices.Contains(standalone, o.kind):
		case o.kind == "table" && !commented[o.name] && o.name != "schema_migrations":
		default:
			ours = append(ours, o)
		}
	}
	slices.SortFunc(ours, func(a, b object) int {
		return cmp.Or(slices.Index(standalone, a.kind)-slices.Index(standalone, b.kind), cmp.Compare(a.name, b.name))
	})
	return ours
}

// removeAll drops what is crm's, or returns what refuses to go: what others made depends on it. ErrHoldsData if there are
// rows that are not to be replaced, ErrVersion if they are those of a newer program.
func (d *driver) removeAll(tx pgx.Tx, evenData bool) error {
	actual, err := readCatalogue(d.ctx, tx)
	if err != nil {
		return err
	}
	ours := actual.ours()
	version, _, err := d.Version()
	switch {
	case err != nil:
		return err
	case int64(version) > Version():
		return ErrVersion
	}
	if !evenData {
		if holds, err := holdsData(d.ctx, tx, ours); err != nil {
			return err
		} else if holds {
			return ErrHoldsData
		}
	}
	for drops := dropping(ours); len(drops) > 0; {
		var left []string
		var first error
		for _, drop := range drops {
			err := pgx.BeginFunc(d.ctx, tx, func(tx pgx.Tx) error {
				_, err := tx.Exec(d.ctx, drop)
				return err
			})
			if refused := refusal(err); refused != nil && refused.Code == "2BP01" { // something depends on it
				left = append(left, drop)
				if first == nil {
					first = err
				}
			} else if err != nil {
				return err
			}
		}
		if len(left) == len(drops) {
			return first
		}
		drops = left
	}
	return nil
}

// dropping are the statements that drop objects, which come by kind. Tables go together, for they may refer to each other.
func dropping(ours []object) (drops []string) {
	for i, o := range ours {
		name := pgx.Identifier{o.name}.Sanitize()
		switch o.kind {
		case "table":
			if i > 0 && ours[i-1].kind == "table" {
				drops[len(drops)-1] += ", " + name
				continue
			}
		case "function":
			proper, arguments, _ := strings.Cut(o.name, "(")
			name = pgx.Identifier{proper}.Sanitize() + "(" + arguments
		}
		drops = append(drops, "DROP "+strings.ToUpper(o.kind)+" "+name)
	}
	return drops
}
