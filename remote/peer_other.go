//go:build !linux

package remote

import "net"

// account knows of a unix socket that it is one, and that only who may open it is there.
func account(conn net.Conn) (name string, ok bool) {
	_, ok = conn.LocalAddr().(*net.UnixAddr)
	return "socket", ok
}
