//go:build unix

package cli

import (
	"io/fs"
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
