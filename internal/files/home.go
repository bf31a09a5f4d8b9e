package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MkdirAll is os.MkdirAll, except that the umask does not apply and that folders that root makes belong to the owner of
// the first folder above that was there, who could not use them otherwise: root may run crm as in sudo -E or a container. It
// never follows a link out of that folder, whose owner may put one there meanwhile.
func MkdirAll(path string, mode fs.FileMode) error {
	var missing []string
	for {
		_, err := os.Stat(path)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(path) == path {
			return err
		}
		path, missing = filepath.Dir(path), append(missing, filepath.Base(path))
	}
	if len(missing) == 0 {
		return nil
	}
	above, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer func() { above.Close() }()
	owner, err := above.Stat(".")
	if err != nil {
		return err
	}
	for i := len(missing) - 1; i >= 0; i-- {
		err := above.Mkdir(missing[i], mode)
		made := err == nil
		if !made && !errors.Is(err, fs.ErrExist) { // another command may have been faster
			return err
		}
		folder, err := above.OpenRoot(missing[i])
		if err != nil {
			return err
		}
		above.Close()
		above = folder
		if made {
			if err := settle(folder, mode, owner); err != nil {
				return err
			}
		}
	}
	return nil
}

func settle(folder *os.Root, mode fs.FileMode, owner fs.FileInfo) error {
	opened, err := folder.Open(".")
	if err != nil {
		return err
	}
	defer opened.Close()
	return errors.Join(opened.Chmod(mode), give(opened, owner))
}

// Give makes a new file the own of who owns its folder, if root made it.
func Give(file *os.File) error {
	owner, err := os.Stat(filepath.Dir(file.Name()))
	if err != nil {
		return err
	}
	return give(file, owner)
}
