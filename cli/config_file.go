package cli

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// configMax is far more than the settings take; a larger file is none of ours.
const configMax = 1 << 20

// readFile takes from the file what neither a flag nor a variable has said. An error names the line and what is wrong
// there, and shows nothing of what is in the file: there are secrets.
func (c *Config) readFile(flags *flag.FlagSet) error {
	name := c.file
	file := c.Named.Read(name, configMax)
	if file.Err != nil {
		return failure.Misuse(fmt.Sprintf("The configuration file %s cannot be read: %v.", name, file.Err), "")
	}
	tree, err := toml.LoadBytes(file.Text)
	if err == nil && !utf8.Valid(file.Text) {
		err = errors.New("(1, 1): not UTF-8")
	}
	if err != nil {
		line := 1
		_, _ = fmt.Sscanf(err.Error(), "(%d,", &line)
		return failure.Misuse(fmt.Sprintf("%s:%d: this is not TOML.", name, line), "")
	}
	entries := entriesOf(tree, nil)
	slices.SortStableFunc(entries, func(a, b entry) int { return a.line - b.line })
	c.secrets = secretsIn(entries)
	if len(c.secrets) > 0 {
		if err := c.guarded("configuration file", name, strings.Join(c.secrets, " and "), file.Info); err != nil {
			return err
		}
	}
	said := maps.Clone(c.source)
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

// entriesOf returns the keys of a file, those in tables with the table's name before them.
func entriesOf(tree *toml.Tree, above []string) (entries []entry) {
	for _, key := range tree.Keys() {
		path := append(slices.Clone(above), key)
		value := tree.GetPath([]string{key})
		if table, ok := value.(*toml.Tree); ok && len(table.Keys()) > 0 {
			entries = append(entries, entriesOf(table, path)...)
			continue
		}
		entries = append(entries, entry{strings.Join(path, "."), value, tree.GetPositionPath([]string{key}).Line})
	}
	return entries
}

// take sets one key from the file, unless a flag or variable has said it already; a wrong one is told in any case.
func (c *Config) take(flags *flag.FlagSet, e entry, place string, said bool) error {
	f := flags.Lookup(e.key)
	if f == nil || !isKey(e.key) {
		return unknownKey(flags, e.key, place, e.value)
	}
	wanted := "a string in quotes"
	_, fits := e.value.(string)
	switch f.Value.(flag.Getter).Get().(type) {
	case bool:
		wanted = "true or false"
		_, fits = e.value.(bool)
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
		if isKey(f.Name) {
			known = append(known, f.Name)
			emptyTable = emptyTable || strings.HasPrefix(f.Name, key+".")
		}
	})
	if _, table := value.(*toml.Tree); table && emptyTable {
		return nil
	}
	message := place + ": unknown key"
	if meant := text.Suggest(key, known); meant != "" {
		message = fmt.Sprintf("%s %q, did you mean %q?", message, key, meant)
	}
	return failure.Misuse(message, "one of "+strings.Join(known, ", "))
}
