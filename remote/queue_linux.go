package remote

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// refuse has the kernel refuse whoever connects to a unix socket from now on, at one instant: who came before stays in
// its queue.
func refuse(socket syscall.Conn) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	errControl := raw.Control(func(fd uintptr) { err = unix.Shutdown(int(fd), unix.SHUT_RD) })
	return errors.Join(err, errControl)
}

// acceptWaiting returns a connection from the queue of a socket; nil if nobody waits. The socket itself does not block.
func acceptWaiting(socket syscall.Conn) (net.Conn, error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	errControl := raw.Control(func(listening uintptr) {
		for {
			fd, _, err = unix.Accept4(int(listening), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != unix.EINTR && err != unix.ECONNABORTED {
				return
			}
		}
	})
	switch {
	case errControl != nil:
		return nil, errControl
	case err == unix.EAGAIN:
		return nil, nil
	case err != nil:
		return nil, os.NewSyscallError("accept4", err)
	}
	file := os.NewFile(uintptr(fd), "connection")
	conn, err := net.FileConn(file)
	return conn, errors.Join(err, file.Close())
}
