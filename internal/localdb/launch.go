//go:build linux || darwin

package localdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/epicevents/crm/internal/failure"
)

// child is a server that this process launched.
type child struct {
	exited chan struct{}
	log    *os.File
	offset int64 // where its part of the log begins
}

func (s *child) running() bool {
	if s == nil {
		return false
	}
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// launch starts a server that does not end with this process. stale, if not 0, is the number in the pid file of which
// we know that it is no server's.
func (c *Cluster) launch(ctx context.Context, inst installation, stale int) (*child, error) {
	// No server can be listening here, and PostgreSQL would trust the process number in the socket's lock file.
	for _, name := range []string{".s.PGSQL." + port, ".s.PGSQL." + port + ".lock"} {
		if err := os.Remove(filepath.Join(c.socket, name)); err != nil && !os.IsNotExist(err) {
			return nil, c.unusable(err)
		}
	}
	const longestLog = 1 << 20
	if info, err := os.Lstat(c.LogFile()); err == nil && info.Size() > longestLog {
		if err := os.Rename(c.LogFile(), c.LogFile()+".old"); err != nil {
			return nil, c.unusable(err)
		}
	}
	log, err := c.open("log", os.O_RDWR|os.O_CREATE|os.O_APPEND)
	if err != nil {
		return nil, err
	}
	// The heading also finds out whether there is space left for the server to say why it cannot start.
	_, err = fmt.Fprintf(log, "%s crm starts PostgreSQL %d from %s\n", time.Now().Format(time.RFC3339), inst.major, inst.bin)
	offset, seekErr := log.Seek(0, io.SeekEnd)
	if err := errors.Join(err, seekErr); err != nil {
		log.Close()
		return nil, c.unusable(err)
	}

	settings := append([]string{
		"listen_addresses=",
		`unix_socket_directories="` + c.socket + `"`,
		"unix_socket_permissions=0700",
		"port=" + port,
		"cluster_name=crm",
		"logging_collector=off",
		"log_destination=stderr",
		"log_min_messages=log", // not the errors of statements: those are reported to who sent them
		"log_checkpoints=off",
		"log_parameter_max_length=0", // nor, where somebody has statements logged, the passwords and keys in them
	}, c.Settings...)
	if runtime.GOOS == "linux" || inst.major >= 15 {
		// The statement of a killed command ends soon, even if the server was killed too: it would delay the next start.
		settings = append(settings, "client_connection_check_interval=500ms")
	}
	args := []string{"-D", c.dataDir()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	// Cancelling ctx must not end the server.
	cmd, err := c.command(context.WithoutCancel(ctx), filepath.Join(inst.bin, "postgres"), args...)
	if err != nil {
		log.Close()
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if stale != 0 {
		// PostgreSQL takes a pid file that names its grandparent for stale, but still refuses to start while the shared
		// memory named there is in use. So this cannot lead to two servers, unlike removing the file.
		cmd.Env = append(cmd.Env, "PG_GRANDPARENT_PID="+strconv.Itoa(stale))
	}
	if err := startAlone(cmd); err != nil {
		log.Close()
		return nil, &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("The local database server cannot be started: %v", err),
			Hint:    "check the programs in " + inst.bin,
			Err:     err,
		}
	}
	launched := &child{exited: make(chan struct{}), log: log, offset: offset}
	go func() {
		defer close(launched.exited)
		_ = cmd.Wait() // why it ended stands in the log
	}()
	return launched, nil
}

func (s *child) close() { s.log.Close() }

func (c *Cluster) startFailure(launched *child) error {
	why := "see the log"
	if output, err := io.ReadAll(io.NewSectionReader(launched.log, launched.offset, 1<<20)); err == nil {
		if line := failureLine(string(output)); line != "" {
			why = line
		}
	}
	return &failure.Error{
		Code:    failure.Unavailable,
		Message: "The local database server does not start: " + why,
		Hint:    "see " + c.LogFile(),
	}
}
