package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// printHelp writes the help of a command or a group: what it is for, examples first, then its flags.
func (a *app) printHelp(to io.Writer, c *ffcli.Command) error {
	var b strings.Builder
	name := path(a.root, c)
	fmt.Fprintf(&b, "%s: %s\n", name, c.ShortHelp)
	if c.LongHelp != "" {
		fmt.Fprintf(&b, "\nExamples\n  %s\n", strings.ReplaceAll(c.LongHelp, "\n", "\n  "))
	}
	switch {
	case c == a.root:
		fmt.Fprintf(&b, "\nUsage\n  %s\n", c.ShortUsage)
	case len(c.Subcommands) > 0:
		fmt.Fprintf(&b, "\nUsage\n  %s <command> [flags]\n", name)
	default:
		fmt.Fprintf(&b, "\nUsage\n  %s %s\n", name, c.ShortUsage)
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\nCommands\n")
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, sub := range c.Subcommands {
			fmt.Fprintf(table, "  %s\t%s\n", sub.Name, sub.ShortHelp)
		}
		_ = table.Flush()
	}
	if c != a.root {
		printFlags(&b, "Flags", c.FlagSet)
	}
	printFlags(&b, "Global flags", a.root.FlagSet)
	if c == a.root {
		fmt.Fprintf(&b, "\n%s <resource> --help says more of each.\n", name)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

func printFlags(b *strings.Builder, title string, flags *flag.FlagSet) {
	if flags == nil {
		return
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	empty := true
	flags.VisitAll(func(f *flag.Flag) {
		if empty {
			fmt.Fprintf(b, "\n%s\n", title)
			empty = false
		}
		spelled, help := describeFlag(f)
		if f.DefValue != "" && f.DefValue != "false" {
			help += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(table, "  %s\t%s\n", spelled, help)
	})
	_ = table.Flush()
}

// describeFlag gives a flag with the placeholder of its value, and its help. Usage texts begin with the placeholder in
// back quotes.
func describeFlag(f *flag.Flag) (spelled, help string) {
	spelled = dashed(f.Name)
	placeholder, help := flag.UnquoteUsage(f)
	if strings.HasPrefix(f.Usage, "`") {
		spelled += " " + placeholder
		help = strings.TrimPrefix(help, placeholder+" ")
	}
	return spelled, help
}
