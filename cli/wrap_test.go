package cli

import (
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/google/go-cmp/cmp"
	"github.com/peterbourgon/ff/v3/ffcli"
)

func TestReflow(t *testing.T) {
	t.Parallel()
	const text = `Title

One line of a paragraph,
and another one.

  --flag VALUE   a description that is longer than the line
  --no           short

Examples
  crm contract add --customer-id 3 --total-amount "1 234,50" --fields id
`
	for width, want := range map[int]string{
		200: "Title\n\nOne line of a paragraph, and another one.\n\n" + text[strings.Index(text, "  --flag"):],
		50: `Title

One line of a paragraph, and another one.

  --flag VALUE   a description that is longer than
                 the line
  --no           short

Examples
  crm contract add --customer-id 3 --total-amount "1 234,50" --fields id
`,
		40: `Title

One line of a paragraph, and another
one.

  --flag VALUE
      a description that is longer than
      the line
  --no           short

Examples
  crm contract add --customer-id 3 --total-amount "1 234,50" --fields id
`,
	} {
		if diff := cmp.Diff(want, reflow(text, width)); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", width, diff)
		}
	}
}

func TestWrapWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, want    string
		width, indent int
	}{
		{"one two three", "one two three", 0, 0},
		{"one two three", "one two three", 13, 0},
		{"one two three", "one two\nthree", 12, 0},
		{"one two three", "one\n  two\n  three", 6, 2},
		{"averyverylongword b", "averyverylongword\nb", 5, 0},
		{"été été été", "été été\nété", 7, 0},
		{"  a label  with gaps", "  a label \nwith gaps", 12, 0},
		{"", "", 5, 0},
	} {
		if got := wrapWords(c.line, c.width, c.indent); got != c.want {
			t.Errorf("%q in %d columns is %q, want %q", c.line, c.width, got, c.want)
		}
	}
}

// TestHelpFits: on a terminal no line of the help is wider but examples, and what can be no narrower.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	a := &app{}
	a.root = a.newRoot()
	var texts []string
	walkCommands(a.root, "", func(c *ffcli.Command, _ string) {
		var b strings.Builder
		if err := a.printHelp(&b, c); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, b.String())
	})
	for _, topic := range topics() {
		texts = append(texts, a.topicText(topic))
	}
	for _, text := range texts {
		words := strings.Fields(text)
		for _, width := range []int{60, 80, 160} {
			fitted := reflow(text, width)
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
