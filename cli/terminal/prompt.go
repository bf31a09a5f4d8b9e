package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
)

// ErrAborted is Ctrl-C, Ctrl-D or Esc at a question, or the end of the terminal.
var ErrAborted = errors.New("aborted at a question")

// Plain reports whether questions are lines, because the terminal cannot move its cursor or has no room.
func (t *Terminal) Plain() bool {
	width, height := t.Size()
	return t.Getenv("TERM") == "dumb" || width < 20 || height < 8
}

// ask shows one question on stderr, so that stdout stays the result's.
func (t *Terminal) ask(ctx context.Context, field huh.Field) error {
	keys := huh.NewDefaultKeyMap()
	keys.Quit.SetKeys("ctrl+c", "ctrl+d", "esc")
	keys.Confirm.Toggle.SetKeys("left", "right", "tab", "shift+tab")
	keys.Confirm.Next.SetKeys()
	keys.Confirm.Prev.SetKeys()
	keys.Confirm.Accept.SetKeys()
	keys.Confirm.Reject.SetKeys()
	keys.Select.HalfPageUp.SetKeys("pgup")
	keys.Select.HalfPageDown.SetKeys("pgdown")
	options := []tea.ProgramOption{tea.WithoutSignalHandler(), tea.WithFilter(trimPaste)} // signals end ctx
	if t.NoColor || t.Getenv("NO_COLOR") != "" {
		options = append(options, tea.WithColorProfile(colorprofile.Ascii))
	}
	keyboard, err := t.newKeyboard()
	if err != nil {
		return err
	}
	defer keyboard.leave()
	_, keyboard.lines = field.(*huh.Text)
	t.keyboard = keyboard
	form := huh.NewForm(huh.NewGroup(field)).WithProgramOptions(options...).WithInput(keyboard).WithOutput(t.Err).
		WithKeyMap(keys).WithTheme(huh.ThemeFunc(promptTheme)).WithShowHelp(false).WithAccessible(false)
	err = form.RunWithContext(ctx)
	if form.State == huh.StateCompleted {
		return nil
	}
	if err == nil || errors.Is(err, huh.ErrUserAborted) || errors.Is(err, huh.ErrTimeout) {
		return ErrAborted
	}
	return err
}

// trimPaste takes off the line end that was copied with a password.
func trimPaste(_ tea.Model, msg tea.Msg) tea.Msg {
	if paste, ok := msg.(tea.PasteMsg); ok {
		paste.Content = strings.TrimRight(paste.Content, "\r\n")
		return paste
	}
	return msg
}

// promptTheme has no colour that needs a light or a dark background.
func promptTheme(bool) *huh.Styles {
	t := huh.ThemeBase(false)
	t.Focused.Title = lipgloss.NewStyle().Bold(true)
	t.Focused.SelectSelector = t.Focused.SelectSelector.Foreground(lipgloss.Cyan)
	t.Focused.SelectedOption = lipgloss.NewStyle().Bold(true)
	t.Focused.ErrorMessage = lipgloss.NewStyle().Foreground(lipgloss.Red)
	t.Focused.ErrorIndicator = lipgloss.NewStyle()
	button := lipgloss.NewStyle().Padding(0, 2).MarginRight(1)
	t.Focused.FocusedButton, t.Focused.BlurredButton = button.Reverse(true), button
	return t
}

// answered leaves a question and its answer on the terminal, where the form has wiped itself away.
func (t *Terminal) answered(title, answer string) { t.Notice("%s: %s", title, answer) }

// Question is one for a text.
type Question struct {
	Title, Help string
	Present     string // what the answer starts with
	Blank       bool   // Enter alone is an answer
	Multiline   bool
	Check       func(string) error
}

func (t *Terminal) AskText(ctx context.Context, q Question) (string, error) {
	check := t.userFacing(q.Check)
	if t.Plain() {
		return t.askPlainText(ctx, q, check)
	}
	if q.Blank && q.Present == "" {
		q.Help += "; Enter leaves it out"
	}
	answer := q.Present
	var err error
	if q.Multiline {
		err = t.ask(ctx, huh.NewText().Title(q.Title).Description(q.Help+"; Alt-Enter begins a line").
			CharLimit(0).ExternalEditor(false).Validate(check).Value(&answer))
	} else {
		err = t.ask(ctx, huh.NewInput().Title(q.Title).Description(q.Help).Validate(check).Value(&answer))
	}
	if err == nil && answer != "" {
		t.answered(q.Title, answer)
	}
	return answer, err
}

// askPlainText asks on one line. What the answer starts with cannot be typed over there, so Enter keeps it.
func (t *Terminal) askPlainText(ctx context.Context, q Question, check func(string) error) (string, error) {
	const empty = "-"
	title := q.Title
	switch {
	case q.Present != "" && q.Blank:
		title += fmt.Sprintf(" [%s, %s empties it]", q.Present, empty)
	case q.Present != "":
		title += fmt.Sprintf(" [%s]", q.Present)
	case q.Blank:
		title += " [Enter leaves it out]"
	}
	answer, err := t.askLine(ctx, title, false, func(answer string) error {
		if answer == "" && q.Present != "" || answer == empty && q.Blank {
			return nil
		}
		return check(answer)
	})
	switch {
	case answer == "" && err == nil:
		return q.Present, nil
	case answer == empty && q.Blank:
		return "", nil
	}
	return answer, err
}

// AskPassword asks without echo; check may be nil.
func (t *Terminal) AskPassword(ctx context.Context, title string, check func(string) error) (string, error) {
	check = t.userFacing(check)
	if t.Plain() {
		return t.askLine(ctx, title, true, check)
	}
	var password string
	field := huh.NewInput().Title(title).Description("what you type is not shown").
		EchoMode(huh.EchoModeNone).Validate(check).Value(&password)
	err := t.ask(ctx, field)
	return password, err
}

// userFacing wraps a check so that its error is the escaped sentence that the user sees.
func (t *Terminal) userFacing(check func(string) error) func(string) error {
	return func(answer string) error {
		if check == nil {
			return nil
		}
		if err := check(answer); err != nil {
			t.refused()
			return errors.New(text.Escape(text.Sentence(failure.Of(err).Message)))
		}
		return nil
	}
}

// askLine asks on one line: for TERM=dumb, and for terminals with no room for a form.
func (t *Terminal) askLine(ctx context.Context, title string, secret bool, check func(string) error) (string, error) {
	for {
		answer, err := t.typedLine(ctx, text.Escape(title)+": ", secret)
		if err != nil {
			fmt.Fprintln(t.Err)
			return "", ErrAborted
		}
		if err := check(answer); err == nil {
			return answer, nil
		} else {
			t.Notice("%s", err)
		}
	}
}

// typedLine reads a line of the terminal, and leaves the terminal as it was, also when ctx ends first.
func (t *Terminal) typedLine(ctx context.Context, prompt string, secret bool) (string, error) {
	in := int(t.In.(*os.File).Fd())
	state, err := term.GetState(in)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(in, state) }()
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	if secret {
		if _, err := term.MakeRaw(in); err != nil { // before the prompt, for who types at once
			return "", err
		}
	} else {
		fmt.Fprint(t.Err, prompt)
	}
	go func() {
		if secret {
			answer, err := term.NewTerminal(bothWays{t.In, t.Err}, "").ReadPassword(prompt)
			lines <- line{answer, err}
		} else {
			answer, err := t.reader.ReadString('\n')
			lines <- line{strings.TrimRight(answer, "\r\n"), err}
		}
	}()
	select {
	case l := <-lines:
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// bothWays is a terminal's two directions in one.
type bothWays struct {
	io.Reader
	io.Writer
}

// ReadLine reads one line of stdin: a password that a script hands over.
func (t *Terminal) ReadLine() (string, error) {
	bytes, err := t.reader.ReadSlice('\n')
	line := strings.TrimRight(string(bytes), "\r\n")
	if !t.begun {
		line, t.begun = strings.TrimPrefix(line, files.ByteOrderMark), true
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "", err
	case errors.Is(err, bufio.ErrBufferFull):
		return "", failure.Misuse("The line on standard input is too long for a password.", "")
	case err != nil && err != io.EOF:
		return "", failure.Misuse("Standard input cannot be read.", "")
	case line == "":
		return "", failure.Misuse("No password came on standard input.", "")
	}
	return line, nil
}
