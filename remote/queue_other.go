//go:build !linux

package remote

import (
	"net"
	"syscall"
)

// refuse is only in Linux's power. Elsewhere a socket that is closed cuts who waits in its queue.
func refuse(syscall.Conn) error { return nil }

// acceptWaiting finds nobody.
func acceptWaiting(syscall.Conn) (net.Conn, error) { return nil, nil }
