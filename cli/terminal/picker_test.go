package terminal

import (
	"fmt"
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
	p := pickerOf(t, choices)
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
	p := pickerOf(t, []Choice{{Label: "\x1b]0;owned\x07Eve", Value: "1"}, {Label: strings.Repeat("é", 300), Value: "2"}})
	p.show()
	view := p.View()
	if strings.Contains(view, "\x1b]") || !strings.Contains(ansi.Strip(view), `\x1b]0;owned\x07Eve`) {
		t.Errorf("not escaped: %q", view)
	}
	if width := lipgloss.Width(view); width > 60 {
		t.Errorf("%d columns wide", width)
	}
}

func pickerOf(t *testing.T, choices []Choice) *picker {
	t.Helper()
	all, err := look(t.Context(), Among(choices), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return newPicker(t.Context(), Among(choices), all, 55)
}

// What is exactly a name comes first, and Enter chooses it; of several others Enter chooses none.
func TestLookAndDecide(t *testing.T) {
	t.Parallel()
	choices := []Choice{
		{Label: "3\tAnaïs Morel, Brasserie de l'Étoile", Value: "3"},
		{Label: "4\tJérôme Noël, Clinique Saint-André", Value: "4"},
		{Label: "2026-0001\tInès Ribeiro", Value: "2026-0001", Other: "b0f94adc-7a10-4c1a-9d62-3f1d1f0f7a10"},
		{Label: "10\tM6 Events 4", Value: "10"},
		{Label: "1\tM1 Events", Value: "1"},
	}
	for _, test := range []struct {
		typed  string
		want   []string
		exact  bool
		chosen string // by Enter
	}{
		{"", []string{"3", "4", "2026-0001", "10", "1"}, false, "3"},
		{"  ", []string{"3", "4", "2026-0001", "10", "1"}, false, "3"},
		{"NOËL", []string{"4"}, false, "4"},
		{" 4 ", []string{"4", "10"}, true, "4"},
		{"1", []string{"1", "2026-0001", "10"}, true, "1"},
		{"events", []string{"10", "1"}, false, ""},
		{"nothing of it", nil, false, ""},
	} {
		f, err := look(t.Context(), Among(choices), test.typed, "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range f.choices {
			got = append(got, c.Value)
		}
		if !slices.Equal(got, test.want) || f.exact != test.exact {
			t.Errorf("%q finds %v, exact %v; want %v, %v", test.typed, got, f.exact, test.want, test.exact)
		}
		if chosen, _ := decide(f, test.typed); chosen.Value != test.chosen {
			t.Errorf("Enter after %q chooses %q, want %q", test.typed, chosen.Value, test.chosen)
		}
	}
}

// A list that is longer than can be moved through says so, and has what is there already in it.
func TestLookIsLimited(t *testing.T) {
	t.Parallel()
	var choices []Choice
	for i := range 3 * choicesShown {
		choices = append(choices, Choice{Label: fmt.Sprint("n", i), Value: fmt.Sprint("n", i)})
	}
	all, err := look(t.Context(), Among(choices), "", "n299")
	if err != nil || all.choices[0].Value != "n299" || len(all.choices) != choicesShown+1 || all.count() != "more than 100" {
		t.Errorf("%d, first %v, %v", len(all.choices), all.choices[0], err)
	}
	if _, err := decide(found{choices: all.choices, more: true}, "n"); err == nil || !strings.HasPrefix(err.Error(), "More than 100 in the list") {
		t.Errorf("%v", err)
	}
}
