package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	headTime       = 5 * time.Second
	idleTime       = 60 * time.Second
	headMax        = 16 << 10
	connectionsMax = 256
	stopTime       = 10 * time.Second // what is under way has to end in it
	exportTime     = 2 * time.Minute  // rows that are being sent
	quietTime      = time.Second      // after which somebody who sends no request is not waited for
)

// Serve answers on the listeners until the context ends, and then lets finish what is under way: what has one result
// within ten seconds, rows within two minutes. Whoever has connected by then is answered. The listeners are closed.
func (srv *Server) Serve(ctx context.Context, listeners ...Listener) error {
	crowd := newCrowd(connectionsMax)
	var open []*limitedListener
	var served []net.Listener
	for _, listener := range listeners {
		limited, each, err := listener.open(crowd)
		if err != nil {
			return err
		}
		open, served = append(open, limited), append(served, each)
	}
	stopping := newStopping()
	server := &http.Server{
		Handler:           crowd.answers(srv.handler(stopping)),
		ReadHeaderTimeout: headTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headMax,
		ConnContext:       func(ctx context.Context, conn net.Conn) context.Context { return crowd.with(withPeer(ctx, conn), conn) },
		ConnState:         crowd.note,
		ErrorLog:          slog.NewLogLogger(srv.Log.Handler(), slog.LevelWarn),
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1
	}
	results := make(chan error, len(listeners))
	for _, listener := range served {
		go func() { results <- server.Serve(listener) }()
	}
	var err error
	select {
	case err = <-results: // one that fails ends all
	case <-ctx.Done():
	}
	grace := time.AfterFunc(stopTime, stopping.now)
	defer grace.Stop()
	if err == nil {
		for _, listener := range open {
			if late := listener.leave(); late != nil {
				srv.Log.Warn("a socket is left behind", "on", listener.Addr().String(), "error", late.Error())
			}
		}
		for range open {
			select {
			case <-results: // all who had come are taken
			case <-stopping.Done(): // as when there is no place for them
			}
		}
		crowd.settle()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTime)
	defer cancel()
	if late := server.Shutdown(last); late != nil {
		err = errors.Join(err, server.Close())
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// stopping tells what has one result when its time is over.
type stopping struct {
	context.Context
	now context.CancelFunc
}

func newStopping() *stopping {
	ctx, now := context.WithCancel(context.Background())
	return &stopping{ctx, now}
}

// untilGrace returns a context that ends also when a server that stops waits no longer.
func (s *stopping) untilGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(s, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}

// TLS returns the settings of a server whose certificate and key are read again when their files change.
func TLS(certFile, keyFile string) (*tls.Config, error) {
	files := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := files.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}, GetCertificate: files.get}, nil
}

type certificate struct {
	certFile, keyFile string
	mutex             sync.Mutex
	read              [2]time.Time
	current           *tls.Certificate
}

// get returns the certificate in the files. While they cannot be read, as between the writing of one and of the other,
// it is the one before.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var changed [2]time.Time
	for i, name := range []string{c.certFile, c.keyFile} {
		if file, err := os.Stat(name); err == nil {
			changed[i] = file.ModTime()
		}
	}
	if c.current != nil && changed == c.read {
		return c.current, nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		if c.current != nil {
			return c.current, nil
		}
		return nil, err
	}
	c.current, c.read = &pair, changed
	return c.current, nil
}
