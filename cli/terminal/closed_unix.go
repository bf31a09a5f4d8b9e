//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// IsClosed reports whether a stream was probably closed when crm started, as with >&-. Go's runtime then opens the null
// device for reading and writing; a shell's >/dev/null is for writing only.
func IsClosed(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	null, nullErr := os.Stat(os.DevNull)
	if err != nil || nullErr != nil || !os.SameFile(info, null) {
		return false
	}
	flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
