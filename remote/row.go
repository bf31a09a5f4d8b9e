package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/value"
)

// A million rows are the reason for this file: encoding/json takes several times as long, and knows no arrays of
// different types. What is not one of the types below is left to it, and a fuzz test holds the two to the same.

const null = "null"

// row is a value of a struct with the addresses of its fields, in the order of columns, to write it from or read it to.
type row[R any] struct {
	value R
	at    []any // nil for a column that the struct does not have
}

// newRow returns a row with all the columns of its struct.
func newRow[R any]() (*row[R], []string) {
	r := &row[R]{}
	var names []string
	value := reflect.ValueOf(&r.value).Elem()
	for _, f := range columns.Of(value.Type()) {
		names = append(names, f.Name)
		r.at = append(r.at, f.In(value))
	}
	return r, names
}

// newRowOf returns a row whose columns come in this order, and fails if one of its struct is not among them.
func newRowOf[R any](names []string) (*row[R], error) {
	r, own := newRow[R]()
	at := make([]any, len(names))
	found := 0
	for i, name := range names {
		for j, known := range own {
			if known == name && r.at[j] != nil {
				at[i], r.at[j] = r.at[j], nil
				found++
			}
		}
	}
	for j, address := range r.at {
		if address != nil {
			return nil, unfit("The server does not send the field %s, which this crm knows.", own[j])
		}
	}
	if found != len(own) {
		return nil, errBadRow
	}
	r.at = at
	return r, nil
}

var errBadRow = errors.New("a row is not as it should be")

// append appends the row as a line.
func (r *row[R]) append(line []byte) (_ []byte, err error) {
	line = append(line, '[')
	for i, at := range r.at {
		if i > 0 {
			line = append(line, ',')
		}
		if line, err = appendValue(line, at); err != nil {
			return nil, err
		}
	}
	return append(line, ']', '\n'), nil
}

// read reads the row from a line. What a pointer points to is never written to, so that a copy of the row before stays as
// it is; what has not changed since then is shared with it.
func (r *row[R]) read(line []byte) (err error) {
	if len(line) == 0 || line[0] != '[' {
		return errBadRow
	}
	line = line[1:]
	for i, at := range r.at {
		if i > 0 {
			if len(line) == 0 || line[0] != ',' {
				return errBadRow
			}
			line = line[1:]
		}
		if line, err = readValue(line, at); err != nil {
			return err
		}
	}
	if string(line) != "]\n" {
		return errBadRow
	}
	return nil
}

func appendJSON(line []byte, it any) ([]byte, error) {
	buffer := bytes.NewBuffer(line)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(it); err != nil {
		return nil, err
	}
	buffer.Truncate(buffer.Len() - 1) // the end of the line
	return buffer.Bytes(), nil
}

// appendValue appends what is at an address.
func appendValue(line []byte, at any) ([]byte, error) {
	switch at := at.(type) {
	case *string:
		return appendString(line, *at), nil
	case *int64:
		return strconv.AppendInt(line, *at, 10), nil
	case *int32:
		return strconv.AppendInt(line, int64(*at), 10), nil
	case *bool:
		return strconv.AppendBool(line, *at), nil
	case *uuid.UUID:
		return appendUUID(line, *at), nil
	case *time.Time:
		return appendTime(line, *at)
	case **string:
		if *at != nil {
			return appendString(line, **at), nil
		}
	case **value.Phone:
		if *at != nil {
			return appendString(line, string(**at)), nil
		}
	case **value.Date:
		if *at != nil {
			return appendString(line, string(**at)), nil
		}
	case **gen.PaymentMethod:
		if *at != nil {
			return appendString(line, string(**at)), nil
		}
	case **int64:
		if *at != nil {
			return strconv.AppendInt(line, **at, 10), nil
		}
	case **int32:
		if *at != nil {
			return strconv.AppendInt(line, int64(**at), 10), nil
		}
	case **bool:
		if *at != nil {
			return strconv.AppendBool(line, **at), nil
		}
	case **uuid.UUID:
		if *at != nil {
			return appendUUID(line, **at), nil
		}
	case **time.Time:
		if *at != nil {
			return appendTime(line, **at)
		}
	default:
		return appendJSON(line, at)
	}
	return append(line, null...), nil
}

func appendUUID(line []byte, id uuid.UUID) []byte {
	var text [36]byte
	encodeUUID(&text, id)
	return append(append(append(line, '"'), text[:]...), '"')
}

func encodeUUID(text *[36]byte, id uuid.UUID) {
	const digits = "0123456789abcdef"
	at := 0
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		text[at], text[at+1] = digits[b>>4], digits[b&15]
		at += 2
	}
}

// appendTime appends an instant in UTC, so that reading it makes no zone. PostgreSQL has microseconds.
func appendTime(line []byte, t time.Time) ([]byte, error) {
	t = t.UTC()
	year, month, day := t.Date()
	nanos := t.Nanosecond()
	if year < 1000 || year > 9999 || nanos%1000 != 0 {
		line, err := t.AppendText(append(line, '"'))
		return append(line, '"'), err
	}
	hour, minute, second := t.Clock()
	text := [29]byte([]byte(`"0000-00-00T00:00:00.000000Z"`))
	two := func(at, n int) { text[at], text[at+1] = '0'+byte(n/10), '0'+byte(n%10) }
	two(1, year/100)
	two(3, year%100)
	two(6, int(month))
	two(9, day)
	two(12, hour)
	two(15, minute)
	two(18, second)
	two(21, nanos/10_000_000)
	two(23, nanos/100_000%100)
	two(25, nanos/1000%100)
	end := len(text) - len(`Z"`)
	for text[end-1] == '0' {
		end--
	}
	if text[end-1] == '.' {
		end--
	}
	return append(append(line, text[:end]...), `Z"`...), nil
}

// itself has the letters of ASCII that stand for themselves in a string of JSON.
var itself = func() (letters [256]bool) {
	for b := ' '; b < utf8.RuneSelf-1; b++ {
		letters[b] = b != '"' && b != '\\'
	}
	return letters
}()

func appendString(line []byte, text string) []byte {
	const digits = "0123456789abcdef"
	simple := 0
	for simple < len(text) && itself[text[simple]] {
		simple++
	}
	if simple == len(text) {
		return append(append(append(line, '"'), text...), '"')
	}
	if !utf8.ValidString(text) { // which PostgreSQL does not store
		text = string([]rune(text))
	}
	line = append(line, '"')
	clean := 0
	for i := range len(text) {
		b := text[i]
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		line = append(line, text[clean:i]...)
		clean = i + 1
		switch b {
		case '"', '\\':
			line = append(line, '\\', b)
		case '\n':
			line = append(line, '\\', 'n')
		default:
			line = append(line, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
		}
	}
	return append(append(line, text[clean:]...), '"')
}
