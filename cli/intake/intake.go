// Package intake reads what comes in from elsewhere: a file of CSV, with whatever separator and encoding it was written, or
// one with an object of JSON on each line.
//
// It knows no resource and no field. Whoever takes the records says what their columns mean.
package intake

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
)

// Source is a file of records, which can be read more than once.
type Source struct {
	Name   string
	Header []string // without spaces around, in Unicode normal form C
	Comma  rune
	Latin  bool // it is no UTF-8, and taken for Windows-1252
	Marked bool // it begins with the mark of UTF-8
	file   *os.File
	size   int64
	lines  bool  // it has an object of JSON on each line
	begin  int64 // of the header, behind the mark and what stands above it
	above  int   // lines that do
}

// Record is one of the records of a Source.
type Record struct {
	Line  int64 // where it begins, from 1
	Cells []string
	Read  int // per cent of the file
}

const (
	utf8Mark   = "\xef\xbb\xbf"
	separators = ";\t,"
	headerMax  = 64 << 10
)

// headerWithin is how many lines a bank may write above the header.
const headerWithin = 40

// Open opens a file, or reads all of stdin where its name is -. Usage if it is none that can be read.
func Open(name string, stdin io.Reader) (*Source, error) { return OpenAt(name, stdin, nil) }

// OpenAt opens a file whose header is the first line that isHeader takes for one, whatever stands above it.
func OpenAt(name string, stdin io.Reader, isHeader func(labels []string) bool) (*Source, error) {
	s := &Source{Name: name}
	var err error
	if name == "-" {
		s.Name = "standard input"
		s.file, err = spool(stdin)
	} else {
		s.file, err = files.Open(name)
	}
	if err != nil {
		return nil, failure.Misuse(fmt.Sprintf("%s cannot be read: %v.", text.Shorten(s.Name), cause(err)), "").With(err)
	}
	if err := s.recognise(isHeader); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func cause(err error) error {
	if of, ok := errors.AsType[*os.PathError](err); ok {
		return of.Err
	}
	return err
}

// spool copies a stream into a file that has no name any more.
func spool(stream io.Reader) (*os.File, error) {
	file, err := os.CreateTemp("", "crm-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(file.Name())
	if _, err := io.Copy(file, stream); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// Close closes the file.
func (s *Source) Close() { _ = s.file.Close() }

// recognise finds out how the file is written, and reads its header.
func (s *Source) recognise(isHeader func([]string) bool) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return failure.Misuse(fmt.Sprintf("%s is not a file.", text.Shorten(s.Name)), "- reads standard input")
	}
	s.size = info.Size()
	start := make([]byte, headerMax)
	n, err := io.ReadFull(io.NewSectionReader(s.file, 0, s.size), start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	start = start[:n]
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return failure.Misuse(fmt.Sprintf("%s is UTF-16.", text.Shorten(s.Name)), "save it as CSV UTF-8")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return failure.Misuse(fmt.Sprintf("%s is a workbook, not CSV.", text.Shorten(s.Name)), "save its sheet as CSV UTF-8")
	case bytes.HasPrefix(start, []byte(utf8Mark)):
		s.Marked, s.begin = true, int64(len(utf8Mark))
		start = start[len(utf8Mark):]
	}
	first, _, _ := bytes.Cut(start, []byte("\n"))
	if told, ok := bytes.CutPrefix(bytes.TrimRight(first, "\r"), []byte("sep=")); ok && len(told) == 1 { // for a spreadsheet
		s.begin += int64(len(first)) + 1
		s.above++
		start = start[min(len(first)+1, len(start)):]
	}
	if s.Latin, err = s.isLatin(); err != nil {
		return err
	}
	s.Comma = separatorOf(start)
	if s.lines = bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")); s.lines {
		s.Comma = ','
	} else if isHeader != nil {
		s.findHeader(start, isHeader)
	}
	for record, err := range s.raw() {
		if err != nil {
			return err
		}
		for _, name := range record.Cells {
			s.Header = append(s.Header, Label(name))
		}
		break
	}
	for len(s.Header) > 0 && s.Header[len(s.Header)-1] == "" { // each line ends with a separator
		s.Header = s.Header[:len(s.Header)-1]
	}
	if len(s.Header) == 0 {
		return failure.Misuse(fmt.Sprintf("%s has no header.", text.Shorten(s.Name)), "its first line names the columns")
	}
	return nil
}

// findHeader looks for the header below what a bank says of the account. Each line is tried by itself, for above the header
// anything may stand, such as a quote in the middle of a cell.
func (s *Source) findHeader(start []byte, isHeader func([]string) bool) {
	begin := 0
	for above := range headerWithin {
		line, _, more := bytes.Cut(start[begin:], []byte("\n"))
		for _, comma := range separators {
			text := string(line)
			if s.Latin {
				text, _ = charmap.Windows1252.NewDecoder().String(text) // any byte is a letter
			}
			reader := csv.NewReader(strings.NewReader(text))
			reader.Comma = comma
			cells, err := reader.Read()
			for i := range cells {
				cells[i] = Label(cells[i])
			}
			if err == nil && isHeader(cells) {
				s.Comma, s.begin, s.above = comma, s.begin+int64(begin), s.above+above
				return
			}
		}
		if !more {
			return
		}
		begin += len(line) + 1
	}
}

// Label is the name of a column as it is compared.
func Label(name string) string { return norm.NFC.String(strings.TrimSpace(name)) }

// Folded is a label as it is recognised: without case, accents and punctuation.
func Folded(label string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFD.String(label))
	return strings.Join(strings.Fields(plain), " ")
}

// separatorOf returns what stands most often between the names of a header.
func separatorOf(start []byte) rune {
	counts, quoted := map[rune]int{}, false
	for _, b := range string(start) {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '\n':
			return slices.MaxFunc([]rune(separators), func(a, b rune) int { return counts[a] - counts[b] })
		default:
			counts[b]++
		}
	}
	return slices.MaxFunc([]rune(separators), func(a, b rune) int { return counts[a] - counts[b] })
}

// isLatin reports whether the file is no UTF-8.
func (s *Source) isLatin() (bool, error) {
	reader := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, s.size), headerMax)
	for {
		part, err := reader.Peek(headerMax)
		if err != nil && err != io.EOF {
			return false, err
		}
		if len(part) == 0 {
			return false, nil
		}
		whole := part
		if err == nil { // the last rune may go on in the next part
			for i := 1; i <= utf8.UTFMax && !utf8.RuneStart(whole[len(whole)-1]); i++ {
				whole = whole[:len(whole)-1]
			}
			whole = whole[:len(whole)-1]
		}
		if !utf8.Valid(whole) {
			return true, nil
		}
		if _, err := reader.Discard(len(whole)); err != nil {
			return false, err
		}
	}
}

// Records returns the records after the header. One whose cells are all empty is none, and empty cells beyond the header
// belong to none. The error names the line.
func (s *Source) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		header := true
		for record, err := range s.raw() {
			if err != nil {
				yield(record, err)
				return
			}
			if header {
				header = false
				continue
			}
			for len(record.Cells) > len(s.Header) && record.Cells[len(record.Cells)-1] == "" {
				record.Cells = record.Cells[:len(record.Cells)-1]
			}
			if !slices.ContainsFunc(record.Cells, func(cell string) bool { return cell != "" }) {
				continue
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

// raw returns all records.
func (s *Source) raw() iter.Seq2[Record, error] {
	if s.lines {
		return s.objects
	}
	return func(yield func(Record, error) bool) {
		counted := &counter{reader: io.NewSectionReader(s.file, s.begin, s.size-s.begin)}
		var decoded io.Reader = counted
		if s.Latin {
			decoded = charmap.Windows1252.NewDecoder().Reader(counted)
		}
		reader := csv.NewReader(decoded)
		reader.Comma, reader.FieldsPerRecord = s.Comma, -1
		for {
			cells, err := reader.Read()
			if err == io.EOF {
				return
			}
			if broken, ok := errors.AsType[*csv.ParseError](err); ok {
				yield(Record{}, failure.Misuse(fmt.Sprintf("Line %d of %s has a quote where none can stand; what follows cannot be told apart.",
					broken.Line+s.above, text.Shorten(s.Name)), `a cell with a quote is quoted, and the quote doubled: "say ""yes"""`).With(err))
				return
			}
			if err != nil {
				yield(Record{}, failure.Misuse(fmt.Sprintf("%s cannot be read to its end: %v.", text.Shorten(s.Name), cause(err)), "").With(err))
				return
			}
			line, _ := reader.FieldPos(0)
			if !yield(Record{Line: int64(line + s.above), Cells: cells, Read: int(100 * counted.read / max(s.size, 1))}, nil) {
				return
			}
		}
	}
}

// counter counts what was read.
type counter struct {
	reader io.Reader
	read   int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.read += int64(n)
	return n, err
}

// Rejects writes records of a source to another file, each with the reason why it was not taken in, so that it can be mended
// and read again.
type Rejects struct {
	writer *csv.Writer
	source *Source
	added  []string // columns that the source may not have
}

// ReasonColumn is what Rejects calls the column of the reasons. A source that has it is such a file, and the column means
// nothing.
const ReasonColumn = "import_error"

// NewRejects writes the header, with columns for what is added to each record before its reason.
func NewRejects(out io.Writer, s *Source, added ...string) (*Rejects, error) {
	if s.Marked { // a spreadsheet knows it by that
		if _, err := io.WriteString(out, utf8Mark); err != nil {
			return nil, err
		}
	}
	r := &Rejects{writer: csv.NewWriter(out), source: s, added: append(added, ReasonColumn)}
	r.writer.Comma = s.Comma
	return r, r.write(s.Header, r.added)
}

// Add writes a record, with the values of the columns that are added to it.
func (r *Rejects) Add(record Record, reason string, added ...string) error {
	return r.write(record.Cells, append(added, reason))
}

// write puts what is added into its own column where the source has that already.
func (r *Rejects) write(cells, added []string) error {
	cells = slices.Clone(cells)
	for len(cells) < len(r.source.Header) {
		cells = append(cells, "")
	}
	var behind []string
	for i, name := range r.added {
		if at := slices.Index(r.source.Header, name); at >= 0 {
			cells[at] = added[i]
		} else {
			behind = append(behind, added[i])
		}
	}
	return r.writer.Write(slices.Insert(cells, len(r.source.Header), behind...)) // a record may be too long
}

// Close writes what is left.
func (r *Rejects) Close() error {
	r.writer.Flush()
	return r.writer.Error()
}
