package cli

import (
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
)

// secretsIn names what in a configuration file is nobody else's business.
func secretsIn(entries []entry) (secrets []string) {
	for _, e := range entries {
		value, _ := e.value.(string)
		switch {
		case value == "":
		case strings.HasPrefix(e.key, "controller.auth_secret_key") && !slices.Contains(secrets, signingKeySecret):
			secrets = append(secrets, signingKeySecret)
		case e.key == "database.url":
			if u, err := url.Parse(value); err != nil || u.Redacted() != u.String() || u.Query().Has("password") {
				secrets = append(secrets, "the database's password")
			}
		}
	}
	return secrets
}

const signingKeySecret = "the signing key" // this one or one before it

// guarded refuses a file with secrets that others could have written. One that others can read is told to a person once
// the command runs.
func (a *app) guarded(kind, name, secrets string, info fs.FileInfo) error {
	var hint string
	switch {
	case !info.Mode().IsRegular():
		return nil
	case !files.HasTrustedOwner(info, a.home):
		hint = "chown it to yourself, if what is in it is yours"
	case files.OthersMay(info, files.ToWrite):
		hint = "chmod 600 " + name
	case files.OthersMay(info, files.ToRead) && !slices.Contains(a.readable, name):
		a.readable = append(a.readable, name)
		return nil
	default:
		return nil
	}
	return failure.Misuse(fmt.Sprintf("The %s %s has %s and can be changed by others.", kind, describedFile(name, info), secrets), hint)
}

// noticeReadable warns a person of files with secrets that others can read.
func (a *app) noticeReadable() {
	for _, name := range a.readable {
		if terminal.Is(a.Err) {
			a.Warn("others on this machine can read the secrets in %s: chmod 600 %s", name, name)
		}
	}
	a.readable = nil
}
