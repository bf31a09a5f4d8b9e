package config

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// configMax is far more than the settings take; a larger file is none of ours. The time that go-toml takes grows with the
// square of the number of keys.
const configMax = 64 << 10

// readFile takes from the file what neither a flag nor a variable has said. An error names the line and what is wrong
// there, and shows nothing of what is in the file: there are secrets.
func (c *Config) readFile(flags *flag.FlagSet) error {
	name := c.File
	file := c.Named.Read(name, configMax)
	if file.Err != nil {
		return failure.Misuse(fmt.Sprintf("The configuration file %s cannot be read: %v.", name, file.Err), "")
	}
	entries, faulty := entriesOf(file.Text)
	if faulty > 0 {
		return failure.Misuse(fmt.Sprintf("%s:%d: this is not TOML.", name, faulty), "")
	}
	c.Secrets = secretsIn(entries)
	if len(c.Secrets) > 0 {
		if err := c.Guarded("configuration file", name, strings.Join(c.Secrets, " and "), file.Info); err != nil {
			return err
		}
	}
	said := maps.Clone(c.Source)
	for _, e := range entries {
		if err := c.take(flags, e, fmt.Sprintf("%s:%d", name, e.line), said[e.key] != ""); err != nil {
			return err
		}
	}
	return nil
}

// entry is one key of a file with its value and line.
type entry struct {
	key   string
	value any
	line  int
}

// entriesOf returns the keys of a file in the order of their lines, those in tables with the table's name before them, or
// the first line that keeps it from being TOML.
func entriesOf(text []byte) (entries []entry, faulty int) {
	var table map[string]any
	if err := toml.Unmarshal(text, &table); err != nil { // sees that a key comes twice, which the parser alone does not
		faulty = 1
		if fault, ok := errors.AsType[*toml.DecodeError](err); ok {
			faulty, _ = fault.Position()
		}
		return nil, faulty
	}
	entries = entriesIn(table, nil, positionsIn(text))
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(a.line-b.line, strings.Compare(a.key, b.key)) })
	return entries, 0
}

// entriesIn returns the keys in a table and in the tables below it. One without keys is an entry itself.
func entriesIn(table map[string]any, path []string, at *position) (entries []entry) {
	for key, value := range table {
		path := append(path, key)
		if below, ok := value.(map[string]any); ok && len(below) > 0 {
			entries = append(entries, entriesIn(below, path, at.below(key))...)
			continue
		}
		entries = append(entries, entry{strings.Join(path, "."), value, at.below(key).line})
	}
	return entries
}

// position is the line of a key, and the positions of the keys in it if it is a table.
type position struct {
	line int
	keys map[string]*position
}

func (p *position) below(key string) *position {
	if p.keys == nil {
		p.keys = map[string]*position{}
	}
	if p.keys[key] == nil {
		p.keys[key] = &position{}
	}
	return p.keys[key]
}

// positionsIn returns the positions of the tables and keys of a file that is TOML.
func positionsIn(text []byte) *position {
	root := &position{}
	line, counted := 1, 0
	var note func(at *position, e *unstable.Node) *position
	note = func(at *position, e *unstable.Node) *position {
		for key := e.Key(); key.Next(); {
			at = at.below(string(key.Node().Data))
			offset := int(key.Node().Raw.Offset)
			line += bytes.Count(text[counted:offset], []byte("\n"))
			counted = offset
		}
		at.line = line
		if e.Kind == unstable.KeyValue && e.Value().Kind == unstable.InlineTable {
			for pairs := e.Value().Children(); pairs.Next(); {
				note(at, pairs.Node())
			}
		}
		return at
	}
	table := root
	var parser unstable.Parser
	for parser.Reset(text); parser.NextExpression(); {
		if e := parser.Expression(); e.Kind == unstable.KeyValue {
			note(table, e)
		} else {
			table = note(root, e)
		}
	}
	return root
}

// take sets one key from the file, unless a flag or variable has said it already; a wrong one is told in any case.
func (c *Config) take(flags *flag.FlagSet, e entry, place string, said bool) error {
	f := flags.Lookup(e.key)
	if f == nil || !IsKey(e.key) {
		return unknownKey(flags, e.key, place, e.value)
	}
	wanted := "a string in quotes"
	_, fits := e.value.(string)
	switch f.Value.(flag.Getter).Get().(type) {
	case bool:
		wanted = "true or false"
		_, fits = e.value.(bool)
	case int:
		wanted = "a whole number"
		_, fits = e.value.(int64)
	case time.Duration:
		wanted = "a time in quotes, such as 10s"
		_, err := time.ParseDuration(fmt.Sprint(e.value))
		fits = fits && err == nil
	}
	if !fits {
		return failure.Misuse(fmt.Sprintf("%s: %s is not %s.", place, e.key, wanted), "")
	}
	if said {
		return nil
	}
	c.isFrom(e.key, place)
	return flags.Set(e.key, fmt.Sprint(e.value))
}

// unknownKey names the key only where it is nearly one of ours: it may be a secret at the wrong place. A table of ours
// that has nothing in it is no fault.
func unknownKey(flags *flag.FlagSet, key, place string, value any) error {
	var known []string
	emptyTable := false
	flags.VisitAll(func(f *flag.Flag) {
		if IsKey(f.Name) {
			known = append(known, f.Name)
			emptyTable = emptyTable || strings.HasPrefix(f.Name, key+".")
		}
	})
	if _, table := value.(map[string]any); table && emptyTable {
		return nil
	}
	message := place + ": unknown key"
	if meant := text.Suggest(key, known); meant != "" {
		message = fmt.Sprintf("%s %q, did you mean %q?", message, key, meant)
	}
	return failure.Misuse(message, "one of "+strings.Join(known, ", "))
}
