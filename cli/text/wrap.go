package text

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Reflow fits a text of the help to a width. Lines that follow each other without an indent are a paragraph. An
// indented line of two columns, such as a flag and what it does, goes on below its second column; any other indented
// line is an example, which stays as it is to be copied.
func Reflow(text string, width int) string {
	var b strings.Builder
	var paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			b.WriteString(Wrap(strings.Join(paragraph, " "), width, 0, KeepLong) + "\n")
			paragraph = nil
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		end()
		b.WriteString(wrapColumns(line, width) + "\n")
	}
	end()
	return b.String()
}

// columnMin is the narrowest second column. Where there is less room the text goes on its own line, indented by
// hangingIndent.
const (
	columnMin     = 30
	hangingIndent = 6
)

// wrapColumns breaks a line of two columns. Where the second would be narrow, it begins on a line of its own.
func wrapColumns(line string, width int) string {
	words := strings.TrimLeft(line, " ")
	indent := len(line) - len(words)
	first, second, two := strings.Cut(words, "  ")
	second = strings.TrimLeft(second, " ")
	switch {
	case displaywidth.String(line) <= width:
		return line
	case indent > 2 && width-indent >= columnMin: // a second column whose first had no room beside it
		return Wrap(line, width, indent, KeepLong)
	case indent > 2:
		return Wrap(strings.Repeat(" ", hangingIndent)+words, width, hangingIndent, KeepLong)
	case !two:
		return line
	}
	column := displaywidth.String(line) - displaywidth.String(second)
	longest := 0
	for word := range strings.FieldsSeq(second) {
		longest = max(longest, displaywidth.String(word))
	}
	if width-column >= max(columnMin, longest) {
		return Wrap(line[:len(line)-len(second)]+second, width, column, KeepLong)
	}
	return line[:indent] + first + "\n" + Wrap(strings.Repeat(" ", hangingIndent)+second, width, hangingIndent, KeepLong)
}

// longWords is what becomes of a word that is wider than a line.
type longWords int

const (
	KeepLong  longWords = iota // it stays whole, for the terminal to break, and can be copied
	BreakLong                  // no line is wider than the width
)

// Wrap breaks the lines of a text at spaces and indents what follows a break. A width of 0 leaves it as it is.
func Wrap(s string, width, indent int, long longWords) string {
	if width <= 0 {
		return s
	}
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		wrapLine(&b, line, width, indent, long)
	}
	return b.String()
}

func wrapLine(b *strings.Builder, line string, width, indent int, long longWords) {
	if displaywidth.String(line) <= width {
		b.WriteString(line)
		return
	}
	used := 0
	if long == KeepLong { // its own indent is no place for a break
		words := strings.TrimLeft(line, " ")
		used = len(line) - len(words)
		b.WriteString(line[:used])
		line = words
	}
	for i, word := range strings.Split(line, " ") {
		needed := displaywidth.String(word)
		switch {
		case i == 0:
		case used+1+needed > width && (used > indent || long == BreakLong):
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			b.WriteString(" ")
			used++
		}
		for long == BreakLong && used+needed > width {
			head := displaywidth.TruncateString(word, width-used, "")
			if head == "" { // a character wider than the line
				break
			}
			b.WriteString(head + "\n" + strings.Repeat(" ", indent))
			word, used = word[len(head):], indent
			needed = displaywidth.String(word)
		}
		b.WriteString(word)
		used += needed
	}
}
