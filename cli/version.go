package cli

import (
	"context"
	"runtime/debug"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/schema"
)

// Version is set by the release build.
var Version = "dev"

func (a *app) versionCommand() *ffcli.Command {
	c := a.command("version", "the version of crm and of the schema it works with").examples("crm version")
	show := detailOf(c, versions)
	return c.does(func(context.Context) error {
		commit, date := "unknown", "unknown"
		if info, ok := debug.ReadBuildInfo(); ok {
			for _, setting := range info.Settings {
				switch setting.Key {
				case "vcs.revision":
					commit = setting.Value
				case "vcs.time":
					date = setting.Value
				}
			}
		}
		return show(version{Version, commit, date, schema.Version()})
	})
}

type version struct {
	version, commit, date string
	schema                int64
}

var versions = resource[version]{
	name: "version", title: "Version", hue: hueBlue,
	columns: []column[version]{
		{name: "version", value: func(v version) any { return v.version }},
		{name: "commit", value: func(v version) any { return v.commit }},
		{name: "date", value: func(v version) any { return v.date }},
		{name: "schema", value: func(v version) any { return v.schema }},
	},
}
