package remote

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
)

// readValue reads the value that a line begins with to an address, nil for nowhere, and returns the rest of the line.
func readValue(line []byte, at any) (rest []byte, err error) {
	if len(line) == 0 {
		return nil, errBadRow
	}
	switch at := at.(type) {
	case *string:
		*at, rest, err = readString(line, *at)
	case *int64:
		*at, rest, err = readInt(line, 64)
	case *int32:
		var n int64
		n, rest, err = readInt(line, 32)
		*at = int32(n)
	case *bool:
		*at, rest, err = readBool(line)
	case *uuid.UUID:
		*at, rest, err = readUUID(line)
	case *time.Time:
		*at, rest, err = readTime(line)
	case **string:
		return readText(line, at)
	case **value.Phone:
		return readText(line, at)
	case **value.Date:
		return readText(line, at)
	case **gen.PaymentMethod:
		return readText(line, at)
	case **int64:
		if rest = afterNull(line, at); rest == nil {
			var n int64
			n, rest, err = readInt(line, 64)
			point(at, n)
		}
	case **int32:
		if rest = afterNull(line, at); rest == nil {
			var n int64
			n, rest, err = readInt(line, 32)
			point(at, int32(n))
		}
	case **bool:
		if rest = afterNull(line, at); rest == nil {
			var is bool
			is, rest, err = readBool(line)
			point(at, is)
		}
	case **uuid.UUID:
		if rest = afterNull(line, at); rest == nil {
			var id uuid.UUID
			id, rest, err = readUUID(line)
			point(at, id)
		}
	case **time.Time:
		if rest = afterNull(line, at); rest == nil {
			var t time.Time
			t, rest, err = readTime(line)
			point(at, t)
		}
	default:
		return readOther(line, at)
	}
	return rest, err
}

// readText reads a string that may be null.
func readText[T ~string](line []byte, at **T) (rest []byte, err error) {
	if rest := afterNull(line, at); rest != nil {
		return rest, nil
	}
	before := ""
	if *at != nil {
		before = string(**at)
	}
	text, rest, err := readString(line, before)
	point(at, T(text))
	return rest, err
}

// afterNull returns what follows a null, and then has the pointer point to nothing; nil if the line begins with no null.
func afterNull[T any](line []byte, at **T) (rest []byte) {
	rest, isNull := bytes.CutPrefix(line, []byte(null))
	if !isNull {
		return nil
	}
	*at = nil
	return rest
}

// point has a pointer point to a value: to where it points if that is equal, as it often is to that of the row before, and
// else to a new one.
func point[T comparable](at **T, is T) {
	if *at == nil || **at != is {
		fresh := is
		*at = &fresh
	}
}

// readOther reads what encoding/json knows, or skips it.
func readOther(line []byte, at any) ([]byte, error) {
	if at == nil {
		at = new(json.RawMessage)
	}
	reflect.ValueOf(at).Elem().SetZero() // what a pointer points at may be in the row before
	decoder := json.NewDecoder(bytes.NewReader(line))
	if err := decoder.Decode(at); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRow, err)
	}
	return line[decoder.InputOffset():], nil
}

// quoted returns a string of JSON without its quotes, and whether it is the text itself.
func quoted(line []byte) (content []byte, plain bool, rest []byte, err error) {
	if len(line) == 0 || line[0] != '"' {
		return nil, false, nil, errBadRow
	}
	plain = true
	ascii := true
	for i := 1; i < len(line); i++ {
		for i < len(line) && itself[line[i]] {
			i++
		}
		if i == len(line) {
			break
		}
		switch b := line[i]; {
		case b == '"':
			content = line[1:i]
			return content, plain && (ascii || utf8.Valid(content)), line[i+1:], nil
		case b == '\\':
			plain = false
			i++
		case b < ' ':
			return nil, false, nil, errBadRow
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false, nil, errBadRow
}

// readString returns before if it is that: a column often has what it had in the row before.
func readString(line []byte, before string) (string, []byte, error) {
	content, plain, rest, err := quoted(line)
	switch {
	case err == nil && plain && string(content) == before:
		return before, rest, nil
	case err != nil || plain:
		return string(content), rest, err
	}
	var text string
	if err := json.Unmarshal(line[:len(content)+2], &text); err != nil {
		return "", nil, errBadRow
	}
	return text, rest, nil
}

func readUUID(line []byte) (uuid.UUID, []byte, error) {
	content, plain, rest, err := quoted(line)
	if err != nil || !plain || len(content) != 36 {
		return uuid.Nil, nil, errBadRow
	}
	id, err := uuid.ParseBytes(content)
	return id, rest, err
}

func readTime(line []byte) (t time.Time, rest []byte, err error) {
	content, plain, rest, err := quoted(line)
	if err != nil || !plain {
		return t, nil, errBadRow
	}
	if t, ok := instant(content); ok {
		return t, rest, nil
	}
	err = t.UnmarshalText(content)
	return t, rest, err
}

// instant reads what appendTime writes, such as 2026-11-26T09:30:05.123456Z, in a quarter of the time that UnmarshalText
// takes; false for anything else, and for the last days of a month, of which not every month has all.
func instant(text []byte) (time.Time, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(text) <= len(shape) || text[len(text)-1] != 'Z' {
		return time.Time{}, false
	}
	for i := range len(shape) {
		if c := text[i]; c != shape[i] && (shape[i] != '0' || c < '0' || c > '9') {
			return time.Time{}, false
		}
	}
	two := func(at int) int { return int(text[at]-'0')*10 + int(text[at+1]-'0') }
	year, month, day, hour, minute, second := two(0)*100+two(2), two(5), two(8), two(11), two(14), two(17)
	if month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos := 0
	if fraction := text[len(shape) : len(text)-1]; len(fraction) > 0 {
		if fraction[0] != '.' || len(fraction) == 1 || len(fraction) > 10 {
			return time.Time{}, false
		}
		for i := 1; i < 10; i++ {
			nanos *= 10
			if i < len(fraction) {
				if fraction[i] < '0' || fraction[i] > '9' {
					return time.Time{}, false
				}
				nanos += int(fraction[i] - '0')
			}
		}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC), true
}

func readBool(line []byte) (bool, []byte, error) {
	if rest, ok := bytes.CutPrefix(line, []byte("true")); ok {
		return true, rest, nil
	}
	if rest, ok := bytes.CutPrefix(line, []byte("false")); ok {
		return false, rest, nil
	}
	return false, nil, errBadRow
}

func readInt(line []byte, bits int) (int64, []byte, error) {
	end := 0
	for end < len(line) && (line[end] >= '0' && line[end] <= '9' || end == 0 && line[end] == '-') {
		end++
	}
	digits := bytes.TrimPrefix(line[:end], []byte("-"))
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return 0, nil, errBadRow
	}
	n, err := strconv.ParseInt(string(line[:end]), 10, bits)
	return n, line[end:], err
}
