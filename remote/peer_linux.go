package remote

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// account names the account at the other end of a unix socket, as the kernel knows it and in the words of a crm that has
// the database itself.
func account(conn net.Conn) (name string, ok bool) {
	socket, ok := conn.(syscall.Conn)
	if _, unixSocket := conn.LocalAddr().(*net.UnixAddr); !ok || !unixSocket {
		return "", false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return "unknown", true
	}
	var credentials *unix.Ucred
	errControl := raw.Control(func(fd uintptr) {
		credentials, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil || errControl != nil {
		return "unknown", true
	}
	host, _ := os.Hostname()
	return fmt.Sprintf("uid %d on %s", credentials.Uid, host), true
}
