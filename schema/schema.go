// Package schema holds the data model of crm: its numbered migrations, which are the data dictionary too, and the sample
// data set.
//
// Every rule that data must obey is stated here, as a constraint, a key or a trigger, and the comment on it is the
// sentence that a user who breaks it reads. Nothing in this package knows who is logged in, what a command is or how a
// row is shown.
//
// To change the model, add the next pair NNNNNN_name.up.sql and NNNNNN_name.down.sql, put a COMMENT on whatever is new,
// and run make gen. A migration that has been released is never edited.
package schema

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
)

//go:embed *.sql
var migrations embed.FS

// Sample is the SQL of the sample data set. It goes into a migrated database that holds no customer yet; run it as one
// transaction.
//
//go:embed sample/sample.sql
var Sample string

// SamplePassword is the password of every employee in the sample data set.
const SamplePassword = "epic-events-sample"

// Version is the number of the newest migration: the schema this program works with.
func Version() int64 {
	files, err := fs.Glob(migrations, "*.up.sql")
	if err != nil || len(files) == 0 {
		panic("schema: no migrations embedded")
	}
	var version int64
	if _, err := fmt.Sscanf(files[len(files)-1], "%d_", &version); err != nil {
		panic("schema: " + err.Error())
	}
	return version
}

// Hash names this exact schema and sample data set, so that databases made from them can be kept and found again.
func Hash() string {
	sum := sha256.New()
	_ = fs.WalkDir(migrations, ".", func(path string, entry fs.DirEntry, _ error) error {
		if !entry.IsDir() {
			text, _ := migrations.ReadFile(path)
			fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		}
		return nil
	})
	sum.Write([]byte(Sample))
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// Migrate brings the database to Version. Several may run at once: they wait for each other. Ended at any instant it
// leaves the database at one version or the next, from where another call goes on. ErrPooled through a pooler, ErrVersion
// where the version is dirty or newer.
func Migrate(ctx context.Context, config *pgx.ConnConfig) error {
	return run(ctx, config, (*migrate.Migrate).Up)
}

func run(ctx context.Context, config *pgx.ConnConfig, direction func(*migrate.Migrate) error) error {
	source, err := iofs.New(migrations, ".")
	if err != nil {
		return err
	}
	driver, err := connect(ctx, config)
	if err != nil {
		return err
	}
	m, err := migrate.NewWithInstance("schema", source, config.Database, driver)
	if err != nil {
		return errors.Join(err, driver.Close())
	}
	defer m.Close()
	m.LockTimeout = math.MaxInt64 // the context says how long
	err = direction(m)
	if _, dirty := errors.AsType[migrate.ErrDirty](err); dirty || errors.Is(err, fs.ErrNotExist) {
		return ErrVersion
	}
	if errors.Is(err, migrate.ErrNoChange) {
		err = nil
	}
	return errors.Join(ctx.Err(), err)
}
