package cli

import (
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/terminal"
)

// env is all that a command has to do with: the person, the operations, the settings, and what was typed.
type env struct {
	*terminal.Terminal
	*backend.Backend
	config      *config.Config
	args        []string // as typed
	root        *ffcli.Command
	commandName string                      // the path of the command that runs
	commands    map[*ffcli.Command]*command // the leaves, with what ffcli does not know of them
}

// jsonErrors reports whether errors are JSON, as the result would have been.
func (e *env) jsonErrors() bool { return e.config.Output == "json" || e.config.Output == "jsonl" }
