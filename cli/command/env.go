package command

import (
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/terminal"
)

// Env is all that a command has to do with: the person, the operations, the settings, and what was typed.
type Env struct {
	*terminal.Terminal
	*backend.Backend
	Config      *config.Config
	Args        []string // as typed
	Root        *ffcli.Command
	CommandName string                      // the path of the command that runs
	AskFor      string                      // a flag that was typed without a value, for which a person is asked
	Commands    map[*ffcli.Command]*Command // all that do something, with what ffcli does not know of them

	now time.Time
}

// IsGroup reports whether a command does nothing itself and has others below it. One that does something may have some too.
func (e *Env) IsGroup(c *ffcli.Command) bool { return e.Commands[c] == nil }

// JSONErrors reports whether errors are JSON, as the result would have been.
func (e *Env) JSONErrors() bool { return e.Config.Output == "json" || e.Config.Output == "jsonl" }
