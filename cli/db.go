package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

func (a *app) dbCommands() *ffcli.Command {
	return command.Group("db", "the database: start, stop, migrate, fill, save",
		a.dbStatus(),
		a.dbStart(),
		a.dbStop(),
		a.dbMigrate(),
		a.dbPopulate(),
		a.dbReset(),
		a.dbBackup(),
		a.dbRestore(),
		a.dbGrant(),
		a.dbSetPassword(),
	)
}

// databaseStatus is what db status shows.
type databaseStatus struct {
	Kind     string `json:"kind"`
	State    string `json:"state"`
	Location string `json:"location"`
	Server   string `json:"server_version"`
	Schema   int64  `json:"schema_version"`
	Needed   int64  `json:"schema_needed"`
}

var databaseStatuses = render.Resource[databaseStatus]{
	Name: "database", Title: "Database", Hue: render.Blue,
}

func (a *app) dbStatus() *ffcli.Command {
	c := a.Command("status", "whether the database answers, and its schema version").Examples("crm db status", "crm db status -o json")
	show := command.Shows(c, databaseStatuses)
	return c.Does(func(ctx context.Context) error {
		if a.IsRemote() {
			return a.showServer(ctx, show)
		}
		if a.IsLocal() {
			status, err := a.Cluster().Status(ctx)
			if err != nil {
				return err
			}
			if status.State != localdb.Running {
				return &failure.Error{Code: failure.Unavailable,
					Message: "The local database in " + status.Dir + " is " + string(status.State) + ".", Hint: "crm db start"}
			}
		}
		return a.showDatabase(ctx, show)
	})
}

// showServer prints the state of the server that has the database. It answers for one with the schema that it needs itself.
func (a *app) showServer(ctx context.Context, show func(databaseStatus) error) error {
	client, err := a.Client()
	if err != nil {
		return err
	}
	ready, err := client.Ready(ctx)
	if err != nil {
		return err
	}
	return show(databaseStatus{
		Kind: "server", State: "running", Location: a.Config.ServerURL, Server: "crm " + ready.Version, Schema: ready.Schema, Needed: ready.Schema,
	})
}

// showDatabase prints the state of a database that answers; one of another schema version is an error.
func (a *app) showDatabase(ctx context.Context, show func(databaseStatus) error) error {
	pool, err := a.Reach(ctx)
	if err != nil {
		return err
	}
	version, err := a.ServiceOn(pool).CheckVersion(ctx)
	if err != nil {
		return err
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
}

// statusOf describes a database that answers.
func (a *app) statusOf(version int64, server string) (databaseStatus, error) {
	config, err := a.ConnConfig()
	if err != nil {
		return databaseStatus{}, err
	}
	status := databaseStatus{
		Kind: "remote", State: "running", Location: backend.Location(config), Server: server, Schema: version, Needed: schema.Version(),
	}
	if a.IsLocal() {
		status.Kind, status.Location = "local", a.Cluster().Dir()
	}
	return status, nil
}

func (a *app) dbStart() *ffcli.Command {
	c := a.Command("start", "start the local database; other commands do so by themselves").ForHost().Examples("crm db start")
	show := command.Shows(c, databaseStatuses)
	return c.Does(func(ctx context.Context) error {
		if err := a.localOnly(); err != nil {
			return err
		}
		a.Samples = true
		if _, err := a.Connect(ctx); err != nil {
			return err
		}
		return a.showDatabase(ctx, show)
	})
}

func (a *app) dbStop() *ffcli.Command {
	c := a.Command("stop", "stop the local database").ForHost().Examples("crm db stop")
	return c.Does(func(ctx context.Context) error {
		if err := a.localOnly(); err != nil {
			return err
		}
		if err := a.Cluster().Stop(ctx); err != nil {
			return err
		}
		a.Notice("The local database is stopped.")
		return nil
	})
}

func (a *app) localOnly() error {
	if a.IsLocal() {
		return nil
	}
	return failure.Misuse("crm starts and stops only the local database; database.url names another.", "")
}

func (a *app) dbMigrate() *ffcli.Command {
	c := a.Command("migrate", "bring the database to the schema of this crm; on an empty one, add the first administrator").ForHost().Examples(
		"crm db migrate",
		`crm db migrate --admin-username chloe --admin-fullname "Chloé Dupré" --password-stdin < password.txt`,
	)
	username := command.Flag(c, "admin-username", "USERNAME", "the first administrator's name to log in with", value.ParseUsername)
	fullname := command.Flag(c, "admin-fullname", "NAME", "the first administrator's first and last name", command.Line("admin-fullname"))
	fromStdin := c.Switch("password-stdin", "read the first administrator's password from standard input")
	show := command.Shows(c, databaseStatuses)
	return c.Does(func(ctx context.Context) error {
		if username.Set != fullname.Set {
			return failure.Misuse("--admin-username and --admin-fullname go together.", "")
		}
		var password string
		if username.Set && (*fromStdin || !a.Interactive()) {
			var err error
			if password, err = a.newPassword(ctx, username.Got, *fromStdin); err != nil {
				return err
			}
		}
		a.Unsampled, a.Greets = username.Set, true
		pool, err := a.Connect(ctx)
		if err != nil {
			return err
		}
		s := a.ServiceOn(pool)
		config, err := a.ConnConfig()
		if err != nil {
			return err
		}
		if err := s.Migrate(ctx, config); err != nil {
			return err
		}
		empty, err := s.HasNoEmployee(ctx)
		if err != nil {
			return err
		}
		switch {
		case !empty && username.Set:
			return &failure.Error{Code: failure.Conflict,
				Message: "The database has employees already; an administrator adds more.", Hint: "crm employee add"}
		case empty && !username.Set && !a.Interactive():
			a.Notice("The database has no employee yet: crm db migrate --admin-username ... --admin-fullname ... --password-stdin")
		case empty:
			if err := a.addFirst(ctx, s, username, fullname, password); err != nil {
				return err
			}
		}
		return a.showDatabase(ctx, show)
	})
}

// addFirst adds the first administrator, asking for what was not given.
func (a *app) addFirst(ctx context.Context, s *service.Service, username, fullname *command.Value[string], password string) error {
	for _, v := range []*command.Value[string]{username, fullname} {
		if !v.Set {
			if err := v.Ask(ctx); err != nil {
				return err
			}
		}
	}
	if password == "" {
		var err error
		if password, err = a.newPassword(ctx, username.Got, false); err != nil {
			return err
		}
	}
	if err := s.EmployeeAddFirst(ctx, username.Got, fullname.Got, password); err != nil {
		return err
	}
	a.Notice("The administrator %s is added.", username.Got)
	return nil
}

func (a *app) dbGrant() *ffcli.Command {
	c := a.Command("grant", "let a role of PostgreSQL that owns nothing work with crm, and no more; as the owner of the schema").ForHost().Examples(
		"crm db grant crm_app",
	)
	role := command.Flag(c, "role", "ROLE", "the role, which has to be there", command.Line("role")).AsArgument()
	return c.Does(func(ctx context.Context) error {
		pool, err := a.Connect(ctx)
		if err != nil {
			return err
		}
		config, err := a.ConnConfig()
		if err != nil {
			return err
		}
		excess, err := a.ServiceOn(pool).Grant(ctx, config, role.Got)
		if err != nil {
			return err
		}
		a.Notice("The role %s may work with crm; a migration renews that.", role.Got)
		if len(excess) > 0 {
			return &failure.Error{Code: exitFindings, Hint: "have whoever gave it that take it back: REVOKE ... FROM " + role.Got + ", or FROM PUBLIC",
				Message: fmt.Sprintf("It may do more all the same, by way of PUBLIC or another role: %s.", strings.Join(excess, ", "))}
		}
		return nil
	})
}

// dbSetPassword is for whoever has the database, by its URL or its socket, who could change the hash in it anyhow.
func (a *app) dbSetPassword() *ffcli.Command {
	c := a.Command("set-password", "give an employee a one-time password without a login, when no administrator is left who can").ForHost().Examples(
		"crm db set-password administrator1",
		"crm db set-password administrator1 --password-stdin < password.txt",
	)
	employee := command.Flag(c, "username", "USERNAME", "who", parseEmployee).AsArgument()
	password := a.passwordForAnother(c)
	return c.Does(func(ctx context.Context) error {
		pool, err := a.Connect(ctx)
		if err != nil {
			return err
		}
		svc := a.ServiceOn(pool)
		found, err := svc.DbEmployeeFind(ctx, employee.Got)
		if err != nil {
			return err
		}
		secret, err := password.take(ctx, found.Username)
		if err != nil {
			return err
		}
		now, err := svc.DbSetPassword(ctx, found.Username, secret)
		if err != nil {
			return err
		}
		a.Warn("this was done without a login, and in nobody's name: whoever has the database can do it")
		a.Notice("The password is set; %s has to log in again.", now.Username)
		return password.show(now)
	})
}

func (a *app) dbPopulate() *ffcli.Command {
	c := a.Command("populate", "put the sample data into a database that holds no customer yet").Examples(
		"crm db populate",
		"crm db populate --yes",
	)
	yes := c.Switch("yes", "do not ask")
	// Where nobody can log in yet, there is no session to do it in.
	c.Before(func(ctx context.Context) (done bool, err error) {
		a.Samples, a.Greets = true, true
		return a.PopulateNew(ctx)
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if !a.IsLocal() {
			if err := a.Confirm(ctx, "Put the sample data, whose password everybody knows, into this database?", *yes); err != nil {
				return err
			}
		}
		if err := s.DbPopulate(ctx); err != nil {
			return err
		}
		a.Notice("The sample data is in the database; the password of its employees is %s.", schema.SamplePassword)
		return nil
	})
}

func (a *app) dbReset() *ffcli.Command {
	c := a.Command("reset", "delete everything and begin anew").ForHost().Examples("crm db reset", "crm db reset --yes", "crm db reset --sample=false")
	var sample *bool
	yes := c.Switch("yes", "do not ask")
	c.FlagSet.BoolFunc("sample", "fill it with the sample data, or not: --sample=false; else as it was", func(s string) error {
		fills, err := strconv.ParseBool(s)
		sample = &fills
		return err
	})
	show := command.Shows(c, databaseStatuses)
	return c.Does(func(ctx context.Context) error {
		a.Config.DatabaseReset = false // this asks
		if err := a.Resettable(ctx); err != nil {
			return err
		}
		config, err := a.ConnConfig()
		if err != nil {
			return err
		}
		if err := a.ConfirmByName(ctx, a.Holdings(ctx, config), config.Database, *yes); err != nil {
			return err
		}
		if err := a.Reset(ctx, config, sample); err != nil {
			return err
		}
		return a.showDatabase(ctx, show)
	})
}
