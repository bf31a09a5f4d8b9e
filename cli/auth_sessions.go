package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

func (a *app) authSessions() *ffcli.Command {
	c := a.Command("sessions", "list your logins, or end them").Examples(
		"crm auth sessions",
		"crm auth sessions --revoke 5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10",
		"crm auth sessions --all",
	)
	revoke := command.Flag(c, "revoke", "ID", "end the login of this id", command.ParseUUID)
	all := c.Switch("all", "end all logins, this one too")
	c.Excludes("revoke", "all")
	l := command.ListFlags(c, logins)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if !*all && !revoke.Set {
			p := gen.AuthSessionsParams{Sort: l.Order(), RowLimit: l.RowLimit()}
			return command.ShowList(ctx, l, logins, s.AuthSessions(ctx, p), s.AuthSessionsCount)
		}
		var id *uuid.UUID
		if revoke.Set {
			id = &revoke.Got
		}
		ended, err := s.AuthSessionsRevoke(ctx, id)
		if err != nil {
			return err
		}
		a.Notice("%d of your sessions ended.", ended)
		if _, err := s.AuthWhoami(ctx); service.NeedsLogin(err) {
			return a.RemoveToken() // it was this one
		}
		return nil
	})
}

var logins = render.Resource[gen.AuthSessionsRow]{
	Name: "login", Title: "Logins", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "current", Rank: 1},
		{Column: "created_at", Rank: 3},
		{Column: "expires_at", Rank: 2},
	},
}
