package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/manual"
	"github.com/epicevents/crm/cli/terminal"
)

// TestMan has each command's page read by groff, which must find nothing to warn of.
func TestMan(t *testing.T) {
	t.Parallel()
	requireProgram(t, "groff", "groff-base")
	folder := t.TempDir()
	if err := Man(folder); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, path string) {
		commands++
		text, err := os.ReadFile(filepath.Join(folder, manual.PageName(path)+".1"))
		if err != nil {
			t.Error(err)
		}
		if want := manual.Roff(c.ShortHelp); !strings.Contains(string(text), want) {
			t.Errorf("the page of %s does not say %q", path, want)
		}
	})
	if len(pages) != commands {
		t.Errorf("%d pages for %d commands", len(pages), commands)
	}
	groff := exec.Command("groff", append([]string{"-ww", "-man", "-Kutf8", "-Tutf8", "-P-cbou"}, pages...)...)
	var warnings strings.Builder
	groff.Stderr = &warnings
	read, err := groff.Output()
	if err != nil || warnings.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, warnings.String())
	}
	for _, want := range []string{
		`printf '%s\n' "$OLD" "$NEW" | crm auth change-password --password-stdin`, // quotes and backslashes
		"mkdir -p ~/.zfunc; crm completion zsh > ~/.zfunc/_crm",
		"1 234,56 €",
		"--time_zone ZONE",
		"crm-auth(1), crm-employee(1)",
	} {
		if !strings.Contains(strings.Join(strings.Fields(string(read)), " "), want) {
			t.Errorf("no page reads %q", want)
		}
	}
}

func TestManCannotWrite(t *testing.T) {
	t.Parallel()
	if err := Man(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}
