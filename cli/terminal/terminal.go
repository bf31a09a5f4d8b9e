// Package terminal is the person at the other end of a run: the streams, notices and warnings, the pager, and questions
// as forms or, where a terminal cannot move its cursor, as lines.
//
// Results go to Out; questions, notices and errors to Err, so that a result can always be redirected. The package knows
// no setting, no command and no operation: what it needs of the settings are fields that are set once these are known.
package terminal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/epicevents/crm/cli/text"
)

// IO is what a run of crm reads and writes. Where In and Err are terminals, missing values are asked for.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
}

// Terminal is where one run reads and writes, and whom it asks. Results go to Out; questions, notices and errors to Err.
type Terminal struct {
	IO
	NoColor     bool // the user wants no colours
	HoldNotices bool // Err is for the error alone, unless it is a terminal
	NoOut       bool // stdout was closed
	ErrWidth    int  // of the terminal that Err is; 0 if it is none
	held        []string
	pager       *pager
	keyboard    *keyboard     // of the present question, or the last
	ahead       []byte        // typed after the answer to it
	reader      *bufio.Reader // of In, for one line of --password-stdin after the other
	begun       bool          // a line of it was read
}

// New returns the streams of a run. The end of ctx ends every wait for them.
func New(ctx context.Context, streams IO) *Terminal {
	t := &Terminal{IO: streams, ErrWidth: Width(streams.Err), NoOut: IsClosed(streams.Out)}
	t.reader = bufio.NewReader(&interruptible{ctx: ctx, in: streams.In})
	t.Out, t.Err = interruptibleOutput(ctx, t.Out), interruptibleOutput(ctx, t.Err)
	return t
}

// Interactive reports whether there is a person to ask.
func (t *Terminal) Interactive() bool { return Is(t.In) && Is(t.Err) }

func Is(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Width is that of the terminal that a stream is; 0 if it is none.
func Width(stream any) int {
	if !Is(stream) {
		return 0
	}
	if width, _, err := term.GetSize(int(stream.(*os.File).Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// Size is that of the terminal on which questions are asked; zero when it does not say.
func (t *Terminal) Size() (width, height int) {
	width, height, _ = term.GetSize(int(t.Err.(*os.File).Fd()))
	return width, height
}

// Notice tells a person something that is not the result.
func (t *Terminal) Notice(format string, values ...any) { t.tellNotice(fmt.Sprintf(format, values...)) }

// Warn tells of what works, and is not as it should be.
func (t *Terminal) Warn(format string, values ...any) {
	t.tellNotice("warning: " + text.Sentence(fmt.Sprintf(format, values...)))
}

// tellNotice tells a line, or holds it until it is known that there is no error.
func (t *Terminal) tellNotice(line string) {
	if t.HoldNotices && t.ErrWidth == 0 {
		t.held = append(t.held, text.Escape(line))
		return
	}
	t.Tell(line)
}

// Tell writes a line to stderr, on a terminal broken between words.
func (t *Terminal) Tell(line string) {
	fmt.Fprintln(t.Err, text.Wrap(text.Escape(line), t.ErrWidth, 0, text.KeepLong))
}

// ShowHeldNotices shows the notices that waited.
func (t *Terminal) ShowHeldNotices() {
	for _, line := range t.held {
		fmt.Fprintln(t.Err, line)
	}
}
