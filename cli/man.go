package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
		page := a.manPage(c, path, date.UTC().Format(time.DateOnly))
		if err := os.WriteFile(filepath.Join(folder, manName(path)+".1"), []byte(page), 0o644); err != nil && problem == nil {
			problem = err
		}
	})
	return problem
}

// manName is the page of a command: crm-contract-list.
func manName(path string) string { return strings.ReplaceAll(path, " ", "-") }

func (a *app) manPage(c *ffcli.Command, path, date string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 %s \"crm %s\" \"crm manual\"\n", strings.ToUpper(roff(manName(path))), date, roff(Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(manName(path)), roff(c.ShortHelp))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n%s\n", roff(a.usage(c)))
	if c.LongHelp != "" {
		manVerbatim(&b, "EXAMPLES", c.LongHelp)
	}
	if len(c.Subcommands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range c.Subcommands {
			manItem(&b, sub.Name, sub.ShortHelp)
		}
	}
	if c != a.Root {
		manFlags(&b, c.FlagSet)
		b.WriteString(".SH GLOBAL FLAGS\nThose of\n.BR crm (1).\n")
	} else {
		for _, topic := range topics() {
			title, body, _ := strings.Cut(a.topicText(topic), "\n")
			manVerbatim(&b, strings.ToUpper(title), body)
		}
	}
	a.manSeeAlso(&b, c, path)
	return b.String()
}

// manSeeAlso names the page above and those below.
func (a *app) manSeeAlso(b *strings.Builder, c *ffcli.Command, path string) {
	var pages []string
	if i := strings.LastIndexByte(path, ' '); i >= 0 {
		pages = append(pages, manName(path[:i]))
	}
	for _, sub := range c.Subcommands {
		pages = append(pages, manName(path+" "+sub.Name))
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, page := range pages {
		comma := " ,"
		if i == len(pages)-1 {
			comma = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", roff(page), comma)
	}
}

func manFlags(b *strings.Builder, flags *flag.FlagSet) {
	empty := true
	flags.VisitAll(func(f *flag.Flag) {
		if empty {
			b.WriteString(".SH FLAGS\n")
			empty = false
		}
		spelled, help := describeFlag(f)
		manItem(b, spelled, help)
	})
}

func manItem(b *strings.Builder, term, text string) {
	fmt.Fprintf(b, ".TP\n.B \"%s\"\n%s\n", strings.ReplaceAll(roff(term), `"`, `\(dq`), roff(text))
}

// manVerbatim keeps the lines of a text as they are.
func manVerbatim(b *strings.Builder, title, text string) {
	fmt.Fprintf(b, ".SH %s\n.nf\n%s\n.fi\n", roff(title), roff(strings.TrimSpace(text)))
}

// roff writes text that troff takes literally.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "~", `\(ti`, "^", `\(ha`, "'", `\(aq`, "`", `\(ga`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
