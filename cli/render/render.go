// Package render shows rows: as a table, as a panel of one row, as Markdown, JSON, JSON lines or CSV. Which columns a kind
// of row has, its struct says, which is made of SQL; a resource adds how they look to people. Each format follows from that.
//
// The data formats stream in constant memory and are exact; what is for people is made safe for a terminal and fitted to
// its width. The package knows no command, no setting and no operation.
package render

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// Resource says how one kind of row is shown, whatever the format. Its columns are those of the struct T, in their order.
type Resource[T any] struct {
	Name   string   // singular: contract
	Title  string   // plural, over the table: Contracts
	None   string   // what people read where there are no rows; empty: "No data to display."
	Hue    hue      // of title and border
	Charge string   // column with the id of who is in charge, where that matters
	Bars   string   // the column whose numbers a table on a terminal shows as bars too
	Orders []string // columns in whose order rows can be listed; nil: all but the ids beside a name
	Looks  []Look   // of columns that are more to people than a name and a value
	Marks  []Mark[T]
}

// Look says how people see one column.
type Look struct {
	Column    string
	Label     string   // empty: made from the name
	Hidden    bool     // shown to nobody, also not to programs
	DataOnly  bool     // an id beside the name it stands for: not in a table unless --fields asks
	SaidBy    string   // the column that says the same to people: not in a table either, but rows can be sorted by it
	Of        string   // the column with the username of whom this is the full name: people read both as one
	Begins    int      // on a terminal a table shows so many characters of the id, by which commands take it
	Whole     bool     // text that is typed again in other commands: never shortened
	Multiline bool     // newlines are kept in a detail view
	Wraps     bool     // sentences: broken into lines on a narrow terminal, never shortened
	Absent    string   // what people read where there is no value; empty: a dash
	Weekday   bool     // people plan by the day of the week: a table and a panel say it
	Adds      bool     // a table ends with what the column adds up to
	Rank      int      // 0: always in the table; the highest is the first to go in a narrow terminal
	Cut       bool     // its text is cut to its least before the column goes
	SameBy    []string // flags of a list that leave one value in the column: it goes before all others
	KeptBy    []string // flags of a list that ask about the column: it stays, as with --sort
	Beside    []string // flags of a list without which the column says nothing: people see it in a table beside one of them
	Follows   bool     // it changes whenever another column does: what it was before is of no interest
	NamedBy   string   // the column with the name of the field whose value, as text, this is
}

// Output is how one command prints, decided once from flags, configuration and terminal.
type Output struct {
	Format   string                 // one of formats
	NoHeader bool                   // csv without its first line
	IDs      bool                   // columns that are data only are shown to people too
	Fields   []string               // columns by name, in this order; empty: all
	Sort     string                 // the column by which the rows are sorted; empty: their usual order
	Filters  []string               // the flags that say which rows are in the list
	Excel    bool                   // csv as a French Excel opens it
	Color    bool                   // of tables and panels
	Note     string                 // a page says it below its title
	Width    int                    // of the terminal; 0: not a terminal, nothing is shortened
	ASCII    bool                   // the terminal shows no other characters than those of ASCII as they are
	Most     int                    // rows that are shown, of which there may be more; 0: all. What a table adds up is all of them
	Zone     *time.Location         // times are shown in it
	Totals   map[string]value.Cents // of a table: what its amounts add up to, by their columns; nil: not shown
	Out, Err io.Writer              // the result; notices
}

var Formats = []string{"table", "json", "jsonl", "csv", "markdown"}

// List prints rows. The data formats stream, in constant memory. A table is collected first, because its columns are
// as wide as their widest cell. If rows fails before anything was written, nothing is.
func List[T any](o Output, r Resource[T], rows iter.Seq2[T, error]) error {
	fields, err := r.Listed(o)
	if err != nil {
		return err
	}
	if e := newEncoder(o, fields, false); e != nil {
		return stream(o.Out, e, cellsOf(fields, first(rows, o.Most)))
	}
	if o.Format == Page {
		return writePage(o, r.Title, r.Hue, fields, rows)
	}
	var (
		lines  [][]string
		tones  [][]tone
		reader = newReader[T](fields)
		marks  []*Mark[T]
		sums   = newSums(fields)
		n      int
	)
	for row, err := range rows {
		if err != nil {
			return err
		}
		n++
		if sums.add(reader.read(row)); o.Most > 0 && n > o.Most {
			continue
		}
		marks = r.marksOf(row, marks)
		line, lineTones := make([]string, len(fields)), make([]tone, len(fields))
		cells := reader.cells
		for i, c := range cells {
			line[i] = fields[i].show(c, o.Zone)
			if named := slices.IndexFunc(fields, func(f Field) bool { return f.Name == fields[i].Look.NamedBy }); named >= 0 && !c.null {
				line[i] = showAs(cells[named].text, c.text, o.Zone)
			}
			if o.Format == "markdown" && fields[i].Look.Multiline && !c.null { // which makes <br> of a newline
				line[i] = text.EscapeLines(c.text)
			}
			if n := fields[i].Look.Begins; n > 0 && o.Format == "table" && o.Width > 0 && len(o.Fields) == 0 && !c.null {
				line[i] = line[i][:n]
			}
			line[i], lineTones[i] = toned(fields[i], line[i], marks, signOf)
		}
		lines, tones = append(lines, line), append(tones, lineTones)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(o.Err, cmp.Or(r.None, "No data to display."))
		return err
	}
	var footer []string
	if o.Totals != nil {
		footer = totalLine(o.Totals, fields)
	} else if sums.any {
		footer = sums.line(fields, func(f Field, c cell) string { return f.show(c, o.Zone) }, n > len(lines), n)
	}
	if footer != nil {
		lines = append(lines, footer)
	}
	if o.Format == "markdown" {
		return WriteOut(o.Out, markdownTable(fields, lines))
	}
	drawn, hidden := renderTable(o, r.Title, r.Hue, r.ranked(o, fields), lines, tones, footer != nil, sums.bars)
	if err := WriteOut(o.Out, drawn); err != nil {
		return err
	}
	if len(hidden) > 0 {
		const named = 3 // the rest is in the help of --fields
		if n := len(hidden) - named; n > 1 {
			hidden = append(hidden[:named:named], fmt.Sprintf("%d more", n))
		}
		_, err = fmt.Fprintf(o.Err, "Not shown for lack of width: %s (--fields)\n", strings.Join(hidden, ", "))
	}
	return err
}

// first ends a stream after n rows; 0: not before its end.
func first[T any](rows iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	if n == 0 {
		return rows
	}
	return func(yield func(T, error) bool) {
		shown := 0
		for row, err := range rows {
			if shown++; !yield(row, err) || shown == n {
				return
			}
		}
	}
}

// showAs returns the text of a value as people read a field of this name.
func showAs(field, content string, zone *time.Location) string {
	if strings.HasSuffix(field, "amount") {
		if cents, err := value.ParseMoney(content); err == nil {
			return value.FormatEuro(cents)
		}
	}
	if at, err := time.Parse(time.RFC3339, content); err == nil {
		return at.In(zone).Format("2006-01-02 15:04")
	}
	switch {
	case field == "phone":
		return text.Escape(value.FormatPhone(value.Phone(content)))
	case content == "true":
		return "yes"
	case content == "false":
		return "no"
	}
	return text.Escape(content)
}

// ranked says of each column whether what this list was asked for lets it go before all others, or keeps it in the table.
func (r Resource[T]) ranked(o Output, fields []Field) []Field {
	sorted := cmp.Or(r.look(o.Sort).SaidBy, o.Sort)
	given := func(flag string) bool { return slices.Contains(o.Filters, flag) }
	for i, f := range fields {
		switch {
		case slices.ContainsFunc(f.Look.SameBy, given):
			fields[i].Look.Rank, fields[i].Look.Cut = rankSame, false
		case f.Name == sorted, f.Look.Of != "" && f.Look.Of == sorted, slices.ContainsFunc(f.Look.KeptBy, given):
			fields[i].Look.Rank = 0
		}
	}
	return fields
}

// rankSame is the rank of a column that has the same value in every row.
const rankSame = math.MaxInt

// totalLine is the last row of a table.
func totalLine(totals map[string]value.Cents, fields []Field) []string {
	line := make([]string, len(fields))
	for i, f := range fields {
		if sum, ok := totals[f.Name]; ok {
			line[i] = value.FormatEuro(sum)
		} else if i == 0 {
			line[i] = "Total"
		}
	}
	return line
}

// Detail prints one row: an object in the data formats, else a panel, in which the columns stand out that differ from
// those of the row before, with what they were; that may be nil.
func Detail[T any](o Output, r Resource[T], row T, before *T) error {
	o.IDs = true
	return detail(o, r, row, before)
}

// Sheet is Detail for paper: without what only commands need, the columns that are data only.
func Sheet[T any](o Output, r Resource[T], row T) error { return detail(o, r, row, nil) }

func detail[T any](o Output, r Resource[T], row T, before *T) error {
	fields, err := r.Select(o)
	if err != nil {
		return err
	}
	one := func(yield func(T, error) bool) { yield(row, nil) }
	if e := newEncoder(o, fields, true); e != nil {
		return stream(o.Out, e, cellsOf(fields, one))
	}
	shown := len(fields)
	for _, f := range fields {
		fields = append(fields, r.usernames(f)...)
	}
	now := newReader[T](fields).read(row)
	old := now
	if before != nil {
		old = newReader[T](fields).read(*before)
	}
	lines, marks := make([]panelLine, shown), r.marksOf(row, nil)
	for i, f := range fields[:shown] {
		lines[i] = panelLine{label: f.Label, changed: !now[i].equal(old[i])}
		said := func(cells []cell) string {
			c := cells[i]
			value := f.show(c, o.Zone)
			if f.Look.Multiline && !c.null {
				value = text.EscapeLines(c.text)
			}
			for at, username := range fields[shown:] {
				if username.Name == f.Look.Of && !c.null {
					value += " (" + username.show(cells[shown+at], o.Zone) + ")"
					lines[i].changed = lines[i].changed || !now[shown+at].equal(old[shown+at])
				}
			}
			return value
		}
		lines[i].value, lines[i].tone = toned(f, said(now), marks, wordOf)
		if lines[i].changed && !old[i].null && !f.Look.Follows {
			lines[i].value = became(said(old), lines[i].value)
		}
	}
	if o.Format == "markdown" {
		return WriteOut(o.Out, markdownPanel(lines))
	}
	title := strings.ToUpper(r.Name[:1]) + r.Name[1:]
	return WriteOut(o.Out, renderPanel(o, title, r.Hue, lines))
}

// became writes what a value was before what it is; a text of several lines apart from the other.
func became(old, now string) string {
	if strings.Contains(old+now, "\n") {
		return old + "\n→\n" + now
	}
	return old + " → " + now
}

// forPeople reports whether people read the format, and no program.
func (o Output) forPeople() bool {
	return o.Format == "table" || o.Format == "markdown" || o.Format == Page
}

// Select returns the columns to print, as --fields names them.
func (r Resource[T]) Select(o Output) ([]Field, error) {
	if !slices.Contains(Formats, o.Format) && (o.Format != Page || r.Bars == "") {
		return nil, failure.Misuse(
			fmt.Sprintf("unknown output format %q", o.Format),
			"formats: "+strings.Join(Formats, ", "),
		)
	}
	all := r.fields()
	if len(o.Fields) == 0 {
		return slices.DeleteFunc(all, func(f Field) bool {
			return o.forPeople() && ((f.Look.DataOnly || f.Look.SaidBy != "") && !o.IDs || r.isUsername(f.Name))
		}), nil
	}
	var fields []Field
	for _, name := range o.Fields {
		named := func(f Field) bool { return f.Name == name }
		at := slices.IndexFunc(all, named)
		if at < 0 {
			return nil, unknownField(all, name)
		}
		if slices.ContainsFunc(fields, named) {
			return nil, failure.Misuse(fmt.Sprintf("field %q is named twice", name), "")
		}
		f := all[at]
		if f.Look.Of != "" { // who asks for it may ask for the username too
			f.Label, f.Look.Of = LabelOf(f.Name), ""
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// Listed returns the columns to print of a list: for people without those that say nothing unless a flag asked for them.
func (r Resource[T]) Listed(o Output) ([]Field, error) {
	fields, err := r.Select(o)
	if err != nil || len(o.Fields) > 0 || !o.forPeople() {
		return fields, err
	}
	given := func(flag string) bool { return slices.Contains(o.Filters, flag) }
	return slices.DeleteFunc(fields, func(f Field) bool {
		return f.Look.Beside != nil && f.Name != o.Sort && !slices.ContainsFunc(f.Look.Beside, given)
	}), nil
}

// isUsername reports whether a column is shown with the full name that it belongs to.
func (r Resource[T]) isUsername(column string) bool {
	return slices.ContainsFunc(r.Looks, func(look Look) bool { return look.Of == column })
}

// usernames returns the column that belongs to a full name.
func (r Resource[T]) usernames(fullname Field) []Field {
	if fullname.Look.Of == "" {
		return nil
	}
	return slices.DeleteFunc(r.fields(), func(f Field) bool { return f.Name != fullname.Look.Of })
}

// columns returns the columns that are shown.
func (r Resource[T]) columns() []columns.Column {
	all := columns.Of(reflect.TypeFor[T]())
	shown := make([]columns.Column, 0, len(all))
	for _, c := range all {
		if !r.look(c.Name).Hidden {
			shown = append(shown, c)
		}
	}
	return shown
}

func (r Resource[T]) look(column string) Look {
	for _, look := range r.Looks {
		if look.Column == column {
			return look
		}
	}
	return Look{}
}

// Names returns those of the columns that are shown.
func (r Resource[T]) Names() []string {
	all := r.columns()
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}

// Sortable returns the names of the columns in whose order rows can be listed.
func (r Resource[T]) Sortable() []string {
	if r.Orders != nil {
		return r.Orders
	}
	return slices.DeleteFunc(r.Names(), func(name string) bool { return r.look(name).DataOnly })
}

func (r Resource[T]) fields() []Field {
	all := r.columns()
	fields := make([]Field, len(all))
	for i, c := range all {
		look := r.look(c.Name)
		name := c.Name
		if look.Of != "" {
			name = look.Of
		}
		fields[i] = Field{Name: c.Name, Label: cmp.Or(look.Label, LabelOf(name)), Kind: kindOf(c.Type), Look: look, bars: c.Name == r.Bars, column: c}
	}
	return fields
}

// LabelOf is what people read for a name in JSON.
func LabelOf(name string) string {
	switch name {
	case "email":
		return "E-mail"
	case "fullname":
		return "Full name"
	}
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}

func unknownField(fields []Field, name string) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	message := fmt.Sprintf("unknown field %q", name)
	if meant := text.Suggest(name, names); meant != "" {
		message += fmt.Sprintf(", did you mean %q?", meant)
	}
	return failure.Misuse(
		message,
		"fields: "+strings.Join(names, ", "),
	)
}

// Field is a column and how it looks, without the type of its rows.
type Field struct {
	Name, Label string
	Kind        Kind
	Look        Look
	bars        bool // of a report, whose rows they compare
	column      columns.Column
}

func (f Field) alignsRight() bool { return f.Kind == KindInteger || f.Kind == KindAmount }

// show returns a value on one line for people, safe to print on a terminal.
func (f Field) show(c cell, zone *time.Location) string {
	if c.null {
		return cmp.Or(f.Look.Absent, "-")
	}
	switch c.kind {
	case KindText:
		return text.Escape(c.text)
	case KindPhone:
		return text.Escape(value.FormatPhone(value.Phone(c.text)))
	case KindInteger:
		return strconv.FormatInt(c.number, 10)
	case KindAmount:
		return value.FormatEuro(value.Cents(c.number))
	case KindBoolean:
		if c.number != 0 {
			return "yes"
		}
		return "no"
	case KindDate:
		return text.Escape(c.text)
	case KindTime:
		if f.Look.Weekday {
			return c.time.In(zone).Format("Mon 2006-01-02 15:04")
		}
		return c.time.In(zone).Format("2006-01-02 15:04")
	default:
		return c.id.String()
	}
}
