package cli

import (
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/google/go-cmp/cmp"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/manual"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
)

// TestHelpFits: on a terminal no line of the help is wider but examples, and what can be no narrower.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	var texts []string
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, _ string) {
		var b strings.Builder
		if err := a.manual().PrintHelp(&b, c); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, b.String())
	})
	for _, topic := range manual.Topics() {
		texts = append(texts, a.manual().TopicText(topic))
	}
	for _, page := range texts {
		words := strings.Fields(page)
		for _, width := range []int{60, 80, 160} {
			fitted := text.Reflow(page, width)
			if diff := cmp.Diff(words, strings.Fields(fitted)); diff != "" {
				t.Errorf("%d columns lose words: %s", width, diff)
			}
			for line := range strings.Lines(fitted) {
				line = strings.TrimSuffix(line, "\n")
				if displaywidth.String(line) > width && !strings.Contains(strings.TrimSpace(line), "crm ") {
					t.Errorf("%d columns: %q", width, line)
				}
			}
		}
	}
}
