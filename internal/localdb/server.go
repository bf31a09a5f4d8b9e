//go:build linux || darwin

package localdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/epicevents/crm/internal/failure"
)

// Start makes the server run and the database exist, and returns when the database accepts connections. It costs one
// connection when that is so already. The first Start makes the cluster and calls create for the new database; Starts
// in other processes wait meanwhile. progress, which may be nil, gets one-line notices. The errors are Error, those of
// create, and that of ctx.
func (c *Cluster) Start(ctx context.Context, progress func(string), create Create) error {
	if ping(ctx, c.URL(Database)) == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	progress = eachOnce(progress)
	if err := c.makeDirs(); err != nil {
		return err
	}
	lock, err := c.lock(ctx, progress)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := c.ensureServer(ctx, lock, progress); err != nil {
		return err
	}
	if err := c.changeOver(ctx); err != nil {
		return err
	}
	return c.ensureDatabase(ctx, progress, create)
}

// Stop ends the server, which disconnects everybody, and waits until it is gone. It does nothing if none runs.
func (c *Cluster) Stop(ctx context.Context) error {
	if !exists(filepath.Join(c.dir, "lock")) {
		return nil
	}
	lock, err := c.lock(ctx, func(string) {})
	if err != nil {
		return err
	}
	defer lock.Close()
	server := readPostmaster(c.dataDir())
	if !server.living() {
		return nil
	}
	const fastShutdown = syscall.SIGINT
	if err := unix.Kill(server.pid, fastShutdown); err != nil {
		return &failure.Error{Code: failure.Unavailable, Message: fmt.Sprintf("The local database server (process %d) cannot be ended: %v", server.pid, err), Err: err}
	}
	for deadline := time.Now().Add(patience); ; {
		// The pid file goes last, but a killed server leaves it behind.
		if readPostmaster(c.dataDir()).pid != server.pid || !server.exists() {
			return nil
		}
		if time.Now().After(deadline) {
			return &failure.Error{
				Code:    failure.Unavailable,
				Message: fmt.Sprintf("The local database server (process %d) did not end within %v", server.pid, patience),
				Hint:    "see " + c.LogFile(),
			}
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// Status reports on the cluster without starting or changing anything.
func (c *Cluster) Status(context.Context) (Status, error) {
	status := Status{State: Absent, Dir: c.dir}
	if !exists(c.dataDir()) {
		return status, nil
	}
	status.State = Stopped
	if server := readPostmaster(c.dataDir()); server.living() {
		status.State, status.PID = Running, server.pid
	}
	var err error
	status.Major, err = c.dataMajor()
	return status, err
}

// lock waits for the right to change the cluster. Closing the file releases it, and so does the end of the process.
func (c *Cluster) lock(ctx context.Context, progress func(string)) (*os.File, error) {
	file, err := c.open("lock", os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return file, nil
		case err != unix.EWOULDBLOCK && err != unix.EINTR:
			err = c.unusable(err)
		case time.Now().After(deadline):
			err = &failure.Error{
				Code:    failure.Unavailable,
				Message: "Another crm command is still starting the local database",
				Hint:    "try again in a moment",
			}
		default:
			progress("Waiting for another crm command that starts the local database ...")
			err = pause(ctx)
		}
		if err != nil {
			file.Close()
			return nil, err
		}
	}
}

// ensureServer looks again and again at what there is, and does the next thing: wait for a server that comes up or
// goes down, or for the processes that a killed one left behind, or launch one.
func (c *Cluster) ensureServer(ctx context.Context, lock *os.File, progress func(string)) error {
	const grace = 2 * time.Second // for states that normally pass within milliseconds
	var (
		launched *child
		retried  bool
		begin    = time.Now()
	)
	for {
		server := readPostmaster(c.dataDir())
		err := ping(ctx, c.AdminURL(adminDatabase))
		switch {
		case err == nil, isUnknownRole(err): // see changeOver
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case isRefusal(err):
			return &failure.Error{
				Code:    failure.Unavailable,
				Message: "The local database server refuses the connection: " + sqlMessage(err),
				Hint:    "see " + c.LogFile(),
				Err:     err,
			}
		case time.Since(begin) > patience && server.orphaned():
			return &failure.Error{
				Code:    failure.Unavailable,
				Message: fmt.Sprintf("The local database server (process %d) was killed, and statements that it ran still work on the data", server.pid),
				Hint:    "end the crm commands that wait for them, then try again",
				Err:     err,
			}
		case time.Since(begin) > patience:
			return &failure.Error{
				Code:    failure.Unavailable,
				Message: fmt.Sprintf("The local database server was not ready within %v", patience),
				Hint:    "it may be recovering: try again in a moment, or see " + c.LogFile(),
				Err:     err,
			}
		case launched.running():
		case server.living():
			if server.ready && isUnreachable(err) && time.Since(begin) > grace {
				return &failure.Error{
					Code:    failure.Unavailable,
					Message: fmt.Sprintf("The local database server (process %d) runs, but its socket in %s is gone", server.pid, c.socket),
					Hint:    "crm db stop, then try again",
					Err:     err,
				}
			}
		case server.orphaned():
		case launched == nil && server.newborn() && time.Since(begin) < grace:
		case launched == nil:
			inst, err := c.ensureCluster(ctx, lock, progress)
			if err != nil {
				return err
			}
			begin = time.Now()
			if launched, err = c.launch(ctx, inst, 0); err != nil {
				return err
			}
			defer launched.close()
		case !retried && server.exists() && server.segment != 0:
			// PostgreSQL gave up because a process has the number in the pid file, but that process is not the server.
			retried = true
			inst, err := c.installation(ctx)
			if err != nil {
				return err
			}
			if launched, err = c.launch(ctx, inst, server.pid); err != nil {
				return err
			}
			defer launched.close()
		default:
			return c.startFailure(launched)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}
