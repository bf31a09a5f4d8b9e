//go:build unix

package cli

import (
	"io/fs"
	"syscall"
)

// noFollow refuses a link, and does not wait for somebody to write into a pipe.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

func othersMayRead(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
