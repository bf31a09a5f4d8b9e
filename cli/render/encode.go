package render

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/value"
)

// encoder appends rows in a data format to a buffer that the caller writes and uses again: nothing is allocated per
// cell, and an export runs as fast as rows arrive.
type encoder interface {
	start(b []byte) []byte
	row(b []byte, cells []cell) []byte
	end(b []byte) []byte
}

// newEncoder returns nil for the formats that are made for people.
func newEncoder(o Output, fields []Field, single bool) encoder {
	switch o.Format {
	case "json", "jsonl":
		e := &jsonEncoder{zone: o.Zone, single: single, array: o.Format == "json" && !single, pretty: o.Format == "json" && single}
		for _, f := range fields {
			e.keys = append(e.keys, string(appendJSONString(nil, f.Name))+":")
		}
		return e
	case "csv":
		e := newCSVEncoder(',', "\n")
		if o.Excel {
			e = newCSVEncoder(';', "\r\n")
		}
		e.zone, e.excel = o.Zone, o.Excel
		if !o.NoHeader {
			for _, f := range fields {
				e.header = append(e.header, cell{kind: KindText, text: f.Name})
			}
		}
		return e
	}
	return nil
}

// stream encodes rows to w in whole rows. Nothing is written before the first row is there.
func stream(w io.Writer, e encoder, rows iter.Seq2[[]cell, error]) error {
	const chunk = 64 << 10
	b := e.start(make([]byte, 0, chunk+chunk/4))
	for cells, err := range rows {
		if err != nil {
			return err
		}
		b = e.row(b, cells)
		if len(b) >= chunk {
			if err := WriteOut(w, b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	return WriteOut(w, e.end(b))
}

func WriteOut[B string | []byte](w io.Writer, b B) error {
	if _, err := w.Write([]byte(b)); err != nil {
		return fmt.Errorf("cannot write the output: %w", err)
	}
	return nil
}

// jsonEncoder writes an array with one row per line, which diffs well, or one object per line, or a single object.
type jsonEncoder struct {
	keys                  []string // quoted, with their colon
	zone                  *time.Location
	single, array, pretty bool
	rows                  int
}

func (e *jsonEncoder) start(b []byte) []byte {
	if e.array {
		b = append(b, '[')
	}
	return b
}

func (e *jsonEncoder) row(b []byte, cells []cell) []byte {
	if e.array {
		if e.rows > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n  "...)
	}
	e.rows++
	b = append(b, '{')
	for i := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		if e.pretty {
			b = append(b, "\n  "...)
		}
		b = append(b, e.keys[i]...)
		if e.pretty {
			b = append(b, ' ')
		}
		b = e.value(b, &cells[i])
	}
	if e.pretty {
		b = append(b, '\n')
	}
	b = append(b, '}')
	if !e.array {
		b = append(b, '\n')
	}
	return b
}

func (e *jsonEncoder) end(b []byte) []byte {
	switch {
	case !e.array:
		return b
	case e.rows > 0:
		b = append(b, '\n')
	}
	return append(b, "]\n"...)
}

func (e *jsonEncoder) value(b []byte, c *cell) []byte {
	if c.null {
		return append(b, "null"...)
	}
	switch c.kind {
	case KindText, KindPhone, KindDate:
		return appendJSONString(b, c.text)
	case KindInteger:
		return strconv.AppendInt(b, c.number, 10)
	case KindAmount:
		return appendAmount(b, c.number, '.')
	case KindBoolean:
		return strconv.AppendBool(b, c.number != 0)
	case KindTime:
		b = append(b, '"')
		b = c.time.In(e.zone).AppendFormat(b, time.RFC3339Nano)
		return append(b, '"')
	default:
		b = append(b, '"')
		b = appendUUID(b, c.id)
		return append(b, '"')
	}
}

// appendJSONString leaves & and < alone. Characters that are unsafe to print are written as \u escapes: JSON on a
// terminal is then harmless, and still the same value for a program.
func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0 // of what is not yet copied
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r >= utf8.RuneSelf && r != utf8.RuneError && !text.Unprintable(r) {
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		i += size
		start = i
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == utf8.RuneError || r > 0xffff: // a broken byte becomes what it is read as; the rest needs no escape
			b = utf8.AppendRune(b, r)
		default:
			const digits = "0123456789abcdef"
			b = append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// csvEncoder writes RFC 4180, except that lines end in LF as psql and Unix tools write and expect them. encoding/csv does
// the quoting; what a cell is in text is decided here.
//
// The Excel variant is what a French Excel opens with a double click: UTF-8 with a byte order mark, semicolons, CRLF,
// decimal comma, day first, VRAI and FAUX, and an apostrophe before text that would become something else.
type csvEncoder struct {
	header  []cell
	zone    *time.Location
	newline string
	excel   bool

	writer  *csv.Writer
	written bytes.Buffer // what the writer wrote of this row
	scratch []byte       // the text of its cells
	ends    []int        // where each cell ends there
	record  []string
}

func newCSVEncoder(comma rune, newline string) *csvEncoder {
	e := &csvEncoder{newline: newline}
	e.writer = csv.NewWriter(&e.written)
	e.writer.Comma = comma
	return e
}

func (e *csvEncoder) start(b []byte) []byte {
	if e.excel {
		b = append(b, "\ufeff"...)
	}
	if e.header == nil {
		return b
	}
	return e.row(b, e.header)
}

func (e *csvEncoder) end(b []byte) []byte { return b }

func (e *csvEncoder) row(b []byte, cells []cell) []byte {
	start := len(b)
	for i := range cells {
		if i > 0 {
			b = utf8.AppendRune(b, e.writer.Comma)
		}
		from, kind := len(b), cells[i].kind
		b = e.value(b, &cells[i])
		if (kind == KindText || kind == KindPhone) && !plain(b[from:]) {
			return e.quotedRow(b[:start], cells)
		}
	}
	if len(b) == start && len(cells) == 1 { // readers skip a line with nothing in it
		b = append(b, `""`...)
	}
	return append(b, e.newline...)
}

// plain reports whether text can surely stand without quotes, which is quickly seen of nearly all; what it is not sure of
// may be plain too, and is left to encoding/csv. No letter of Latin-1 is a space, and they all begin with 0xC3.
func plain(text []byte) bool {
	for i, c := range text {
		switch {
		case c == '"' || c == ',' || c == ';' || c == '\\' || c < ' ':
			return false
		case i == 0 && (c == ' ' || c >= utf8.RuneSelf && c != 0xC3):
			return false
		}
	}
	return true
}

// quotedRow is row where a cell may need quotes.
func (e *csvEncoder) quotedRow(b []byte, cells []cell) []byte {
	e.record, e.scratch, e.ends = e.record[:0], e.scratch[:0], e.ends[:0]
	for i := range cells {
		e.scratch = e.value(e.scratch, &cells[i])
		e.ends = append(e.ends, len(e.scratch))
	}
	text, start := string(e.scratch), 0 // one allocation for all cells
	for _, end := range e.ends {
		e.record = append(e.record, text[start:end])
		start = end
	}
	// A buffer takes everything. UseCRLF would also change the line breaks within a cell.
	e.written.Reset()
	_ = e.writer.Write(e.record)
	e.writer.Flush()
	b = append(b, bytes.TrimSuffix(e.written.Bytes(), []byte("\n"))...)
	return append(b, e.newline...)
}

func (e *csvEncoder) value(b []byte, c *cell) []byte {
	if c.null {
		return b
	}
	switch c.kind {
	case KindText, KindPhone:
		if e.excel && changedByExcel(c.text) {
			b = append(b, '\'')
		}
		return append(b, c.text...)
	case KindInteger:
		return strconv.AppendInt(b, c.number, 10)
	case KindAmount:
		if e.excel {
			return appendAmount(b, c.number, ',')
		}
		return appendAmount(b, c.number, '.')
	case KindBoolean:
		if !e.excel {
			return strconv.AppendBool(b, c.number != 0)
		}
		if c.number != 0 {
			return append(b, "VRAI"...)
		}
		return append(b, "FAUX"...)
	case KindDate:
		if day, err := time.Parse(time.DateOnly, c.text); err == nil && e.excel {
			return day.AppendFormat(b, "02/01/2006")
		}
		return append(b, c.text...)
	case KindTime:
		at := c.time.In(e.zone)
		switch {
		case !e.excel:
			return at.AppendFormat(b, time.RFC3339Nano)
		case value.ShownTwice(at): // a clock alone does not tell which of the two it is
			return at.AppendFormat(b, "2006-01-02T15:04Z07:00")
		}
		return at.AppendFormat(b, "02/01/2006 15:04")
	default:
		return appendUUID(b, c.id)
	}
}

// appendAmount writes cents as an exact decimal, also the most negative one.
func appendAmount(b []byte, cents int64, point byte) []byte {
	rest := uint64(cents)
	if cents < 0 {
		b = append(b, '-')
		rest = -rest
	}
	b = strconv.AppendUint(b, rest/100, 10)
	return append(b, point, byte('0'+rest%100/10), byte('0'+rest%10))
}

func appendUUID(b []byte, id uuid.UUID) []byte {
	b = hex.AppendEncode(b, id[:4])
	for i := 4; i < 10; i += 2 {
		b = append(b, '-')
		b = hex.AppendEncode(b, id[i:i+2])
	}
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:])
}

// markdownCell keeps text from being read as markup.
var markdownCell = strings.NewReplacer(
	"\n", "<br>", `\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "<", `\<`, "&", `\&`, "](", `\](`,
)

func markdownTable(fields []Field, lines [][]string) string {
	labels := make([]string, len(fields))
	rules := make([]string, len(fields))
	for i, f := range fields {
		labels[i], rules[i] = f.Label, "---"
		if f.alignsRight() {
			rules[i] = "--:"
		}
	}
	var b strings.Builder
	for _, line := range slices.Concat([][]string{labels, rules}, lines) {
		b.WriteString("|")
		for _, s := range line {
			b.WriteString(" " + markdownCell.Replace(s) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func markdownPanel(lines []panelLine) string {
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = []string{l.label, l.value}
	}
	return markdownTable([]Field{{Label: "Field"}, {Label: "Value"}}, rows)
}
