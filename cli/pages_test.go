package cli

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/manual"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/schema"
)

const consoleBegin, consoleEnd = "```console\n", "```\n"

// TestPages runs every command of the console blocks of each page, one after the other in a sample database of that page,
// and compares what is printed. With -update the pages are rewritten.
func TestPages(t *testing.T) {
	t.Parallel()
	requireProgram(t, "jq", "jq")
	requireProgram(t, "openssl", "openssl")
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages: ", err)
	}
	run := 0
	for _, page := range append(pages, "../README.md") {
		if !strings.Contains(readFile(t, page), consoleBegin) {
			continue
		}
		run++
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			e := asEmployee(t, "")
			shell := func(line string) string {
				command := exec.Command("sh", "-c", line)
				command.Dir, command.Env = e.vars["HOME"], e.environ()
				out, _ := command.CombinedOutput() // refusals are part of the page
				return string(out)
			}
			login := "echo " + schema.SamplePassword + " | crm auth login administrator1 --password-stdin"
			if out := shell(login); !strings.Contains(out, "administrator1") {
				t.Fatal(out)
			}
			comparePage(t, page, consolesOf(t, readFile(t, page), shell))
		})
	}
	if run < 4 {
		t.Errorf("only %d pages have console blocks: what became of the others?", run)
	}
}

// consolesOf returns a page with what its commands print now.
func consolesOf(t *testing.T, page string, shell func(line string) string) string {
	t.Helper()
	var got strings.Builder
	blocks := strings.Split(page, consoleBegin)
	got.WriteString(blocks[0])
	for _, block := range blocks[1:] {
		console, after, ok := strings.Cut(block, consoleEnd)
		if !ok {
			t.Fatal("a console block does not end")
		}
		got.WriteString(consoleBegin)
		for line := range strings.Lines(console) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				got.WriteString(line + shell(command))
			}
		}
		got.WriteString(consoleEnd + after)
	}
	return got.String()
}

// comparePage holds a page to what it should be, or with -update rewrites it.
func comparePage(t *testing.T, page, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(readFile(t, page), got); diff != "" {
		t.Errorf("%s is not what crm is (-page +crm); go test ./cli -run 'TestPages|TestCommandPages' -update rewrites it:\n%s", page, diff)
	}
}

// commandTableHead begins the table of the README in which each command of the tree has a row.
const commandTableHead = "| command | does |\n|---|---|\n"

// commandsPageHead begins docs/commands.md, in which each command of the tree has its flags.
const commandsPageHead = `# Commands

Every command with its flags, as the tree of commands has them. ` + "`crm <command> --help`" + ` shows the same with examples.
`

// TestCommandPages has the README and docs/commands.md name each command of the tree, and none that is not there. With
// -update both are rewritten. It is over before TestPages goes on, which rewrites the README too.
func TestCommandPages(t *testing.T) {
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	var table, page strings.Builder
	table.WriteString(commandTableHead)
	page.WriteString(commandsPageHead)
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, path string) {
		if a.IsGroup(c) {
			return
		}
		fmt.Fprintf(&table, "| `%s` | %s |\n", path, c.ShortHelp)
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n    %s\n", path, text.Sentence(strings.ToUpper(c.ShortHelp[:1])+c.ShortHelp[1:]), a.manual().Usage(c))
		printFlagTable(&page, c.FlagSet)
	})
	page.WriteString("\n## Global flags\n\nEvery command has them; they stand before or behind its name.\n")
	printFlagTable(&page, a.Root.FlagSet)
	comparePage(t, "../docs/commands.md", page.String())

	const readme = "../README.md"
	before, rest, found := strings.Cut(readFile(t, readme), commandTableHead)
	_, after, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatal("README.md has no table that begins with ", commandTableHead)
	}
	comparePage(t, readme, before+table.String()+"\n"+after)
}

// printFlagTable writes a table of flags, if there are any.
func printFlagTable(b *strings.Builder, flags *flag.FlagSet) {
	var rows []string
	flags.VisitAll(func(f *flag.Flag) {
		spelled, help := manual.FlagHelp(f)
		rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", spelled, strings.ReplaceAll(help, "|", `\|`)))
	})
	if slices.Sort(rows); len(rows) > 0 {
		fmt.Fprintf(b, "\n| flag | is |\n|---|---|\n%s", strings.Join(rows, ""))
	}
}
