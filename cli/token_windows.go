package cli

import "io/fs"

const (
	noFollow = 0
	noWait   = 0
)

// othersMayRead is for the access rules of the folder to say, which is the user's own.
func othersMayRead(fs.FileInfo) bool { return false }
