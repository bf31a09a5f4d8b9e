package localdb

import (
	"context"
	"iter"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Program is one of PostgreSQL's programs for whoever uses a server, such as pg_dump.
type Program struct {
	Path  string
	Major int // its PostgreSQL version
}

// Programs yields the programs of that name on this machine, in the order in which their folders are preferred. Each is
// asked for its version when its turn comes, so that a caller who breaks saves the rest. They need not fit the cluster.
func (c *Cluster) Programs(ctx context.Context, name string) iter.Seq[Program] {
	return func(yield func(Program) bool) {
		for _, folder := range c.folders() {
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
			if major, err := strconv.Atoi(string(match[1])); err == nil && !yield(Program{path, major}) {
				return
			}
		}
	}
}
