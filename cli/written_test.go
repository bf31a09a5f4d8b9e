//go:build unix

package cli

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/epicevents/crm/cli/render"
)

// TestDoneButNotWritten: who is not shown what was done is told that it was done.
func TestDoneButNotWritten(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	for _, format := range render.Formats {
		for _, args := range [][]string{
			{"contract", "add-payment", "b0f94a", "--payment", "1"},
			{"contract", "sign", "fb819b"},
			{"event", "set-support", "8", "--username", "support1"},
		} {
			t.Run(strings.Join(append(args, format), " "), func(t *testing.T) {
				full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
				why := ": the disk is full"
				if err != nil {
					full, why = closedForWriting(t), "" // not a Linux
				}
				defer full.Close()
				cmd := e.command(slices.Concat(args, []string{"-o", format})...)
				var stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = full, &stderr
				code := exitCode(cmd.Run())
				if want := "It was done, but the result could not be written" + why + "."; code != 1 || !strings.Contains(stderr.String(), want) {
					t.Errorf("exit %d, %q", code, &stderr)
				}
			})
		}
	}
	if n := e.number("SELECT count(*) FROM payment WHERE amount = 100"); n != int64(len(render.Formats)) {
		t.Errorf("%d payments were recorded", n)
	}
}
