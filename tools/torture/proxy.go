//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands between a client and a server on a loopback port, and does harm.
type proxy struct {
	port     int
	listener net.Listener
	target   string
	plan     func(n int) harm // to the n-th connection

	passedToServer, passedToClient atomic.Int64 // bytes

	mu    sync.Mutex
	n     int
	conns []net.Conn
	done  bool
	held  chan struct{} // not nil while nothing passes; closed when it does again
}

// harm is what happens to one connection.
type harm struct {
	delay  time.Duration // of everything, both ways
	kind   string        // "", refuse, cut or stall
	after  int           // so many bytes
	toward string        // of those to the server or to the client
}

const toServer, toClient = "server", "client"

func (t *trial) newProxy(port int, plan func(n int) harm) *proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	t.must(err)
	p := &proxy{listener: listener, port: listener.Addr().(*net.TCPAddr).Port, target: fmt.Sprintf("127.0.0.1:%d", port), plan: plan}
	go p.serve()
	go func() {
		<-t.Done()
		p.close()
	}()
	return p
}

// close ends the proxy and all that goes through it.
func (p *proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	p.listener.Close()
	for _, conn := range p.conns {
		conn.Close()
	}
}

// hold keeps back everything, on old and new connections, until release.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = make(chan struct{})
}

func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.held)
	p.held = nil
}

func (p *proxy) pass() {
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	if held != nil {
		<-held
	}
}

// keep has a connection closed with the proxy; false if it is closed already.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conn)
	return !p.done
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		n := p.n
		p.n++
		p.mu.Unlock()
		go p.carry(client, p.plan(n))
	}
}

// carry takes bytes to and fro until either side ends, or the harm is done.
func (p *proxy) carry(client net.Conn, h harm) {
	if !p.keep(client) || h.kind == "refuse" {
		reset(client)
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client) // as if the server itself had refused
		return
	}
	if !p.keep(server) {
		server.Close()
		return
	}
	stalled := make(chan struct{})
	var once sync.Once
	one := func(from, to net.Conn, toward string, counter *atomic.Int64) {
		h := h
		if h.toward != toward {
			h.after = -1
		}
		p.copy(from, to, h, counter, stalled, func() {
			once.Do(func() {
				if h.kind == "stall" {
					close(stalled) // both stay open, and say nothing more
					return
				}
				reset(client)
				reset(server)
			})
		})
	}
	go one(client, server, toServer, &p.passedToServer)
	one(server, client, toClient, &p.passedToClient)
}

// copy takes the bytes of one direction. After so many of them it does the harm.
func (p *proxy) copy(from, to net.Conn, h harm, counter *atomic.Int64, stalled chan struct{}, harm func()) {
	type piece struct {
		bytes []byte
		due   time.Time
	}
	pieces := make(chan piece, 1024) // on their way
	go func() {
		defer close(pieces)
		buffer := make([]byte, 16<<10)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				pieces <- piece{append([]byte(nil), buffer[:n]...), time.Now().Add(h.delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	passed := 0
	for sent := range pieces {
		time.Sleep(time.Until(sent.due))
		p.pass()
		select {
		case <-stalled:
			continue
		default:
		}
		bytes := sent.bytes
		reached := h.kind != "" && h.after >= 0 && passed+len(bytes) >= h.after
		if reached {
			bytes = bytes[:h.after-passed]
		}
		passed += len(bytes)
		counter.Add(int64(len(bytes)))
		_, err := to.Write(bytes)
		if reached {
			h.kind = ""
			harm()
			continue
		}
		if err != nil {
			break
		}
	}
	select {
	case <-stalled: // the other side does not hear of the end either
		return
	default:
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	for range pieces {
	}
	_, _ = io.Copy(io.Discard, from)
}

// reset ends a connection without a farewell.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}
