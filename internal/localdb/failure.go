package localdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/internal/failure"
)

// isUnreachable reports whether nobody listens at the socket, or there is none.
func isUnreachable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// isRefusal reports whether trying again to connect is useless.
func isRefusal(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.Code {
	case "57P01", "57P02", "57P03", "53300": // shutting down, crashed, starting up, too many connections
		return false
	}
	return true
}

// unusable turns a failed file operation into an Error that names the folder.
func (c *Cluster) unusable(err error) error {
	cause := err
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		cause = pathErr.Err
	}
	return &failure.Error{
		Code:    failure.Unavailable,
		Message: fmt.Sprintf("The local database cannot use the folder %s: %v", c.dir, cause),
		Hint:    "mend that, choose another folder with XDG_DATA_HOME, or name a server with --database.url",
		Err:     err,
	}
}

// sqlFailure turns the failure of one of our own statements into an Error; the end of ctx stays what it is.
func (c *Cluster) sqlFailure(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &failure.Error{
		Code:    failure.Unavailable,
		Message: fmt.Sprintf("The local database in %s cannot be made ready: %s", c.dir, sqlMessage(err)),
		Hint:    "see " + c.LogFile(),
		Err:     err,
	}
}

func sqlMessage(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Message
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func isLocaleFailure(line string) bool { return strings.Contains(line, "locale") }

// eachOnce passes every notice on once, and accepts nil.
func eachOnce(progress func(string)) func(string) {
	said := map[string]bool{}
	return func(notice string) {
		if progress != nil && !said[notice] {
			said[notice] = true
			progress(notice)
		}
	}
}

// pause waits a tick, or returns the error of ctx.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(tick):
		return nil
	}
}
