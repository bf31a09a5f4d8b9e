package remote

import (
	"container/list"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
)

// Listener is where a server is reached. One that is no unix socket needs TLS.
type Listener struct {
	net.Listener
	TLS *tls.Config
}

var errClear = errors.New("tokens and passwords would be sent in clear: a listener that is no unix socket needs TLS")

// open returns the listener as HTTP needs it, with a place of the crowd for each connection.
func (l Listener) open(crowd *crowd) (net.Listener, error) {
	_, isUnix := l.Addr().(*net.UnixAddr)
	limited := &limitedListener{Listener: l.Listener, crowd: crowd, closed: make(chan struct{})}
	switch {
	case l.TLS != nil:
		return tls.NewListener(limited, l.TLS), nil
	case isUnix:
		return limited, nil
	}
	return nil, errClear
}

// crowd is all connections of a server, of which there are so many at most. Whoever comes when there is no place takes that
// of the connection that has been without a request for longest; where all have one, they wait.
type crowd struct {
	places chan struct{}

	mutex   sync.Mutex
	idle    *list.List // of *limitedConn, the longest first
	wanting int        // those who wait for a place
}

func newCrowd(most int) *crowd { return &crowd{places: make(chan struct{}, most), idle: list.New()} }

// enter waits for a place; false if closed is closed before.
func (c *crowd) enter(closed <-chan struct{}) bool {
	select {
	case c.places <- struct{}{}:
		return true
	default:
	}
	c.want(1)
	defer c.want(-1)
	select {
	case c.places <- struct{}{}:
		return true
	case <-closed:
		return false
	}
}

// want adds to those who wait, and ends a connection for one more of them.
func (c *crowd) want(more int) {
	c.mutex.Lock()
	c.wanting += more
	var ended *limitedConn
	if first := c.idle.Front(); first != nil && more > 0 {
		ended = c.forget(first.Value.(*limitedConn))
	}
	c.mutex.Unlock()
	if ended != nil {
		ended.Close()
	}
}

// forget takes a connection from those without a request.
func (c *crowd) forget(conn *limitedConn) *limitedConn {
	if conn.idle != nil {
		c.idle.Remove(conn.idle)
		conn.idle = nil
	}
	return conn
}

// note is the ConnState of an http.Server.
func (c *crowd) note(of net.Conn, state http.ConnState) {
	if around, ok := of.(*tls.Conn); ok {
		of = around.NetConn()
	}
	conn, ok := of.(*limitedConn)
	if !ok {
		return
	}
	c.mutex.Lock()
	c.forget(conn)
	crowded := state == http.StateIdle && c.wanting > 0
	if state == http.StateNew || state == http.StateIdle && !crowded {
		conn.idle = c.idle.PushBack(conn)
	}
	c.mutex.Unlock()
	if crowded {
		conn.Close()
	}
}

// limitedListener hands a connection on when there is a place for it; those behind it wait in the kernel. That of
// x/net/netutil hides the socket, which knows who is at the other end.
type limitedListener struct {
	net.Listener
	crowd  *crowd
	closed chan struct{}
	once   sync.Once
}

func (l *limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.crowd.enter(l.closed) { // only now, so that nobody gives way for nobody
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	return &limitedConn{Conn: conn, crowd: l.crowd}, nil
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	crowd *crowd
	idle  *list.Element // among those without a request, while it has none
	once  sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.crowd.places })
	return err
}

// NetConn returns the connection itself, as that of a tls.Conn does.
func (c *limitedConn) NetConn() net.Conn { return c.Conn }
