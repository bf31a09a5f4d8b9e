package cli

import (
	"fmt"
	"iter"
	"strings"

	"github.com/epicevents/crm/cli/intake"
)

// intaking is one file on its way in.
type intaking[P any] struct {
	importing[P]
	source   *intake.Source
	from     *program // whose export the file is; nil for none that is known
	takings  []taking[P]
	untaken  []string
	key      string
	below    int                 // lines under the rows
	problems map[int64][]problem // of the rows that are not sent
}

// problem is what is wrong with a row.
type problem struct{ field, reason string }

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
			if in.isBelow(record) {
				in.below++
				continue
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
	if len(record.Cells) > len(in.source.Header) {
		problems = append(problems, problem{"", fmt.Sprintf("The row has %d cells, and the header %d.", len(record.Cells), len(in.source.Header))})
	}
	for _, each := range in.takings {
		field := each.field
		cell, emptied, err := in.cell(record, each)
		switch {
		case err != nil:
			problems = append(problems, problem{field.name, reasonOf(err)})
		case emptied && !field.clears:
			problems = append(problems, problem{field.name, "It cannot be emptied."})
		case emptied:
			*empties = append(*empties, field.name)
		case cell != "":
			if err := field.set(&row, cell); err != nil {
				problems = append(problems, problem{field.name, reasonOf(err)})
			}
		}
	}
	if len(problems) > 0 {
		*bad = true
		in.problems[record.Line] = problems
	}
	return row
}
