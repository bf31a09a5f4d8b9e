package remote

import (
	"context"
	"net"
	"net/http"
	"net/netip"
)

type peerKey struct{}

// peer is who is at the other end of a connection. It is what failed logins are counted by and what the log names, and
// never somebody's right.
type peer struct {
	name string
	near bool // on this machine
}

func withPeer(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, newPeer(conn))
}

func newPeer(conn net.Conn) peer {
	for { // TLS, and the count of connections
		around, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = around.NetConn()
	}
	if name, ok := account(conn); ok {
		return peer{name, true}
	}
	return addressed(conn.RemoteAddr().String())
}

// network is what of an address of IPv6 belongs to one line: whoever has that has all the addresses below it, and is
// counted once.
const network = 64

// addressed is a peer by its address.
func addressed(address string) peer {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return peer{name: "unknown"}
	}
	host := at.Addr().Unmap().WithZone("")
	if host.Is4() || host.IsLoopback() {
		return peer{"address " + host.String(), host.IsLoopback()}
	}
	line, err := host.Prefix(network)
	if err != nil {
		return peer{name: "unknown"}
	}
	return peer{name: "address " + line.String()}
}

func peerOfRequest(r *http.Request) peer {
	if known, ok := r.Context().Value(peerKey{}).(peer); ok {
		return known
	}
	return addressed(r.RemoteAddr)
}

func peerOf(r *http.Request) string { return peerOfRequest(r).name }

func isNear(r *http.Request) bool { return peerOfRequest(r).near }
