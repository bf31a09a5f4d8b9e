// Package text makes text fit for a terminal: it escapes what would harm one, wraps and reflows lines to a width, and
// finds the word that a mistyped one was meant to be. All widths are in cells, as a terminal counts them: a wide
// character takes two, a combining mark none.
//
// It knows no terminal and no command; strings go in and come out.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// Escape makes stored text safe to print on a terminal: what would move the cursor, change colours, turn the writing
// direction or take no room of its own is spelled out (\n, \x1b, \u202e). All other text, a backslash too, stays as it
// is, so the result is for people's eyes and cannot be turned back.
func Escape(s string) string {
	if IsPlain(s) {
		return s
	}
	var b strings.Builder
	for clusters := displaywidth.StringGraphemes(s); clusters.Next(); {
		cluster, invisible := clusters.Value(), clusters.Width() == 0
		// A mark that follows nothing, or a space, would settle on the border of the table.
		if rest, spaced := strings.CutPrefix(cluster, " "); spaced {
			b.WriteByte(' ')
			cluster, invisible = rest, true
		} else if displaywidth.String(" "+cluster) != 1+clusters.Width() {
			invisible = true
		}
		for i := 0; i < len(cluster); {
			r, size := utf8.DecodeRuneInString(cluster[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				fmt.Fprintf(&b, `\x%02x`, cluster[i])
			case invisible || Unprintable(r):
				spell(&b, r)
			default:
				b.WriteRune(r)
			}
			i += size
		}
	}
	return b.String()
}

// EscapeLines is escape, but keeps newlines (also those of other systems).
func EscapeLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = Escape(lines[i])
	}
	return strings.Join(lines, "\n")
}

func spell(b *strings.Builder, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

func IsPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// Unprintable tells control and invisible formatting characters, among them all that turn the writing direction. The
// exceptions are joiners and tags, without which scripts and emoji fall apart.
func Unprintable(r rune) bool {
	const zwnj, zwj = 0x200c, 0x200d
	if r >= 'À' && r <= 'ɏ' { // Latin letters, for speed: exports ask this of every accent
		return false
	}
	if r == zwnj || r == zwj || r >= 0xe0020 && r <= 0xe007f {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
