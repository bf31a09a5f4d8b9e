// Package roundtrip counts how often a client of PostgreSQL waits for the server: what a command costs on a slow
// network, whatever the machine.
//
// It watches the bytes of a connection and must never alter, delay or keep them. Connecting is not counted, for every
// client pays it, nor is the goodbye, for which nobody waits. Encrypted connections cannot be watched.
package roundtrip

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Counter counts the round trips of any number of connections.
type Counter struct{ count atomic.Int64 }

// Count returns the round trips so far.
func (c *Counter) Count() int { return int(c.count.Load()) }

// Reset starts anew.
func (c *Counter) Reset() { c.count.Store(0) }

// Dial connects, as net.Dialer does, through the counter; for pgconn.Config.DialFunc.
func (c *Counter) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &watched{Conn: conn, counter: c}, nil
}

// Proxy passes connections to a server on, for programs that are given an address. It returns the address of the proxy,
// and what ends it.
func (c *Counter) Proxy(network, address string) (string, func() error, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.pass(client, network, address)
		}
	}()
	return listener.Addr().String(), listener.Close, nil
}

func (c *Counter) pass(client net.Conn, network, address string) {
	defer client.Close()
	server, err := c.Dial(context.Background(), network, address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// watched is a connection to a server. A round trip is something sent and then something received, in however many
// pieces either comes.
type watched struct {
	net.Conn
	counter *Counter

	mu        sync.Mutex
	connected bool // the server has said that it is ready for the first query
	asked     bool // something was sent since the last answer
	head      []byte
	skip      int
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.asked = true
	w.mu.Unlock()
	return w.Conn.Write(b)
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case !w.connected:
			w.connect(b[:n])
			w.asked = false
		case w.asked:
			w.counter.count.Add(1)
			w.asked = false
		}
	}
	return n, err
}

// connect follows the server's messages, a letter and a length each, up to the first ReadyForQuery.
func (w *watched) connect(b []byte) {
	const readyForQuery, header = 'Z', 5
	for len(b) > 0 {
		skipped := min(w.skip, len(b))
		w.skip -= skipped
		b = b[skipped:]
		for len(b) > 0 && len(w.head) < header {
			w.head = append(w.head, b[0])
			b = b[1:]
		}
		if w.skip == 0 && len(w.head) == header {
			w.connected = w.connected || w.head[0] == readyForQuery
			w.skip = int(binary.BigEndian.Uint32(w.head[1:])) - 4
			w.head = w.head[:0]
		}
	}
}
