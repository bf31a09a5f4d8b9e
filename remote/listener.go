package remote

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// Listener is where a server is reached. One that is no unix socket needs TLS.
type Listener struct {
	net.Listener
	TLS *tls.Config
}

var errClear = errors.New("tokens and passwords would be sent in clear: a listener that is no unix socket needs TLS")

// open returns the listener as HTTP needs it, with one of the slots for each connection.
func (l Listener) open(slots chan struct{}) (net.Listener, error) {
	_, isUnix := l.Addr().(*net.UnixAddr)
	limited := &limitedListener{Listener: l.Listener, slots: slots, closed: make(chan struct{})}
	switch {
	case l.TLS != nil:
		return tls.NewListener(limited, l.TLS), nil
	case isUnix:
		return limited, nil
	}
	return nil, errClear
}

// limitedListener takes a connection when there is a slot; the others wait in the kernel. That of x/net/netutil hides
// the socket, which knows who is at the other end.
type limitedListener struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, slots: l.slots}, nil
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.slots })
	return err
}

// NetConn returns the connection itself, as that of a tls.Conn does.
func (c *limitedConn) NetConn() net.Conn { return c.Conn }
