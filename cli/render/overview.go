package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/epicevents/crm/internal/failure"
)

// Section is rows of one kind that belong to a row of another kind.
type Section struct {
	Name  string // the key of its array in JSON
	title string
	rows  int
	list  func(o Output) error
	array func(o Output, b []byte, indent string) []byte
}

// SectionOf makes a section of rows. Its table keeps the columns that these flags of a list keep.
func SectionOf[T any](name string, r Resource[T], rows []T, filters ...string) Section {
	all := func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
	return Section{
		Name: name, title: r.Title, rows: len(rows),
		list: func(o Output) error {
			o.Filters = filters
			return List(o, r, all)
		},
		array: func(o Output, b []byte, indent string) []byte {
			fields := r.fields()
			one := Output{Format: "jsonl", Zone: o.Zone}
			encoder := newEncoder(one, fields, false)
			b = append(b, '[')
			reader := newReader[T](fields)
			for i, row := range rows {
				if i > 0 {
					b = append(b, ',')
				}
				b = bytes.TrimSuffix(encoder.row(append(b, indent...), reader.read(row)), []byte("\n"))
			}
			if len(rows) > 0 && indent != "" {
				b = append(b, "\n  "...)
			}
			return append(b, ']')
		},
	}
}

// Without returns the resource with columns that people need not see where the rows belong to what they name.
func (r Resource[T]) Without(columns ...string) Resource[T] {
	looks := make([]Look, 0, len(columns)+len(r.Looks))
	for _, column := range columns {
		look := r.look(column)
		look.Column, look.DataOnly = column, true
		looks = append(looks, look)
	}
	r.Looks = append(looks, r.Looks...)
	return r
}

// Overview prints a row and what belongs to it: one object with arrays in JSON, else a panel with the tables below it.
func Overview[T any](o Output, r Resource[T], row T, sections ...Section) error {
	switch o.Format {
	case "csv":
		return ErrNoCSV
	case "json", "jsonl":
		return WriteOut(o.Out, overviewObject(o, r, row, sections))
	}
	var page bytes.Buffer
	part := o
	part.Out, part.Err = &page, io.Discard
	if err := detail(part, r, row, nil); err != nil {
		return err
	}
	for _, s := range sections {
		switch {
		case s.rows == 0 && o.Format == "markdown":
			fmt.Fprintf(&page, "\nNo %s.\n", strings.ToLower(s.title))
		case s.rows == 0:
			fmt.Fprintf(&page, "No %s.\n", strings.ToLower(s.title))
		default:
			if o.Format == "markdown" {
				fmt.Fprintf(&page, "\n## %s\n\n", s.title)
			}
			if err := s.list(part); err != nil {
				return err
			}
		}
	}
	return WriteOut(o.Out, page.Bytes())
}

// ErrNoCSV refuses an overview in a format that has one table.
var ErrNoCSV = failure.Misuse("An overview has several tables, and CSV has one.", "-o json, or the lists with --customer-id or --contract-uuid and -o csv")

func overviewObject[T any](o Output, r Resource[T], row T, sections []Section) []byte {
	fields := r.fields()
	b := newEncoder(o, fields, true).row(nil, newReader[T](fields).read(row))
	end, before, indent := "}\n", ",", ""
	if o.Format == "json" {
		end, before, indent = "\n}\n", ",\n  ", "\n    "
	}
	b = bytes.TrimSuffix(b, []byte(end))
	for _, s := range sections {
		b = append(b, before...)
		b = append(appendJSONString(b, s.Name), ':')
		if o.Format == "json" {
			b = append(b, ' ')
		}
		b = s.array(o, b, indent)
	}
	return append(b, end...)
}
