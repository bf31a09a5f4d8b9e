package render

import "slices"

// Mark is something about a row that people should not overlook.
type Mark[T any] struct {
	Word    string // in a panel, after the value; empty where the value says it
	Sign    string // in a table, after the value; empty where the value says it
	Tone    tone
	Columns []string // where it is said
	When    func(row T) bool
}

// tone is how much something stands out, for those who see colours. Those who do not have a word or a sign.
type tone int

const (
	calm tone = iota
	Waiting
	Wrong
)

// marksOf returns the marks of a row. The slice is used again for the next.
func (r Resource[T]) marksOf(row T, marks []*Mark[T]) []*Mark[T] {
	marks = marks[:0]
	for i := range r.Marks {
		if r.Marks[i].When(row) {
			marks = append(marks, &r.Marks[i])
		}
	}
	return marks
}

// toned adds the words or signs of marks to the value of a column, and returns how much it stands out.
func toned[T any](f Field, value string, marks []*Mark[T], said func(*Mark[T]) string) (string, tone) {
	most := calm
	for _, m := range marks {
		if slices.Contains(m.Columns, f.Name) {
			value, most = value+said(m), max(most, m.Tone)
		}
	}
	return value, most
}

func signOf[T any](m *Mark[T]) string {
	if m.Sign == "" {
		return ""
	}
	return " " + m.Sign
}

func wordOf[T any](m *Mark[T]) string {
	if m.Word == "" {
		return ""
	}
	return " (" + m.Word + ")"
}
