//go:build unix

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// markPartial opens a file and locks it; marked is false if another process has it locked, or it is there no more. The
// lock goes with the process.
func markPartial(name string) (mark *os.File, marked bool, err error) {
	mark, err = os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, false, err
	}
	if err := unix.Flock(int(mark.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return mark, false, nil
	} else if err != nil {
		return mark, false, err
	}
	opened, err := mark.Stat()
	if err != nil {
		return mark, false, nil
	}
	named, err := os.Lstat(name)
	return mark, err == nil && os.SameFile(opened, named), nil
}
