package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// encoder appends rows in a data format to a buffer that the caller writes and uses again: nothing is allocated per
// cell, and an export runs as fast as rows arrive.
type encoder interface {
	start(b []byte) []byte
	row(b []byte, cells []cell) []byte
	end(b []byte) []byte
}

// newEncoder returns nil for the formats that are made for people.
func newEncoder(o output, fields []field, single bool) encoder {
	switch o.format {
	case "json", "jsonl":
		e := &jsonEncoder{zone: o.zone, single: single, array: o.format == "json" && !single, pretty: o.format == "json" && single}
		for _, f := range fields {
			e.keys = append(e.keys, string(appendJSONString(nil, f.name))+":")
		}
		return e
	case "csv":
		e := &csvEncoder{zone: o.zone, comma: ',', newline: "\n", excel: o.excel}
		if o.excel {
			e.comma, e.newline = ';', "\r\n"
		}
		if !o.noHeader {
			for _, f := range fields {
				e.header = append(e.header, cell{kind: kindText, text: f.name})
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
			if err := writeOut(w, b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	return writeOut(w, e.end(b))
}

func writeOut[B string | []byte](w io.Writer, b B) error {
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
	for i, c := range cells {
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
		b = e.value(b, c)
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

func (e *jsonEncoder) value(b []byte, c cell) []byte {
	if c.null {
		return append(b, "null"...)
	}
	switch c.kind {
	case kindText:
		return appendJSONString(b, c.text)
	case kindInteger:
		return strconv.AppendInt(b, c.number, 10)
	case kindAmount:
		return appendAmount(b, c.number, '.')
	case kindBoolean:
		return strconv.AppendBool(b, c.number != 0)
	case kindTime:
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
		if r >= utf8.RuneSelf && r != utf8.RuneError && !unprintable(r) {
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

// csvEncoder writes RFC 4180, except that lines end in LF as psql and Unix tools write and expect them. Its quoting is
// that of encoding/csv, which takes strings only and so costs an allocation per cell.
//
// The Excel variant is what a French Excel opens with a double click: UTF-8 with a byte order mark, semicolons, CRLF,
// decimal comma, day first, VRAI and FAUX, and an apostrophe before text that would run as a formula.
type csvEncoder struct {
	header  []cell
	zone    *time.Location
	comma   byte
	newline string
	excel   bool
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
	for i, c := range cells {
		if i > 0 {
			b = append(b, e.comma)
		}
		b = e.value(b, c)
	}
	if len(b) == start { // a lone empty cell: readers skip a line with nothing in it
		b = append(b, `""`...)
	}
	return append(b, e.newline...)
}

func (e *csvEncoder) value(b []byte, c cell) []byte {
	if c.null {
		return b
	}
	switch c.kind {
	case kindText:
		return e.text(b, c.text)
	case kindInteger:
		return strconv.AppendInt(b, c.number, 10)
	case kindAmount:
		if e.excel {
			return appendAmount(b, c.number, ',')
		}
		return appendAmount(b, c.number, '.')
	case kindBoolean:
		if !e.excel {
			return strconv.AppendBool(b, c.number != 0)
		}
		if c.number != 0 {
			return append(b, "VRAI"...)
		}
		return append(b, "FAUX"...)
	case kindTime:
		if e.excel {
			return c.time.In(e.zone).AppendFormat(b, "02/01/2006 15:04")
		}
		return c.time.In(e.zone).AppendFormat(b, time.RFC3339Nano)
	default:
		return appendUUID(b, c.id)
	}
}

func (e *csvEncoder) text(b []byte, s string) []byte {
	if e.excel && s != "" && strings.IndexByte("=+-@\t\r\n", s[0]) >= 0 {
		s = "'" + s
	}
	if !e.needsQuotes(s) {
		return append(b, s...)
	}
	b = append(b, '"')
	for {
		quote := strings.IndexByte(s, '"')
		if quote < 0 {
			break
		}
		b = append(b, s[:quote+1]...)
		b = append(b, '"')
		s = s[quote+1:]
	}
	b = append(b, s...)
	return append(b, '"')
}

func (e *csvEncoder) needsQuotes(s string) bool {
	if s == "" {
		return false
	}
	if s == `\.` { // ends the data for PostgreSQL's COPY
		return true
	}
	for i := range len(s) {
		if c := s[i]; c == e.comma || c == '"' || c == '\n' || c == '\r' {
			return true
		}
	}
	first, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(first)
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

func markdownTable(fields []field, lines [][]string) string {
	labels := make([]string, len(fields))
	rules := make([]string, len(fields))
	for i, f := range fields {
		labels[i], rules[i] = f.label, "---"
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
	return markdownTable([]field{{label: "Field"}, {label: "Value"}}, rows)
}
