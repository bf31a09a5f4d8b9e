package text

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		if diff := cmp.Diff(want, Reflow(text, width)); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", width, diff)
		}
	}
}

func TestWrap(t *testing.T) {
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
		if got := Wrap(c.line, c.width, c.indent, KeepLong); got != c.want {
			t.Errorf("%q in %d columns is %q, want %q", c.line, c.width, got, c.want)
		}
	}
}

func TestWrapLongWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want string
	}{
		{"", ""},
		{"one two three", "one two|three"},
		{"exactly 10", "exactly 10"},
		{"a  b", "a  b"},
		{"first\n\nsecond", "first||second"},
		{"abcdefghijklmno", "abcdefghij|klmno"},
		{"hi abcdefghijklmno p", "hi|abcdefghij|klmno p"},
		{"東京都港区株式会社", "東京都港区|株式会社"},
		{"👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦|👨‍👩‍👧‍👦"},
	} {
		if got := strings.ReplaceAll(Wrap(tt.in, 10, 0, BreakLong), "\n", "|"); got != tt.want {
			t.Errorf("wrap(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
