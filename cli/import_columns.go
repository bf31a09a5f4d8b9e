package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/epicevents/crm/cli/intake"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// taking is what a field is made of: the first of the ways that has something.
type taking[P any] struct {
	field *importField[P]
	label string // as it was named
	ways  []way
}

// way is columns that make one text, in the order in which they are named. Those of a line stand with a space between, and
// the lines with a comma.
type way [][]int

// columnsOf returns the ways of a label, such as Phone|Mobile, or Street++Zip+City; none if a column is not there, unless
// partly leaves that out. A column is there only if it is not among those that are left out.
func columnsOf(header []string, label string, partly bool, without []string) (ways []way) {
	index := func(label string) int {
		label = strings.ToLower(intake.Label(label))
		return slices.IndexFunc(header, func(l string) bool {
			return label != "" && strings.ToLower(l) == label && !slices.Contains(without, label)
		})
	}
	if at := index(label); at >= 0 {
		return []way{{{at}}}
	}
	for each := range strings.SplitSeq(label, "|") {
		if at := index(each); at >= 0 {
			ways = append(ways, way{{at}})
			continue
		}
		var lines way
		for line := range strings.SplitSeq(each, "++") {
			var columns []int
			for part := range strings.SplitSeq(line, "+") {
				if at := index(part); at >= 0 {
					columns = append(columns, at)
				} else if !partly {
					return nil
				}
			}
			if columns != nil {
				lines = append(lines, columns)
			}
		}
		if lines != nil {
			ways = append(ways, lines)
		}
	}
	return ways
}

// newIntaking sees which columns are taken, and whether a row can be made of them.
func newIntaking[P any](each importing[P], f importFlags, source *intake.Source) (*intaking[P], error) {
	in := &intaking[P]{importing: each, source: source, problems: map[int64][]problem{}}
	if f.from != nil {
		in.from = f.from.Got
	}
	if err := in.takeMapped(f); err != nil {
		return nil, err
	}
	if in.from != nil {
		in.takeOther(f)
	} else if err := in.takeNamed(f); err != nil {
		return nil, err
	}
	slices.SortStableFunc(in.takings, func(a, b taking[P]) int { return cmp.Compare(a.ways[0][0][0], b.ways[0][0][0]) })
	for i, label := range source.Header {
		if label != "" && label != intake.ReasonColumn && !in.uses(i) {
			in.untaken = append(in.untaken, label)
		}
	}
	if len(in.takings) == 0 {
		told := fmt.Sprintf("None of the columns of %s is taken: %s.", text.Shorten(source.Name), strings.Join(source.Header, ", "))
		if in.from != nil {
			told = fmt.Sprintf("%s has no column of an export of %s: %s.", text.Shorten(source.Name), in.from.title, strings.Join(source.Header, ", "))
		}
		return nil, failure.Misuse(told, "--map LABEL=FIELD names them")
	}
	in.key = f.match.Got
	if in.key != "" && in.taken(in.key) == nil {
		return nil, failure.Misuse(fmt.Sprintf("%s has no column %s to match by.", text.Shorten(source.Name), in.key), "")
	}
	for _, field := range each.fields {
		if in.key == "" && field.sure && in.taken(field.name) != nil {
			in.key = field.name
		}
	}
	for _, field := range each.fields {
		if field.needed && in.taken(field.name) == nil && in.key == "" {
			return nil, failure.Misuse(fmt.Sprintf("%s has no column %s.", text.Shorten(source.Name), field.name), "--map LABEL="+field.name+" names it")
		}
	}
	return in, nil
}

// takeMapped takes the columns that --map names.
func (in *intaking[P]) takeMapped(f importFlags) error {
	for _, label := range slices.Sorted(maps.Keys(f.labels.Got)) {
		name, alike := f.labels.Got[label], in.labelled(label)
		ways := columnsOf(in.source.Header, label, false, nil)
		field := in.field(name)
		switch {
		case ways == nil:
			return failure.Misuse(fmt.Sprintf("%s has no column %s.", text.Shorten(in.source.Name), label), "its columns are "+strings.Join(in.source.Header, ", "))
		case field == nil: // it is left out
			continue
		case field.kept && !*f.keepIDs && name != f.match.Got:
			return failure.Misuse(fmt.Sprintf("Only --keep-ids takes %s.", name), "")
		}
		if in.from != nil || len(alike) < 2 { // of another program's, whose labels may be there twice, the first counts
			alike = alike[:min(1, len(alike))]
		}
		for _, at := range alike {
			if err := in.take(field, in.source.Header[at], []way{{{at}}}); err != nil {
				return err
			}
		}
		if len(alike) == 0 {
			if err := in.take(field, label, ways); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeNamed takes the columns that have the name of a field.
func (in *intaking[P]) takeNamed(f importFlags) error {
	for at, label := range in.source.Header {
		_, mapped := f.labels.Got[strings.ToLower(label)]
		field := in.field(strings.ToLower(label))
		if mapped || field == nil || in.uses(at) || field.kept && !*f.keepIDs && field.name != f.match.Got {
			continue
		}
		if err := in.take(field, label, []way{{{at}}}); err != nil {
			return err
		}
	}
	return nil
}

// takeOther takes the columns of another program's export, but for those that --map says something else of.
func (in *intaking[P]) takeOther(f importFlags) {
	without := slices.Collect(maps.Keys(f.labels.Got))
	for _, each := range in.from.columns {
		cut := strings.LastIndexByte(each, '=')
		field := in.field(each[cut+1:])
		if field.kept && !*f.keepIDs || in.taken(field.name) != nil {
			continue
		}
		if ways := columnsOf(in.source.Header, each[:cut], true, without); ways != nil {
			in.takings = append(in.takings, taking[P]{field, in.source.Header[ways[0][0][0]], ways})
		}
	}
}

// take takes a field from columns, if it has been taken from none yet.
func (in *intaking[P]) take(field *importField[P], label string, ways []way) error {
	if before := in.taken(field.name); before != nil {
		hint := ""
		if len(ways) == 1 && len(ways[0]) == 1 && len(ways[0][0]) == 1 {
			hint = "--map " + label + "= leaves one out"
		}
		return failure.Misuse(fmt.Sprintf("%s has two columns for %s: %s and %s.", text.Shorten(in.source.Name), field.name, before.label, label), hint)
	}
	in.takings = append(in.takings, taking[P]{field, label, ways})
	return nil
}

// field returns the field of a name, or nil.
func (in *intaking[P]) field(name string) *importField[P] {
	at := slices.IndexFunc(in.fields, func(f importField[P]) bool { return f.name == name })
	if at < 0 {
		return nil
	}
	return &in.fields[at]
}

// taken returns what a field is made of, or nil.
func (in *intaking[P]) taken(name string) *taking[P] {
	at := slices.IndexFunc(in.takings, func(t taking[P]) bool { return t.field.name == name })
	if at < 0 {
		return nil
	}
	return &in.takings[at]
}

// labelled returns the columns that have this label, in lower case, as their own.
func (in *intaking[P]) labelled(label string) (columns []int) {
	for at, l := range in.source.Header {
		if strings.ToLower(l) == label {
			columns = append(columns, at)
		}
	}
	return columns
}

// uses reports whether something is made of a column.
func (in *intaking[P]) uses(column int) bool {
	return slices.ContainsFunc(in.takings, func(t taking[P]) bool {
		return slices.ContainsFunc(t.ways, func(w way) bool {
			return slices.ContainsFunc(w, func(line []int) bool { return slices.Contains(line, column) })
		})
	})
}

// cell returns what a record has for a field, and whether it empties it.
func (in *intaking[P]) cell(record intake.Record, t taking[P]) (cell string, empties bool, err error) {
	for _, way := range t.ways {
		var lines []string
		for _, columns := range way {
			var parts []string
			for _, at := range columns {
				part, emptied, err := in.part(record, t.field, at)
				if err != nil {
					return "", false, err
				}
				empties = empties || emptied
				if len(way) > 1 || len(columns) > 1 {
					part = strings.TrimSpace(part)
				}
				if strings.TrimSpace(part) != "" {
					parts = append(parts, part)
				}
			}
			if parts != nil {
				lines = append(lines, strings.Join(parts, " "))
			}
		}
		if lines != nil {
			return strings.Join(lines, ", "), false, nil // what is emptied beside it is nothing
		}
	}
	return "", empties, nil
}

// part returns what a column has for a field, without what a program put before it for a spreadsheet, or that it empties it.
func (in *intaking[P]) part(record intake.Record, field *importField[P], at int) (part string, empties bool, err error) {
	if at >= len(record.Cells) {
		return "", false, nil
	}
	part = record.Cells[at]
	switch {
	case part == emptyCell:
		return "", true, nil
	case in.from != nil:
		part = in.from.unguarded(part)
		if field.other != nil && strings.TrimSpace(part) != "" {
			part, err = field.other(in.from, part)
		}
	case in.source.Comma == ';': // a spreadsheet's, which crm guards too
		part = render.Unguarded(part)
	}
	return part, false, err
}
