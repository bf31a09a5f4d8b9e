package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// Named reads the files that a user names: regular ones and pipes, directly or through links. A pipe can be read once, so
// what was read is kept for the next call. Nobody waits for a pipe that has no writer, and for one that has only as long
// as the context lasts.
type Named struct {
	ctx  context.Context
	read map[string]Content
}

// Content is a file as it was when it was read.
type Content struct {
	Text []byte      // without a byte order mark
	Info fs.FileInfo // of what a link leads to
	Err  error       // why it cannot be used, without the file's name
}

// NewNamed returns a reader for one run of crm.
func NewNamed(ctx context.Context) *Named { return &Named{ctx, map[string]Content{}} }

// Read reads a file of at most limit bytes.
func (n *Named) Read(name string, limit int64) Content {
	if read, ok := n.read[name]; ok {
		return read
	}
	done := make(chan Content, 1)
	go func() { done <- readNamed(name, limit) }()
	var read Content
	select {
	case read = <-done:
	case <-n.ctx.Done(): // the system's own call goes on until the process ends
		read.Err = n.ctx.Err()
	}
	if problem, ok := errors.AsType[*fs.PathError](read.Err); ok {
		read.Err = problem.Err
	}
	read.Text = bytes.TrimPrefix(read.Text, []byte(ByteOrderMark))
	n.read[name] = read
	return read
}

func readNamed(name string, limit int64) (read Content) {
	file, err := Open(name)
	if err != nil {
		return Content{Err: err}
	}
	defer file.Close()
	if read.Info, read.Err = file.Stat(); read.Err != nil {
		return read
	}
	switch mode := read.Info.Mode(); {
	case mode.IsDir():
		read.Err = errors.New("it is a folder")
	case !mode.IsRegular() && mode&fs.ModeNamedPipe == 0 && name != os.DevNull: // which is how to say: no file at all
		read.Err = errors.New("it is neither a regular file nor a pipe")
	default:
		read.Text, read.Err = io.ReadAll(io.LimitReader(file, limit+1))
	}
	if read.Err == nil && int64(len(read.Text)) > limit {
		read.Text, read.Err = nil, errors.New("it is too large")
	}
	if read.Err == nil && len(read.Text) == 0 && read.Info.Mode()&fs.ModeNamedPipe != 0 {
		read.Err = errors.New("nothing comes through this pipe") // what should have written into it has failed
	}
	return read
}
