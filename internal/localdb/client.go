package localdb

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/epicevents/crm/internal/failure"
)

// Client is one of PostgreSQL's programs for whoever uses a server, such as pg_dump.
type Client struct {
	Path  string
	Major int // its PostgreSQL version
}

// Client finds the program of the server's version, or else the newest: an older one than the server's does not do. For
// what needs no server, server is 0. From the environment it uses CRM_POSTGRES_BIN and PATH.
func (c *Cluster) Client(ctx context.Context, name string, server int) (Client, error) {
	var best Client
	for _, folder := range c.folders() {
		if best.Major == server && server != 0 {
			break
		}
		path := filepath.Join(folder, name)
		// Debian's wrapper of that name would choose a version, and a server, by rules of its own.
		if target, err := filepath.EvalSymlinks(path); err != nil || filepath.Base(target) != name || !isProgram(target) {
			continue
		}
		command := exec.CommandContext(ctx, path, "--version")
		command.Env = []string{"LC_ALL=C"}
		output, err := command.Output()
		match := versionOutput().FindSubmatch(output)
		if err != nil || match == nil {
			continue
		}
		if major, err := strconv.Atoi(string(match[1])); err == nil && (major == server || major > best.Major) {
			best = Client{path, major}
		}
	}
	if err := ctx.Err(); err != nil {
		return best, err
	}
	hint := "install it with: " + c.installCommand()
	switch {
	case best.Major == 0:
		return best, &failure.Error{Code: failure.Unavailable, Message: fmt.Sprintf("PostgreSQL's program %s was not found on this machine", name), Hint: hint}
	case best.Major < server:
		return best, &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("The server is PostgreSQL %d, and %s only of version %d is installed, which is too old for it", server, name, best.Major),
			Hint:    fmt.Sprintf("install the client programs of PostgreSQL %d or newer, or name their folder with CRM_POSTGRES_BIN", server),
		}
	}
	return best, nil
}
