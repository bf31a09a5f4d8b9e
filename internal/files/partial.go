package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The name of a file that is being written, beside where it will be, has these around its kind. What follows a killed crm
// has no more than that.
const (
	partialPrefix = ".crm-"
	partialSuffix = ".partial"
)

// Partial is a file that is being written under a name of its own, for nobody else to read.
type Partial struct {
	*os.File
	mark *os.File
}

// Create makes a partial file in a folder and marks it as in use until it is closed or the process is gone. What
// processes that are gone left of this kind in the folder is removed first.
func Create(folder, kind string) (*Partial, error) {
	removePartials(folder, kind)
	for {
		file, err := os.CreateTemp(folder, partialPrefix+kind+"-*"+partialSuffix) // made with mode 0600
		if err != nil {
			return nil, err
		}
		// Opened once more: pg_dump shares what it is given, and would go on to hold the mark when crm is killed.
		mark, marked, err := markPartial(file.Name())
		if marked || err != nil && !errors.Is(err, fs.ErrNotExist) { // a file system without locks
			return &Partial{file, mark}, nil
		}
		_, _ = file.Close(), mark.Close() // another crm was faster, and took it for one that nobody writes
	}
}

// Close removes what has not got its own name.
func (p *Partial) Close() error {
	_, _ = p.File.Close(), os.Remove(p.Name())
	return p.mark.Close()
}

// Replace puts the file, which is complete, in the place of another at one instant. Its error is an *os.LinkError where
// only the other one is in the way.
func (p *Partial) Replace(name string) error { return p.publish(name, os.Rename) }

// publish puts the file under its own name, once all of it is on the disk.
func (p *Partial) publish(name string, as func(partial, name string) error) error {
	if err := errors.Join(p.Sync(), p.File.Close()); err != nil {
		return err
	}
	if err := as(p.Name(), name); err != nil {
		return err
	}
	if folder, err := os.Open(filepath.Dir(name)); err == nil { // the new name has to reach the disk too, where a folder can be synced
		_ = folder.Sync()
		_ = folder.Close()
	}
	return nil
}

// Replace puts a file with this content in the place of another at one instant: who reads meanwhile gets the old or the
// new one, whole. Only the owner can read it, who is the folder's if root runs crm. Errors are as those of
// Partial.Replace.
func Replace(name, content string) error { return write(name, content, os.Rename) }

// Make is Replace for a file that is made once: of several processes at the same time the first one's content stays.
func Make(name, content string) error {
	return write(name, content, func(partial, name string) error {
		if err := os.Link(partial, name); !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

func write(name, content string, as func(partial, name string) error) error {
	p, err := Create(filepath.Dir(name), filepath.Base(name))
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = p.WriteString(content)
	if err := errors.Join(err, Give(p.File)); err != nil {
		return err
	}
	return p.publish(name, as)
}

// removePartials removes what killed processes left.
func removePartials(folder, kind string) {
	entries, _ := os.ReadDir(folder) // a folder that cannot be listed keeps what it has
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		rest, ours := strings.CutPrefix(entry.Name(), partialPrefix+kind+"-")
		if !entry.Type().IsRegular() || !ours || !strings.HasSuffix(rest, partialSuffix) {
			continue
		}
		mark, marked, _ := markPartial(name)
		if marked {
			_ = os.Remove(name)
		}
		_ = mark.Close()
	}
}
