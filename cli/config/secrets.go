package config

import (
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
)

// secretsIn names what in a configuration file is nobody else's business.
func secretsIn(entries []entry) (secrets []string) {
	for _, e := range entries {
		value, _ := e.value.(string)
		switch {
		case value == "":
		case strings.HasPrefix(e.key, "controller.auth_secret_key") && !slices.Contains(secrets, SigningKeySecret):
			secrets = append(secrets, SigningKeySecret)
		case e.key == "database.url":
			if u, err := url.Parse(value); err != nil || u.Redacted() != u.String() || u.Query().Has("password") {
				secrets = append(secrets, "the database's password")
			}
		}
	}
	return secrets
}

const SigningKeySecret = "the signing key" // this one or one before it

// Guarded refuses a file with secrets that others could have written. One that others can read is kept for a person to
// be told of, once the command runs.
func (c *Config) Guarded(kind, name, secrets string, info fs.FileInfo) error {
	var hint string
	switch {
	case !info.Mode().IsRegular():
		return nil
	case !files.HasTrustedOwner(info, c.Home):
		hint = "chown it to yourself, if what is in it is yours"
	case files.OthersMay(info, files.ToWrite):
		hint = "chmod 600 " + name
	case files.OthersMay(info, files.ToRead) && !slices.Contains(c.readable, name):
		c.readable = append(c.readable, name)
		return nil
	default:
		return nil
	}
	return failure.Misuse(fmt.Sprintf("The %s %s has %s and can be changed by others.", kind, DescribeFile(name, info), secrets), hint)
}

// ToldReadable returns the files with secrets that others can read, each once.
func (c *Config) ToldReadable() []string {
	names := c.readable
	c.readable = nil
	return names
}

// DescribeFile names a file with its mode and owner.
func DescribeFile(name string, info fs.FileInfo) string {
	if owner := files.Owner(info); owner != "" {
		return fmt.Sprintf("%s (mode %04o, of %s)", name, info.Mode().Perm(), owner)
	}
	return name
}
