package terminal

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// yesOrNo reads the answer to a question. Only whole words are one: a letter on the way to another word is none.
func yesOrNo(text string) (yes, answered bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "y", "yes", "o", "oui":
		return true, true
	case "n", "no", "non":
		return false, true
	}
	return false, false
}

// wantYesOrNo is told of every other answer.
const wantYesOrNo = "Answer yes or no."

// ErrDeclined is the answer no.
var ErrDeclined = errors.New("declined at a question")

// Confirm asks before something that cannot be undone. Without a terminal it takes --yes.
func (t *Terminal) Confirm(ctx context.Context, question string, yes bool) error {
	if yes {
		return nil
	}
	if !t.Interactive() {
		return unanswered(question)
	}
	var confirmed bool
	var err error
	if t.Plain() {
		confirmed, err = t.confirmLine(ctx, question)
	} else {
		c := newConfirmation(t, question)
		err = t.ask(ctx, c)
		confirmed = c.chosen
	}
	if err != nil {
		return err
	}
	if !confirmed {
		return ErrDeclined
	}
	return nil
}

func unanswered(question string) error {
	return failure.Misuse(question+" Nobody is there to answer.", "--yes answers yes")
}

// ConfirmByName asks for the name of what is about to be deleted, which nobody types by mistake.
func (t *Terminal) ConfirmByName(ctx context.Context, what, name string, yes bool) error {
	if yes {
		return nil
	}
	if !t.Interactive() {
		return unanswered("Delete everything in " + what + "?")
	}
	t.Notice("Everything in %s will be deleted.", what)
	_, err := t.AskText(ctx, Question{Title: "Type its name, " + name, Check: func(text string) error {
		if strings.TrimSpace(text) != name {
			return failure.Misuse(fmt.Sprintf("This is not its name: it is %s.", name), "")
		}
		return nil
	}})
	return err
}

func (t *Terminal) confirmLine(ctx context.Context, question string) (confirmed bool, err error) {
	_, err = t.askLine(ctx, question+" [y/N]", false, func(text string) error {
		yes, answered := yesOrNo(text)
		if !answered && text != "" {
			return failure.Misuse(wantYesOrNo, "")
		}
		confirmed = yes
		return nil
	})
	return confirmed, err
}

// confirmation is huh's confirm, whose letters answer at once or turn the choice, with whole words instead.
type confirmation struct {
	*huh.Confirm
	terminal *Terminal
	typed    string
	chosen   bool
}

func newConfirmation(t *Terminal, question string) *confirmation {
	c := &confirmation{terminal: t, Confirm: huh.NewConfirm()}
	c.Title(text.Escape(question)).WithButtonAlignment(lipgloss.Left).Value(&c.chosen)
	c.show("")
	return c
}

func (c *confirmation) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		c.typed += msg.Content
		c.show("")
	case tea.KeyPressMsg:
		runes := []rune(c.typed)
		switch key := msg.String(); {
		case key == "enter" && c.typed != "":
			yes, answered := yesOrNo(c.typed)
			if !answered {
				c.typed = ""
				c.show(wantYesOrNo)
				c.terminal.refused()
				return c, nil
			}
			c.chosen = yes
		case msg.Text != "":
			c.typed += msg.Text
			c.show("")
		case key == "backspace" && c.typed != "":
			c.typed = string(runes[:len(runes)-1])
			c.show("")
		case key == "ctrl+u" || key == "left" || key == "right" || key == "tab" || key == "shift+tab":
			c.typed = ""
			c.show("")
		}
	}
	_, cmd := c.Confirm.Update(msg)
	return c, cmd
}

// show tells how to answer, or what was typed so far.
func (c *confirmation) show(help string) {
	switch {
	case c.typed != "":
		help = text.Escape(c.typed)
	case help == "":
		help = "type yes or no, or choose with ← →"
	}
	c.Description(help)
}
