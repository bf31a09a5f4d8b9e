//go:build linux || darwin

package localdb

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/epicevents/crm/internal/failure"
)

// ensureCluster makes the cluster if there is none, and returns the programs that fit it.
func (c *Cluster) ensureCluster(ctx context.Context, lock *os.File, progress func(string)) (installation, error) {
	inst, err := c.installation(ctx)
	if err != nil {
		return inst, err
	}
	if exists(c.dataDir()) {
		progress(Starting)
		return inst, nil
	}
	progress(c.creating())
	fresh := filepath.Join(c.dir, "data.new")
	// The first locale that the system has: text in UTF-8, upper and lower case of accented letters, if possible.
	for _, locale := range []string{"C.UTF-8", "en_US.UTF-8", "UTF-8", "C"} {
		if err := os.RemoveAll(fresh); err != nil {
			return inst, c.unusable(err)
		}
		if err := os.Mkdir(fresh, 0o700); err != nil {
			return inst, c.unusable(err)
		}
		if err := c.give(fresh); err != nil {
			return inst, err
		}
		args := []string{"--pgdata=" + fresh, "--username=" + superuser, "--auth-local=trust", "--auth-host=reject",
			"--encoding=UTF8", "--locale=" + locale, "--lc-messages=C", "--no-instructions"}
		for _, setting := range c.Settings {
			if setting == "fsync=off" {
				args = append(args, "--no-sync")
			}
		}
		cmd, err := c.command(ctx, filepath.Join(inst.bin, "initdb"), args...)
		if err != nil {
			return inst, err
		}
		// If we are killed, initdb goes on for a moment: it keeps the lock, so nobody works in its folder meanwhile.
		cmd.ExtraFiles = []*os.File{lock}
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		if err = startAlone(cmd); err == nil {
			err = cmd.Wait()
		}
		if ctx.Err() != nil {
			return inst, ctx.Err()
		}
		if err != nil {
			why := failureLine(output.String())
			if isLocaleFailure(why) && locale != "C" {
				continue
			}
			if strings.Contains(why, "could not look up effective user ID") {
				owner, _ := c.account()
				return inst, &failure.Error{
					Code:    failure.Unavailable,
					Message: fmt.Sprintf("The account number %d is not in the system's list of accounts, and PostgreSQL's initdb needs it there", owner.uid),
					Hint:    "add an entry to /etc/passwd, or name a server with --database.url",
					Err:     err,
				}
			}
			if why == "" {
				why = err.Error()
			}
			return inst, &failure.Error{
				Code:    failure.Unavailable,
				Message: fmt.Sprintf("The local database cannot be created in %s: %s", c.dir, why),
				Hint:    "mend that, choose another folder with XDG_DATA_HOME, or name a server with --database.url",
				Err:     err,
			}
		}
		break
	}
	if err := os.Rename(fresh, c.dataDir()); err != nil {
		return inst, c.unusable(err)
	}
	// The new name must reach the disk before the data that users entrust to it.
	dir, err := os.Open(c.dir)
	if err != nil {
		return inst, c.unusable(err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return inst, c.unusable(err)
	}
	return inst, nil
}

func (c *Cluster) creating() string {
	return fmt.Sprintf("Creating the local database in %s ...", c.dir)
}
