// Package pgclient runs PostgreSQL's own programs that use a server or its files: pg_dump, which saves a database, and
// pg_restore, which makes SQL of what was saved. It chooses the program whose version fits the server, tells it through
// its environment where the database is, and says in a failure.Error why it failed.
//
// Nothing that is secret stands on a command line, which others can see, and no variable of the user's leads a program
// elsewhere: only Connection does. This package must not know settings, commands or terminals, and decides nothing about
// how safe a connection has to be. To run one more program add its name to the constants, and its words to explain.
package pgclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"strings"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
)

// The programs.
const (
	Dump    = "pg_dump"
	Restore = "pg_restore"
)

// Client is a program that was found.
type Client struct {
	name string
	localdb.Program
}

// Find returns the program of the server's major version, or else the newest: one older than the server does not do. For
// what needs no server, server is 0.
func Find(ctx context.Context, cluster *localdb.Cluster, name string, server int) (Client, error) {
	client := Client{name, choose(cluster.Programs(ctx, name), server)}
	switch {
	case ctx.Err() != nil:
		return client, ctx.Err()
	case client.Major == 0:
		return client, &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("PostgreSQL's program %s was not found on this machine", name),
			Hint:    "install it with: " + cluster.InstallCommand(),
		}
	case client.Major < server:
		return client, &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("The server is PostgreSQL %d, and %s only of version %d is installed, which is too old for it", server, name, client.Major),
			Hint:    fmt.Sprintf("install the client programs of PostgreSQL %d or newer, or name their folder with CRM_POSTGRES_BIN", server),
		}
	}
	return client, nil
}

// choose returns the first program of the server's version, or else the first of the newest.
func choose(programs iter.Seq[localdb.Program], server int) (best localdb.Program) {
	for p := range programs {
		if p.Major == server {
			return p
		}
		if p.Major > best.Major {
			best = p
		}
	}
	return best
}

// Run runs the program on a database until it ends. What it prints goes to the file.
func (c Client) Run(ctx context.Context, database Connection, stdout *os.File, arguments ...string) error {
	command := exec.CommandContext(ctx, c.Path, arguments...)
	command.Env = database.Environment(c.Major)
	var stderr bytes.Buffer
	command.Stdout, command.Stderr = stdout, &stderr
	if err := command.Run(); err != nil {
		return c.explain(ctx, &stderr, err)
	}
	return nil
}

// Start starts the program, which needs no database, and returns what it prints. Close waits for its end and reports
// whether it succeeded.
func (c Client) Start(ctx context.Context, arguments ...string) (io.ReadCloser, error) {
	r := &running{ctx: ctx, client: c, command: exec.CommandContext(ctx, c.Path, arguments...)}
	r.command.Env = []string{messagesInEnglish}
	r.command.Stderr = &r.stderr
	var err error
	if r.Reader, err = r.command.StdoutPipe(); err == nil {
		err = r.command.Start()
	}
	if err != nil {
		return nil, c.explain(ctx, &r.stderr, err)
	}
	return r, nil
}

// running is a program that was started: Read returns what it prints, Close waits for it.
type running struct {
	io.Reader
	ctx     context.Context
	client  Client
	command *exec.Cmd
	stderr  bytes.Buffer
}

// Close reads what nobody wanted, for the program would wait for a reader.
func (r *running) Close() error {
	_, _ = io.Copy(io.Discard, r.Reader)
	if err := r.command.Wait(); err != nil {
		return r.client.explain(r.ctx, &r.stderr, err)
	}
	return nil
}

// explain says why a program failed, in its own words where it left some.
func (c Client) explain(ctx context.Context, stderr *bytes.Buffer, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	why := err.Error()
	for line := range strings.Lines(stderr.String()) {
		if _, text, ok := strings.Cut(line, "error: "); ok {
			why = strings.TrimSpace(text)
			break
		}
	}
	problem := &failure.Error{Code: failure.Unavailable, Message: fmt.Sprintf("%s failed: %s", c.name, why), Err: err}
	switch {
	case c.name == Restore: // reads the file and nothing else
		problem.Code, problem.Message = failure.Usage, "The file is not a backup of crm: "+why
	case strings.Contains(why, "No space left on device"):
		problem.Code, problem.Message = failure.Internal, "The backup could not be written: the disk is full."
	}
	return problem
}
