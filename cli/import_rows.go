package cli

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/epicevents/crm/cli/intake"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// intaking is one file on its way in.
type intaking[P any] struct {
	importing[P]
	source   *intake.Source
	columns  []*importField[P] // for each column of the file; nil where it is not taken by itself
	joins    []join[P]
	untaken  []string
	key      string
	problems map[int64][]problem // of the rows that are not sent
}

// join is columns that make one field, in the order in which they are joined.
type join[P any] struct {
	field   *importField[P]
	columns []int
}

// joined returns the columns of a label such as First Name+Last Name; none if it is one label, or names a column that is not
// there.
func (in *intaking[P]) joined(label string) (columns []int) {
	index := func(label string) int {
		return slices.IndexFunc(in.source.Header, func(l string) bool { return strings.ToLower(l) == label })
	}
	if index(label) >= 0 || !strings.Contains(label, "+") {
		return nil
	}
	for part := range strings.SplitSeq(label, "+") {
		at := index(intake.Label(part))
		if at < 0 {
			return nil
		}
		columns = append(columns, at)
	}
	return columns
}

// problem is what is wrong with a row.
type problem struct{ field, reason string }

// newIntaking sees which columns are taken, and whether a row can be made of them.
func newIntaking[P any](each importing[P], f importFlags, source *intake.Source) (*intaking[P], error) {
	in := &intaking[P]{importing: each, source: source, problems: map[int64][]problem{}}
	taken := map[string]string{}
	ofJoin := map[int]bool{}
	for _, label := range slices.Sorted(maps.Keys(f.labels.Got)) {
		columns, name := in.joined(label), f.labels.Got[label]
		at := slices.IndexFunc(each.fields, func(f importField[P]) bool { return f.name == name })
		if columns == nil || at < 0 {
			continue
		}
		if taken[name] != "" {
			return nil, failure.Misuse(fmt.Sprintf("%s has two columns for %s: %s and %s.", text.Shorten(source.Name), name, taken[name], label), "")
		}
		if each.fields[at].kept && !*f.keepIDs {
			return nil, failure.Misuse(fmt.Sprintf("Only --keep-ids takes %s.", name), "")
		}
		taken[name] = label
		in.joins = append(in.joins, join[P]{&each.fields[at], columns})
		for _, column := range columns {
			ofJoin[column] = true
		}
	}
	for i, label := range source.Header {
		if _, mapped := f.labels.Got[strings.ToLower(label)]; ofJoin[i] && !mapped {
			in.columns = append(in.columns, nil)
			continue
		}
		name, mapped := f.labels.Got[strings.ToLower(label)]
		if !mapped {
			name = strings.ToLower(label)
		}
		at := slices.IndexFunc(each.fields, func(f importField[P]) bool { return f.name == name })
		if at >= 0 && each.fields[at].kept && !*f.keepIDs && name != f.match.Got {
			at = -1
		}
		if at >= 0 && taken[name] != "" {
			return nil, failure.Misuse(fmt.Sprintf("%s has two columns for %s: %s and %s.", text.Shorten(source.Name), name, taken[name], label), "--map "+label+"= leaves one out")
		}
		if at < 0 {
			if label != "" && label != intake.ReasonColumn {
				in.untaken = append(in.untaken, label)
			}
			in.columns = append(in.columns, nil)
			continue
		}
		taken[name] = label
		in.columns = append(in.columns, &each.fields[at])
	}
	for _, label := range slices.Sorted(maps.Keys(f.labels.Got)) {
		if in.joined(label) == nil && !slices.ContainsFunc(source.Header, func(l string) bool { return strings.ToLower(l) == label }) {
			return nil, failure.Misuse(fmt.Sprintf("%s has no column %s.", text.Shorten(source.Name), label), "its columns are "+strings.Join(source.Header, ", "))
		}
	}
	if len(taken) == 0 {
		return nil, failure.Misuse(fmt.Sprintf("None of the columns of %s is taken: %s.", text.Shorten(source.Name), strings.Join(source.Header, ", ")),
			"--map LABEL=FIELD names them")
	}
	in.key = f.match.Got
	if in.key != "" && taken[in.key] == "" {
		return nil, failure.Misuse(fmt.Sprintf("%s has no column %s to match by.", text.Shorten(source.Name), in.key), "")
	}
	for _, key := range each.keys {
		if in.key == "" && taken[key] != "" && (key == "id" || key == "number" || key == "username") {
			in.key = key
		}
	}
	for _, field := range each.fields {
		if field.needed && taken[field.name] == "" && in.key == "" {
			return nil, failure.Misuse(fmt.Sprintf("%s has no column %s.", text.Shorten(source.Name), field.name), "--map LABEL="+field.name+" names it")
		}
	}
	return in, nil
}

// tell says what was made of the file.
func (in *intaking[P]) tell(a *app) {
	if in.source.Latin {
		a.Notice("%s is not UTF-8, and read as Windows-1252.", in.source.Name)
	}
	if len(in.untaken) > 0 {
		a.Notice("Not taken: %s.", strings.Join(in.untaken, ", "))
	}
}

// rows returns the rows of the file; one that cannot be read is marked.
func (in *intaking[P]) rows(progress *progress) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		shown := -1
		for record, err := range in.source.Records() {
			var row P
			if err != nil {
				yield(row, err)
				return
			}
			if record.Read != shown {
				shown = record.Read
				progress.at(fmt.Sprintf("%d %%", shown))
			}
			if !yield(in.read(record), nil) {
				return
			}
		}
		progress.at("writing")
	}
}

// read makes a row of a record.
func (in *intaking[P]) read(record intake.Record) (row P) {
	line, bad, empties := in.row(&row)
	*line = record.Line
	var problems []problem
	if len(record.Cells) > len(in.columns) {
		problems = append(problems, problem{"", fmt.Sprintf("The row has %d cells, and the header %d.", len(record.Cells), len(in.columns))})
	}
	take := func(column *importField[P], cell string) {
		switch {
		case strings.TrimSpace(cell) == "":
		case cell == emptyCell && !column.clears:
			problems = append(problems, problem{column.name, "It cannot be emptied."})
		case cell == emptyCell:
			*empties = append(*empties, column.name)
		default:
			if err := column.set(&row, cell); err != nil {
				problems = append(problems, problem{column.name, reasonOf(err)})
			}
		}
	}
	plain := func(cell string) string {
		if in.source.Comma == ';' { // a spreadsheet's, which crm guards too
			return render.Unguarded(cell)
		}
		return cell
	}
	for i, cell := range record.Cells {
		if i < len(in.columns) && in.columns[i] != nil {
			take(in.columns[i], plain(cell))
		}
	}
	for _, join := range in.joins {
		var parts []string
		for _, at := range join.columns {
			if at < len(record.Cells) && strings.TrimSpace(record.Cells[at]) != "" {
				parts = append(parts, strings.TrimSpace(plain(record.Cells[at])))
			}
		}
		if !slices.ContainsFunc(parts, func(part string) bool { return part != emptyCell }) {
			parts = slices.Compact(parts)
		}
		take(join.field, strings.Join(parts, " "))
	}
	if len(problems) > 0 {
		*bad = true
		in.problems[record.Line] = problems
	}
	return row
}
