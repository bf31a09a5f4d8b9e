package terminal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/clipperhouse/displaywidth"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

const (
	rowsShown    = 10  // choices that are seen at once
	choicesShown = 100 // choices that can be moved to; typing finds the others
	plainShown   = 20  // the same without a screen
)

// Choices finds what there is to choose from: no more than limit of those that have in them what was typed, all where that
// is empty. What is so long that it is not known by heart, the database searches, by the rule of every list.
type Choices func(ctx context.Context, typed string, limit int) ([]Choice, error)

// Among are the choices of a list that is short and crm's own.
func Among(choices []Choice) Choices {
	return func(_ context.Context, typed string, limit int) (found []Choice, _ error) {
		for _, c := range choices {
			if len(found) < limit && strings.Contains(strings.ToLower(c.Label+" "+c.Value), strings.ToLower(typed)) {
				found = append(found, c)
			}
		}
		return found, nil
	}
}

// Choice is one line of a list to choose from, and the value it stands for. A tab in the label ends a column.
type Choice struct {
	Label, Value string
	Other        string // another name of the same, which may be typed; often empty
	Found        bool   // by something else than the beginning of its value
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
func (t *Terminal) Choose(ctx context.Context, title string, choices Choices, present string) (string, error) {
	found, err := look(ctx, choices, "", present)
	if err != nil {
		return "", err
	}
	if t.Plain() {
		return t.chooseLine(ctx, title, choices, found, present)
	}
	width, _ := t.Size()
	p := newPicker(ctx, choices, found, width-5)
	p.chosen = present
	p.Select.Title(title).Value(&p.chosen).Height(min(len(found.choices), rowsShown) + 2).Validate(func(string) error {
		if p.moved {
			return nil
		}
		_, err := decide(p.found, p.query)
		if err != nil {
			t.refused()
		}
		return err
	})
	p.show()
	if err := t.ask(ctx, p); err != nil {
		return "", cmp.Or(p.err, err)
	}
	for _, c := range p.found.choices {
		if c.Value == p.chosen {
			t.answered(title, c.line())
		}
	}
	return p.chosen, nil
}

// found is what a text finds.
type found struct {
	choices []Choice
	more    bool // than these
	exact   bool // the first of them is just what was typed
}

// look searches, and has the choice first that is exactly what was typed. What is present is among what nothing finds.
func look(ctx context.Context, choices Choices, typed, present string) (f found, err error) {
	typed = strings.TrimSpace(typed)
	if f.choices, err = choices(ctx, typed, choicesShown+1); err != nil {
		return f, err
	}
	if f.more = len(f.choices) > choicesShown; f.more {
		f.choices = f.choices[:choicesShown]
	}
	if at := slices.IndexFunc(f.choices, func(c Choice) bool { return c.Is(typed) }); at >= 0 {
		exact := f.choices[at]
		f.choices, f.exact = slices.Insert(slices.Delete(slices.Clone(f.choices), at, at+1), 0, exact), true
	}
	is := func(c Choice) bool { return c.Value == present }
	if typed != "" || present == "" || slices.ContainsFunc(f.choices, is) {
		return f, nil
	}
	others, err := choices(ctx, present, choicesShown)
	if at := slices.IndexFunc(others, is); at >= 0 {
		f.choices = slices.Insert(slices.Clone(f.choices), 0, others[at])
	}
	return f, err
}

// count says how many were found, as far as that is known.
func (f found) count() string {
	if f.more {
		return fmt.Sprintf("more than %d", choicesShown)
	}
	return strconv.Itoa(len(f.choices))
}

// picker is huh's select with a search of its own, because huh's knows only what it was given, and tells accents apart.
type picker struct {
	*huh.Select[string]
	ctx     context.Context // of the question, for what is asked while a key is dealt with
	choices Choices
	width   int
	query   string
	found   found // by the query
	err     error // for which the question was given up
	moved   bool  // since something was typed, so that a line was chosen and not only found
	chosen  string
}

func newPicker(ctx context.Context, choices Choices, all found, width int) *picker {
	return &picker{Select: huh.NewSelect[string](), ctx: ctx, choices: choices, found: all, width: width}
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
		// It is waited for, so that Enter is about what was typed before it.
		if p.found, p.err = look(p.ctx, p.choices, p.query, ""); p.err != nil {
			return p, tea.Quit
		}
		p.show()
		p.moved = false
		msg = tea.KeyPressMsg{Code: tea.KeyHome}
	} else if key, ok := msg.(tea.KeyPressMsg); ok && len(p.found.choices) > 0 && slices.Contains(movingKeys, key.String()) {
		p.moved = true
	}
	_, cmd := p.Select.Update(msg)
	return p, cmd
}

// movingKeys are those with which a person chooses a line.
var movingKeys = []string{"up", "down", "pgup", "pgdown", "home", "end", "ctrl+n", "ctrl+p", "ctrl+j", "ctrl+k"}

// show puts what was found into the list.
func (p *picker) show() {
	var options []huh.Option[string]
	for i, line := range inColumns(p.found.choices) {
		options = append(options, huh.NewOption(displaywidth.TruncateString(line, p.width, "…"), p.found.choices[i].Value))
	}
	if len(options) == 0 {
		options = append(options, huh.NewOption("(nothing)", ""))
	}
	help := "type to search, ↑ ↓ to move"
	if p.query != "" {
		help = fmt.Sprintf("search: %s (%s)", text.Escape(p.query), p.found.count())
	} else if len(p.found.choices) > rowsShown {
		help += fmt.Sprintf("; %s in all", p.found.count())
	}
	p.Select.Description(displaywidth.TruncateString(help, p.width, "…")).Options(options...)
}

// chooseLine lets a choice be typed: its value, or text that only one has in it.
func (t *Terminal) chooseLine(ctx context.Context, title string, choices Choices, all found, present string) (string, error) {
	ask := title + ", or text to search for"
	if present != "" {
		ask += fmt.Sprintf(" [%s]", present)
	}
	f := all
	for {
		lines := inColumns(f.choices)
		for _, line := range lines[:min(len(lines), plainShown)] {
			t.Notice("  %s", line)
		}
		switch more := len(lines) - plainShown; {
		case f.more:
			t.Notice("  and more than %d more", more)
		case more > 0:
			t.Notice("  and %d more", more)
		}
		text, err := t.askLine(ctx, ask, false, t.userFacing(nil))
		if err != nil {
			return "", err
		}
		if text == "" && present != "" {
			return present, nil
		}
		if strings.TrimSpace(text) == "" {
			f = all
			continue
		}
		if f, err = look(ctx, choices, text, ""); err != nil {
			return "", err
		}
		if chosen, err := decide(f, text); err != nil {
			t.Notice("%s", err)
		} else {
			t.answered(title, chosen.line())
			return chosen.Value, nil
		}
	}
}

// Is reports whether a text is exactly the id, number or username of a choice: its value, or the beginning of its label.
func (c Choice) Is(text string) bool {
	text = strings.TrimSpace(text)
	name, _, columns := strings.Cut(c.Label, "\t")
	return text != "" && (strings.EqualFold(c.Value, text) || strings.EqualFold(c.Other, text) || columns && strings.EqualFold(name, text))
}

// decide returns the choice that a text is for: what is exactly that text, or the only one with the text in
// it. A text that several have in them chooses none of them.
func decide(f found, query string) (Choice, error) {
	switch {
	case len(f.choices) == 0:
		return Choice{}, failure.Misuse("Nothing in the list has this text in it.", "")
	case len(f.choices) > 1 && !f.exact && strings.TrimSpace(query) != "":
		return Choice{}, failure.Misuse(upperFirst(f.count())+" in the list have this text in them: type more of it, or choose one of them.", "")
	}
	return f.choices[0], nil
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
