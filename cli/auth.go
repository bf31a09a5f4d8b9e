package cli

import (
	"cmp"
	"context"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) authCommands() *ffcli.Command {
	return command.Group("auth", "log in and out, and see who may do what",
		a.authLogin(),
		a.authLogout(),
		a.authWhoami(),
		a.authChangePassword(),
		a.authSessions(),
		a.authTokenCommands(),
		a.authPermissions(),
	)
}

func (a *app) authLogin() *ffcli.Command {
	c := a.Command("login", "log in; the session ends when it is not used").WithoutLogin().Examples(
		"crm auth login administrator1",
		"crm auth login --username commercial1 --password-stdin < password.txt",
	)
	username := command.Flag(c, "username", "USERNAME", "who logs in", value.ParseUsername).AsArgument().
		StartsWith(func(context.Context) (string, error) { return cmp.Or(a.lastUsername(), a.loggedOut()), nil })
	fromStdin := c.Switch("password-stdin", "read the password from standard input")
	password := command.Flag(c, "password", "PASSWORD", "the password, for others on this machine to see", command.AsTyped)
	given := func() bool { return *fromStdin || password.Set }
	c.NeedsPassword(given)
	show := command.Shows(c, whoami)
	c.Excludes("password", "password-stdin")
	// Nobody types a password for a database that does not answer, and a new local one says who can log in.
	c.Checks(func(ctx context.Context) error {
		if given() || !a.Interactive() {
			return nil
		}
		_, err := a.Accounts(ctx)
		return err
	})
	return c.Does(func(ctx context.Context) error {
		secret := password.Got
		var err error
		switch {
		case password.Set:
			a.Warn("--password can be seen by others on this machine; use --password-stdin")
		case *fromStdin:
			secret, err = a.ReadLine()
		case a.Interactive():
			secret, err = a.AskPassword(ctx, "Password", nil)
		default:
			return failure.Misuse("missing --password-stdin", "crm auth login --help")
		}
		if err != nil {
			return err
		}
		who, err := a.startSession(ctx, username.Got, secret)
		if err != nil {
			return err
		}
		if variable := a.TokenVariable(); variable != "" {
			a.Warn("%s is set and is used instead of this login", variable)
		}
		return show(who)
	})
}

func (a *app) authLogout() *ffcli.Command {
	c := a.Command("logout", "end the session").WithoutLogin().Examples("crm auth logout")
	return c.Does(func(ctx context.Context) error {
		if a.TokenVariable() == "" && a.RequireMade() != nil { // of a database that is no more, or of another
			a.Notice("You are logged out.")
			return a.RemoveToken()
		}
		// A token file that cannot be trusted is told, not forgotten: its session may still be good.
		if _, err := a.Token(); err != nil {
			return err
		}
		s, err := a.Session(ctx)
		if err == nil {
			err = s.AuthLogout(ctx)
		}
		if failure.CodeOf(err) == failure.Unauthenticated {
			err = nil
			a.Notice("You were not logged in.")
		} else if err == nil {
			a.Notice("You are logged out.")
		}
		if err != nil {
			return err
		}
		if a.TokenVariable() != "" {
			return nil // the file is another login's
		}
		return a.RemoveToken()
	})
}

func (a *app) authWhoami() *ffcli.Command {
	c := a.Command("whoami", "who is logged in, and until when").WithoutLogin().Examples("crm auth whoami", "crm auth whoami -o json")
	show := command.Shows(c, whoami)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		who, err := s.AuthWhoami(ctx)
		if err != nil {
			return err
		}
		return show(who)
	})
}

func (a *app) authChangePassword() *ffcli.Command {
	c := a.Command("change-password", "change your own password; ends your other sessions and your tokens").Examples(
		"crm auth change-password",
		"printf '%s\\n' \"$OLD\" \"$NEW\" | crm auth change-password --password-stdin",
	)
	fromStdin := c.Switch("password-stdin", "read the current and then the new password, a line each, from standard input")
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		who, err := s.AuthWhoami(ctx)
		if err != nil {
			return err
		}
		var current string
		switch {
		case *fromStdin:
			current, err = a.ReadLine()
		case a.Interactive():
			current, err = a.AskPassword(ctx, "Current password", nil)
		default:
			err = failure.Misuse("missing --password-stdin", "crm auth change-password --help")
		}
		if err != nil {
			return err
		}
		password, err := a.newPassword(ctx, who.Username, *fromStdin)
		if err != nil {
			return err
		}
		_, err = a.changePassword(ctx, s, current, password)
		return err
	})
}

func (a *app) authPermissions() *ffcli.Command {
	c := a.Command("permissions", "who may do what: all, own (what is in one's charge) or no").Examples("crm auth permissions")
	fields := command.FieldsFlag(c, permissions)
	return c.Does(func(context.Context) error {
		commands := map[string]bool{}
		cmdline.Walk(a.Root, "", func(_ *ffcli.Command, path string) { commands[path] = true })
		var rows []service.Permission
		for _, permission := range service.Permissions() {
			if commands["crm "+permission.Operation] {
				rows = append(rows, permission)
			}
		}
		return render.List(a.OutputOf(fields), permissions, command.Rows(rows))
	})
}

var permissions = render.Resource[service.Permission]{
	Name: "permission", Title: "Permissions", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "operation", Wraps: true},
		{Column: "none", Rank: 4},
		{Column: "commercial", Rank: 2},
		{Column: "support", Rank: 3},
		{Column: "administrator", Rank: 1},
	},
}

var whoami = render.Resource[service.Whoami]{
	Name: "session", Title: "Session", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "id", Hidden: true},
		{Column: "password_one_time", Hidden: true},
	},
}
