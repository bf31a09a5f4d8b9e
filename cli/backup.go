package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/clipperhouse/displaywidth"
	"github.com/jackc/pgx/v5"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
	"github.com/epicevents/crm/internal/pgclient"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// backup is what db backup shows.
type backup struct {
	File     string `json:"file"`
	Location string `json:"location"`
	Schema   int64  `json:"schema_version"`
	Bytes    int64  `json:"bytes"`
}

var backups = render.Resource[backup]{
	Name: "backup", Title: "Backups", Hue: render.Blue,
}

func (a *app) dbBackup() *ffcli.Command {
	c := a.Command("backup", "save everything but sessions and tokens into a file of pg_dump's custom format").ForHost().Examples(
		"crm db backup crm.backup",
		"crm db backup crm-$(date +%F).backup --yes",
	)
	file := command.Flag(c, "file", "FILE", "the file to write", parseFile).AsArgument()
	yes := c.Switch("yes", "replace the file if it exists")
	show := command.Shows(c, backups)
	return c.Does(func(ctx context.Context) error {
		info, err := os.Stat(file.Got)
		switch {
		case err == nil && !info.Mode().IsRegular():
			return failure.Misuse(fmt.Sprintf("%s is not a file.", file.Got), "")
		case err == nil:
			if err := a.Confirm(ctx, "Replace the file "+file.Got+"?", *yes); err != nil {
				return err
			}
		case !errors.Is(err, fs.ErrNotExist):
			return fileError(file.Got, err)
		}
		pool, err := a.Connect(ctx)
		if err != nil {
			return err
		}
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		server := conn.Conn().PgConn().ParameterStatus("server_version")
		version, err := a.ServiceOn(pool).BackupVersion(ctx, conn.Conn())
		conn.Release()
		if err != nil {
			return err
		}
		if err := a.dump(ctx, file.Got, server); err != nil {
			return err
		}
		if info, err = os.Stat(file.Got); err != nil {
			return fileError(file.Got, err)
		}
		status, err := a.statusOf(version, server)
		if err != nil {
			return err
		}
		return show(backup{file.Got, status.Location, version, info.Size()})
	})
}

// dump writes the database into a file that is there when it is complete, and as it was before until then.
func (a *app) dump(ctx context.Context, name, server string) error {
	config, err := a.ConnConfig()
	if err != nil {
		return err
	}
	major, _ := strconv.Atoi(strings.FieldsFunc(server, func(r rune) bool { return r < '0' || r > '9' })[0])
	client, err := pgclient.Find(ctx, a.Cluster(), pgclient.Dump, major)
	if err != nil {
		return err
	}
	file, err := files.Create(filepath.Dir(name), "backup")
	if err != nil {
		return fileError(name, err)
	}
	defer file.Close()
	arguments := []string{"--format=custom", "--no-password", "--lock-wait-timeout=10000"}
	for _, table := range schema.Transient {
		arguments = append(arguments, "--exclude-table-data="+table)
	}
	p := a.progress("Saving the database " + config.Database)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-time.After(time.Second):
				if info, err := file.Stat(); err == nil {
					p.at(fmt.Sprintf("%.1f MB", float64(info.Size())/1e6))
				}
			case <-ended:
				return
			}
		}
	}()
	err = client.Run(ctx, a.clientConnection(config), file.File, arguments...)
	close(ended)
	p.end()
	if err != nil {
		return err
	}
	if err := file.Replace(name); err != nil {
		return fileError(name, err)
	}
	return nil
}

func (a *app) dbRestore() *ffcli.Command {
	c := a.Command("restore", "replace everything in the database by a backup, or change nothing if that fails").ForHost().Examples(
		"crm db restore crm.backup",
		"crm db restore crm.backup --database crm",
	)
	file := command.Flag(c, "file", "FILE", "the file that crm db backup wrote", parseFile).AsArgument()
	name := command.Flag(c, "database", "NAME", "the name of the database, once more, if it holds data", command.AsTyped)
	show := command.Shows(c, databaseStatuses)
	return c.Does(func(ctx context.Context) error {
		opened, err := os.Open(file.Got)
		if err != nil {
			return fileError(file.Got, err)
		}
		_ = opened.Close()
		client, err := pgclient.Find(ctx, a.Cluster(), pgclient.Restore, 0)
		if err != nil {
			return err
		}
		archive := func(arguments ...string) (io.ReadCloser, error) {
			return client.Start(ctx, append(arguments, "--file=-", "--", file.Got)...)
		}
		version, err := service.ArchiveVersion(archive)
		if err != nil {
			return err
		}
		a.Unsampled, a.Greets = true, true
		pool, err := a.Connect(ctx)
		if err != nil {
			return err
		}
		config, err := a.ConnConfig() // not before: the local database may have been made meanwhile
		if err != nil {
			return err
		}
		s := a.ServiceOn(pool)
		holds, err := s.HoldsData(ctx)
		if err != nil {
			return err
		}
		if holds && !name.Set {
			if !a.Interactive() {
				return &failure.Error{Code: failure.Conflict, Hint: "crm db restore " + file.Got + " --database " + config.Database,
					Message: fmt.Sprintf("The database %s holds data, which would be replaced.", backend.Location(config))}
			}
			a.Notice("Everything in the database %s will be replaced.", backend.Location(config))
			if err := name.Ask(ctx); err != nil {
				return err
			}
		}
		if name.Set && name.Got != config.Database {
			return failure.Misuse(fmt.Sprintf("--database: the database is %s, not %q.", backend.Location(config), text.Shorten(name.Got)), "")
		}
		p := a.progress("Restoring the database " + config.Database)
		restored, err := s.Restore(ctx, config, archive, name.Set, p.at)
		p.end()
		if err != nil {
			return err
		}
		if len(restored.LeftOut) > 0 {
			a.Notice("Left out, for it is not crm's: %s.", firstOf(restored.LeftOut))
		}
		if restored.Findings > 0 {
			a.Notice("Of the backup's sums %d do not fit the payments: crm check.", restored.Findings)
		}
		a.Notice("The backup is restored. Nobody is logged in, and scripts need new tokens.")
		if version < schema.Version() {
			a.Notice("It is of schema version %d: crm db migrate brings the database to %d.", version, schema.Version())
		}
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		status, err := a.statusOf(version, conn.Conn().PgConn().ParameterStatus("server_version"))
		if err != nil {
			return err
		}
		return show(status)
	})
}

// firstOf names the first few and counts the rest.
func firstOf(names []string) string {
	const shown = 5
	if more := len(names) - shown; more > 0 {
		names = append(names[:shown:shown], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// parseFile takes the name of a file.
func parseFile(s string) (string, error) {
	if s == "" || s == "-" || strings.ContainsRune(s, 0) {
		return "", failure.Misuse(fmt.Sprintf("%q is not the name of a file.", text.Shorten(s)), "")
	}
	return s, nil
}

func fileError(name string, err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = errno
	}
	return failure.Misuse(fmt.Sprintf("The file %s cannot be used: %v.", name, err), "")
}

// clientConnection tells PostgreSQL's programs what pgx was told. Where the URL says nothing, parseURL's choices hold.
func (a *app) clientConnection(config *pgx.ConnConfig) pgclient.Connection {
	parameters := backend.URLQuery(a.Config.DatabaseURL)
	if parameters.Get("sslmode") == "" && !a.IsLocal() && !backend.OnThisMachine(config) {
		parameters.Set("sslmode", "verify-full")
	}
	if !parameters.Has("require_auth") {
		parameters.Set("require_auth", backend.SafeAuth)
	}
	if backend.SeveralHosts(config) && !parameters.Has("target_session_attrs") {
		parameters.Set("target_session_attrs", "read-write")
	}
	return pgclient.Connection{Config: config, Parameters: parameters, Timeout: backend.ConnectTimeout, Getenv: a.Getenv}
}

// progress is a line on stderr that says how far a long work is; where nobody watches it says only what begins.
type progress struct {
	app   *app
	what  string
	shown bool
}

func (a *app) progress(what string) *progress {
	p := a.watchedProgress(what)
	if !p.shown {
		a.Notice("%s ...", what)
	}
	return p
}

// watchedProgress is a progress that says nothing where nobody watches it.
func (a *app) watchedProgress(what string) *progress {
	p := &progress{app: a, what: what, shown: terminal.Is(a.Err) && !a.Plain()}
	p.at("")
	return p
}

// at replaces the line.
func (p *progress) at(where string) {
	if p.shown {
		width, _ := p.app.Size() // a line that is broken into two cannot be replaced
		fmt.Fprint(p.app.Err, "\r\x1b[K", displaywidth.TruncateString(text.Escape(p.what+" ... "+where), width-1, "…"))
	}
}

func (p *progress) end() {
	if p.shown {
		fmt.Fprintln(p.app.Err)
	}
}
