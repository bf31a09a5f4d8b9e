package backend

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
	"github.com/epicevents/crm/service"
)

// tokenMax is far more than a token has; a larger file is not one.
const tokenMax = 16 << 10

// TokenFile is where the token of the last login is kept. A server's is named by the server, so that no other one gets it.
func (b *Backend) TokenFile() string {
	name := "token"
	if b.IsRemote() {
		server := sha256.Sum256([]byte(b.settings.ServerURL))
		name = fmt.Sprintf("token-%x", server[:8])
	}
	return filepath.Join(b.settings.Folder("XDG_STATE_HOME", ".local/state"), name)
}

// TokenVariable returns the variable whose token is used instead of the last login's; empty if there is none.
func (b *Backend) TokenVariable() string {
	for _, name := range []string{"CRM_TOKEN", "CRM_TOKEN_FILE"} {
		if b.settings.Getenv(name) != "" {
			return name
		}
	}
	return ""
}

// Token returns the token of the environment or of the last login; empty when there is none.
func (b *Backend) Token() (string, error) {
	switch b.TokenVariable() {
	case "CRM_TOKEN":
		return strings.TrimSpace(b.settings.Getenv("CRM_TOKEN")), nil
	case "CRM_TOKEN_FILE":
		name := b.settings.Getenv("CRM_TOKEN_FILE")
		file := b.settings.Named.Read(name, tokenMax)
		token := strings.TrimSpace(string(file.Text))
		switch {
		case file.Err != nil && !errors.Is(file.Err, fs.ErrNotExist):
			return "", &failure.Error{Code: failure.Unauthenticated,
				Message: fmt.Sprintf("The file %s, which CRM_TOKEN_FILE names, cannot be read: %v.", name, file.Err),
				Hint:    "let CRM_TOKEN_FILE name a file or a pipe that holds a token"}
		case token == "":
			return "", &failure.Error{Code: failure.Unauthenticated,
				Message: fmt.Sprintf("There is no token in %s, which CRM_TOKEN_FILE names.", name), Hint: "crm auth token create"}
		}
		return token, nil
	}
	return readToken(b.TokenFile())
}

// readToken reads crm's own token file, which only its owner may be able to read; empty when there is none.
func readToken(name string) (string, error) {
	const hint = newToken
	file, err := files.OpenNoLink(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", tokenError(name, "cannot be opened, or is a link", hint)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil || !info.Mode().IsRegular():
		return "", tokenError(name, "is not a regular file", hint)
	case files.OthersMay(info, files.ToRead|files.ToWrite|files.ToEnter):
		return "", &failure.Error{Code: failure.Unauthenticated,
			Message: fmt.Sprintf("The token file %s can be read by others.", name), Hint: "chmod 600 " + name}
	case info.Size() > tokenMax:
		return "", tokenError(name, "is too large", hint)
	}
	text, err := io.ReadAll(io.LimitReader(file, tokenMax))
	if err != nil {
		return "", tokenError(name, "cannot be read", hint)
	}
	return strings.TrimSpace(string(text)), nil
}

// newToken is the hint for the file of a login.
const newToken = "remove it, then crm auth login"

func tokenError(name, what, hint string) error {
	return &failure.Error{Code: failure.Unauthenticated,
		Message: fmt.Sprintf("The token file %s %s.", name, what), Hint: hint}
}

// saveToken replaces the token file at one instant: who reads meanwhile gets the old or the new one, whole.
func (b *Backend) saveToken(token string) error {
	name := b.TokenFile()
	folder := filepath.Dir(name)
	fail := func(err error) error {
		return &failure.Error{Code: failure.Internal, Message: fmt.Sprintf("The token cannot be kept in %s.", folder),
			Hint: "make that a folder of yours, or name another above it with XDG_STATE_HOME", Err: err}
	}
	if err := errors.Join(files.MkdirAll(filepath.Dir(folder), 0o755), files.MkdirAll(folder, 0o700)); err != nil {
		return fail(err)
	}
	if info, err := os.Lstat(folder); err != nil || !info.IsDir() {
		return fail(errors.Join(err, errors.New("not a folder")))
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return fail(err)
	}
	err := files.Replace(name, token+"\n")
	if _, ok := errors.AsType[*os.LinkError](err); ok {
		return tokenError(name, "cannot be replaced", newToken)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// RemoveToken removes the token of the last login. Whose it was is kept, for the next login to offer.
func (b *Backend) RemoveToken() error {
	name := b.TokenFile()
	var kept error
	if token, err := readToken(name); err == nil && service.TokenUsername(token) != "" {
		kept = files.Replace(name+lastName, service.TokenUsername(token)+"\n")
	}
	err := os.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(kept, err)
}

// lastName ends the name of the file that says who logged out last; it begins as that of the token.
const lastName = ".last"

// LastUsername is who logged out last; empty where nobody did, or others could have written it.
func (b *Backend) LastUsername() string {
	username, err := readToken(b.TokenFile() + lastName)
	if err != nil {
		return ""
	}
	return username
}
