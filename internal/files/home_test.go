//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// somebody is whose home it is: an account other than root's, if root runs the test.
func somebody() (uid, gid int) {
	if os.Geteuid() == 0 {
		return 12345, 12346
	}
	return os.Geteuid(), os.Getegid()
}

func home(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	uid, gid := somebody()
	if err := os.Chown(home, uid, gid); err != nil {
		t.Fatal(err)
	}
	return home
}

func TestFoldersBelongToWhoseHomeItIs(t *testing.T) {
	home := home(t)
	uid, gid := somebody()
	defer syscall.Umask(syscall.Umask(0o077))
	folder := filepath.Join(home, ".local", "share", "crm")
	for range 2 {
		if err := MkdirAll(folder, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.CreateTemp(folder, "key")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := Give(file); err != nil {
		t.Fatal(err)
	}
	for path := file.Name(); path != home; path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if stat := info.Sys().(*syscall.Stat_t); int(stat.Uid) != uid || int(stat.Gid) != gid {
			t.Errorf("%s belongs to %d:%d", path, stat.Uid, stat.Gid)
		}
		if info.IsDir() && info.Mode().Perm() != 0o711 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
}

func TestFoldersWhereNoneCanBe(t *testing.T) {
	home := home(t)
	if err := os.WriteFile(filepath.Join(home, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	if err := os.Symlink(filepath.Join(outside, "new"), filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"file/crm": syscall.ENOTDIR, "link/crm": nil} {
		err := MkdirAll(filepath.Join(home, name), 0o700)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(outside, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a folder was made through a link that leads elsewhere")
	}
}
