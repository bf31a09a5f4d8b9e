package intake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// lineMax is the longest line with an object, in bytes.
const lineMax = 1 << 20

// objects returns a file with an object of JSON on each line as records: the names of the first are the header.
func (s *Source) objects(yield func(Record, error) bool) {
	counted := &counter{reader: io.NewSectionReader(s.file, s.begin, s.size-s.begin)}
	lines := bufio.NewScanner(counted)
	lines.Buffer(make([]byte, 0, headerMax), lineMax)
	var header []string
	for line := int64(1); lines.Scan(); line++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		names, cells, err := object(lines.Bytes())
		if err != nil {
			yield(Record{}, failure.Misuse(fmt.Sprintf("Line %d of %s is no object with plain values.", line, text.Shorten(s.Name)), `as -o jsonl prints them: {"id":3,"fullname":"..."}`).With(err))
			return
		}
		if header == nil {
			header = names
			if !yield(Record{Line: line, Cells: header}, nil) {
				return
			}
		}
		inOrder := make([]string, len(header))
		for i, name := range names {
			at := slices.Index(header, name)
			if at < 0 {
				yield(Record{}, failure.Misuse(fmt.Sprintf("Line %d of %s has %q, which the first has not.", line, text.Shorten(s.Name), name), ""))
				return
			}
			inOrder[at] = cells[i]
		}
		if !yield(Record{Line: line, Cells: inOrder, Read: int(100 * counted.read / max(s.size, 1))}, nil) {
			return
		}
	}
	if err := lines.Err(); err != nil {
		yield(Record{}, failure.Misuse(fmt.Sprintf("%s cannot be read to its end: %v.", text.Shorten(s.Name), cause(err)), "").With(err))
	}
}

// object returns the names and the values of an object, in their order; null is nothing.
func object(line []byte) (names, cells []string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, nil, fmt.Errorf("no object: %w", err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, nil, err
		}
		value, err := decoder.Token()
		if err != nil {
			return nil, nil, err
		}
		switch value := value.(type) {
		case nil:
			cells = append(cells, "")
		case json.Delim:
			return nil, nil, fmt.Errorf("%v is no plain value", value)
		default:
			cells = append(cells, fmt.Sprint(value))
		}
		names = append(names, name.(string))
	}
	_, err = decoder.Token()
	return names, cells, err
}
