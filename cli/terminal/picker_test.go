package terminal

import (
	"slices"
	"strings"
	"testing"

	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// TestPicker says how many there are when not all of them are seen, starts where it is told to, and cuts no amount.
func TestPicker(t *testing.T) {
	t.Parallel()
	var choices []Choice
	for _, r := range "abcdefghijkl" {
		choices = append(choices, Choice{Label: string(r) + "  6 900.50 € of 9 900.50 € due  " + strings.Repeat("long name ", 9), Value: string(r)})
	}
	p := newPicker(choices, 55)
	p.chosen = "c"
	p.Select.Value(&p.chosen).Height(rowsShown + 2)
	p.Select.WithTheme(huh.ThemeFunc(promptTheme))
	p.show()
	view := ansi.Strip(p.View())
	for _, want := range []string{"; 12 in all", "> c", "c  6 900.50 € of 9 900.50 € due", "…"} {
		if !strings.Contains(view, want) {
			t.Errorf("%q is not in\n%s", want, view)
		}
	}
}

// TestChoicesAreEscaped: stored text cannot talk to the terminal from a list.
func TestChoicesAreEscaped(t *testing.T) {
	t.Parallel()
	p := newPicker([]Choice{{Label: "\x1b]0;owned\x07Eve", Value: "1"}, {Label: strings.Repeat("é", 300), Value: "2"}}, 55)
	p.show()
	view := p.View()
	if strings.Contains(view, "\x1b]") || !strings.Contains(ansi.Strip(view), `\x1b]0;owned\x07Eve`) {
		t.Errorf("not escaped: %q", view)
	}
	if width := lipgloss.Width(view); width > 60 {
		t.Errorf("%d columns wide", width)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	choices := []Choice{
		{Label: "3\tAnaïs Morel, Brasserie de l'Étoile", Value: "3"},
		{Label: "4\tJérôme Noël, Clinique Saint-André", Value: "4"},
		{Label: "b0f94adc\tInès Ribeiro", Value: "b0f94adc-7a10-4c1a-9d62-3f1d1f0f7a10"},
		{Label: "10\tM6 Events 4", Value: "10"},
	}
	folded := foldChoices(choices)
	for _, test := range []struct {
		query  string
		want   []int
		exact  bool
		chosen int // by Enter; -1: none
	}{
		{"", []int{0, 1, 2, 3}, false, 0},
		{"  ", []int{0, 1, 2, 3}, false, 0},
		{"ANAIS", []int{0}, false, 0},
		{"étoile", []int{0}, false, 0},
		{"e\u0301toile", []int{0}, false, 0},
		{"noel saint", []int{1}, false, 1},
		{"noel etoile", nil, false, -1},
		{"b0f94adc-7a10", []int{2}, false, 2},
		{"B0F94ADC", []int{2}, true, 2},
		{" 4 ", []int{1, 2, 3}, true, 1},
		{"10", []int{3, 2}, true, 3},
		{"1", []int{2, 3}, false, -1},
		{"n", []int{0, 1, 2, 3}, false, -1},
	} {
		got, exact := search(choices, folded, test.query)
		if !slices.Equal(got, test.want) || exact != test.exact {
			t.Errorf("search(%q) = %v, %v, want %v, %v", test.query, got, exact, test.want, test.exact)
		}
		chosen, err := decide(got, exact, test.query)
		if err != nil {
			chosen = -1
		}
		if chosen != test.chosen {
			t.Errorf("Enter after %q chooses %d, want %d", test.query, chosen, test.chosen)
		}
	}
}
