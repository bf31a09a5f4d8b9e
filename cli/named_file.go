package cli

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/files"
)

// namedFile is a file that the operator names, as it was when it was read.
type namedFile struct {
	text []byte
	info fs.FileInfo // of what a link leads to
	err  error       // why it cannot be used, without the file's name
}

// readNamed reads a file that the operator names: a regular one or a pipe, directly or through links, of at most limit
// bytes. A pipe can be read once, so what was read is kept for the next call. Nobody waits for a pipe that has no writer.
func (a *app) readNamed(name string, limit int64) namedFile {
	if read, ok := a.namedFiles[name]; ok {
		return read
	}
	read := a.openNamed(name, limit)
	if problem, ok := errors.AsType[*fs.PathError](read.err); ok {
		read.err = problem.Err
	}
	read.text = bytes.TrimPrefix(read.text, []byte(files.ByteOrderMark))
	if a.namedFiles == nil {
		a.namedFiles = map[string]namedFile{}
	}
	a.namedFiles[name] = read
	return read
}

func (a *app) openNamed(name string, limit int64) (read namedFile) {
	file, err := files.Open(name)
	if err != nil {
		return namedFile{err: err}
	}
	defer file.Close()
	if read.info, read.err = file.Stat(); read.err != nil {
		return read
	}
	switch mode := read.info.Mode(); {
	case mode.IsDir():
		read.err = errors.New("it is a folder")
	case !mode.IsRegular() && mode&fs.ModeNamedPipe == 0 && name != os.DevNull: // which is how to say: no file at all
		read.err = errors.New("it is neither a regular file nor a pipe")
	default:
		read.text, read.err = io.ReadAll(&terminal.Interruptible{Ctx: a.ctx, In: io.LimitReader(file, limit+1)})
	}
	if read.err == nil && int64(len(read.text)) > limit {
		read.text, read.err = nil, errors.New("it is too large")
	}
	if read.err == nil && len(read.text) == 0 && read.info.Mode()&fs.ModeNamedPipe != 0 {
		read.err = errors.New("nothing comes through this pipe") // what should have written into it has failed
	}
	return read
}
