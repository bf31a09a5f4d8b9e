package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The name of a backup that is being written, beside where it will be. What follows a killed crm has no more than that.
const (
	partialPrefix = ".crm-backup-"
	partialSuffix = ".partial"
)

// createPartial makes a file for nobody else to read, and marks it as in use until done is called or the process is gone.
// What others left in the folder whose process is gone is removed first.
func createPartial(folder string) (file *os.File, done func(), err error) {
	removePartials(folder)
	for {
		if file, err = os.CreateTemp(folder, partialPrefix+"*"+partialSuffix); err != nil {
			return nil, nil, err
		}
		// Opened once more: pg_dump shares what it is given, and would go on to hold the mark when crm is killed.
		mark, marked, err := markPartial(file.Name())
		if marked || err != nil && !errors.Is(err, fs.ErrNotExist) { // a file system without locks
			return file, func() {
				_ = os.Remove(file.Name()) // unless it has its own name by now
				_ = file.Close()
				_ = mark.Close()
			}, nil
		}
		_, _ = file.Close(), mark.Close() // another crm was faster, and took it for one that nobody writes
	}
}

// removePartials removes what killed processes left.
func removePartials(folder string) {
	entries, _ := os.ReadDir(folder) // a folder that cannot be listed keeps what it has
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		if !entry.Type().IsRegular() || !strings.HasPrefix(entry.Name(), partialPrefix) || !strings.HasSuffix(entry.Name(), partialSuffix) {
			continue
		}
		mark, marked, _ := markPartial(name)
		if marked {
			_ = os.Remove(name)
		}
		_ = mark.Close()
	}
}
