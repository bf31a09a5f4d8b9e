package cli

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

// terminal is where one run reads and writes, and whom it asks. Results go to Out; questions, notices and errors to Err.
type terminal struct {
	IO
	noColor     bool // the user wants no colours
	holdNotices bool // Err is for the error alone, unless it is a terminal
	noOut       bool // stdout was closed
	errWidth    int  // of the terminal that Err is; 0 if it is none
	held        []string
	pager       *pager
	keyboard    *keyboard     // of the present question, or the last
	ahead       []byte        // typed after the answer to it
	reader      *bufio.Reader // of In, for one line of --password-stdin after the other
	begun       bool          // a line of it was read
}

// newTerminal returns the streams of a run. The end of ctx ends every wait for them.
func newTerminal(ctx context.Context, streams IO) *terminal {
	t := &terminal{IO: streams, errWidth: terminalWidth(streams.Err), noOut: isClosed(streams.Out)}
	t.reader = bufio.NewReader(&interruptible{ctx: ctx, in: streams.In})
	t.Out, t.Err = interruptibleOutput(ctx, t.Out), interruptibleOutput(ctx, t.Err)
	return t
}

// interactive says whether there is a person to ask.
func (t *terminal) interactive() bool { return isTerminal(t.In) && isTerminal(t.Err) }

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// terminalWidth is that of the terminal that a stream is; 0 if it is none.
func terminalWidth(stream any) int {
	if !isTerminal(stream) {
		return 0
	}
	if width, _, err := term.GetSize(int(stream.(*os.File).Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// terminalSize is that of the terminal on which questions are asked; zero when it does not say.
func (t *terminal) terminalSize() (width, height int) {
	width, height, _ = term.GetSize(int(t.Err.(*os.File).Fd()))
	return width, height
}

// notice tells a person something that is not the result.
func (t *terminal) notice(format string, values ...any) { t.tellNotice(fmt.Sprintf(format, values...)) }

// warn tells of what works, and is not as it should be.
func (t *terminal) warn(format string, values ...any) {
	t.tellNotice("warning: " + text.Sentence(fmt.Sprintf(format, values...)))
}

// tellNotice tells a line, or holds it until it is known that there is no error.
func (t *terminal) tellNotice(line string) {
	if t.holdNotices && t.errWidth == 0 {
		t.held = append(t.held, text.Escape(line))
		return
	}
	t.tell(line)
}

// tell writes a line to stderr, on a terminal broken between words.
func (t *terminal) tell(line string) {
	fmt.Fprintln(t.Err, text.Wrap(text.Escape(line), t.errWidth, 0, text.KeepLong))
}

// showHeld shows the notices that waited.
func (t *terminal) showHeld() {
	for _, line := range t.held {
		fmt.Fprintln(t.Err, line)
	}
}
