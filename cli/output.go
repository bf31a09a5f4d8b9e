package cli

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

// amount is euro cents. Data formats write it as an exact decimal (450.00), people see euros (450.00 €).
type amount int64

// resource says how one kind of row is shown, whatever the format.
type resource[T any] struct {
	name    string // singular: contract
	title   string // plural, over the table: Contracts
	hue     hue    // of title and border
	charge  string // column with the id of who is in charge, where that matters
	columns []column[T]
}

// column is one field of a resource. Its value is a string or a named string type, int32, int64, bool, amount,
// uuid.UUID or time.Time, or a pointer to one of these, nil when absent. value is also called with the zero T to learn
// its type, so it returns a typed nil and reads through no pointer.
type column[T any] struct {
	name      string                   // in JSON, CSV and --fields: snake_case
	value     func(T) any              //
	label     string                   // for people; empty: made from name
	display   func(text string) string // text as people read it, such as a phone number; nil: as it is
	dataOnly  bool                     // an id beside the name it stands for: not in a table unless --fields asks
	whole     bool                     // text that is typed again in other commands: never shortened
	multiline bool                     // newlines are kept in a detail view
	wraps     bool                     // sentences: broken into lines on a narrow terminal, never shortened
	alarming  func(text string) bool   // whether the value stands out in a table; nil: never
	rank      int                      // 0: always in the table; the highest is the first to go in a narrow terminal
}

// output is how one command prints, decided once from flags, configuration and terminal.
type output struct {
	format   string         // one of formats
	noHeader bool           // csv without its first line
	ids      bool           // columns that are data only are shown to people too
	fields   []string       // columns by name, in this order; empty: all
	excel    bool           // csv as a French Excel opens it
	color    bool           // of tables and panels
	width    int            // of the terminal; 0: not a terminal, nothing is shortened
	zone     *time.Location // times are shown in it
	out, err io.Writer      // the result; notices
}

var formats = []string{"table", "json", "jsonl", "csv", "markdown"}

// list prints rows. The data formats stream, in constant memory. A table is collected first, because its columns are
// as wide as their widest cell. If rows fails before anything was written, nothing is.
func list[T any](o output, r resource[T], rows iter.Seq2[T, error]) error {
	fields, values, err := pick(o, r)
	if err != nil {
		return err
	}
	if e := newEncoder(o, fields, false); e != nil {
		return stream(o.out, e, cellsOf(values, rows))
	}
	var lines [][]string
	for cells, err := range cellsOf(values, rows) {
		if err != nil {
			return err
		}
		line := make([]string, len(cells))
		for i, c := range cells {
			line[i] = fields[i].show(c, o.zone)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(o.err, "No data to display.")
		return err
	}
	if o.format == "markdown" {
		return writeOut(o.out, markdownTable(fields, lines))
	}
	drawn, hidden := renderTable(o, r.title, r.hue, fields, lines)
	if err := writeOut(o.out, drawn); err != nil {
		return err
	}
	if len(hidden) > 0 {
		_, err = fmt.Fprintf(o.err, "Not shown for lack of width: %s. Name them with --fields, or use -o json.\n", strings.Join(hidden, ", "))
	}
	return err
}

// detail prints one row: an object in the data formats, else a panel, in which the columns stand out that differ from
// those of the row before; that may be nil.
func detail[T any](o output, r resource[T], row T, before *T) error {
	o.ids = true
	fields, values, err := pick(o, r)
	if err != nil {
		return err
	}
	one := func(yield func(T, error) bool) { yield(row, nil) }
	if e := newEncoder(o, fields, true); e != nil {
		return stream(o.out, e, cellsOf(values, one))
	}
	lines := make([]panelLine, len(fields))
	for i, f := range fields {
		c := cellOf(values[i](row))
		lines[i] = panelLine{label: f.label, value: f.show(c, o.zone), changed: before != nil && !c.equal(cellOf(values[i](*before)))}
		if f.multiline && !c.null {
			lines[i].value = text.EscapeLines(c.text)
		}
	}
	if o.format == "markdown" {
		return writeOut(o.out, markdownPanel(lines))
	}
	title := strings.ToUpper(r.name[:1]) + r.name[1:]
	return writeOut(o.out, renderPanel(o, title, r.hue, lines))
}

// pick returns the columns to print, as --fields names them, with the functions that read them.
func pick[T any](o output, r resource[T]) ([]field, []func(T) any, error) {
	if !slices.Contains(formats, o.format) {
		return nil, nil, failure.Misuse(
			fmt.Sprintf("unknown output format %q", o.format),
			"formats: "+strings.Join(formats, ", "),
		)
	}
	columns := r.columns
	if len(o.fields) > 0 {
		columns = nil
		for _, name := range o.fields {
			at := slices.IndexFunc(r.columns, func(c column[T]) bool { return c.name == name })
			if at < 0 {
				return nil, nil, unknownField(r, name)
			}
			columns = append(columns, r.columns[at])
		}
	}
	forPeople := o.format == "table" || o.format == "markdown"
	var (
		zero   T
		fields []field
		values []func(T) any
	)
	for _, c := range columns {
		if c.dataOnly && forPeople && !o.ids && len(o.fields) == 0 {
			continue
		}
		if slices.ContainsFunc(fields, func(f field) bool { return f.name == c.name }) {
			return nil, nil, failure.Misuse(fmt.Sprintf("field %q is named twice", c.name), "")
		}
		label := c.label
		if label == "" {
			label = labelOf(c.name)
		}
		fields = append(fields, field{
			name: c.name, label: label, display: c.display, multiline: c.multiline, whole: c.whole, wraps: c.wraps, rank: c.rank,
			alarming: c.alarming,
			kind:     cellOf(c.value(zero)).kind,
		})
		values = append(values, c.value)
	}
	return fields, values, nil
}

// labelOf is what people read for a name in JSON.
func labelOf(name string) string {
	switch name {
	case "email":
		return "E-mail"
	case "fullname":
		return "Full name"
	}
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}

func unknownField[T any](r resource[T], name string) error {
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.name
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

// field is a column without the type of its rows.
type field struct {
	name, label      string
	kind             kind
	display          func(string) string
	multiline, whole bool
	wraps            bool
	alarming         func(string) bool
	rank             int
}

func (f field) alignsRight() bool { return f.kind == kindInteger || f.kind == kindAmount }

// show returns a value on one line for people, safe to print on a terminal.
func (f field) show(c cell, zone *time.Location) string {
	if c.null {
		return "-"
	}
	switch c.kind {
	case kindText:
		if f.display != nil {
			return text.Escape(f.display(c.text))
		}
		return text.Escape(c.text)
	case kindInteger:
		return strconv.FormatInt(c.number, 10)
	case kindAmount:
		return value.FormatEuro(c.number)
	case kindBoolean:
		if c.number != 0 {
			return "yes"
		}
		return "no"
	case kindTime:
		return c.time.In(zone).Format("2006-01-02 15:04")
	default:
		return c.id.String()
	}
}

type kind int

const (
	kindText kind = iota
	kindInteger
	kindBoolean // number is 0 or 1
	kindAmount  // number is euro cents
	kindTime
	kindUUID
)

// cell is one value, unpacked once so that no format needs to know about pointers and named types.
type cell struct {
	kind   kind
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
		return cell{kind: kindText, text: v}
	case int64:
		return cell{kind: kindInteger, number: v}
	case int32:
		return cell{kind: kindInteger, number: int64(v)}
	case amount:
		return cell{kind: kindAmount, number: int64(v)}
	case bool:
		c := cell{kind: kindBoolean}
		if v {
			c.number = 1
		}
		return c
	case time.Time:
		return cell{kind: kindTime, time: v}
	case uuid.UUID:
		return cell{kind: kindUUID, id: v}
	case *string: // the usual pointers, for speed; the rest below
		if v != nil {
			return cell{kind: kindText, text: *v}
		}
		return cell{kind: kindText, null: true}
	case *time.Time:
		if v != nil {
			return cell{kind: kindTime, time: *v}
		}
		return cell{kind: kindTime, null: true}
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.String:
		return cell{kind: kindText, text: v.String()}
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
