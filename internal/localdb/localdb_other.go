//go:build !linux && !darwin

package localdb

import (
	"context"
	"os/exec"
	"path/filepath"

	"github.com/epicevents/crm/internal/failure"
)

func unsupported() error {
	return &failure.Error{
		Code:    failure.Unavailable,
		Message: "The local database is not available on this system",
		Hint:    "name a PostgreSQL server with --database.url",
	}
}

func (c *Cluster) locate() {
	c.dir = filepath.Join(c.home, "postgres")
	c.socket = filepath.Join(c.dir, "socket")
}

func (c *Cluster) command(context.Context, string, ...string) (*exec.Cmd, error) {
	return nil, unsupported()
}

// Start always fails on this system, with an Error that names the alternative.
func (c *Cluster) Start(context.Context, func(string), Create) error { return unsupported() }

// Stop does nothing: no local server can run on this system.
func (c *Cluster) Stop(context.Context) error { return nil }

// Status always reports Absent on this system.
func (c *Cluster) Status(context.Context) (Status, error) {
	return Status{State: Absent, Dir: c.dir}, nil
}
