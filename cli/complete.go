package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/manual"
)

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
		a.Root = a.newRootFor(before)
		line := cmdline.Read(a.Root, before)
		if line.Command() == a.Root {
			a.Root = a.newRoot()
			line = cmdline.Read(a.Root, before)
		}
		if err := errors.Join(a.configure(manual.GlobalFlags(line)), a.Config.Invalid); err != nil {
			cancel() // what is in the database is not known; the rest completes all the same
		}
		a.Config.DatabaseReset = false
		return a.manual().PrintCandidates(ctx, line, before, typed)
	})
}
