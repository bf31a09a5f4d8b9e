package cli

import (
	"context"
	"slices"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// tokenLifetime is how long a token lasts unless it is told otherwise.
const tokenLifetime = 90 * 24 * time.Hour

func (a *app) authTokenCommands() *ffcli.Command {
	return command.Group("token", "tokens for scripts, which act as you without a login",
		a.authTokenCreate(),
		a.authTokenList(),
		a.authTokenRevoke(),
	)
}

func (a *app) authTokenCreate() *ffcli.Command {
	c := a.Command("create", "make a token, which is shown this once").Examples(
		"crm auth token create nightly --read-only",
		"(umask 077; crm auth token create --name nightly --expires 30d -o csv --no-header --fields token > nightly.token)",
	)
	name := command.Flag(c, "name", "NAME", "what the token is for", command.Line("name")).AsArgument()
	readOnly := c.Switch("read-only", "a token that changes nothing")
	expires := command.Flag(c, "expires", "TIME", "how long it lasts, such as 12h, 90d or 26w; a year at most (default 90d)", value.ParseLifetime)
	fields := command.FieldsFlag(c, newTokens)
	show := command.ShowsChangeWith(a.Env, fields, newTokens)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := command.RequireField(fields, "token"); err != nil {
			return err
		}
		if !expires.Set {
			expires.Got = tokenLifetime
		}
		token, err := s.AuthTokenCreate(ctx, name.Got, *readOnly, expires.Got)
		if err != nil {
			return err
		}
		change := service.Change[service.Token]{Now: token}
		if !a.ShortTable() || fields.Set {
			return show(change)
		}
		// Where a person is to copy it, it stands on a line of its own: a box would break it.
		fields.Got = slices.DeleteFunc(newTokens.Names(), func(name string) bool { return name == "token" })
		if err := show(change); err != nil {
			return err
		}
		a.Notice("The token is not shown again. A script takes it from CRM_TOKEN, or from a file of mode 0600 in CRM_TOKEN_FILE:")
		return render.WriteOut(a.Output().Out, token.Secret+"\n")
	})
}

func (a *app) authTokenList() *ffcli.Command {
	c := a.Command("list", "list your tokens").Examples("crm auth token list")
	l := command.ListFlags(c, tokens)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		p := gen.AuthTokenListParams{Sort: l.Order(), RowLimit: l.RowLimit()}
		return command.ShowList(ctx, l, tokens, s.AuthTokenList(ctx, p), s.AuthTokenListCount)
	})
}

func (a *app) authTokenRevoke() *ffcli.Command {
	c := a.Command("revoke", "end a token").Examples("crm auth token revoke nightly")
	name := command.Flag(c, "name", "NAME", "name of the token", command.Line("name")).AsArgument().From(a.pickToken)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := s.AuthTokenRevoke(ctx, name.Got); err != nil {
			return err
		}
		a.Notice("The token %q is revoked.", name.Got)
		return nil
	})
}

func (a *app) pickToken(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
	s, err := a.Session(ctx)
	if err != nil {
		return nil, err
	}
	var choices []terminal.Choice
	for token, err := range s.AuthTokenList(ctx, gen.AuthTokenListParams{}) {
		if err != nil {
			return nil, err
		}
		choices = append(choices, terminal.Choice{Label: token.Name, Value: token.Name})
	}
	return terminal.Among(choices)(ctx, typed, limit)
}

var tokens = render.Resource[gen.AuthTokenListRow]{
	Name: "token", Title: "Tokens", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "id", Rank: 2},
		{Column: "created_at", Rank: 1},
	},
}

// newTokens shows a token that was just made, with itself.
var newTokens = render.Resource[service.Token]{
	Name: "token", Title: "Tokens", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "token", Whole: true},
	},
}
