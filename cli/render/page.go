package render

import (
	"cmp"
	"fmt"
	"html"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/epicevents/crm/internal/value"
)

// Page is the format of a report that is one page for a browser, a printer or a mail: it has no script and asks no network.
const Page = "html"

// chartMost is how many rows a chart has at most: as many as a sheet of A4 has room for.
const chartMost = 24

// pageRow is a row of a report as a page shows it.
type pageRow struct {
	label string // what the row is of
	cells []string
	bar   float64
}

func writePage[T any](o Output, title string, hue hue, fields []Field, all iter.Seq2[T, error]) error {
	var (
		rows   []pageRow
		sums   = newSums(fields)
		n      int
		footer []string
	)
	for cells, err := range cellsOf(fields, all) {
		if err != nil {
			return err
		}
		n++
		if sums.add(cells); o.Most > 0 && n > o.Most {
			continue
		}
		row := pageRow{cells: make([]string, len(fields))}
		for i, c := range cells {
			row.cells[i] = fields[i].forPage(c, o)
		}
		row.label = labelOf(fields, row.cells)
		if sums.bar >= 0 {
			row.bar = sums.bars[n-1]
		}
		rows = append(rows, row)
	}
	if sums.any && n > 0 {
		footer = sums.line(fields, func(f Field, c cell) string { return f.forPage(c, o) }, n > len(rows), n)
	}
	return WriteOut(o.Out, renderPage(o, title, hue, fields, rows, footer))
}

// renderPage returns a report as a page: a chart, and the table behind it with all that the chart says. footer is what the
// rows add up to.
func renderPage(o Output, title string, hue hue, fields []Field, rows []pageRow, footer []string) string {
	var b strings.Builder
	shown := html.EscapeString(title)
	fmt.Fprintf(&b, pageHead, shown, pageColors[hue][0], pageColors[hue][1], shown)
	if o.Note != "" {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(o.Note))
	}
	if slices.ContainsFunc(rows, func(r pageRow) bool { return r.bar > 0 }) {
		writeChart(&b, title, fields, rows)
	}
	if len(rows) == 0 {
		b.WriteString("<p>Nothing to add up.</p>\n")
	}
	b.WriteString("<div class=\"wide\">\n<table>\n<thead>\n")
	writeRow(&b, "th scope=\"col\"", fields, labels(fields))
	b.WriteString("</thead>\n<tbody>\n")
	for _, row := range rows {
		writeRow(&b, "td", fields, row.cells)
	}
	b.WriteString("</tbody>\n")
	if footer != nil {
		b.WriteString("<tfoot>\n")
		writeRow(&b, "td", fields, footer)
		b.WriteString("</tfoot>\n")
	}
	b.WriteString("</table>\n</div>\n</main>\n</body>\n</html>\n")
	return b.String()
}

func labels(fields []Field) []string {
	labels := make([]string, len(fields))
	for i, f := range fields {
		labels[i] = f.Label
	}
	return labels
}

func writeRow(b *strings.Builder, tag string, fields []Field, cells []string) {
	b.WriteString("<tr>")
	name, _, _ := strings.Cut(tag, " ")
	for i, s := range cells {
		class := ""
		if fields[i].alignsRight() {
			class = ` class="number"`
		}
		fmt.Fprintf(b, "<%s%s>%s</%s>", tag, class, html.EscapeString(s), name)
	}
	b.WriteString("</tr>\n")
}

// writeChart draws a bar for each row, its label and number above it. Its widths are in percent and its letters are not, so
// that it can be read on a telephone too.
func writeChart(b *strings.Builder, title string, fields []Field, rows []pageRow) {
	const step, thick = 36, 10
	largest, first := slices.IndexFunc(fields, func(f Field) bool { return f.bars }), rows
	if len(rows) > chartMost {
		first = rows[:chartMost]
	}
	most := slices.MaxFunc(first, func(x, y pageRow) int { return cmp.Compare(x.bar, y.bar) })
	said := fmt.Sprintf("%s, a bar for each of %d rows; the longest is %s of %s. The table below has all numbers.",
		fields[largest].Label, len(first), most.cells[largest], most.label)
	fmt.Fprintf(b, "<figure>\n<svg role=\"img\" aria-labelledby=\"chart-title chart-desc\" width=\"100%%\" height=\"%d\" xmlns=\"http://www.w3.org/2000/svg\">\n"+
		"<title id=\"chart-title\">%s</title>\n<desc id=\"chart-desc\">%s</desc>\n", step*len(first), html.EscapeString(title), html.EscapeString(said))
	for i, row := range first {
		y := i * step
		fmt.Fprintf(b, "<text x=\"0\" y=\"%d\">%s</text><text class=\"value\" x=\"100%%\" y=\"%d\">%s</text>",
			y+16, html.EscapeString(shortened(row.label)), y+16, html.EscapeString(row.cells[largest]))
		fmt.Fprintf(b, "<rect class=\"track\" y=\"%d\" width=\"100%%\" height=\"%d\" rx=\"2\"/><rect class=\"bar\" y=\"%d\" width=\"%s%%\" height=\"%d\" rx=\"2\"/>\n",
			y+21, thick, y+21, strconv.FormatFloat(100*row.bar/most.bar, 'f', 2, 64), thick)
	}
	b.WriteString("</svg>\n")
	if len(rows) > len(first) {
		fmt.Fprintf(b, "<figcaption>The first %d of %d rows.</figcaption>\n", len(first), len(rows))
	}
	b.WriteString("</figure>\n")
}

// shortened is a label of a bar. Where it is too long for a narrow page, the number lies above its end.
func shortened(label string) string {
	const most = 60
	if letters := []rune(label); len(letters) > most {
		return strings.TrimSpace(string(letters[:most-1])) + "…"
	}
	return label
}

// forPage is a value as a French reader has it on paper: 1 234,50 €, with spaces at which no line breaks.
func (f Field) forPage(c cell, o Output) string {
	switch {
	case c.null:
	case c.kind == KindAmount:
		return strings.NewReplacer(" €", "\u00a0€", " ", "\u202f", ".", ",").Replace(value.FormatEuro(value.Cents(c.number)))
	case c.kind == KindInteger:
		whole, _, _ := strings.Cut(value.FormatEuro(value.Cents(100*c.number)), ".")
		return strings.ReplaceAll(whole, " ", "\u202f")
	}
	return f.show(c, o.Zone)
}

// labelOf is what a row is of: all that is no number.
func labelOf(fields []Field, cells []string) string {
	var parts []string
	for i, s := range cells {
		if !fields[i].alignsRight() && s != "-" {
			parts = append(parts, s)
		}
	}
	if parts == nil {
		return "-"
	}
	return strings.Join(parts, " · ")
}

// pageColors are those of the bars, on white and on black.
var pageColors = map[hue][2]string{
	Green:  {"#2f7d55", "#62bd8c"},
	Orange: {"#b3591b", "#e59a5c"},
}

const pageHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%s</title>
<style>
:root { --paper: #fff; --ink: #1c2024; --faint: #5b6470; --line: #d8dce1; --track: #eef0f2; --bar: %s }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e7e9ec; --faint: #9aa3ad; --line: #363c43; --track: #23282e; --bar: %s } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif }
main { max-width: 50rem; margin: 0 auto; padding: 1.5rem 1rem 3rem }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .25rem }
p, figcaption { color: var(--faint); margin: 0; font-size: .9rem }
figure { margin: 1.5rem 0 }
svg { display: block }
svg text { fill: var(--ink); font-size: 14px }
svg .value { text-anchor: end; paint-order: stroke; stroke: var(--paper); stroke-width: 10px; stroke-linejoin: round; font-variant-numeric: tabular-nums }
.track { fill: var(--track) }
.bar { fill: var(--bar) }
table { border-collapse: collapse; width: 100%%; margin-top: 1.5rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline }
th { font-weight: 600; color: var(--faint) }
.number { text-align: right; padding-right: 0; padding-left: .75rem }
td.number { white-space: nowrap }
tfoot td { font-weight: 600; border-bottom: 0; border-top: 2px solid var(--ink) }
.wide { overflow-x: auto }
@media (max-width: 32rem) {
  table { font-size: .8rem }
  th, td { padding: .3rem .5rem .3rem 0 }
  .number { padding-left: .25rem }
}
@page { size: A4; margin: 18mm 16mm }
@media print {
  :root { --paper: #fff; --ink: #000; --faint: #444; --line: #bbb; --track: #eee }
  body { font-size: 10.5pt }
  main { max-width: none; padding: 0 }
  .wide { overflow: visible }
  thead { display: table-header-group }
  tfoot { display: table-row-group }
  tr, figure { break-inside: avoid }
  .track, .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
</style>
</head>
<body>
<main>
<h1>%s</h1>
`
