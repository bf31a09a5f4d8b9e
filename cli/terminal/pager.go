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
	command  *exec.Cmd
	input    io.WriteCloser
	errors   io.Writer // the terminal's Err, while notices wait
	notices  bytes.Buffer
}

// Paged is stdout, through the pager if CRM_PAGER or PAGER names one.
func (t *Terminal) Paged() io.Writer {
	program := t.Getenv("CRM_PAGER")
	if program == "" {
		program = t.Getenv("PAGER")
	}
	if program = strings.TrimSpace(program); program == "" || program == "cat" {
		return t.Out
	}
	if t.pager == nil {
		t.pager = &pager{terminal: t, program: program}
	}
	return t.pager
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
	p.errors, p.terminal.Err = p.terminal.Err, &p.notices
	return nil
}

func (p *pager) Write(line []byte) (int, error) {
	if p.to == nil {
		if err := p.start(); err != nil {
			return 0, err
		}
	}
	n, err := p.to.Write(line)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		// Whoever left the pager has seen enough, unless there was none.
		return n, cmp.Or(p.Close(), error(syscall.EPIPE))
	}
	return n, err
}

// Close waits until the reader is done. What the pager answers is its own affair, but for a shell that found no pager.
func (p *pager) Close() error {
	if p.command == nil {
		return nil
	}
	_ = p.input.Close()
	err := p.command.Wait()
	p.command, p.terminal.Err = nil, p.errors
	if _, err := p.notices.WriteTo(p.errors); err != nil {
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
