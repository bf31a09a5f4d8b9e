package terminal

import (
	"context"
	"io"
	"os"
	"time"
)

// writeGrace is how long a write may still take after the command was interrupted.
const writeGrace = 200 * time.Millisecond

// interruptible is a stream that may be waited on for ever, such as a pipe that nobody reads or writes; a signal ends
// the wait. The system's own call goes on until the process ends.
type interruptible struct {
	ctx context.Context
	in  io.Reader
	out io.Writer
}

type transfer struct {
	n   int
	err error
}

// interruptibleOutput leaves a terminal, and what is no file, as it is.
func interruptibleOutput(ctx context.Context, out io.Writer) io.Writer {
	if _, isFile := out.(*os.File); !isFile || Is(out) {
		return out
	}
	return &interruptible{ctx: ctx, out: out}
}

func (s *interruptible) Write(text []byte) (int, error) {
	done := make(chan transfer, 1)
	go func() {
		n, err := s.out.Write(text)
		done <- transfer{n, err}
	}()
	select {
	case written := <-done:
		return written.n, written.err
	case <-s.ctx.Done():
	}
	select {
	case written := <-done:
		return written.n, written.err
	case <-time.After(writeGrace):
		return 0, s.ctx.Err()
	}
}

func (s *interruptible) Read(buffer []byte) (int, error) {
	done := make(chan transfer, 1)
	read := make([]byte, len(buffer)) // not the caller's, who may go on without it
	go func() {
		n, err := s.in.Read(read)
		done <- transfer{n, err}
	}()
	select {
	case got := <-done:
		return copy(buffer, read[:got.n]), got.err
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}
