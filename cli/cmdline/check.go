package cmdline

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// Check returns what a command tree has that permute or ffcli cannot work with. It is for tests.
func Check(root *ffcli.Command) (problems []string) {
	problem := func(format string, values ...any) { problems = append(problems, fmt.Sprintf(format, values...)) }
	takesValue := map[string]string{} // flag -> a command where it takes a value
	isSwitch := map[string]string{}   // flag -> a command where it does not
	Walk(root, "", func(c *ffcli.Command, path string) {
		if c.Exec == nil {
			problem("%s has no Exec: ffcli would answer with NoExecError", path)
		}
		if c != root && len(c.Options) > 0 {
			problem("%s has ff options: its environment would override explicit global flags", path)
		}
		if c.FlagSet == nil {
			problem("%s has no flag set: ffcli would make one that ends the process on an error", path)
			return
		}
		if c.FlagSet.ErrorHandling() != flag.ContinueOnError {
			problem("%s: the flag set must use flag.ContinueOnError", path)
		}
		if c.FlagSet.Output() != io.Discard {
			problem("%s: the flag set must write to io.Discard, it prints its own usage", path)
		}
		names := map[string]bool{}
		for _, sub := range c.Subcommands {
			name := strings.ToLower(sub.Name)
			if name == "" || strings.HasPrefix(name, "-") || names[name] {
				problem("%s: the command name %q is empty, begins with a dash or comes twice", path, sub.Name)
			}
			names[name] = true
		}
		c.FlagSet.VisitAll(func(f *flag.Flag) {
			if f.Name == "h" || f.Name == "help" {
				problem("%s defines --%s, which always asks for help", path, f.Name)
			}
			if IsSwitch(f) {
				isSwitch[f.Name] = path
			} else {
				takesValue[f.Name] = path
			}
		})
	})
	for name, path := range isSwitch {
		if other, ok := takesValue[name]; ok {
			problem("--%s takes a value in %q but not in %q: before the verb its meaning cannot be known", name, other, path)
		}
	}
	return problems
}
