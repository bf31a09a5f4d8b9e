package render

import (
	"fmt"
	"math"
	"strings"
	"testing"

	prettytext "github.com/jedib0t/go-pretty/v6/text"
)

// What stands out does so without colours too: by the value, a sign in a table, or a word in a panel.
func TestMarks(t *testing.T) {
	t.Parallel()
	r := samples
	r.Marks = []Mark[sample]{
		{Tone: Waiting, Columns: []string{"customer", "stage"}, When: func(s sample) bool { return !s.Signed }},
		{Word: "overdue", Sign: "!", Tone: Wrong, Columns: []string{"stage"}, When: func(s sample) bool { return s.TotalDue > 0 }},
	}
	r.Looks = []Look{{Column: "company", Absent: "nobody"}}
	late := sample{Customer: "Inès", Stage: "open", TotalDue: 1}
	fine := sample{Customer: "Luc", Stage: "done", Signed: true}
	for _, tt := range []struct {
		format string
		color  bool
		list   bool
		want   []string
		not    []string
	}{
		{"table", false, true, []string{"│ open ! │", "│ done   │", "│ nobody  │"}, []string{"\x1b"}},
		{"table", true, true, []string{colored(tones[Wrong], "open !"), colored(tones[Waiting], "Inès")}, []string{colored(tones[Wrong], "done")}},
		{"markdown", false, true, []string{"| open ! |"}, nil},
		{"table", false, false, []string{"open (overdue)"}, []string{"!", "\x1b"}},
		{"table", true, false, []string{colored(tones[Wrong], "open (overdue)")}, nil},
		{"csv", false, true, []string{",open,"}, []string{"!", "overdue", "nobody"}},
		{"json", false, false, []string{`"stage": "open"`}, nil},
	} {
		o, out, _ := testOutput(t, tt.format)
		o.Color, o.Width = tt.color, 400
		err := Detail(o, r, late, nil)
		if tt.list {
			out.Reset()
			err = List(o, r, rowsOf([]sample{late, fine}))
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s, colour %v, list %v: no %q in\n%s", tt.format, tt.color, tt.list, want, out)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(out.String(), not) {
				t.Errorf("%s, colour %v, list %v: %q in\n%s", tt.format, tt.color, tt.list, not, out)
			}
		}
	}
}

// Each colour has a contrast of three to one or more against black and against white, as large or bold text needs.
func TestColorsAreReadOnBlackAndOnWhite(t *testing.T) {
	t.Parallel()
	colors := map[string]prettytext.Color{}
	for h, c := range hues {
		colors[fmt.Sprint("hue ", h)] = c
	}
	for at, c := range tones {
		colors[fmt.Sprint("tone ", at)] = c
	}
	for name, c := range colors {
		l := luminance(t, c)
		if onBlack, onWhite := (l+0.05)/0.05, 1.05/(l+0.05); onBlack < 3 || onWhite < 3 {
			t.Errorf("%s: contrast %.1f on black and %.1f on white", name, onBlack, onWhite)
		}
	}
}

// luminance is that of a colour in the cube of the palette of 256.
func luminance(t *testing.T, c prettytext.Color) float64 {
	t.Helper()
	var index int
	if _, err := fmt.Sscanf(c.EscapeSeq(), "\x1b[38;5;%dm", &index); err != nil || index < 16 || index > 231 {
		t.Fatalf("%q is not of the cube: %v", c.EscapeSeq(), err)
	}
	steps := []float64{0, 95, 135, 175, 215, 255}
	linear := func(at int) float64 {
		v := steps[at] / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	index -= 16
	return 0.2126*linear(index/36) + 0.7152*linear(index/6%6) + 0.0722*linear(index%6)
}
