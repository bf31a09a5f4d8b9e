package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/remote"
	"github.com/epicevents/crm/service"
)

func (a *app) serveCommand() *ffcli.Command {
	c := a.Command("serve", "let others work with this database who have neither its URL nor the signing key").ForHost().WithoutLogin().Examples(
		"timeout --preserve-status 2 crm serve --serve.socket crm.sock",
	)
	return c.Does(a.serve)
}

// memoryWanted is when the server's memory is collected at the latest, unless $GOMEMLIMIT says another. It needs some 20 MiB
// and 64 for each of the two passwords that it hashes at a time; without this the blocks of those before them add up.
const memoryWanted = 256 << 20

// serve answers until the context ends. Whoever is told so by the record "listening" may send requests.
func (a *app) serve(ctx context.Context) error {
	if a.Config.ServeSocket == "" && a.Config.ServeListen == "" && !a.isHandedSockets() { // before a database is made for it
		return failure.Misuse("crm serve is told neither serve.socket nor serve.listen.", "crm serve --serve.socket /run/crm/crm.sock")
	}
	settings, err := a.serverTLS()
	if err != nil {
		return err
	}
	if a.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryWanted)
	}
	a.Connections = int32(a.Config.ServeConnections)
	log := slog.New(slog.NewJSONHandler(a.Err, nil))
	s, err := a.fitService(ctx, log)
	if err != nil || s == nil {
		return err
	}
	listeners, err := a.listeners(ctx, settings)
	if err != nil {
		return err
	}
	for _, listener := range listeners {
		log.Info("listening", "on", listener.Addr().String(), "version", Version)
	}
	if err := a.notifySystemd("READY=1\nSTATUS=crm " + Version); err != nil {
		return err
	}
	server := &remote.Server{Service: s, Version: Version, Log: log, Most: a.Config.DatabaseTimeout}
	if err := server.Serve(ctx, listeners...); err != nil {
		return &failure.Error{Code: failure.Unavailable, Message: "The server ended: " + err.Error() + ".", Err: err}
	}
	return nil
}

// fitService returns the service on a database that answers and has the schema of this crm. Where systemd listens, clients
// wait in its sockets, and so does this, until such a database is there: a server that ended would be started anew for
// each of them. It returns nothing if it is told to end while it waits.
func (a *app) fitService(ctx context.Context, log *slog.Logger) (*service.Service, error) {
	told := ""
	for {
		s, err := a.Service(ctx)
		if err == nil {
			_, err = s.Within(a.Config.DatabaseTimeout).CheckVersion(ctx)
		}
		problem, ok := errors.AsType[*failure.Error](err)
		switch {
		case err == nil:
			return s, nil
		case a.isHandedSockets() && ctx.Err() != nil:
			return nil, nil
		case !a.isHandedSockets() || !ok || problem.Code != failure.Unavailable:
			return nil, err
		}
		if told != problem.Message {
			told = problem.Message
			log.Warn("waiting", "why", problem.Message, "hint", problem.Hint)
			if err := a.notifySystemd("STATUS=Waiting: " + problem.Message); err != nil {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(waitTime):
		}
	}
}

// waitTime is how often a database that is waited for is asked.
const waitTime = time.Second

// serverTLS returns the certificate's settings; nil where none is named.
func (a *app) serverTLS() (*tls.Config, error) {
	cert, key := a.Config.ServeTLSCert, a.Config.ServeTLSKey
	switch {
	case cert == "" && key == "" && a.Config.ServeListen != "":
		return nil, failure.Misuse("serve.listen needs serve.tls_cert and serve.tls_key: passwords are not sent in clear.", "")
	case cert == "" && key == "":
		return nil, nil
	case cert == "" || key == "":
		return nil, failure.Misuse("serve.tls_cert and serve.tls_key go together.", "")
	}
	settings, err := remote.TLS(cert, key)
	if err != nil {
		return nil, failure.Misuse("The certificate in serve.tls_cert and its key in serve.tls_key cannot be read, or do not fit.", "").With(err)
	}
	return settings, nil
}

// listeners are those that systemd hands over, or else those of the settings.
func (a *app) listeners(ctx context.Context, settings *tls.Config) ([]remote.Listener, error) {
	handed, err := a.handedOver(settings)
	if err != nil || len(handed) > 0 {
		return handed, err
	}
	var listeners []remote.Listener
	refused := func(where string, err error) error {
		for _, listener := range listeners {
			err = errors.Join(err, listener.Close())
		}
		return &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("crm cannot listen on %s: %v.", where, errors.Unwrap(err)), Err: err}
	}
	var config net.ListenConfig
	if path := a.Config.ServeSocket; path != "" {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		listener, err := config.Listen(ctx, "unix", path)
		if err != nil {
			return nil, refused(path, err)
		}
		listeners = append(listeners, remote.Listener{Listener: listener, Own: true})
		if err := os.Chmod(path, 0o660); err != nil { // its group may work with crm
			return nil, refused(path, err)
		}
	}
	if address := a.Config.ServeListen; address != "" {
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, refused(address, err)
		}
		listeners = append(listeners, remote.Listener{Listener: listener, TLS: settings, Own: true})
	}
	return listeners, nil
}

// removeStale removes the socket of a server that is no more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode()&fs.ModeSocket == 0 {
		return &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("%s is there, and is no socket.", path)}
	}
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("Another server listens on %s.", path)}
	}
	if err := os.Remove(path); err != nil {
		return &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("The socket %s of a server that ended cannot be removed.", path), Err: err}
	}
	return nil
}

// The first file that systemd hands over; before it are the three that every process has.
const firstHanded = 3

// isHandedSockets reports whether systemd says that it listens for this process.
func (a *app) isHandedSockets() bool { return a.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) }

// handedOver returns the sockets that systemd listens on for this process.
func (a *app) handedOver(settings *tls.Config) ([]remote.Listener, error) {
	if !a.isHandedSockets() {
		return nil, nil
	}
	count, err := strconv.Atoi(a.Getenv("LISTEN_FDS"))
	if err != nil {
		return nil, failure.Misuse("LISTEN_FDS is no number of sockets.", "")
	}
	var listeners []remote.Listener
	for n := range count {
		file := os.NewFile(uintptr(firstHanded+n), "LISTEN_FDS")
		listener, err := net.FileListener(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, failure.Misuse("What systemd hands over is no socket that listens.", "").With(err)
		}
		each := remote.Listener{Listener: listener}
		if _, isUnix := listener.(*net.UnixListener); !isUnix {
			if settings == nil {
				return nil, failure.Misuse("A socket that is reached over a network needs serve.tls_cert and serve.tls_key.", "")
			}
			each.TLS = settings
		}
		listeners = append(listeners, each)
	}
	return listeners, nil
}

// notifySystemd tells systemd how far the service is, if it asks for that.
func (a *app) notifySystemd(state string) error {
	address := a.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", address)
	if err == nil {
		_, err = conn.Write([]byte(state))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		return failure.Misuse("The socket in NOTIFY_SOCKET takes no word.", "").With(err)
	}
	return nil
}
