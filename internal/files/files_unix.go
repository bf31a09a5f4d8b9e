//go:build unix

package files

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

const (
	noFollow = syscall.O_NOFOLLOW // refuses a link
	noWait   = syscall.O_NONBLOCK // does not wait for somebody to write into a pipe
)

// OthersMay reports whether anybody but the owner has one of these rights to a file.
func OthersMay(info fs.FileInfo, rights fs.FileMode) bool {
	return info.Mode().Perm()&rights&0o077 != 0
}

// Owner returns the name of the account that a file belongs to, or its number; empty where there is none.
func Owner(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	id := strconv.FormatUint(uint64(stat.Uid), 10)
	if account, err := user.LookupId(id); err == nil {
		return account.Username
	}
	return id
}

// HasTrustedOwner reports whether a file belongs to the account that runs crm, to root, or to whom the home belongs in
// which crm looks for its files: root may work in somebody's home.
func HasTrustedOwner(info fs.FileInfo, home string) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() {
		return true
	}
	folder, err := os.Stat(home)
	return err == nil && os.Geteuid() == 0 && folder.Sys().(*syscall.Stat_t).Uid == stat.Uid
}

func give(file *os.File, owner fs.FileInfo) error {
	stat, ok := owner.Sys().(*syscall.Stat_t)
	if os.Geteuid() != 0 || !ok || stat.Uid == 0 {
		return nil
	}
	return file.Chown(int(stat.Uid), int(stat.Gid))
}
