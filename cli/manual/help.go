// Package manual explains a tree of commands: the help of each, topics, manual pages, and what completion offers. All of it
// is read off the tree and the texts beside this file, so that nothing has to be kept in step by hand.
package manual

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
)

// Manual explains a tree of commands: help, topics, pages, and completion.
type Manual struct{ *command.Env }

// PrintHelp writes the help of a command or a group: what it is for, examples first, then its flags.
func (m Manual) PrintHelp(to io.Writer, c *ffcli.Command) error {
	var b strings.Builder
	name := cmdline.Path(m.Root, c)
	fmt.Fprintf(&b, "%s: %s\n", name, c.ShortHelp)
	if c.LongHelp != "" {
		fmt.Fprintf(&b, "\nExamples\n  %s\n", strings.ReplaceAll(c.LongHelp, "\n", "\n  "))
	}
	fmt.Fprintf(&b, "\nUsage\n  %s\n", m.Usage(c))
	if len(c.Subcommands) > 0 {
		b.WriteString("\nCommands\n")
		table := newColumns(&b)
		for _, sub := range c.Subcommands {
			fmt.Fprintf(table, "  %s\t%s\n", sub.Name, sub.ShortHelp)
		}
		_ = table.Flush()
	}
	if c != m.Root {
		printFlags(&b, c.FlagSet)
	}
	b.WriteString("\n")
	if len(c.Subcommands) > 0 {
		fmt.Fprintf(&b, "More of each: %s <command> --help. ", name)
	}
	fmt.Fprintf(&b, "Global flags, such as -o, --output %s: crm help flags.\n", strings.Join(render.Formats[1:], "|"))
	if c == m.Root {
		fmt.Fprintf(&b, "\nOther topics: crm help %s.\n", strings.Join(writtenTopics(), ", "))
	}
	return m.writeHelp(to, b.String())
}

// Usage is how a command is called.
func (m Manual) Usage(c *ffcli.Command) string {
	switch {
	case c == m.Root:
		return c.ShortUsage
	case m.IsGroup(c):
		return cmdline.Path(m.Root, c) + " <command> [flags]"
	}
	return cmdline.Path(m.Root, c) + " " + c.ShortUsage
}

// writeHelp fits a text to a terminal.
func (m Manual) writeHelp(to io.Writer, page string) error {
	if width := terminal.Width(m.Out); width > 0 {
		page = text.Reflow(page, width)
	}
	_, err := io.WriteString(to, page)
	return err
}

func newColumns(b *strings.Builder) *tabwriter.Writer { return tabwriter.NewWriter(b, 0, 0, 2, ' ', 0) }

func printFlags(b *strings.Builder, flags *flag.FlagSet) {
	table := newColumns(b)
	empty := true
	flags.VisitAll(func(f *flag.Flag) {
		if empty {
			b.WriteString("\nFlags\n")
			empty = false
		}
		spelled, help := FlagHelp(f)
		fmt.Fprintf(table, "  %s\t%s\n", spelled, help)
	})
	_ = table.Flush()
}

// FlagHelp returns a flag with the placeholder of its value, and its help. Usage texts begin with the placeholder in
// back quotes.
func FlagHelp(f *flag.Flag) (spelled, help string) {
	spelled = cmdline.Dashed(f.Name)
	placeholder, help := flag.UnquoteUsage(f)
	if strings.HasPrefix(f.Usage, "`") {
		spelled += " " + placeholder
		help = strings.TrimPrefix(help, placeholder+" ")
	}
	return spelled, help
}

// globalFlag is one of the flags that every command has, as the help shows it.
type globalFlag struct{ spelled, help, variable, fallback string }

// globalFlags are what every command has; a letter stands beside the long flag that it is short for.
func (m Manual) globalFlags() (rows []globalFlag) {
	short := map[string]string{}
	m.Root.FlagSet.VisitAll(func(f *flag.Flag) {
		spelled, help := FlagHelp(f)
		if long, ok := strings.CutPrefix(help, "short for --"); ok {
			short[long] = spelled[:2] + ", "
			return
		}
		row := globalFlag{short[f.Name] + spelled, help, config.Variable(f.Name), f.DefValue}
		if f.DefValue == "false" {
			row.fallback = ""
		}
		rows = append(rows, row)
	})
	return rows
}

// globalFlagsText is crm help flags.
func (m Manual) globalFlagsText() string {
	var b strings.Builder
	b.WriteString(`Global flags

Every command has them; they stand before or behind its name. Each is also a variable, named here in parentheses. Those
with a dot, and time_zone, are keys of the configuration file too: crm help configuration.

`)
	table := newColumns(&b)
	for _, f := range m.globalFlags() {
		source := f.variable
		if f.fallback != "" {
			source += ", default " + f.fallback
		}
		fmt.Fprintf(table, "  %s\t%s (%s)\n", f.spelled, f.help, source)
	}
	fmt.Fprintf(table, "  -h, --help\tthe help of a command\n")
	fmt.Fprintf(table, "  --version\tthe version of crm\n")
	_ = table.Flush()
	return b.String()
}
