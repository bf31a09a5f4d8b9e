//go:build unix

package cli

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
)

// screensIntro is the beginning of docs/screens.md.
const screensIntro = `# Screens

Every list and detail of the sample data on terminals of 60, 80 and 160 columns. On a narrow one text is shortened first,
then the less important columns are left out, which is said; ids, amounts and dates are whole. On a real terminal they
have colours.
`

// TestScreens has docs/screens.md show what its commands show at terminals. With -update it is rewritten; a heading
// that is added becomes a screen.
func TestScreens(t *testing.T) {
	t.Parallel()
	const file = "../docs/screens.md"
	want := readFile(t, file)
	e := asEmployee(t, "administrator1")
	e.vars["TERM"], e.vars["NO_COLOR"] = "xterm", "1"
	var got strings.Builder
	got.WriteString(screensIntro)
	for _, heading := range regexp.MustCompile("(?m)^## `crm (.+)`$").FindAllStringSubmatch(want, -1) {
		got.WriteString("\n" + heading[0] + "\n")
		for _, columns := range []uint16{60, 80, 160} {
			command := exec.Command("crm", strings.Fields(heading[1])...)
			command.Dir, command.Env = e.vars["HOME"], e.environ()
			s := startPTY(t, pty.Winsize{Rows: 24, Cols: columns}, command)
			if err := s.wait().err; err != nil {
				t.Fatal(heading[1], err, s.text())
			}
			shown := strings.ReplaceAll(s.text(), "\r\n", "\n")
			fmt.Fprintf(&got, "\n%d columns\n\n```text\n%s```\n", columns, shown)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("docs/screens.md is not what is shown (-docs +shown); go test ./cli -update rewrites it:\n%s", diff)
	}
}
