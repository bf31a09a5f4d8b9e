package cli

import (
	"context"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

func (a *app) authSessions() *ffcli.Command {
	c := a.Command("sessions", "list your logins; an administrator those of others too").Examples(
		"crm auth sessions",
		"crm auth sessions --all",
		"crm auth sessions --username none1 -o json",
	)
	username, all := a.ofOthers(c, "logins")
	l := command.ListFlags(c, logins)
	c.Subcommands = []*ffcli.Command{a.authSessionsRevoke()}
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, username); err != nil {
			return err
		}
		p := gen.AuthSessionsParams{Username: username.Pointer(), Everyone: *all, Sort: l.Order(), RowLimit: l.RowLimit()}
		return command.ShowList(ctx, l, logins, s.AuthSessions(ctx, p), func(ctx context.Context) (int64, error) {
			return s.AuthSessionsCount(ctx, p)
		})
	})
}

// ofOthers declares whose logins or tokens a command is about, where an administrator asks for those of others.
func (a *app) ofOthers(c *command.Command, what string) (username *command.Value[string], all *bool) {
	username = a.employeeFlag(c, "username", "the "+what+" of this employee; for administrators").From(a.pickEmployee(""))
	all = c.Switch("all", "the "+what+" of everyone; for administrators")
	c.Excludes("username", "all")
	return username, all
}

func (a *app) authSessionsRevoke() *ffcli.Command {
	c := a.Command("revoke", "end logins: one by its id, all of yours, or those of others").Examples(
		"crm auth sessions revoke 5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10",
		"crm auth sessions revoke --mine",
		"crm auth sessions revoke --username none1",
	)
	id := command.Flag(c, "id", "ID", "end the login of this id; an administrator may end those of others", command.ParseUUID).MaybeArgument().
		From(a.pickLogin)
	mine := c.Switch("mine", "end all of your logins, this one too")
	username, all := a.ofOthers(c, "logins")
	c.Excludes("id", "mine", "username", "all")
	c.Excludes("mine", "username", "all")
	c.Checks(func(context.Context) error {
		if !*mine && !username.Set && !*all {
			id.Needed()
		}
		return nil
	})
	yes := c.AsksFirst()
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, username); err != nil {
			return err
		}
		if *all {
			if err := a.Confirm(ctx, "End the logins of everyone, this one too?", *yes); err != nil {
				return err
			}
		}
		ended, err := s.AuthSessionsRevoke(ctx, gen.AuthSessionsRevokeParams{ID: id.Pointer(), Username: username.Pointer(), Everyone: *all})
		if err != nil {
			return err
		}
		a.Notice("%d of %s sessions ended.", ended, whoseWords(username, *all, id.Set))
		if _, err := s.AuthWhoami(ctx); service.NeedsLogin(err) {
			return a.RemoveToken() // it was this one
		}
		return nil
	})
}

// whoseWords says whose logins or tokens a command was about.
func whoseWords(username *command.Value[string], all, byID bool) string {
	switch {
	case all:
		return "everyone's"
	case username.Set:
		return username.Got + "'s"
	case byID:
		return "the"
	}
	return "your"
}

// pickLogin offers one's own logins.
func (a *app) pickLogin(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
	s, err := a.Session(ctx)
	if err != nil {
		return nil, err
	}
	var choices []terminal.Choice
	for login, err := range s.AuthSessions(ctx, gen.AuthSessionsParams{}) {
		if err != nil {
			return nil, err
		}
		label := "since " + login.CreatedAt.In(a.Config.Location).Format("2006-01-02 15:04")
		if login.Current {
			label += ", this one"
		}
		choices = append(choices, terminal.Choice{Label: label, Value: login.ID.String()})
	}
	return terminal.Among(choices)(ctx, typed, limit)
}

var logins = render.Resource[gen.AuthSessionsRow]{
	Name: "login", Title: "Logins", Hue: render.Blue,
	Looks: append([]render.Look{
		{Column: "current", Rank: 1},
		{Column: "created_at", Rank: 3},
		{Column: "expires_at", Rank: 2},
	}, ownerLooks...),
}

// ownerLooks are of whose a login or a token is, which only a list of those of others says to people.
var ownerLooks = []render.Look{
	{Column: "employee_id", DataOnly: true},
	{Column: "employee_fullname", Of: "employee", Beside: []string{"all"}, KeptBy: []string{"all"}, SameBy: []string{"username"}},
}
