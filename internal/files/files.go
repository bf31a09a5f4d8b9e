// Package files opens and replaces the files of crm and of its user, and reports who else can get at them: the token, the
// signing key, backups, and what the configuration names.
//
// Nobody waits here for a pipe that has no writer. What is written is there whole or not at all, for whoever reads
// meanwhile, for two commands at the same time and after a crash. Nothing of this is decided here: which links are
// followed and what others may do is for the caller to say. What differs between systems is in the files that are named
// after them; a new question to the system gets an answer in each.
package files

import (
	"io/fs"
	"os"
)

// Rights that others than the owner may have to a file: to read it, to change it, to get into it.
const (
	ToRead  fs.FileMode = 0o044
	ToWrite fs.FileMode = 0o022
	ToEnter fs.FileMode = 0o011
)

// ByteOrderMark is what some editors of Windows put before UTF-8; it means nothing.
const ByteOrderMark = "\ufeff"

// Open opens a file for reading, through links, and does not wait for somebody to write into a pipe.
func Open(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDONLY|noWait, 0) }

// OpenNoLink is Open that fails on a link.
func OpenNoLink(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|noFollow|noWait, 0)
}
