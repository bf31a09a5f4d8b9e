package cli

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/manual"
	"github.com/epicevents/crm/cli/terminal"
)

// TestMan has each command's page read by groff, which must find nothing to warn of.
func TestMan(t *testing.T) {
	t.Parallel()
	requireProgram(t, "groff", "groff-base")
	folder := filepath.Join(t.TempDir(), "share", "man1")
	if code, stderr := writeMan(t, folder); code != 0 {
		t.Fatal(code, stderr)
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

// writeMan has the program write its pages, on the day when the epoch began.
func writeMan(t *testing.T, folder string) (code int, stderr string) {
	t.Helper()
	var words strings.Builder
	home := t.TempDir()
	code = Run(t.Context(), []string{"help", "--man", folder}, IO{In: strings.NewReader(""), Out: io.Discard, Err: &words, Getenv: func(name string) string {
		return map[string]string{"HOME": home, "SOURCE_DATE_EPOCH": "86399"}[name]
	}})
	return code, words.String()
}

func TestManCannotWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stderr := writeMan(t, file); code != 2 || !strings.Contains(stderr, "cannot be written into "+file+": not a directory") {
		t.Error(code, stderr)
	}
}

// TestManFits: at a terminal of 80 columns no line of crm(1) is wider, but an example.
func TestManFits(t *testing.T) {
	t.Parallel()
	requireProgram(t, "groff", "groff-base")
	folder := t.TempDir()
	if code, stderr := writeMan(t, folder); code != 0 {
		t.Fatal(code, stderr)
	}
	read, err := exec.Command("groff", "-man", "-Kutf8", "-Tutf8", "-P-cbou", "-rLL=78n", filepath.Join(folder, "crm.1")).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(read), "\n")
	if len(lines) < 100 || !strings.Contains(string(read), "1970-01-01") {
		t.Fatalf("%d lines: %.300s", len(lines), read)
	}
	for _, line := range lines {
		if displaywidth.String(line) > 80 && !strings.Contains(line, "crm ") {
			t.Errorf("%d columns: %q", displaywidth.String(line), line)
		}
	}
}
