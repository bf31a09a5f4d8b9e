package cli

import (
	"cmp"
	"context"
	"runtime/debug"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/schema"
)

// What the release build sets. A build without it is asked for what Go has noted.
var (
	Version = "dev"
	Commit  = ""
	Date    = "" // of the commit
)

func (a *app) versionCommand() *ffcli.Command {
	c := a.Command("version", "the version of crm and of the schema it works with").WithoutSettings().Examples("crm version")
	show := command.Shows(c, versions)
	return c.Does(func(context.Context) error {
		noted := map[string]string{}
		if info, ok := debug.ReadBuildInfo(); ok {
			for _, setting := range info.Settings {
				noted[setting.Key] = setting.Value
			}
		}
		return show(version{
			Version, cmp.Or(Commit, noted["vcs.revision"], "unknown"), cmp.Or(Date, noted["vcs.time"], "unknown"), schema.Version(),
		})
	})
}

type version struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Schema  int64  `json:"schema"`
}

var versions = render.Resource[version]{
	Name: "version", Title: "Version", Hue: render.Blue,
}
