//go:build linux || darwin

package localdb

import (
	"os"
	"os/exec"
	"strconv"

	"golang.org/x/sys/unix"
)

// startAlone starts a program without the files that our caller left open for us, such as a lock or the end of a pipe:
// whoever waits for those would wait for the server. Our own files are not inherited, as always in Go.
func startAlone(cmd *exec.Cmd) error {
	for _, fd := range inherited() {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.CloseOnExec(fd)
			// A program that is to read one of them, as in crm db restore <(...), still can.
			defer unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags)
		}
	}
	return cmd.Start()
}

// inherited returns the numbers of all open files but the standard ones.
func inherited() (fds []int) {
	const first = 3
	entries, err := os.ReadDir("/dev/fd")
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= first {
			fds = append(fds, fd)
		}
	}
	var limit unix.Rlimit
	if err == nil || unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return fds
	}
	const most = 1 << 16 // where the system does not say which are open, each number is tried
	for fd := first; uint64(fd) < min(uint64(limit.Cur), most); fd++ {
		fds = append(fds, fd)
	}
	return fds
}
