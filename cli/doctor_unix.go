//go:build unix

package cli

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// othersMay says whether anybody but the owner has one of these rights to a file.
func othersMay(info fs.FileInfo, rights fs.FileMode) bool {
	return info.Mode().Perm()&rights&0o077 != 0
}

// ownerOf names the account that a file belongs to.
func ownerOf(info fs.FileInfo) string {
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

// isTrustedOwner reports whether a file belongs to the account that runs crm, to root, or to whom the home belongs in
// which crm looks for its files: root may work in somebody's home.
func (a *app) isTrustedOwner(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() {
		return true
	}
	home, err := os.Stat(a.home)
	return err == nil && os.Geteuid() == 0 && home.Sys().(*syscall.Stat_t).Uid == stat.Uid
}
