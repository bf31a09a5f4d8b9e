package cli

import (
	"os"
	"strings"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/term"
)

// terminalWidth is that of the terminal that a stream is; 0 if it is none.
func terminalWidth(stream any) int {
	if !isTerminal(stream) {
		return 0
	}
	if width, _, err := term.GetSize(int(stream.(*os.File).Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// reflow fits a text of the help to a width. Lines that follow each other without an indent are a paragraph. An
// indented line of two columns, such as a flag and what it does, goes on below its second column; any other indented
// line is an example, which stays as it is to be copied.
func reflow(text string, width int) string {
	var b strings.Builder
	var paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			b.WriteString(wrapWords(strings.Join(paragraph, " "), width, 0) + "\n")
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

// columnMin is the narrowest second column, and under the indent of what stands below the first instead.
const (
	columnMin = 30
	under     = 6
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
		return wrapWords(line, width, indent)
	case indent > 2:
		return wrapWords(strings.Repeat(" ", under)+words, width, under)
	case !two:
		return line
	}
	column := displaywidth.String(line) - displaywidth.String(second)
	longest := 0
	for word := range strings.FieldsSeq(second) {
		longest = max(longest, displaywidth.String(word))
	}
	if width-column >= max(columnMin, longest) {
		return wrapWords(line[:len(line)-len(second)]+second, width, column)
	}
	return line[:indent] + first + "\n" + wrapWords(strings.Repeat(" ", under)+second, width, under)
}

// wrapWords breaks a line at spaces; what follows is indented. A word wider than the line stays whole, for the terminal
// to break, and can be copied.
func wrapWords(line string, width, indent int) string {
	if width <= 0 || displaywidth.String(line) <= width {
		return line
	}
	words := strings.TrimLeft(line, " ")
	var b strings.Builder
	b.WriteString(line[:len(line)-len(words)])
	used, start := len(line)-len(words), true
	for word := range strings.SplitSeq(words, " ") {
		needed := displaywidth.String(word)
		switch {
		case start:
			start = false
		case used+1+needed > width && used > indent:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			b.WriteString(" ")
			used++
		}
		b.WriteString(word)
		used += needed
	}
	return b.String()
}
