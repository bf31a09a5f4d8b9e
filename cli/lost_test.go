//go:build unix

package cli

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/epicevents/crm/internal/failure"
)

// TestLostConnectionIsNoReader: only a pipe that broke towards whoever reads the result is an end as wished.
func TestLostConnectionIsNoReader(t *testing.T) {
	t.Parallel()
	toDatabase := &net.OpError{Op: "write", Net: "unix", Err: os.NewSyscallError("write", syscall.EPIPE)}
	for _, test := range []struct {
		err  error
		left bool
	}{
		{&os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}, true},
		{errors.Join(nil, error(syscall.EPIPE)), true},
		{&failure.Error{Code: failure.Unavailable, Err: toDatabase}, false},
		{errors.Join(&failure.Error{Code: failure.Unavailable, Err: toDatabase}, nil), false},
		{syscall.ECONNRESET, false},
	} {
		if got := readerLeft(test.err); got != test.left {
			t.Errorf("%#v: %v", test.err, got)
		}
	}
}
