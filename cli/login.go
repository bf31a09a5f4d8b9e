package cli

import (
	"context"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// loginTries is how many passwords are asked for before a login is given up.
const loginTries = 3

// newPassword gets a password that is to be set: from stdin, or asked for twice.
func (a *app) newPassword(ctx context.Context, username string, fromStdin bool) (string, error) {
	check := func(password string) error { return service.CheckPassword(username, password) }
	if fromStdin {
		password, err := a.ReadLine()
		if err != nil {
			return "", err
		}
		return password, check(password)
	}
	if !a.Interactive() {
		return "", failure.Misuse("missing --password-stdin", "")
	}
	for {
		password, err := a.AskPassword(ctx, "New password", check)
		if err != nil {
			return "", err
		}
		again, err := a.AskPassword(ctx, "The same again", nil)
		if err != nil || again == password {
			return password, err
		}
		a.Notice("The two passwords differ; once more from the start.")
	}
}

// login asks for username and password where a session is missing, so that the command can go on. It returns why
// when it is not to be had.
func (a *app) login(ctx context.Context, why error) error {
	if a.TokenVariable() != "" {
		return why
	}
	a.Notice("%s", why.Error())
	if _, err := a.Accounts(ctx); err != nil { // before somebody types a password for nothing
		return err
	}
	username, prompt := a.lastUsername(), "Password"
	if username != "" {
		prompt = "Password of " + username
	} else {
		asked, err := a.AskText(ctx, terminal.Question{Title: "Username", Present: a.loggedOut(), Check: checkUsername})
		if err != nil {
			return err
		}
		username = asked
	}
	password, err := a.AskPassword(ctx, prompt, nil)
	if err != nil {
		return err
	}
	_, err = a.startSession(ctx, username, password)
	return err
}

// lastUsername is who logged in last, as far as the token of then still tells; or nothing.
func (a *app) lastUsername() string {
	token, err := a.Token()
	if err != nil {
		return ""
	}
	username := service.TokenUsername(token)
	if checkUsername(username) != nil {
		return ""
	}
	return username
}

// loggedOut is who logged out last, or nothing.
func (a *app) loggedOut() string {
	if username := a.LastUsername(); checkUsername(username) == nil {
		return username
	}
	return ""
}

func checkUsername(s string) error {
	_, err := value.ParseUsername(s)
	return err
}

// startSession logs in and keeps the token. A person is asked again for a password that was refused, and for a new one
// after a one-time password.
func (a *app) startSession(ctx context.Context, username, password string) (who service.Whoami, err error) {
	s, err := a.Accounts(ctx)
	if err != nil {
		return who, err
	}
	token, err := s.Login(ctx, username, password)
	for try := 1; try < loginTries && failure.ReasonOf(err) == failure.WrongPassword && a.Interactive(); try++ {
		a.Notice("%s", err.Error())
		if password, err = a.AskPassword(ctx, "Password of "+username, nil); err != nil {
			return who, err
		}
		token, err = s.Login(ctx, username, password)
	}
	if err != nil {
		return who, err
	}
	session, err := a.Begin(ctx, token)
	if err != nil {
		return who, err
	}
	if who, err = session.AuthWhoami(ctx); err != nil || !who.PasswordOneTime {
		return who, err
	}
	if !a.Interactive() {
		a.Notice("This password is good until you choose your own; before anything else: crm auth change-password")
		return who, nil
	}
	a.Notice("This password is good until you choose your own.")
	fresh, err := a.newPassword(ctx, who.Username, false)
	if err != nil {
		return who, err
	}
	if session, err = a.changePassword(ctx, session, password, fresh); err != nil {
		return who, err
	}
	return session.AuthWhoami(ctx)
}

// changePassword changes the password and goes on in the new session, which it returns.
func (a *app) changePassword(ctx context.Context, session service.Operations, current, password string) (service.Operations, error) {
	token, err := session.AuthChangePassword(ctx, current, password)
	if err != nil {
		return nil, err
	}
	a.Notice("Your password is changed; your other sessions and your tokens are over.")
	return a.Begin(ctx, token)
}
