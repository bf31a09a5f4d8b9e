//go:build unix

package cli

import (
	"io/fs"
	"syscall"
)

const (
	noFollow = syscall.O_NOFOLLOW // refuses a link
	noWait   = syscall.O_NONBLOCK // does not wait for somebody to write into a pipe
)

func othersMayRead(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
