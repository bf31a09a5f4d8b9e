package cli

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
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// errAborted is Ctrl-C, Ctrl-D or Esc at a question, or the end of the terminal.
var errAborted = errors.New("aborted at a question")

// loginTries is how many passwords are asked for before a login is given up.
const loginTries = 3

// interactive says whether there is a person to ask.
func (a *app) interactive() bool { return isTerminal(a.In) && isTerminal(a.Err) }

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// terminalWidth is that of the terminal that a stream is; 0 if it is none.
func terminalWidth(stream any) int {
	if !isTerminal(stream) {
		return 0
	}
	if width, _, err := term.GetSize(int(stream.(*os.File).Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// terminalSize is that of the terminal on which questions are asked; zero when it does not say.
func (a *app) terminalSize() (width, height int) {
	width, height, _ = term.GetSize(int(a.Err.(*os.File).Fd()))
	return width, height
}

// plain says whether questions are lines, because the terminal cannot move its cursor or has no room.
func (a *app) plain() bool {
	width, height := a.terminalSize()
	return a.Getenv("TERM") == "dumb" || width < 20 || height < 8
}

// ask shows one question on stderr, so that stdout stays the result's.
func (a *app) ask(ctx context.Context, field huh.Field) error {
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
	if a.config.noColor || a.Getenv("NO_COLOR") != "" {
		options = append(options, tea.WithColorProfile(colorprofile.Ascii))
	}
	keyboard, err := a.newKeyboard()
	if err != nil {
		return err
	}
	defer keyboard.leave()
	_, keyboard.lines = field.(*huh.Text)
	a.keyboard = keyboard
	form := huh.NewForm(huh.NewGroup(field)).WithProgramOptions(options...).WithInput(keyboard).WithOutput(a.Err).
		WithKeyMap(keys).WithTheme(huh.ThemeFunc(promptTheme)).WithShowHelp(false).WithAccessible(false)
	err = form.RunWithContext(ctx)
	if form.State == huh.StateCompleted {
		return nil
	}
	if err == nil || errors.Is(err, huh.ErrUserAborted) || errors.Is(err, huh.ErrTimeout) {
		return errAborted
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
func (a *app) answered(title, answer string) { a.notice("%s: %s", title, answer) }

// question is one for a text.
type question struct {
	title, help string
	present     string // what the answer starts with
	blank       bool   // Enter alone is an answer
	multiline   bool
	check       func(string) error
}

func (a *app) askText(ctx context.Context, q question) (string, error) {
	check := a.inWords(q.check)
	if a.plain() {
		return a.askPlainText(ctx, q, check)
	}
	if q.blank && q.present == "" {
		q.help += "; Enter leaves it out"
	}
	answer := q.present
	var err error
	if q.multiline {
		err = a.ask(ctx, huh.NewText().Title(q.title).Description(q.help+"; Alt-Enter begins a line").
			CharLimit(0).ExternalEditor(false).Validate(check).Value(&answer))
	} else {
		err = a.ask(ctx, huh.NewInput().Title(q.title).Description(q.help).Validate(check).Value(&answer))
	}
	if err == nil && answer != "" {
		a.answered(q.title, answer)
	}
	return answer, err
}

// askPlainText asks on one line. What the answer starts with cannot be typed over there, so Enter keeps it.
func (a *app) askPlainText(ctx context.Context, q question, check func(string) error) (string, error) {
	const empty = "-"
	title := q.title
	switch {
	case q.present != "" && q.blank:
		title += fmt.Sprintf(" [%s, %s empties it]", q.present, empty)
	case q.present != "":
		title += fmt.Sprintf(" [%s]", q.present)
	case q.blank:
		title += " [Enter leaves it out]"
	}
	answer, err := a.askLine(ctx, title, false, func(answer string) error {
		if answer == "" && q.present != "" || answer == empty && q.blank {
			return nil
		}
		return check(answer)
	})
	switch {
	case answer == "" && err == nil:
		return q.present, nil
	case answer == empty && q.blank:
		return "", nil
	}
	return answer, err
}

// askPassword asks without echo; check may be nil.
func (a *app) askPassword(ctx context.Context, title string, check func(string) error) (string, error) {
	check = a.inWords(check)
	if a.plain() {
		return a.askLine(ctx, title, true, check)
	}
	var password string
	field := huh.NewInput().Title(title).Description("what you type is not shown").
		EchoMode(huh.EchoModeNone).Validate(check).Value(&password)
	err := a.ask(ctx, field)
	return password, err
}

// inWords makes a check of an answer whose errors read as all others do.
func (a *app) inWords(check func(string) error) func(string) error {
	return func(answer string) error {
		if check == nil {
			return nil
		}
		if err := check(answer); err != nil {
			a.refused()
			return errors.New(text.Escape(describe(context.Background(), err).Message))
		}
		return nil
	}
}

// askLine asks on a terminal that is only a roll of paper.
func (a *app) askLine(ctx context.Context, title string, secret bool, check func(string) error) (string, error) {
	for {
		answer, err := a.typedLine(ctx, text.Escape(title)+": ", secret)
		if err != nil {
			fmt.Fprintln(a.Err)
			return "", errAborted
		}
		if err := check(answer); err == nil {
			return answer, nil
		} else {
			a.notice("%s", err)
		}
	}
}

// typedLine reads a line of the terminal, and leaves the terminal as it was, also when ctx ends first.
func (a *app) typedLine(ctx context.Context, prompt string, secret bool) (string, error) {
	in := int(a.In.(*os.File).Fd())
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
		fmt.Fprint(a.Err, prompt)
	}
	go func() {
		if secret {
			answer, err := term.NewTerminal(bothWays{a.In, a.Err}, "").ReadPassword(prompt)
			lines <- line{answer, err}
		} else {
			answer, err := a.reader.ReadString('\n')
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

// readLine reads one line of stdin: a password that a script hands over.
func (a *app) readLine() (string, error) {
	bytes, err := a.reader.ReadSlice('\n')
	line := strings.TrimRight(string(bytes), "\r\n")
	if !a.begun {
		line, a.begun = strings.TrimPrefix(line, byteOrderMark), true
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

// newPassword gets a password that is to be set: from stdin, or asked for twice.
func (a *app) newPassword(ctx context.Context, username string, fromStdin bool) (string, error) {
	check := func(password string) error { return service.CheckPassword(username, password) }
	if fromStdin {
		password, err := a.readLine()
		if err != nil {
			return "", err
		}
		return password, check(password)
	}
	if !a.interactive() {
		return "", failure.Misuse("missing --password-stdin", "")
	}
	for {
		password, err := a.askPassword(ctx, "New password", check)
		if err != nil {
			return "", err
		}
		again, err := a.askPassword(ctx, "The same again", nil)
		if err != nil || again == password {
			return password, err
		}
		a.notice("The two passwords differ; once more from the start.")
	}
}

// login asks for username and password where a session is missing, so that the command can go on. It gives why back
// when it is not to be had.
func (a *app) login(ctx context.Context, why error) error {
	if a.tokenVariable() != "" {
		return why
	}
	a.notice("%s", why.Error())
	if _, err := a.service(ctx); err != nil { // before somebody types a password for nothing
		return err
	}
	username, err := a.askText(ctx, question{title: "Username", check: checkUsername})
	if err != nil {
		return err
	}
	password, err := a.askPassword(ctx, "Password", nil)
	if err != nil {
		return err
	}
	_, err = a.startSession(ctx, username, password)
	return err
}

func checkUsername(s string) error {
	_, err := value.ParseUsername(s)
	return err
}

// startSession logs in and keeps the token. A person is asked again for a password that was refused, and for a new one
// after a one-time password.
func (a *app) startSession(ctx context.Context, username, password string) (who service.Whoami, err error) {
	s, err := a.service(ctx)
	if err != nil {
		return who, err
	}
	token, err := s.Login(ctx, username, password)
	for try := 1; try < loginTries && failure.ReasonOf(err) == failure.WrongPassword && a.interactive(); try++ {
		a.notice("%s", err.Error())
		if password, err = a.askPassword(ctx, "Password of "+username, nil); err != nil {
			return who, err
		}
		token, err = s.Login(ctx, username, password)
	}
	if err != nil {
		return who, err
	}
	if a.database.session, err = s.As(token); err != nil {
		return who, err
	}
	if err := a.saveToken(token); err != nil {
		return who, err
	}
	if who, err = a.database.session.AuthWhoami(ctx); err != nil || !who.PasswordOneTime {
		return who, err
	}
	if !a.interactive() {
		a.notice("This password is good until you choose your own; before anything else: crm auth change-password")
		return who, nil
	}
	a.notice("This password is good until you choose your own.")
	fresh, err := a.newPassword(ctx, who.Username, false)
	if err != nil {
		return who, err
	}
	if err := a.changePassword(ctx, a.database.session, password, fresh); err != nil {
		return who, err
	}
	return a.database.session.AuthWhoami(ctx)
}

// changePassword changes the password and goes on in the new session.
func (a *app) changePassword(ctx context.Context, session *service.Session, current, password string) error {
	token, err := session.AuthChangePassword(ctx, current, password)
	if err != nil {
		return err
	}
	a.notice("Your password is changed; your other sessions and your tokens are over.")
	s, err := a.service(ctx)
	if err != nil {
		return err
	}
	if a.database.session, err = s.As(token); err != nil {
		return err
	}
	return a.saveToken(token)
}
