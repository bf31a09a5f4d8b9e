package cli

import "io/fs"

// othersMay is for the access rules of the folder to say, which is the user's own.
func othersMay(fs.FileInfo, fs.FileMode) bool { return false }

func ownerOf(fs.FileInfo) string { return "" }

func (a *app) isTrustedOwner(fs.FileInfo) bool { return true }
