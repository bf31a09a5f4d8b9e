package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/remote"
	"github.com/epicevents/crm/service"
)

// tokenLifetime is how long a token lasts unless it is told otherwise.
const tokenLifetime = 90 * 24 * time.Hour

// calendarLifetime is the longest that there is: whoever has a calendar on a telephone does not look at its address.
const calendarLifetime = 365 * 24 * time.Hour

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
	calendar := c.Switch("calendar", "an address instead, to which the calendar of a telephone subscribes: your events and nothing else")
	expires := command.Flag(c, "expires", "TIME", "how long it lasts, such as 12h, 90d or 26w; a year at most (default 90d, of a calendar a year)", value.ParseLifetime)
	fields := command.FieldsFlag(c, newTokens)
	show := command.ShowsChangeWith(a.Env, fields, newTokens)
	c.Checks(func(context.Context) error {
		if *calendar && !strings.HasPrefix(a.Config.ServerURL, "https://") {
			return failure.Misuse("--calendar makes an address on a server, and server.url is not that of one: https://HOST.", "")
		}
		return nil
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := command.RequireField(fields, "token"); err != nil {
			return err
		}
		if !expires.Set {
			expires.Got = tokenLifetime
			if *calendar {
				expires.Got = calendarLifetime
			}
		}
		token, err := s.AuthTokenCreate(ctx, name.Got, *readOnly, *calendar, expires.Got)
		if err != nil {
			return err
		}
		if *calendar {
			token.Secret = remote.CalendarAddress(a.Config.ServerURL, token.Secret)
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
		if *calendar {
			a.Notice("The address is not shown again, and whoever has it reads these events. A calendar subscribes to it:")
			return render.WriteOut(a.Output().Out, token.Secret+"\n")
		}
		a.Notice("The token is not shown again. A script takes it from CRM_TOKEN, or from a file of mode 0600 in CRM_TOKEN_FILE:")
		return render.WriteOut(a.Output().Out, token.Secret+"\n")
	})
}

func (a *app) authTokenList() *ffcli.Command {
	c := a.Command("list", "list your tokens; an administrator those of others too").Examples("crm auth token list", "crm auth token list --all")
	username, all := a.ofOthers(c, "tokens")
	l := command.ListFlags(c, tokens)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, username); err != nil {
			return err
		}
		p := gen.AuthTokenListParams{Username: username.Pointer(), Everyone: *all, Sort: l.Order(), RowLimit: l.RowLimit()}
		return command.ShowList(ctx, l, tokens, s.AuthTokenList(ctx, p), func(ctx context.Context) (int64, error) {
			return s.AuthTokenListCount(ctx, p)
		})
	})
}

func (a *app) authTokenRevoke() *ffcli.Command {
	c := a.Command("revoke", "end a token; an administrator those of others too").Examples(
		"crm auth token revoke nightly",
		"crm auth token revoke --username none1 --yes",
	)
	username, all := a.ofOthers(c, "tokens")
	name := command.Flag(c, "name", "NAME", "name of the token; with --username or --all, without it all tokens end", command.Line("name")).MaybeArgument()
	name.From(func(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
		return a.pickToken(ctx, gen.AuthTokenListParams{Username: username.Pointer(), Everyone: *all}, typed, limit)
	})
	c.Checks(func(context.Context) error {
		if !username.Set && !*all {
			name.Needed()
		}
		return nil
	})
	yes := c.AsksFirst()
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, username); err != nil {
			return err
		}
		whose := whoseWords(username, *all, false)
		if !name.Set {
			if err := a.Confirm(ctx, "End all of "+whose+" tokens?", *yes); err != nil {
				return err
			}
		}
		ended, err := s.AuthTokenRevoke(ctx, gen.AuthTokenRevokeParams{Name: name.Pointer(), Username: username.Pointer(), Everyone: *all})
		if err != nil {
			return err
		}
		if name.Set && !*all {
			a.Notice("The token %q is revoked.", name.Got)
		} else {
			a.Notice("%d of %s tokens are revoked.", ended, whose)
		}
		return nil
	})
}

func (a *app) pickToken(ctx context.Context, whose gen.AuthTokenListParams, typed string, limit int) ([]terminal.Choice, error) {
	s, err := a.Session(ctx)
	if err != nil {
		return nil, err
	}
	var choices []terminal.Choice
	for token, err := range s.AuthTokenList(ctx, whose) {
		if err != nil {
			return nil, err
		}
		choices = append(choices, terminal.Choice{Label: token.Name, Value: token.Name})
	}
	return terminal.Among(choices)(ctx, typed, limit)
}

var tokens = render.Resource[gen.AuthTokenListRow]{
	Name: "token", Title: "Tokens", Hue: render.Blue,
	Looks: append([]render.Look{
		{Column: "id", Rank: 2},
		{Column: "created_at", Rank: 1},
	}, ownerLooks...),
}

// newTokens shows a token that was just made, with itself.
var newTokens = render.Resource[service.Token]{
	Name: "token", Title: "Tokens", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "token", Whole: true},
	},
}
