package manual

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// pageWidth is what a terminal of 80 columns leaves beside the indent of a manual page.
const pageWidth = 72

// WritePages writes a manual page for crm and for each of its commands into a folder, which is made if it is missing.
func (m Manual) WritePages(folder, date, version string) error {
	err := os.MkdirAll(folder, 0o755)
	cmdline.Walk(m.Root, "", func(c *ffcli.Command, path string) {
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, PageName(path)+".1"), []byte(m.Page(c, path, date, version)), 0o644)
		}
	})
	if err == nil {
		return nil
	}
	why := err
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		why = errno
	}
	return failure.Misuse(fmt.Sprintf("The manual pages cannot be written into %s: %v.", folder, why), "").With(err)
}

// date is today, or what SOURCE_DATE_EPOCH says, so that a build can be repeated.
func (m Manual) date() string {
	date := time.Now()
	if epoch, err := strconv.ParseInt(m.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(epoch, 0)
	}
	return date.UTC().Format(time.DateOnly)
}

// PageName is the name of the page of a command: crm-contract-list.
func PageName(path string) string { return strings.ReplaceAll(path, " ", "-") }

// Page returns the manual page of a command.
func (m Manual) Page(c *ffcli.Command, path, date, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 %s \"crm %s\" \"crm manual\"\n", strings.ToUpper(Roff(PageName(path))), date, Roff(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", Roff(PageName(path)), Roff(c.ShortHelp))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n%s\n", Roff(m.Usage(c)))
	if c.LongHelp != "" {
		manVerbatim(&b, "EXAMPLES", c.LongHelp)
	}
	if len(c.Subcommands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range c.Subcommands {
			manItem(&b, sub.Name, sub.ShortHelp)
		}
	}
	if c != m.Root {
		manFlags(&b, c.FlagSet)
		b.WriteString(".SH GLOBAL FLAGS\nThose of\n.BR crm (1).\n")
	} else {
		for _, topic := range Topics() {
			title, body, _ := strings.Cut(m.TopicText(topic), "\n")
			manVerbatim(&b, strings.ToUpper(title), text.Reflow(strings.TrimSpace(body)+"\n", pageWidth))
		}
	}
	m.manSeeAlso(&b, c, path)
	return b.String()
}

// manSeeAlso names the page above and those below.
func (m Manual) manSeeAlso(b *strings.Builder, c *ffcli.Command, path string) {
	var pages []string
	if i := strings.LastIndexByte(path, ' '); i >= 0 {
		pages = append(pages, PageName(path[:i]))
	}
	for _, sub := range c.Subcommands {
		pages = append(pages, PageName(path+" "+sub.Name))
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, page := range pages {
		comma := " ,"
		if i == len(pages)-1 {
			comma = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", Roff(page), comma)
	}
}

func manFlags(b *strings.Builder, flags *flag.FlagSet) {
	empty := true
	flags.VisitAll(func(f *flag.Flag) {
		if empty {
			b.WriteString(".SH FLAGS\n")
			empty = false
		}
		spelled, help := FlagHelp(f)
		manItem(b, spelled, help)
	})
}

func manItem(b *strings.Builder, term, text string) {
	fmt.Fprintf(b, ".TP\n.B \"%s\"\n%s\n", strings.ReplaceAll(Roff(term), `"`, `\(dq`), Roff(text))
}

// manVerbatim keeps the lines of a text as they are.
func manVerbatim(b *strings.Builder, title, body string) {
	fmt.Fprintf(b, ".SH %s\n.nf\n%s\n.fi\n", Roff(title), Roff(strings.Trim(body, "\n")))
}

// Roff writes text that troff takes literally.
func Roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "~", `\(ti`, "^", `\(ha`, "'", `\(aq`, "`", `\(ga`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
