package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/manual"
	"github.com/epicevents/crm/cli/terminal"
)

// Man writes a manual page for crm and for each of its commands into a folder, from the same tree as the help. They are
// dated today, or as SOURCE_DATE_EPOCH says, so that a build can be repeated.
func Man(folder string) error {
	date := time.Now()
	if epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(epoch, 0)
	}
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	var problem error
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, path string) {
		page := a.manual().Page(c, path, date.UTC().Format(time.DateOnly), Version)
		if err := os.WriteFile(filepath.Join(folder, manual.PageName(path)+".1"), []byte(page), 0o644); err != nil && problem == nil {
			problem = err
		}
	})
	return problem
}
