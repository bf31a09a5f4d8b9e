package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// TestReadme runs every command of the README's console blocks, in one sample database and one after the other, and
// compares what is printed. With -update the README is rewritten.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	home, config := t.TempDir(), dbtest.Sample(t)
	shell := func(line string) string {
		command := exec.Command("sh", "-c", line)
		command.Env = append(os.Environ(),
			"HOME="+home, "XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_CONFIG_HOME="+filepath.Join(home, "config"),
			"CRM_DATABASE_URL="+dbtest.URL(config), "CRM_CONTROLLER_AUTH_SECRET_KEY="+strings.Repeat("k", 32))
		out, _ := command.CombinedOutput() // refusals are part of the page
		return string(out)
	}
	if out := shell("echo " + schema.SamplePassword + " | crm auth login administrator1 --password-stdin"); !strings.Contains(out, "administrator1") {
		t.Fatal(out)
	}

	const begin, end = "```console\n", "```\n"
	var got strings.Builder
	blocks := strings.Split(string(text), begin)
	got.WriteString(blocks[0])
	for _, block := range blocks[1:] {
		console, after, ok := strings.Cut(block, end)
		if !ok {
			t.Fatal("a console block does not end")
		}
		got.WriteString(begin)
		for line := range strings.Lines(console) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				got.WriteString(line + shell(command))
			}
		}
		got.WriteString(end + after)
	}
	if *update {
		if err := os.WriteFile("../README.md", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), got.String()); diff != "" {
		t.Errorf("README.md is not what the commands print (-README +printed); go test ./cli -update rewrites it:\n%s", diff)
	}
}
