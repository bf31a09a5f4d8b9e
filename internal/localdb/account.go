//go:build linux || darwin

package localdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
)

const (
	// systemDir holds the clusters of root whose home the server's account cannot reach.
	systemDir = "/var/lib/crm"

	// nowhere is a folder that cannot exist, so that a connection to it fails. It stands for a socket folder that is
	// not yet proved to be ours: whoever made that folder could otherwise pose as the server.
	nowhere = "/dev/null"
)

// account is who runs the server and owns its files: the user, or an unprivileged account when the user is root, for
// PostgreSQL refuses to run as root.
type account struct{ uid, gid int }

func isRoot() bool { return os.Geteuid() == 0 }

// account prefers the owner of the existing data, so that an account added to the machine later changes nothing, and then
// that of the home.
func (c *Cluster) account() (account, error) {
	if !isRoot() {
		return account{os.Geteuid(), os.Getegid()}, nil
	}
	if info, err := os.Lstat(c.dataDir()); err == nil {
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 0 {
			return account{int(stat.Uid), int(stat.Gid)}, nil
		}
	}
	if somebody, ok := ownerOfHome(c.home); ok {
		return somebody, nil
	}
	return unprivileged()
}

// ownerOfHome returns the account that a home, or what there is of the path to it, belongs to, if PostgreSQL can run as
// that one. Who owns the home goes on to use the cluster that root makes in it.
func ownerOfHome(path string) (account, bool) {
	info, err := os.Stat(path)
	for os.IsNotExist(err) && filepath.Dir(path) != path {
		path = filepath.Dir(path)
		info, err = os.Stat(path)
	}
	if err != nil {
		return account{}, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	_, err = user.LookupId(strconv.FormatUint(uint64(stat.Uid), 10))
	return account{int(stat.Uid), int(stat.Gid)}, err == nil && stat.Uid != 0
}

func unprivileged() (account, error) {
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseInt(found.Uid, 10, 64)
		gid, gidErr := strconv.ParseInt(found.Gid, 10, 64)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{int(uint32(uid)), int(uint32(gid))}, nil // macOS writes nobody as -2
		}
	}
	return account{}, &failure.Error{
		Code:    failure.Unavailable,
		Message: "PostgreSQL does not run as root, and there is no account postgres or nobody to run it",
		Hint:    "run crm as an ordinary user, or name a server with --database.url",
	}
}

// reaches reports whether the account may search every folder of path that exists.
func (a account) reaches(path string) bool {
	for {
		if info, err := os.Stat(path); err == nil {
			stat := info.Sys().(*syscall.Stat_t)
			search := fs.FileMode(0o001)
			switch {
			case int(stat.Uid) == a.uid:
				search = 0o100
			case int(stat.Gid) == a.gid:
				search = 0o010
			}
			if info.Mode().Perm()&search == 0 {
				return false
			}
		} else if !os.IsNotExist(err) {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

// locate decides where the files lie. The answer must not change while a cluster exists, so an existing folder decides
// before permissions do.
func (c *Cluster) locate() {
	c.home = resolve(c.home)
	c.dir = filepath.Join(c.home, "postgres")
	if isRoot() {
		system := filepath.Join(systemDir, digest(c.home))
		if exists(system) {
			c.dir = system
		} else if owner, err := c.account(); !exists(c.dir) && err == nil && !owner.reaches(c.home) {
			c.dir = system
		}
	}
	c.socket = c.socketDir()
	if c.socket != filepath.Join(c.dir, "socket") && c.checkPrivate(c.socket) != nil {
		c.socket = nowhere
	}
}

// socketDir is inside Dir, unless its path is too long for a socket or has a character that separates lists of hosts.
// Then it is a short folder whose name depends on nothing that differs between two shells, such as TMPDIR.
func (c *Cluster) socketDir() string {
	longest := 107
	if runtime.GOOS == "darwin" {
		longest = 103
	}
	inside := filepath.Join(c.dir, "socket")
	// The lock file has the longer name, but only the socket itself is bound.
	if len(filepath.Join(inside, ".s.PGSQL."+port)) <= longest && !strings.ContainsAny(inside, `,"`) {
		return inside
	}
	owner, _ := c.account() // its failure is reported when something is started
	return fmt.Sprintf("/tmp/crm-%d-%s", owner.uid, digest(c.dir))
}

// makeDirs makes all folders but data.
func (c *Cluster) makeDirs() error {
	if strings.ContainsAny(c.home, "\n\r") {
		return &failure.Error{
			Code:    failure.Unavailable,
			Message: "The local database cannot lie in a folder whose name has a line break",
			Hint:    "set XDG_DATA_HOME to another folder",
		}
	}
	mode := fs.FileMode(0o700)
	if isRoot() {
		mode = 0o711 // the server's account has to pass
	}
	if err := files.MkdirAll(c.dir, mode); err != nil {
		return c.unusable(err)
	}
	socket := c.socketDir()
	if _, err := os.Lstat(socket); os.IsNotExist(err) {
		if err := c.makeSocketDir(socket); err != nil {
			return err
		}
	}
	if err := c.checkPrivate(socket); err != nil {
		return &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("The socket folder of the local database is not safe: %v", err),
			Hint:    "remove it: rm -r " + shellQuote(socket),
			Err:     err,
		}
	}
	c.socket = socket
	return nil
}

// makeSocketDir lets the folder have its name only when it belongs to the server's account: another command may look.
func (c *Cluster) makeSocketDir(socket string) error {
	made, err := os.MkdirTemp(filepath.Dir(socket), "socket.new")
	if err != nil {
		return c.unusable(err)
	}
	defer os.Remove(made) // where another command was faster
	if err := c.give(made); err != nil {
		return err
	}
	if err := os.Rename(made, socket); err != nil && !os.IsExist(err) {
		return c.unusable(err)
	}
	return nil
}

// give makes a new folder the server account's own.
func (c *Cluster) give(path string) error {
	owner, err := c.account()
	if err != nil {
		return err
	}
	if isRoot() {
		err = os.Lchown(path, owner.uid, owner.gid)
	}
	if err != nil {
		return c.unusable(err)
	}
	return nil
}

// checkPrivate returns nil if path is a folder, not a link to one, that only the server's account can enter.
func (c *Cluster) checkPrivate(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	owner, err := c.account()
	if err != nil {
		return err
	}
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", path)
	case int(info.Sys().(*syscall.Stat_t).Uid) != owner.uid:
		return fmt.Errorf("%s belongs to somebody else", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s can be entered by others", path)
	}
	return nil
}

// open opens a file of Dir that this process keeps, never through a link. A file that root makes in the folder of an
// ordinary user is given to that user, who could not use it otherwise.
func (c *Cluster) open(name string, flags int) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(c.dir, name), flags|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, c.unusable(err)
	}
	if info, err := os.Stat(c.dir); err == nil && isRoot() {
		stat := info.Sys().(*syscall.Stat_t)
		if err := file.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
			file.Close()
			return nil, c.unusable(err)
		}
	}
	return file, nil
}

// command prepares a PostgreSQL program to run as the server's account, away from our terminal, folder and environment:
// a server outlives this command, so it must not keep secrets that were meant for it, and PG* variables would mislead it.
func (c *Cluster) command(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	owner, err := c.account()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"HOME=/", "LC_ALL=C"} // messages in English, for failureLine
	for _, name := range []string{"PATH", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value := c.getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if isRoot() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(owner.uid), Gid: uint32(owner.gid)}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd, nil
}

// resolve follows links in the part of path that exists, so that two names of one home mean one cluster.
func resolve(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(resolve(parent), filepath.Base(path))
}

func digest(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:8])
}
