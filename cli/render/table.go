package render

import (
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/jedib0t/go-pretty/v6/table"
	prettytext "github.com/jedib0t/go-pretty/v6/text"

	"github.com/epicevents/crm/cli/text"
)

// hue is the colour of a resource: of its title, labels and border.
type hue int

const (
	Cyan hue = iota
	Green
	Orange
	Magenta
	Blue
)

// hues are of the palette of 256, whose colours are the same in every terminal, and of a middle lightness: they can be
// read on black and on white, which the basic colours cannot.
var hues = map[hue]prettytext.Color{
	Cyan:    prettytext.Fg256Color(31),
	Green:   prettytext.Fg256Color(28),
	Orange:  prettytext.Fg256Color(130),
	Magenta: prettytext.Fg256Color(133),
	Blue:    prettytext.Fg256Color(68),
}

// tones are readable on black and on white, as hues are.
var tones = map[tone]prettytext.Color{
	Waiting: prettytext.Fg256Color(166),
	Wrong:   prettytext.Fg256Color(196),
}

// go-pretty looks at the environment for colours and for the width of characters; here the caller has decided on
// colour, and a table is the same in every locale.
func init() {
	prettytext.EnableColors()
	prettytext.OverrideRuneWidthEastAsianWidth(false)
}

// newTable returns an empty box in a resource's colour.
func newTable(o Output, title string, hue hue, placeholders *placeholders) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header, t.Style().Format.Footer = prettytext.FormatDefault, prettytext.FormatDefault
	t.SetTitle(placeholders.hide(title))
	if o.Color {
		t.Style().Title.Colors = prettytext.Colors{prettytext.Bold, hues[hue]}
		t.Style().Color.Header, t.Style().Color.Footer = prettytext.Colors{prettytext.Bold}, prettytext.Colors{prettytext.Bold}
		t.Style().Color.Border = prettytext.Colors{hues[hue]}
		t.Style().Color.Separator = prettytext.Colors{hues[hue]}
	}
	return t
}

// renderTable returns the table and the names of the columns that found no room in it. The last line may be what the others
// add up to. Of what there are bars, they take the room that is left.
func renderTable(o Output, title string, hue hue, fields []Field, lines [][]string, rowTones [][]tone, footed bool, bars []float64) (string, []string) {
	widths := layout(fields, lines, o.Width, len(o.Fields) == 0)
	barCells := 0
	if len(bars) > 0 {
		barCells = barWidth(o.Width, widths)
	}
	var (
		placeholders placeholders
		configs      []table.ColumnConfig
		header       table.Row
		hidden       []string
		room, last   int // width between the outer paddings, and of the last column
	)
	for i, f := range fields {
		if widths[i] == 0 {
			hidden = append(hidden, f.Name)
			continue
		}
		header = append(header, placeholders.hide(f.Label))
		config := table.ColumnConfig{Number: len(header)}
		room, last = room+widths[i]+padding, widths[i]
		if f.alignsRight() {
			config.Align, config.AlignHeader, config.AlignFooter = prettytext.AlignRight, prettytext.AlignRight, prettytext.AlignRight
		}
		configs = append(configs, config)
	}
	if barCells > 0 {
		header = append(header, "")
		config := table.ColumnConfig{Number: len(header), WidthMin: barCells}
		if o.Color {
			config.Colors = prettytext.Colors{hues[hue]}
		}
		configs = append(configs, config)
		room, last = room+barCells+padding, barCells
	}
	// A title wider than the table would be broken into pieces.
	if lack := displaywidth.String(title) - (room - padding); lack > 0 && len(configs) > 0 {
		configs[len(configs)-1].WidthMin = last + lack
	}
	t := newTable(o, title, hue, &placeholders)
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for at, line := range lines {
		var row table.Row
		for i, s := range line {
			if widths[i] > 0 {
				if fields[i].Look.Wraps {
					s = text.Wrap(s, widths[i], 0, text.BreakLong)
				} else {
					s = displaywidth.TruncateString(s, widths[i], "…")
				}
				s = placeholders.hide(s)
				if o.Color && at < len(rowTones) && rowTones[at][i] != calm { // the totals have no tones
					s = colored(tones[rowTones[at][i]], s)
				}
				row = append(row, s)
			}
		}
		if footed && at == len(lines)-1 {
			t.AppendFooter(row)
			continue
		}
		if barCells > 0 {
			row = append(row, bar(bars[at], slices.Max(bars), barCells, o.ASCII))
		}
		t.AppendRow(row)
	}
	return placeholders.restore(t.Render()) + "\n", hidden
}

// padding is what a column needs beside its text: a space on each side and a border. One border more is on the left.
const padding, border = 3, 1

// layout returns the width of each column, 0 for a column that is left out. In a terminal too narrow for all, the
// widest text gives way first, down to textGood; then columns go, the highest rank first, as far as mayHide allows; and
// at last text is cut down to textMin. It is so before a column goes that may be cut. What cannot be shortened (ids, amounts, dates) is never cut, even if the terminal
// must wrap the lines.
func layout(fields []Field, lines [][]string, terminal int, mayHide bool) []int {
	const textGood, wordMin, textMin = 20, 12, 8
	widths := make([]int, len(fields))
	volume := make([]int, len(fields)) // of all text in a column
	good := make([]int, len(fields))
	least := make([]int, len(fields))
	total := border
	for i, f := range fields {
		header := displaywidth.String(f.Label)
		widths[i] = max(header, 1)
		for _, line := range lines {
			cell := displaywidth.String(line[i])
			widths[i] = max(widths[i], cell)
			volume[i] += cell
		}
		good[i], least[i] = widths[i], widths[i]
		if f.Kind == KindText && !f.Look.Whole {
			good[i] = min(widths[i], max(header, textGood))
			least[i] = min(widths[i], max(header, textMin))
		}
		if f.Look.Wraps {
			word := longestWord(lines, i)
			good[i] = min(widths[i], max(header, word))
			least[i] = min(widths[i], max(header, min(word, wordMin)))
		}
		total += widths[i] + padding
	}
	if terminal == 0 {
		return widths
	}
	for mayHide {
		needed, cut, last := border, border, -1
		for i, f := range fields {
			if widths[i] == 0 {
				continue
			}
			needed += good[i] + padding
			cut += least[i] + padding
			if f.Look.Rank > 0 && (last < 0 || f.Look.Rank >= fields[last].Look.Rank) {
				last = i
			}
		}
		if last < 0 || needed <= terminal || fields[last].Look.Cut && cut <= terminal {
			break
		}
		total -= widths[last] + padding
		widths[last] = 0
	}
	for total > terminal {
		widest := -1
		for i, f := range fields {
			if widths[i] <= least[i] {
				continue
			}
			switch {
			case widest < 0:
				widest = i
			case f.Look.Wraps && fields[widest].Look.Wraps: // what has less to say for its width
				if volume[i]*widths[widest] < volume[widest]*widths[i] {
					widest = i
				}
			case widths[i] > widths[widest]:
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}

// longestWord is the width of the longest word in a column.
func longestWord(lines [][]string, column int) (longest int) {
	for _, line := range lines {
		for word := range strings.SplitSeq(line[column], " ") {
			longest = max(longest, displaywidth.String(word))
		}
	}
	return longest
}

// panelLine is one field of a detail view; value may have several lines.
type panelLine struct {
	label, value string
	changed      bool
	tone         tone
}

// renderPanel returns a box of `Field: value` lines. Changed fields carry an asterisk, for those who see no colour,
// and stand out in bold green where there is colour.
func renderPanel(o Output, title string, hue hue, lines []panelLine) string {
	const frame = 6 // border and padding of two columns
	var placeholders placeholders
	anyChanged := false
	for _, l := range lines {
		anyChanged = anyChanged || l.changed
	}
	labels, labelWidth := make([]string, len(lines)), 0
	for i, l := range lines {
		labels[i] = l.label + ":"
		switch {
		case l.changed:
			labels[i] = "* " + labels[i]
		case anyChanged:
			labels[i] = "  " + labels[i]
		}
		labelWidth = max(labelWidth, displaywidth.String(labels[i]))
	}
	t := newTable(o, title, hue, &placeholders)
	t.Style().Options.SeparateColumns = false
	const between = 2 // the padding of two columns
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, WidthMin: displaywidth.String(title) - labelWidth - between}})
	for i, l := range lines {
		value := l.value
		if o.Width > 0 {
			value = text.Wrap(value, max(o.Width-frame-labelWidth, 10), 0, text.BreakLong)
		}
		label := placeholders.hide(labels[i])
		value = placeholders.hide(value)
		if o.Color {
			label = prettytext.Colors{prettytext.Bold}.Sprint(label)
			switch {
			case l.tone != calm:
				value = colored(tones[l.tone], value)
			case l.changed:
				value = colored(hues[Green], value)
			}
		}
		t.AppendRow(table.Row{label, value})
	}
	return placeholders.restore(t.Render()) + "\n"
}

// colored makes a text stand out, in bold. Its lines are coloured one by one, for there is a border between them.
func colored(color prettytext.Color, s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = prettytext.Colors{prettytext.Bold, color}.Sprint(lines[i])
	}
	return strings.Join(lines, "\n")
}

// placeholders stand in for characters of which go-pretty does not know the width while it draws the box. It adds up
// code points, but a family emoji is one character of seven code points and two cells. Each such character becomes as
// many private-use code points as it takes cells, which go-pretty counts as one each, and is put back afterwards.
type placeholders struct {
	clusters []string
	runes    map[string]rune
}

const (
	placeholderFill  = 0xf0000
	placeholderFirst = placeholderFill + 1
)

func (p *placeholders) hide(s string) string {
	if text.IsPlain(s) {
		return s
	}
	var b strings.Builder
	for clusters := displaywidth.StringGraphemes(s); clusters.Next(); {
		cluster, cells := clusters.Value(), clusters.Width()
		looksHidden := strings.ContainsFunc(cluster, func(r rune) bool { return r >= placeholderFill })
		if prettytext.StringWidthWithoutEscSequences(cluster) == cells && !looksHidden {
			b.WriteString(cluster)
			continue
		}
		r, known := p.runes[cluster]
		if !known {
			r = placeholderFirst + rune(len(p.clusters))
			if p.runes == nil {
				p.runes = map[string]rune{}
			}
			p.runes[cluster] = r
			p.clusters = append(p.clusters, cluster)
		}
		b.WriteRune(r)
		b.WriteString(strings.Repeat(string(rune(placeholderFill)), max(cells-1, 0)))
	}
	return b.String()
}

func (p *placeholders) restore(s string) string {
	if len(p.clusters) == 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= placeholderFirst:
			b.WriteString(p.clusters[r-placeholderFirst])
		case r != placeholderFill:
			b.WriteRune(r)
		}
	}
	return b.String()
}
