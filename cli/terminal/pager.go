package terminal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// pager is a program that the result is read through at a terminal. It starts with the first output, so that a command
// without a result shows nothing. While it runs the screen is its own: notices wait until it has ended. It also answers
// Ctrl-C, which crm only takes as a sign to fetch no more.
type pager struct {
	terminal *Terminal
	program  string
	to       io.Writer // what the result is written to; nil before the first output
	rows     int       // what fits on the screen needs no pager; 0: everything goes through it
	waiting  []byte    // what was written as long as it fits
	command  *exec.Cmd
	input    io.WriteCloser
	errors   io.Writer // the terminal's Err, while notices wait
	notices  bytes.Buffer
}

// Paged is stdout, through the pager that CRM_PAGER or PAGER names; else through less, if it is there, where the result is
// longer than the screen.
func (t *Terminal) Paged() io.Writer {
	program := t.Getenv("CRM_PAGER")
	if program == "" {
		program = t.Getenv("PAGER")
	}
	program, rows := strings.TrimSpace(program), 0
	if program == "" && Is(t.In) && t.Getenv("TERM") != "dumb" {
		if _, err := exec.LookPath("less"); err == nil {
			program, rows = "less", height(t.Out)
		}
	}
	if program == "" || program == "cat" {
		return t.Out
	}
	if t.pager == nil {
		t.pager = &pager{terminal: t, program: program, rows: rows}
	}
	return t.pager
}

// height is that of the terminal that a stream is.
func height(stream io.Writer) int {
	const usual = 24
	if file, ok := stream.(*os.File); ok {
		if _, rows, err := term.GetSize(int(file.Fd())); err == nil && rows > 0 {
			return rows
		}
	}
	return usual
}

// ClosePager waits for the reader of the result, if there is one.
func (t *Terminal) ClosePager() error {
	if t.pager == nil {
		return nil
	}
	return t.pager.Close()
}

// pagerCommand runs a program as it is, and through a shell only what needs one.
func pagerCommand(program string) *exec.Cmd {
	if strings.ContainsAny(program, "|&;<>()$`\\\"'*?[#~=\n") {
		return exec.Command("sh", "-c", program)
	}
	words := strings.Fields(program)
	return exec.Command(words[0], words[1:]...)
}

// start makes the pager run. Without it the result is shown all the same.
func (p *pager) start() error {
	command := pagerCommand(p.program)
	command.Stdout, command.Stderr = p.terminal.Out, p.terminal.Err
	if p.errors != nil { // notices wait already, and what the pager says does not
		command.Stderr = p.errors
	}
	command.Env = os.Environ()
	if p.terminal.Getenv("LESS") == "" {
		// Quit when all fits on the screen, keep colours, leave the text on the screen.
		command.Env = append(command.Env, "LESS=FRX")
	}
	input, err := command.StdinPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		p.terminal.Notice("The pager %s cannot be started; CRM_PAGER=cat shows results without one.", strings.Fields(p.program)[0])
		p.to = p.terminal.Out
		return nil
	}
	p.command, p.input, p.to = command, input, input
	p.hold()
	return nil
}

// hold has notices wait until the result was shown.
func (p *pager) hold() {
	if p.errors == nil {
		p.errors, p.terminal.Err = p.terminal.Err, &p.notices
	}
}

// release shows the notices that waited.
func (p *pager) release() error {
	if p.errors == nil {
		return nil
	}
	p.terminal.Err, p.errors = p.errors, nil
	_, err := p.notices.WriteTo(p.terminal.Err)
	return err
}

func (p *pager) Write(line []byte) (int, error) {
	if p.to == nil {
		if p.rows > 0 {
			p.hold()
			p.waiting = append(p.waiting, line...)
			if bytes.Count(p.waiting, []byte("\n")) < p.rows { // the last is for the shell's prompt
				return len(line), nil
			}
		}
		if err := p.start(); err != nil {
			return 0, err
		}
		if p.waiting != nil {
			_, err := p.pass(p.waiting)
			p.waiting = nil
			return len(line), err
		}
	}
	return p.pass(line)
}

// pass hands on what was written.
func (p *pager) pass(text []byte) (int, error) {
	n, err := p.to.Write(text)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		// Whoever left the pager has seen enough, unless there was none.
		return n, cmp.Or(p.Close(), error(syscall.EPIPE))
	}
	return n, err
}

// Close waits until the reader is done. What the pager answers is its own affair, but for a shell that found no pager.
func (p *pager) Close() error {
	if p.command == nil {
		_, err := p.terminal.Out.Write(p.waiting)
		p.waiting = nil
		return errors.Join(err, p.release())
	}
	_ = p.input.Close()
	err := p.command.Wait()
	p.command = nil
	if err := p.release(); err != nil {
		return err
	}
	const notExecutable, notFound = 126, 127
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && (exit.ExitCode() == notExecutable || exit.ExitCode() == notFound) {
		return failure.Misuse(fmt.Sprintf("The pager %q cannot be started.", p.program), "CRM_PAGER=cat shows results without one")
	}
	return nil
}

// Notices returns Err as it is at the moment of each write, a line at a time: a pager may have started meanwhile.
func (t *Terminal) Notices() io.Writer { return currentErr{t} }

type currentErr struct{ terminal *Terminal }

func (c currentErr) Write(line []byte) (int, error) {
	_, err := io.WriteString(c.terminal.Err, text.Wrap(strings.TrimSuffix(string(line), "\n"), c.terminal.ErrWidth, 0, text.KeepLong)+"\n")
	return len(line), err
}
