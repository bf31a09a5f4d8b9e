package cli

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
)

// shape is what a test has to know of a resource to read its output back.
type shape struct {
	fields []render.Field // all of them
	panel  []render.Field // those of a detail for people, where a full name has its username beside it
	always []render.Field // those of a list for people
	paper  bool           // a detail for people has less than the data formats: it is a sheet
}

// sheetShape is the shape of the sheet of an event that is not cancelled.
func sheetShape() shape {
	s := shapeOf(eventSheets)
	var err error
	if s.panel, err = sheetOf(gen.EventSheetRow{}).Select(render.Output{Format: "table"}); err != nil {
		panic(err)
	}
	s.paper = true
	return s
}

// shapeOf returns the shape of a resource; of a list, with the columns that these flags ask for.
func shapeOf[T any](r render.Resource[T], flags ...string) shape {
	all, errAll := r.Select(render.Output{Format: "json"})
	panel, errPanel := r.Select(render.Output{Format: "table", IDs: true})
	always, errAlways := r.Listed(render.Output{Format: "table", Filters: flags})
	if errAll != nil || errPanel != nil || errAlways != nil {
		panic(r.Name)
	}
	return shape{fields: all, panel: panel, always: always}
}

// row is one row of an output, by field. Texts of the different formats are made equal: no white space, booleans as true
// and false, times to the minute, and nothing where a value is absent.
type row map[string]string

// rowsFrom reads an output back with the standard decoders.
func rowsFrom(s shape, format, out string, single bool) ([]row, error) {
	switch format {
	case "json", "jsonl":
		return s.fromJSON(out, format == "json" && !single)
	case "csv", "excel":
		return s.fromCSV(format, out)
	}
	var lines [][]string
	for line := range strings.Lines(out) {
		if cells := cellsIn(format, line); cells != nil {
			lines = append(lines, cells)
		}
	}
	if single {
		return s.fromPanel(format, lines)
	}
	return s.fromTable(format, lines)
}

func (s shape) fromJSON(out string, array bool) (rows []row, err error) {
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.UseNumber()
	var objects []map[string]any
	if array {
		err = decoder.Decode(&objects)
	}
	for err == nil && !array {
		var object map[string]any
		if err = decoder.Decode(&object); err == nil {
			objects = append(objects, object)
		}
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	for _, object := range objects {
		if len(object) != len(s.fields) {
			return nil, fmt.Errorf("%d keys for %d fields", len(object), len(s.fields))
		}
		r := row{}
		for _, f := range s.fields {
			value, ok := object[f.Name]
			if !ok {
				return nil, fmt.Errorf("no key %s", f.Name)
			}
			if value != nil {
				r[f.Name] = canonical(f, "json", fmt.Sprint(value))
			} else {
				r[f.Name] = ""
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (s shape) fromCSV(format, out string) (rows []row, err error) {
	reader := csv.NewReader(strings.NewReader(out))
	if format == "excel" {
		rest, marked := strings.CutPrefix(out, "\ufeff")
		if !marked {
			return nil, fmt.Errorf("no byte order mark")
		}
		reader = csv.NewReader(strings.NewReader(rest))
		reader.Comma = ';'
	}
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range s.fields {
		names = append(names, f.Name)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], names) {
		return nil, fmt.Errorf("the header is not %v", names)
	}
	for _, line := range lines[1:] {
		r := row{}
		for i, f := range s.fields {
			r[f.Name] = canonical(f, format, line[i])
		}
		rows = append(rows, r)
	}
	return rows, nil
}

var (
	rule           = regexp.MustCompile(`^\|( -+:? \|)+$`)
	markdownBar    = regexp.MustCompile(`(?:[^\\])\|`)
	markdownEscape = regexp.MustCompile("\\\\([\\\\|`*_~<&\\]])")
)

// cellsIn splits a line of a table for people.
func cellsIn(format, line string) []string {
	line = strings.TrimRight(line, "\n")
	if format == "markdown" {
		if rule.MatchString(line) {
			return nil
		}
		line = strings.ReplaceAll(line, `\\`, "\x00")
		var cells []string
		for line = line[1:]; line != ""; {
			end := markdownBar.FindStringIndex(line)
			cell := strings.ReplaceAll(line[:end[1]-1], "<br>", "\n")
			cells = append(cells, strings.ReplaceAll(markdownEscape.ReplaceAllString(cell, "$1"), "\x00", `\`))
			line = line[end[1]:]
		}
		return cells
	}
	inner, boxed := strings.CutPrefix(line, "│")
	if !boxed {
		return nil
	}
	return strings.Split(strings.TrimSuffix(inner, "│"), "│")
}

// fromTable takes a title (in a box only), a header, and the rows.
func (s shape) fromTable(format string, lines [][]string) (rows []row, err error) {
	if format == "table" {
		if len(lines) == 0 {
			return nil, nil
		}
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return nil, nil
	}
	for i, f := range s.always {
		if len(lines[0]) != len(s.always) || squash(lines[0][i]) != squash(f.Label) {
			return nil, fmt.Errorf("the header is %q", lines[0])
		}
	}
	if slices.ContainsFunc(s.always, func(f render.Field) bool { return f.Look.Adds }) { // what the others add up to
		if last := lines[len(lines)-1]; squash(last[0]) != "Total" {
			return nil, fmt.Errorf("the last row is %q", last)
		}
		lines = lines[:len(lines)-1]
	}
	for _, line := range lines[1:] {
		r := row{}
		for i, f := range s.always {
			text := line[i]
			if f.Look.Multiline { // a row is one line, in which a newline is spelled out
				text = strings.ReplaceAll(text, `\n`, "")
			}
			r[f.Name] = canonical(f, format, text)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// fromPanel takes a title or a header, and then a field on each line or several.
func (s shape) fromPanel(format string, lines [][]string) ([]row, error) {
	texts := make([]string, len(s.panel))
	at := -1
	for _, line := range lines[1:] {
		text := strings.TrimPrefix(squash(strings.Join(line, " ")), "*")
		if format == "markdown" {
			text = squash(line[0]) + ":" + line[1]
		}
		if at+1 < len(s.panel) {
			if value, ok := strings.CutPrefix(text, squash(s.panel[at+1].Label)+":"); ok {
				at, text = at+1, value
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("the first line is %q", line)
		}
		texts[at] += text
	}
	if at != len(s.panel)-1 {
		return nil, fmt.Errorf("%d fields of %d", at+1, len(s.panel))
	}
	r := row{}
	for i, f := range s.panel {
		text := texts[i]
		if at := strings.LastIndex(text, "→"); at >= 0 { // before it stands what the field was
			text = text[at+len("→"):]
		}
		if f.Look.Of != "" {
			fullname, username, both := strings.Cut(squash(text), "(")
			if r[f.Look.Of] = strings.TrimSuffix(username, ")"); !both && fullname != cmp.Or(f.Look.Absent, "-") {
				return nil, fmt.Errorf("%s has no username: %q", f.Name, text)
			}
			text = fullname
		}
		r[f.Name] = canonical(f, format, text)
	}
	return []row{r}, nil
}

func squash(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

var paris, _ = time.LoadLocation("Europe/Paris")

// canonical makes the text of a value in any format that in which it is compared.
func canonical(f render.Field, format, text string) string {
	forPeople := format == "table" || format == "markdown"
	text = squash(text)
	switch {
	case forPeople && text == cmp.Or(f.Look.Absent, "-") || text == "":
		return ""
	case f.Look.NamedBy != "": // the value of a field of any kind
		text = strings.TrimPrefix(text, "'")
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.In(paris).Format("2006-01-0215:04")
		}
		if said, ok := map[string]string{"yes": "true", "no": "false"}[text]; ok && forPeople {
			return said
		}
		return strings.TrimSuffix(text, "€")
	case f.Kind == render.KindTime:
		if f.Look.Weekday && forPeople {
			text = text[len("Mon"):]
		}
		layout := map[string]string{"table": "2006-01-0215:04", "markdown": "2006-01-0215:04", "excel": "02/01/200615:04"}[format]
		if layout == "" {
			layout = time.RFC3339Nano
		}
		at, err := time.ParseInLocation(layout, text, paris)
		if err != nil {
			return err.Error()
		}
		return at.In(paris).Format("2006-01-02 15:04")
	case f.Kind == render.KindDate && format == "excel":
		day, err := time.Parse("02/01/2006", text)
		if err != nil {
			return err.Error()
		}
		return day.Format(time.DateOnly)
	case f.Kind == render.KindBoolean:
		return map[string]string{"true": "true", "VRAI": "true", "yes": "true", "false": "false", "FAUX": "false", "no": "false"}[text]
	case f.Kind == render.KindAmount && format == "excel":
		return strings.Replace(text, ",", ".", 1)
	case f.Kind == render.KindAmount:
		return strings.TrimSuffix(text, "€")
	case (f.Kind == render.KindText || f.Kind == render.KindPhone) && format == "excel":
		return strings.TrimPrefix(text, "'")
	}
	return text
}
