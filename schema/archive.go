package schema

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Archive starts pg_restore with these arguments and returns the SQL that it prints, of which crm runs nothing: it is read
// for the rows of tables. Close reports whether pg_restore succeeded.
type Archive func(arguments ...string) (io.ReadCloser, error)

// Why a file is not put back.
var (
	ErrForeign   = errors.New("schema: not a backup of crm")
	ErrAmbiguous = errors.New("schema: the backup holds crm in several schemas")
)

// source is where in an archive crm's tables are.
type source struct {
	archive Archive
	schema  string
	version int64
	// sequences are the last numbers that were given when the backup was made, by the names of those who gave them.
	sequences map[string]int64
}

// ArchiveVersion is the schema version of a backup; ErrForeign if it has none.
func ArchiveVersion(archive Archive) (int64, error) {
	s, err := inspect(archive)
	return s.version, err
}

// inspect finds the schema in which there are both the version of crm and an employee table, whatever else was saved.
func inspect(archive Archive) (source, error) {
	versions, employees := map[string]int64{}, map[string]bool{}
	s := source{archive: archive}
	err := s.eachTable(func(t savedTable, rows io.Reader) error {
		switch t.name {
		case "employee":
			employees[t.schema] = true
		case "schema_migrations":
			text, err := io.ReadAll(rows)
			if err != nil {
				return err
			}
			fields := strings.Split(strings.TrimSuffix(string(text), "\n"), "\t")
			if len(t.columns) != len(fields) || strings.Count(string(text), "\n") != 1 {
				return nil
			}
			for i, column := range t.columns {
				if version, err := strconv.ParseInt(fields[i], 10, 64); err == nil && column == "version" && version > 0 {
					versions[t.schema] = version
				}
			}
		}
		return nil
	}, "--table=schema_migrations", "--table=employee")
	if err != nil {
		return s, err
	}
	for name, version := range versions {
		if !employees[name] {
			continue
		}
		if s.version > 0 {
			return s, ErrAmbiguous
		}
		s.schema, s.version = name, version
	}
	if s.version == 0 {
		err = ErrForeign
	}
	return s, err
}

// savedTable is the head of the rows of one table.
type savedTable struct {
	schema, name string
	columns      []string
	encoding     string
}

func (t savedTable) String() string {
	if t.schema == "" {
		return t.name
	}
	return t.schema + "." + t.name
}

// dumped is what pg_dump writes before and after rows.
var dumped = sync.OnceValue(func() (texts struct{ copy, column, encoding, sequence *regexp.Regexp }) {
	const name = `([a-z_][a-z0-9_]*|"(?:[^"]|"")+")`
	texts.copy = regexp.MustCompile(`^COPY ` + name + `\.` + name + ` \((.*)\) FROM stdin;$`)
	texts.column = regexp.MustCompile(`^` + name + `(?:, |$)`)
	texts.encoding = regexp.MustCompile(`^SET client_encoding = '([A-Za-z0-9_]+)';$`)
	texts.sequence = regexp.MustCompile(`^SELECT pg_catalog\.setval\('` + name + `\.` + name + `', ([0-9]{1,18}), true\);$`)
	return texts
})

// eachTable calls do for each table that has rows in the part of the archive that the arguments name.
func (s *source) eachTable(do func(t savedTable, rows io.Reader) error, arguments ...string) error {
	script, err := s.archive(append([]string{"--data-only"}, arguments...)...)
	if err != nil {
		return err
	}
	return errors.Join(s.readTables(script, do), script.Close())
}

// readTables also remembers the last number that each sequence gave.
func (s *source) readTables(script io.Reader, do func(t savedTable, rows io.Reader) error) error {
	lines := bufio.NewReaderSize(script, 1<<16)
	s.sequences = map[string]int64{}
	encoding := "UTF8"
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return err
		}
		line = strings.TrimSuffix(line, "\n")
		if found := dumped().encoding.FindStringSubmatch(line); found != nil {
			encoding = found[1]
		}
		if found := dumped().sequence.FindStringSubmatch(strings.ReplaceAll(line, "''", "'")); found != nil && unquoted(found[1]) == s.schema {
			s.sequences[unquoted(found[2])], _ = strconv.ParseInt(found[3], 10, 64)
		}
		if !strings.HasPrefix(line, "COPY ") || !strings.HasSuffix(line, " FROM stdin;") {
			continue
		}
		rows := &savedRows{from: lines}
		if t, ok := parseCopy(line); ok {
			t.encoding = encoding
			err = do(t, rows)
		} else { // as pg_dump writes it for a table without columns
			err = do(savedTable{name: line}, rows)
		}
		if err == nil {
			_, err = io.Copy(io.Discard, rows)
		}
		if err != nil {
			return err
		}
	}
}

// parseCopy reads COPY schema.table (column, ...) FROM stdin; and nothing but that.
func parseCopy(line string) (savedTable, bool) {
	found := dumped().copy.FindStringSubmatch(line)
	if found == nil {
		return savedTable{}, false
	}
	t := savedTable{schema: unquoted(found[1]), name: unquoted(found[2])}
	for rest := found[3]; rest != ""; {
		column := dumped().column.FindStringSubmatch(rest)
		if column == nil {
			return savedTable{}, false
		}
		t.columns, rest = append(t.columns, unquoted(column[1])), rest[len(column[0]):]
	}
	return t, true
}

func unquoted(name string) string {
	if inner, ok := strings.CutPrefix(name, `"`); ok {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
	}
	return name
}

// savedRows reads the rows of one table, up to the line that ends them.
type savedRows struct {
	from   *bufio.Reader
	rest   []byte
	within bool // a line that is longer than the buffer
	ended  bool
}

func (r *savedRows) Read(into []byte) (int, error) {
	if len(r.rest) == 0 && !r.ended {
		line, err := r.from.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull { // even the last line has an end
			return 0, fmt.Errorf("the backup ends within a table: %w", io.ErrUnexpectedEOF)
		}
		r.ended = !r.within && string(line) == "\\.\n"
		r.rest, r.within = line, err == bufio.ErrBufferFull
	}
	if r.ended {
		return 0, io.EOF
	}
	n := copy(into, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// keptFields reads rows less the fields that are not wanted.
type keptFields struct {
	from *bufio.Reader
	of   int   // as many there are
	keep []int // in ascending order
	rest []byte
}

func (k *keptFields) Read(into []byte) (int, error) {
	if len(k.rest) == 0 {
		line, err := k.from.ReadBytes('\n')
		if err != nil {
			return 0, err
		}
		fields := bytes.Split(bytes.TrimSuffix(line, []byte("\n")), []byte("\t"))
		if len(fields) != k.of {
			return 0, fmt.Errorf("a row of the backup has %d fields, not %d", len(fields), k.of)
		}
		kept := make([][]byte, len(k.keep))
		for i, field := range k.keep {
			kept[i] = fields[field]
		}
		k.rest = append(bytes.Join(kept, []byte("\t")), '\n')
	}
	n := copy(into, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}
