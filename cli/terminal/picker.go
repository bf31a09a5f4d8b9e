package terminal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/clipperhouse/displaywidth"
	"golang.org/x/text/unicode/norm"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

const (
	rowsShown    = 10  // choices that are seen at once
	choicesShown = 100 // choices that can be moved to; typing finds the others
	plainShown   = 20  // the same without a screen
)

// Choice is one line of a list to choose from, and the value it stands for. A tab in the label ends a column.
type Choice struct {
	Label, Value string
	Other        string // another name of the same, which may be typed; often empty
}

// line is the label on a line of its own.
func (c Choice) line() string { return strings.ReplaceAll(c.Label, "\t", "  ") }

// Description is the label without the value, or the beginning of it, that many labels start with.
func (c Choice) Description() string {
	if head, rest, ok := strings.Cut(c.Label, "\t"); ok && strings.HasPrefix(c.Value, head) {
		return Choice{Label: rest}.line()
	}
	if c.Label == c.Value {
		return ""
	}
	return c.line()
}

// inColumns returns the labels as lines in columns: ids and amounts are aligned on the right, all else on the left.
func inColumns(choices []Choice) []string {
	lines := make([]string, len(choices))
	rest := make([]string, len(choices))
	for i, c := range choices {
		rest[i] = escapeCells(c.Label)
	}
	for more := true; more; {
		more = false
		cells := make([]string, len(choices))
		width, right := 0, true
		for i := range choices {
			var tabs bool
			cells[i], rest[i], tabs = strings.Cut(rest[i], "\t")
			more = more || tabs
			width = max(width, displaywidth.String(cells[i]))
			right = right && (strings.HasSuffix(strings.TrimSuffix(cells[i], " due"), "€") || strings.Trim(cells[i], "0123456789") == "")
		}
		for i, cell := range cells {
			space := strings.Repeat(" ", width-displaywidth.String(cell))
			if right {
				cell = space + cell
			} else if more {
				cell += space
			}
			if lines[i] != "" {
				cell = "  " + cell
			}
			lines[i] += cell
		}
	}
	return lines
}

// escapeCells makes a label safe to print and keeps its tabs.
func escapeCells(label string) string {
	cells := strings.Split(label, "\t")
	for i := range cells {
		cells[i] = text.Escape(cells[i])
	}
	return strings.Join(cells, "\t")
}

// ErrIfEmpty returns NotFound with this message if there are no choices.
func ErrIfEmpty(choices []Choice, none string) error {
	if len(choices) > 0 {
		return nil
	}
	return &failure.Error{Code: failure.NotFound, Message: none}
}

// Choose offers a list that gets shorter with every letter that is typed. It starts on the value that is present, if any.
func (t *Terminal) Choose(ctx context.Context, title string, choices []Choice, present string) (string, error) {
	if t.Plain() {
		return t.chooseLine(ctx, title, choices, present)
	}
	width, _ := t.Size()
	p := newPicker(choices, width-5)
	p.chosen = present
	p.Select.Title(title).Value(&p.chosen).Height(min(len(choices), rowsShown) + 2).Validate(func(string) error {
		if p.moved {
			return nil
		}
		_, err := decide(p.found, p.exact, p.query)
		if err != nil {
			t.refused()
		}
		return err
	})
	p.show()
	if err := t.ask(ctx, p); err != nil {
		return "", err
	}
	for _, c := range choices {
		if c.Value == p.chosen {
			t.answered(title, c.line())
		}
	}
	return p.chosen, nil
}

// picker is huh's select with a search of its own, because huh's draws all of a long list at each key, and tells
// accents apart.
type picker struct {
	*huh.Select[string]
	choices []Choice
	lines   []string // as each is shown
	folded  []string // what is searched of each
	width   int
	query   string
	found   []int // the choices that the query finds
	exact   bool  // the first of them is just what was typed
	moved   bool  // since something was typed, so that a line was chosen and not only found
	chosen  string
}

func newPicker(choices []Choice, width int) *picker {
	return &picker{Select: huh.NewSelect[string](), choices: choices, lines: inColumns(choices), folded: foldChoices(choices), width: width}
}

func (p *picker) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	before := p.query
	switch msg := msg.(type) {
	case tea.PasteMsg:
		p.query += msg.Content
	case tea.KeyPressMsg:
		switch {
		case msg.Text != "":
			p.query += msg.Text
		case msg.String() == "backspace" && p.query != "":
			runes := []rune(p.query)
			p.query = string(runes[:len(runes)-1])
		case msg.String() == "ctrl+u":
			p.query = ""
		}
	}
	if p.query != before {
		p.show()
		p.moved = false
		msg = tea.KeyPressMsg{Code: tea.KeyHome}
	} else if key, ok := msg.(tea.KeyPressMsg); ok && len(p.found) > 0 && slices.Contains(movingKeys, key.String()) {
		p.moved = true
	}
	_, cmd := p.Select.Update(msg)
	return p, cmd
}

// movingKeys are those with which a person chooses a line.
var movingKeys = []string{"up", "down", "pgup", "pgdown", "home", "end", "ctrl+n", "ctrl+p", "ctrl+j", "ctrl+k"}

// show puts the choices that have the query in them into the list.
func (p *picker) show() {
	p.found, p.exact = search(p.choices, p.folded, p.query)
	found := p.found
	var options []huh.Option[string]
	for _, i := range found[:min(len(found), choicesShown)] {
		label := displaywidth.TruncateString(p.lines[i], p.width, "…")
		options = append(options, huh.NewOption(label, p.choices[i].Value))
	}
	if len(options) == 0 {
		options = append(options, huh.NewOption("(nothing)", ""))
	}
	help := "type to search, ↑ ↓ to move"
	if p.query != "" {
		help = fmt.Sprintf("search: %s (%d of %d)", text.Escape(p.query), len(found), len(p.choices))
	} else if len(found) > rowsShown {
		help += fmt.Sprintf("; %d in all", len(found))
	}
	p.Select.Description(displaywidth.TruncateString(help, p.width, "…")).Options(options...)
}

// chooseLine lets a choice be typed: its value, or text that only one has in it.
func (t *Terminal) chooseLine(ctx context.Context, title string, choices []Choice, present string) (string, error) {
	folded, lines := foldChoices(choices), inColumns(choices)
	ask := title + ", or text to search for"
	if present != "" {
		ask += fmt.Sprintf(" [%s]", present)
	}
	found, _ := search(choices, folded, "")
	for {
		for _, i := range found[:min(len(found), plainShown)] {
			t.Notice("  %s", lines[i])
		}
		if len(found) > plainShown {
			t.Notice("  and %d more", len(found)-plainShown)
		}
		text, err := t.askLine(ctx, ask, false, t.userFacing(nil))
		if err != nil {
			return "", err
		}
		if text == "" && present != "" {
			return present, nil
		}
		var exact bool
		found, exact = search(choices, folded, text)
		if strings.TrimSpace(text) == "" {
			continue
		}
		if i, err := decide(found, exact, text); err != nil {
			t.Notice("%s", err)
		} else {
			t.answered(title, choices[i].line())
			return choices[i].Value, nil
		}
	}
}

func foldChoices(choices []Choice) []string {
	folded := make([]string, len(choices))
	for i, c := range choices {
		folded[i] = fold(c.Label + " " + c.Value + " " + c.Other)
	}
	return folded
}

// search returns the indexes of the choices that have every word of the query in them, one that is exactly what was
// typed first, and reports whether there is such a one.
func search(choices []Choice, folded []string, query string) (found []int, exact bool) {
	words := strings.Fields(fold(query))
next:
	for i, text := range folded {
		if choices[i].Is(query) {
			found, exact = append([]int{i}, found...), true
			continue
		}
		for _, word := range words {
			if !strings.Contains(text, word) {
				continue next
			}
		}
		found = append(found, i)
	}
	return found, exact
}

// Is reports whether a text is exactly the id, number or username of a choice: its value, or the beginning of its label.
func (c Choice) Is(text string) bool {
	text = fold(strings.TrimSpace(text))
	name, _, columns := strings.Cut(c.Label, "\t")
	return text != "" && (fold(c.Value) == text || fold(c.Other) == text || columns && fold(name) == text)
}

// decide returns the index of the choice that a text is for: what is exactly that text, or the only one with the text in
// it. A text that several have in them chooses none of them.
func decide(found []int, exact bool, query string) (int, error) {
	switch {
	case len(found) == 0:
		return 0, failure.Misuse("Nothing in the list has this text in it.", "")
	case len(found) > 1 && !exact && strings.TrimSpace(query) != "":
		return 0, failure.Misuse(fmt.Sprintf("%d in the list have this text in them: type more of it, or choose one of them.", len(found)), "")
	}
	return found[0], nil
}

// fold makes texts equal that differ in case, accents and the kind of apostrophe only.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case strings.ContainsRune("‘’ʼ′", r):
			return '\''
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}
