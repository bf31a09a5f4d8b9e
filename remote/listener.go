package remote

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Listener is where a server is reached. One that is no unix socket needs TLS.
type Listener struct {
	net.Listener
	TLS *tls.Config
	Own bool // made by this process, and not by whoever keeps it when this ends
}

var errClear = errors.New("tokens and passwords would be sent in clear: a listener that is no unix socket needs TLS")

// open returns the listener with a place of the crowd for each connection, and that as HTTP needs it.
func (l Listener) open(crowd *crowd) (*limitedListener, net.Listener, error) {
	_, isUnix := l.Addr().(*net.UnixAddr)
	limited := &limitedListener{Listener: l.Listener, own: l.Own, crowd: crowd, closed: make(chan struct{})}
	switch {
	case l.TLS != nil:
		return limited, tls.NewListener(limited, l.TLS), nil
	case isUnix:
		return limited, limited, nil
	}
	return nil, nil, errClear
}

// crowd is all connections of a server, of which there are so many at most. Whoever comes when there is no place takes that
// of the connection that has been without a request for longest; where all have one, they wait.
type crowd struct {
	places chan struct{}

	mutex   sync.Mutex
	idle    *list.List // of *limitedConn, the longest first
	wanting int        // those who wait for a place
	asking  int        // those whose request came and has no handler yet
	leaving bool
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
	conn := limited(of)
	if conn == nil {
		return
	}
	c.mutex.Lock()
	c.forget(conn)
	c.asks(conn, state == http.StateActive)
	crowded := state == http.StateIdle && c.wanting > 0
	if state == http.StateNew || state == http.StateIdle && !crowded {
		conn.idle, conn.since = c.idle.PushBack(conn), time.Now()
	}
	c.mutex.Unlock()
	if crowded {
		conn.Close()
	}
}

// asks counts a connection among those whose request came, and takes it away when that is being answered or is no request.
func (c *crowd) asks(conn *limitedConn, asking bool) {
	if asking != conn.asking {
		conn.asking = asking
		c.asking += map[bool]int{true: 1, false: -1}[asking]
	}
}

type connKey struct{}

// with has a request know its connection.
func (c *crowd) with(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, limited(conn))
}

// answers notes that a request is being answered, and tells whoever sends one to a server that stops to send no other.
func (c *crowd) answers(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mutex.Lock()
		if conn, ok := r.Context().Value(connKey{}).(*limitedConn); ok {
			c.asks(conn, false)
		}
		leaving := c.leaving
		c.mutex.Unlock()
		if leaving {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
}

// settle waits for the requests of those who are about to send one: who came, or was answered, less than quietTime ago.
// Shutdown of net/http drops a request that it finds between its arrival and its handler.
func (c *crowd) settle() {
	expects := func() bool {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.leaving = true
		last := c.idle.Back()
		return c.asking > 0 || last != nil && time.Since(last.Value.(*limitedConn).since) < quietTime
	}
	for expects() {
		time.Sleep(time.Millisecond)
	}
}

// limitedListener hands a connection on when there is a place for it; those behind it wait in the kernel. That of
// x/net/netutil hides the socket, which knows who is at the other end.
type limitedListener struct {
	net.Listener
	own    bool
	crowd  *crowd
	left   atomic.Bool
	closed chan struct{}
	once   sync.Once
}

// leave has Accept end as soon as it has taken those who came before. To a socket of this process nobody else can come: it
// loses its name, so that the next server can have it, and refuses. What waits in one that another process keeps is for
// whoever takes it next.
func (l *limitedListener) leave() error {
	listener, ok := l.Listener.(interface{ SetDeadline(time.Time) error })
	if !ok {
		return l.Close()
	}
	var err error
	if socket, isUnix := l.Listener.(*net.UnixListener); isUnix && l.own {
		socket.SetUnlinkOnClose(false)
		if err = os.Remove(socket.Addr().String()); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		err = errors.Join(err, refuse(socket))
	}
	l.left.Store(true)
	return errors.Join(err, listener.SetDeadline(time.Unix(1, 0))) // which wakes Accept
}

// acceptLast returns a connection that came before the listener was left.
func (l *limitedListener) acceptLast() (net.Conn, error) {
	socket, ok := l.Listener.(syscall.Conn)
	if !ok || !l.own {
		return nil, net.ErrClosed
	}
	conn, err := acceptWaiting(socket)
	if conn == nil {
		return nil, errors.Join(net.ErrClosed, err)
	}
	return conn, nil
}

func (l *limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && l.left.Load() {
		conn, err = l.acceptLast()
	}
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
	once  sync.Once

	idle   *list.Element // among those without a request, while it has none
	since  time.Time     // when it came to be there
	asking bool
}

// limited returns the connection of a crowd under one that HTTP has; nil if it is of none.
func limited(conn net.Conn) *limitedConn {
	if around, ok := conn.(*tls.Conn); ok {
		conn = around.NetConn()
	}
	limited, _ := conn.(*limitedConn)
	return limited
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.crowd.places })
	return err
}

// NetConn returns the connection itself, as that of a tls.Conn does.
func (c *limitedConn) NetConn() net.Conn { return c.Conn }
