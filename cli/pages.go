package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
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
		if err := os.WriteFile(filepath.Join(folder, PageName(path)+".1"), []byte(page), 0o644); err != nil && problem == nil {
			problem = err
		}
	})
	return problem
}

// completeCommand is what the completion scripts call: crm __complete WORD..., the last word being the one to complete.
const completeCommand = "__complete"

// completionTime is how long somebody waits at most after pressing tab.
var completionTime = 300 * time.Millisecond

// complete prints the candidates for the last word, each with a tab and a description if it has one. It is silent when
// nobody is logged in, when the database does not answer at once, and on any error.
func (a *app) complete(ctx context.Context, words []string) {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	a.Err = io.Discard
	a.NeverStart = true
	if len(words) == 0 {
		words = []string{""}
	}
	before, typed := words[:len(words)-1], words[len(words)-1]
	_, _ = a.caught(func() error {
		a.Root = a.newRoot()
		line := cmdline.Read(a.Root, before)
		if err := errors.Join(a.configure(globalFlags(line)), a.Config.Fault); err != nil {
			cancel() // what is in the database is not known; the rest completes all the same
		}
		a.Config.DatabaseReset = false
		return a.manual().PrintCandidates(ctx, line, before, typed)
	})
}
