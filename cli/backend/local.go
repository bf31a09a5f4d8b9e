package backend

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

func (b *Backend) IsLocal() bool { return b.settings.DatabaseURL == "" && !b.IsRemote() }

func (b *Backend) Cluster() *localdb.Cluster {
	return localdb.New(b.settings.Folder("XDG_DATA_HOME", ".local/share"), b.settings.Getenv)
}

// startLocal makes the local database run, after creating it if need be.
func (b *Backend) startLocal(ctx context.Context) error {
	if err := b.RequireMade(); err != nil {
		return err
	}
	progress := func(line string) {
		if line == localdb.Starting && b.screen.ErrWidth == 0 {
			return // a script need not know, and cron would send a mail of it
		}
		b.screen.Notice("%s", line)
	}
	err := b.Cluster().Start(ctx, progress, func(ctx context.Context, url string) error {
		if err := b.requireNoToken(); err != nil { // where a first command was killed before there was a database
			return err
		}
		config, err := parseURL(url)
		if err != nil {
			return err
		}
		return b.fill(ctx, config)
	})
	if err == nil && b.created {
		b.welcome(b.sampled)
	}
	return err
}

// RequireMade refuses to make a local database for whoever has a token, which can only be for another one. A job that runs
// without its HOME, for example, would go on with an empty database.
func (b *Backend) RequireMade() error {
	if !b.IsLocal() || b.Cluster().Exists() {
		return nil
	}
	return b.requireNoToken()
}

func (b *Backend) requireNoToken() error {
	from, hint := b.TokenFile(), "crm auth logout"
	switch variable := b.TokenVariable(); variable {
	case "":
		if _, err := os.Lstat(from); err != nil {
			return nil
		}
	case "CRM_TOKEN_FILE":
		from, hint = b.settings.Getenv(variable)+", which "+variable+" names", "unset "+variable
	default:
		from, hint = variable, "unset "+variable
	}
	return &failure.Error{Code: failure.Unavailable,
		Message: fmt.Sprintf("There is a token, from %s, but not the local database that it is for; a new one would be made in %s.", from, b.Cluster().Dir()),
		Hint:    "set HOME or XDG_DATA_HOME to where the database is, or for a new one: " + hint}
}

// welcome says how to go on with a new database.
func (b *Backend) welcome(sampled bool) {
	switch {
	case sampled:
		b.screen.Notice("It holds sample data. Log in: crm auth login administrator1 (password %s)", schema.SamplePassword)
	case !b.Greets:
		b.screen.Notice(`It is empty. Add the first administrator: crm db migrate --admin-username USERNAME --admin-fullname "FIRST LAST"`)
	}
}

// fill migrates an empty local database and puts the sample data into it, if somebody asks for that or sees it.
func (b *Backend) fill(ctx context.Context, config *pgx.ConnConfig) error {
	if err := schema.Migrate(ctx, config); err != nil {
		return err
	}
	b.created = true
	if !b.settings.PopulateSample || b.Unsampled ||
		!b.screen.Interactive() && !b.Samples {
		return nil
	}
	pool, err := service.Connect(ctx, config, 0)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := service.New(pool).Populate(ctx); err != nil {
		return err
	}
	b.sampled = true
	return nil
}

// PopulateNew puts the sample data into a local database that nobody can log in to yet, and reports whether it did.
func (b *Backend) PopulateNew(ctx context.Context) (bool, error) {
	if !b.IsLocal() {
		return false, nil
	}
	pool, err := b.Connect(ctx)
	if err != nil || b.sampled {
		return b.sampled, err
	}
	s := b.ServiceOn(pool)
	empty, err := s.HasNoEmployee(ctx)
	if err != nil || !empty {
		return false, err
	}
	if err := s.Populate(ctx); err != nil {
		return false, err
	}
	b.welcome(true)
	return true, nil
}

// holdsOnlySample reports whether nobody's work would be lost with the database.
func (b *Backend) holdsOnlySample(ctx context.Context) (bool, error) {
	pool, err := b.Connect(ctx)
	if err != nil {
		return false, err
	}
	return b.ServiceOn(pool).HoldsOnlySample(ctx)
}

// Resettable refuses to delete anybody's data but a developer's own: the local database, or one that holds the sample
// data only.
func (b *Backend) Resettable(ctx context.Context) error {
	if b.IsLocal() {
		return nil
	}
	only, err := b.holdsOnlySample(ctx)
	if err == nil && !only {
		err = &failure.Error{Code: failure.Conflict, Message: "This database is not the local one and holds more than the sample data; it is not reset."}
	}
	return err
}

// Holdings names a database and how many customers are in it, for whoever is about to delete them.
func (b *Backend) Holdings(ctx context.Context, config *pgx.ConnConfig) string {
	name := "the database " + Location(config)
	if b.IsLocal() {
		name = "the local database"
	}
	pool, err := b.Connect(ctx)
	if err != nil {
		return name // deleting will tell
	}
	switch n, err := b.ServiceOn(pool).Customers(ctx); {
	case err != nil:
		return name
	case n == 1:
		return name + " (1 customer)"
	default:
		return fmt.Sprintf("%s (%d customers)", name, n)
	}
}

// Reset deletes everything and begins anew: with the sample data, if that is said, or else if the database was begun so.
func (b *Backend) Reset(ctx context.Context, config *pgx.ConnConfig, sample *bool) error {
	pool, err := b.Connect(ctx)
	if err != nil {
		return err
	}
	s := service.New(pool)
	sampled, err := s.HoldsSample(ctx)
	if err != nil {
		return err
	}
	sampled = sampled && b.settings.PopulateSample
	if sample != nil {
		sampled = *sample
	}
	if err := s.Empty(ctx, config); err != nil {
		return err
	}
	if err := s.Migrate(ctx, config); err != nil {
		return err
	}
	if sampled {
		if err := s.Populate(ctx); err != nil {
			return err
		}
	}
	b.welcome(sampled)
	return nil
}

// KeyFile is where the signing key for the local database lies.
func (b *Backend) KeyFile() string {
	return filepath.Join(b.settings.Folder("XDG_DATA_HOME", ".local/share"), "auth_secret_key")
}

// SigningKey is the configured one, or for the local database one that is generated once.
func (b *Backend) SigningKey() ([]byte, error) {
	if b.settings.AuthSecretKey != "" {
		return []byte(b.settings.AuthSecretKey), nil
	}
	if !b.IsLocal() {
		return nil, failure.Misuse("controller.auth_secret_key is not set; it is needed with database.url.", config.KeyHint)
	}
	name := b.KeyFile()
	folder := filepath.Dir(name)
	fail := func(err error) ([]byte, error) {
		problem := &failure.Error{Code: failure.Internal, Message: fmt.Sprintf("The key in %s cannot be read or made.", name), Err: err}
		if cause, ok := errors.AsType[syscall.Errno](err); ok {
			problem.Message = fmt.Sprintf("The key in %s cannot be read or made: %v.", name, cause)
			problem.Hint = "make that a folder of yours, or name another above it with XDG_DATA_HOME"
		}
		return nil, problem
	}
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		// Open to pass, no more: started by root, the server's account has to reach the database in there.
		if err := errors.Join(files.MkdirAll(filepath.Dir(folder), 0o755), files.MkdirAll(folder, 0o711)); err != nil {
			return fail(err)
		}
		random := make([]byte, 32)
		_, _ = rand.Read(random)
		if err := files.Make(name, hex.EncodeToString(random)+"\n"); err != nil {
			return fail(err)
		}
		if key, err = os.ReadFile(name); err != nil {
			return fail(err)
		}
	} else if err != nil {
		return fail(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return fail(err)
	}
	if err := b.settings.Guarded("key file", name, config.SigningKeySecret, info); err != nil {
		return nil, err
	}
	b.NoticeReadable()
	key = []byte(strings.TrimSpace(string(key)))
	if len(key) < 32 {
		return fail(errors.New("the key is too short"))
	}
	return key, nil
}

// NoticeReadable warns a person of files with secrets that others can read.
func (b *Backend) NoticeReadable() {
	for _, name := range b.settings.ToldReadable() {
		if terminal.Is(b.screen.Err) {
			b.screen.Warn("others on this machine can read the secrets in %s: chmod 600 %s", name, name)
		}
	}
}
