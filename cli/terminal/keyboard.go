package terminal

import (
	"bytes"
	"io"
	"os"
	"sync"
	"time"

	"github.com/muesli/cancelreader"
)

// keyboard is the terminal as one question reads it, up to the Enter that answers it: what was typed ahead waits for the
// next question. bubbletea's own reader would give it all to this one, may live on after the question and swallow the
// answer to the next, and waits for ever for what comes after an io.EOF.
type keyboard struct {
	terminal *Terminal
	file     *os.File
	reader   cancelreader.CancelReader
	reading  sync.Mutex
	left     chan struct{} // closed when the question is over
	again    chan struct{} // the answer was refused, so that more is to be read
	entered  bool          // Enter was read, and the question may be over
	pasting  bool
	lines    bool   // the answer may have several
	recent   []byte // the last bytes read, for the marks of a paste
}

// enterTime is how long Enter may be without an effect before reading goes on.
const enterTime = time.Second

func (t *Terminal) newKeyboard() (*keyboard, error) {
	file := t.In.(*os.File)
	reader, err := cancelreader.NewReader(file)
	return &keyboard{terminal: t, file: file, reader: reader, left: make(chan struct{}), again: make(chan struct{}, 1)}, err
}

func (k *keyboard) Read(p []byte) (int, error) {
	k.reading.Lock()
	defer k.reading.Unlock()
	if k.entered {
		select {
		case <-k.left:
			return 0, cancelreader.ErrCanceled
		case <-k.again:
		case <-time.After(enterTime):
		}
		k.entered = false
	}
	if len(k.terminal.ahead) == 0 {
		typed := make([]byte, len(p))
		n, err := k.reader.Read(typed)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		k.terminal.ahead = typed[:n]
	}
	n := copy(p, k.terminal.ahead[:k.answer(k.terminal.ahead)])
	k.terminal.ahead = k.terminal.ahead[n:]
	return n, nil
}

// refused lets the present question, if there is one, be answered anew.
func (t *Terminal) refused() {
	if t.keyboard == nil {
		return
	}
	select {
	case t.keyboard.again <- struct{}{}:
	default:
	}
}

// answer is how many of the bytes typed belong to this question: those up to Enter, which neither stands in a paste nor
// after Escape, as Alt-Enter does. The terminal makes a line feed of an Enter that comes between two questions.
func (k *keyboard) answer(typed []byte) int {
	for i, b := range typed {
		escaped := bytes.HasSuffix(k.recent, []byte{0x1b})
		k.recent = append(k.recent, b)
		k.recent = k.recent[max(len(k.recent)-8, 0):]
		switch {
		case bytes.HasSuffix(k.recent, []byte("\x1b[200~")):
			k.pasting = true
		case bytes.HasSuffix(k.recent, []byte("\x1b[201~")):
			k.pasting = false
		case (b == '\r' || b == '\n' && !k.lines) && !k.pasting && !escaped:
			typed[i] = '\r'
			k.entered = true
			select {
			case <-k.again: // of an earlier answer
			default:
			}
			return i + 1
		}
	}
	return len(typed)
}

// leave ends the reading, and returns when it has ended.
func (k *keyboard) leave() {
	close(k.left)
	k.reader.Cancel()
	k.reading.Lock()
	defer k.reading.Unlock()
	_ = k.reader.Close()
}

// What bubbletea needs to see that this is a terminal.
func (k *keyboard) Fd() uintptr                 { return k.file.Fd() }
func (k *keyboard) Write(p []byte) (int, error) { return k.file.Write(p) }
func (k *keyboard) Close() error                { return nil }
