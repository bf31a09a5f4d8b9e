package cli

import (
	"cmp"
	"context"
	"flag"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
)

func (a *app) configCommands() *ffcli.Command {
	return command.Group("config", "the configuration, and where each value is from", a.configShow())
}

func (a *app) configShow() *ffcli.Command {
	c := a.Command("show", "each setting with its value and where that is from; secrets are masked").Examples("crm config show")
	fields := command.FieldsFlag(c, settings)
	return c.Does(func(context.Context) error {
		o := a.Output()
		o.Fields = fields.Got
		var rows []setting
		a.Root.FlagSet.VisitAll(func(f *flag.Flag) {
			if config.IsKey(f.Name) {
				source := cmp.Or(a.Config.Source[f.Name], "default")
				rows = append(rows, setting{f.Name, masked(f.Name, f.Value.String()), source})
			}
		})
		return render.List(o, settings, command.Rows(rows))
	})
}

// setting is one value of the configuration.
type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

var settings = render.Resource[setting]{
	Name: "setting", Title: "Configuration", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "key", Whole: true},
		{Column: "value", Whole: true},
		{Column: "source", Whole: true},
	},
}

// masked hides what is secret in a value.
func masked(key, value string) string {
	if value == "" {
		return ""
	}
	switch key {
	case "controller.auth_secret_key", "controller.auth_secret_key_previous", "error_tracing.dns", "error_tracing.dsn":
		return text.Mask
	case "database.url":
		return backend.MaskURL(value)
	}
	return value
}
