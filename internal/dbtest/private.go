package dbtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/epicevents/crm/internal/localdb"
)

// startPrivate returns the folder of the programs that it runs.
func startPrivate() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// Not TMPDIR, which may be too long for a socket and closed to the account that runs the server where root tests.
	home, err := os.MkdirTemp(roomyMemory("/tmp"), "crm-test-")
	if err != nil {
		return "", err
	}
	if stopServer, err = guard(home); err != nil {
		return "", errors.Join(err, os.RemoveAll(home))
	}
	if err := os.Chmod(home, 0o755); err != nil {
		return "", err
	}
	cluster := localdb.New(home, os.Getenv)
	cluster.Settings = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "jit=off", "max_connections=200"}
	program, err := cluster.Program(ctx, "postgres")
	if err != nil {
		return "", err
	}
	if err := cluster.Start(ctx, nil, func(context.Context, string) error { return nil }); err != nil {
		return "", err
	}
	return "the programs in " + filepath.Dir(program), keep(ctx, cluster.AdminURL("postgres"))
}

// guard leaves a shell behind that waits for this process to end, however it ends, and then removes the server and its
// home. The function that it returns has that done at once, and waits for it.
//
// A server that was not yet ready, or an initdb, may write into the home while it is removed; hence the loop.
func guard(home string) (func(), error) {
	const script = `trap '' HUP INT TERM
cat >/dev/null
while [ -e "$1" ]; do
	pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null)
	if [ "${pid:-0}" -gt 1 ] && kill -QUIT "$pid" 2>/dev/null; then sleep 0.02; else rm -rf "$1"; fi
done`
	shell := exec.Command("sh", "-c", script, "sh", home)
	shell.Dir = "/"
	stdin, err := shell.StdinPipe() // closed by the system when this process is gone
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = stdin.Close()
		_ = shell.Wait()
	}, nil
}
