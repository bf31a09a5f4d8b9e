// Package render shows rows: as a table, as a panel of one row, as Markdown, JSON, JSON lines or CSV. A resource says
// once which columns a kind of row has and how they read; each format follows from that.
//
// The data formats stream in constant memory and are exact; what is for people is made safe for a terminal and fitted to
// its width. The package knows no command, no setting and no operation.
package render

import (
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// Amount is euro cents. Data formats write it as an exact decimal (450.00), people see euros (450.00 €).
type Amount int64

// Resource says how one kind of row is shown, whatever the format.
type Resource[T any] struct {
	Name    string // singular: contract
	Title   string // plural, over the table: Contracts
	Hue     hue    // of title and border
	Charge  string // column with the id of who is in charge, where that matters
	Columns []Column[T]
}

// Column is one field of a resource. Its value is a string or a named string type, int32, int64, bool, amount,
// uuid.UUID or time.Time, or a pointer to one of these, nil when absent. value is also called with the zero T to learn
// its type, so it returns a typed nil and reads through no pointer.
type Column[T any] struct {
	Name      string                   // in JSON, CSV and --fields: snake_case
	Value     func(T) any              //
	Label     string                   // for people; empty: made from name
	Display   func(text string) string // text as people read it, such as a phone number; nil: as it is
	DataOnly  bool                     // an id beside the name it stands for: not in a table unless --fields asks
	Whole     bool                     // text that is typed again in other commands: never shortened
	Multiline bool                     // newlines are kept in a detail view
	Wraps     bool                     // sentences: broken into lines on a narrow terminal, never shortened
	Alarming  func(text string) bool   // whether the value stands out in a table; nil: never
	Rank      int                      // 0: always in the table; the highest is the first to go in a narrow terminal
}

// Output is how one command prints, decided once from flags, configuration and terminal.
type Output struct {
	Format   string         // one of formats
	NoHeader bool           // csv without its first line
	IDs      bool           // columns that are data only are shown to people too
	Fields   []string       // columns by name, in this order; empty: all
	Excel    bool           // csv as a French Excel opens it
	Color    bool           // of tables and panels
	Width    int            // of the terminal; 0: not a terminal, nothing is shortened
	Zone     *time.Location // times are shown in it
	Out, Err io.Writer      // the result; notices
}

var Formats = []string{"table", "json", "jsonl", "csv", "markdown"}

// List prints rows. The data formats stream, in constant memory. A table is collected first, because its columns are
// as wide as their widest cell. If rows fails before anything was written, nothing is.
func List[T any](o Output, r Resource[T], rows iter.Seq2[T, error]) error {
	fields, values, err := SelectColumns(o, r)
	if err != nil {
		return err
	}
	if e := newEncoder(o, fields, false); e != nil {
		return stream(o.Out, e, cellsOf(values, rows))
	}
	var lines [][]string
	for cells, err := range cellsOf(values, rows) {
		if err != nil {
			return err
		}
		line := make([]string, len(cells))
		for i, c := range cells {
			line[i] = fields[i].show(c, o.Zone)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(o.Err, "No data to display.")
		return err
	}
	if o.Format == "markdown" {
		return WriteOut(o.Out, markdownTable(fields, lines))
	}
	drawn, hidden := renderTable(o, r.Title, r.Hue, fields, lines)
	if err := WriteOut(o.Out, drawn); err != nil {
		return err
	}
	if len(hidden) > 0 {
		_, err = fmt.Fprintf(o.Err, "Not shown for lack of width: %s. Name them with --fields, or use -o json.\n", strings.Join(hidden, ", "))
	}
	return err
}

// Detail prints one row: an object in the data formats, else a panel, in which the columns stand out that differ from
// those of the row before; that may be nil.
func Detail[T any](o Output, r Resource[T], row T, before *T) error {
	o.IDs = true
	fields, values, err := SelectColumns(o, r)
	if err != nil {
		return err
	}
	one := func(yield func(T, error) bool) { yield(row, nil) }
	if e := newEncoder(o, fields, true); e != nil {
		return stream(o.Out, e, cellsOf(values, one))
	}
	lines := make([]panelLine, len(fields))
	for i, f := range fields {
		c := cellOf(values[i](row))
		lines[i] = panelLine{label: f.Label, value: f.show(c, o.Zone), changed: before != nil && !c.equal(cellOf(values[i](*before)))}
		if f.Multiline && !c.null {
			lines[i].value = text.EscapeLines(c.text)
		}
	}
	if o.Format == "markdown" {
		return WriteOut(o.Out, markdownPanel(lines))
	}
	title := strings.ToUpper(r.Name[:1]) + r.Name[1:]
	return WriteOut(o.Out, renderPanel(o, title, r.Hue, lines))
}

// SelectColumns returns the columns to print, as --fields names them, with the functions that read them.
func SelectColumns[T any](o Output, r Resource[T]) ([]Field, []func(T) any, error) {
	if !slices.Contains(Formats, o.Format) {
		return nil, nil, failure.Misuse(
			fmt.Sprintf("unknown output format %q", o.Format),
			"formats: "+strings.Join(Formats, ", "),
		)
	}
	columns := r.Columns
	if len(o.Fields) > 0 {
		columns = nil
		for _, name := range o.Fields {
			at := slices.IndexFunc(r.Columns, func(c Column[T]) bool { return c.Name == name })
			if at < 0 {
				return nil, nil, unknownField(r, name)
			}
			columns = append(columns, r.Columns[at])
		}
	}
	forPeople := o.Format == "table" || o.Format == "markdown"
	var (
		zero   T
		fields []Field
		values []func(T) any
	)
	for _, c := range columns {
		if c.DataOnly && forPeople && !o.IDs && len(o.Fields) == 0 {
			continue
		}
		if slices.ContainsFunc(fields, func(f Field) bool { return f.Name == c.Name }) {
			return nil, nil, failure.Misuse(fmt.Sprintf("field %q is named twice", c.Name), "")
		}
		label := c.Label
		if label == "" {
			label = LabelOf(c.Name)
		}
		fields = append(fields, Field{
			Name: c.Name, Label: label, Display: c.Display, Multiline: c.Multiline, whole: c.Whole, wraps: c.Wraps, rank: c.Rank,
			alarming: c.Alarming,
			Kind:     cellOf(c.Value(zero)).kind,
		})
		values = append(values, c.Value)
	}
	return fields, values, nil
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

func unknownField[T any](r Resource[T], name string) error {
	names := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		names[i] = c.Name
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

// Field is a column without the type of its rows.
type Field struct {
	Name, Label      string
	Kind             Kind
	Display          func(string) string
	Multiline, whole bool
	wraps            bool
	alarming         func(string) bool
	rank             int
}

func (f Field) alignsRight() bool { return f.Kind == KindInteger || f.Kind == KindAmount }

// show returns a value on one line for people, safe to print on a terminal.
func (f Field) show(c cell, zone *time.Location) string {
	if c.null {
		return "-"
	}
	switch c.kind {
	case KindText:
		if f.Display != nil {
			return text.Escape(f.Display(c.text))
		}
		return text.Escape(c.text)
	case KindInteger:
		return strconv.FormatInt(c.number, 10)
	case KindAmount:
		return value.FormatEuro(c.number)
	case KindBoolean:
		if c.number != 0 {
			return "yes"
		}
		return "no"
	case KindTime:
		return c.time.In(zone).Format("2006-01-02 15:04")
	default:
		return c.id.String()
	}
}

type Kind int

const (
	KindText Kind = iota
	KindInteger
	KindBoolean // number is 0 or 1
	KindAmount  // number is euro cents
	KindTime
	KindUUID
)

// cell is one value, unpacked once so that no format needs to know about pointers and named types.
type cell struct {
	kind   Kind
	null   bool
	text   string
	number int64
	time   time.Time
	id     uuid.UUID
}

func (c cell) equal(other cell) bool {
	sameTime := c.time.Equal(other.time)
	c.time, other.time = time.Time{}, time.Time{}
	return sameTime && c == other
}

// cellsOf reads rows cell by cell. The slice is used again for the next row.
func cellsOf[T any](values []func(T) any, rows iter.Seq2[T, error]) iter.Seq2[[]cell, error] {
	return func(yield func([]cell, error) bool) {
		cells := make([]cell, len(values))
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			for i, value := range values {
				cells[i] = cellOf(value(row))
			}
			if !yield(cells, nil) {
				return
			}
		}
	}
}

func cellOf(value any) cell {
	switch v := value.(type) {
	case string:
		return cell{kind: KindText, text: v}
	case int64:
		return cell{kind: KindInteger, number: v}
	case int32:
		return cell{kind: KindInteger, number: int64(v)}
	case Amount:
		return cell{kind: KindAmount, number: int64(v)}
	case bool:
		c := cell{kind: KindBoolean}
		if v {
			c.number = 1
		}
		return c
	case time.Time:
		return cell{kind: KindTime, time: v}
	case uuid.UUID:
		return cell{kind: KindUUID, id: v}
	case *string: // the usual pointers, for speed; the rest below
		if v != nil {
			return cell{kind: KindText, text: *v}
		}
		return cell{kind: KindText, null: true}
	case *time.Time:
		if v != nil {
			return cell{kind: KindTime, time: *v}
		}
		return cell{kind: KindTime, null: true}
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.String:
		return cell{kind: KindText, text: v.String()}
	case reflect.Pointer:
		if !v.IsNil() {
			return cellOf(v.Elem().Interface())
		}
		c := cellOf(reflect.Zero(v.Type().Elem()).Interface())
		c.null = true
		return c
	}
	panic(fmt.Sprintf("a column cannot hold a %T", value))
}
