//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// front is where a crm serve is reached, whichever process that is.
type front struct {
	t      *trial
	host   *desk // has the database
	socket string
	held   *os.File // the socket itself, where somebody else listens for all of the processes, as systemd does
	starts int
}

// front makes a place for a server of a desk that has the database.
func (d *desk) newFront(held bool) *front {
	f := &front{t: d.t, host: d, socket: filepath.Join(d.t.dir, "crm.sock")}
	if held {
		listener, err := net.Listen("unix", f.socket)
		d.t.must(err)
		f.held, err = listener.(*net.UnixListener).File()
		d.t.must(err)
		go func() { // the file is a copy
			<-d.t.Done()
			listener.Close()
			f.held.Close()
		}()
	}
	return f
}

// desk is that of somebody who has neither the database nor the key, with a token for scripts, which outlives a login.
func (f *front) desk() *desk {
	other := *f.host
	other.front = "unix://" + f.socket
	f.starts++
	other.token = f.host.must(csv("token", "auth", "token", "create", "front-"+strconv.Itoa(f.starts))...).field(0)
	return &other
}

// process is one crm serve.
type process struct {
	t      *trial
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// start starts a crm serve and waits until it listens.
func (f *front) start() *process {
	f.starts++
	p := &process{t: f.t, log: filepath.Join(f.t.dir, fmt.Sprintf("serve-%d.log", f.starts)), exited: make(chan struct{})}
	log, err := os.Create(p.log)
	f.t.must(err)
	defer log.Close()
	if f.held == nil {
		p.cmd = f.host.command(f.t, "serve", "--serve.socket", f.socket)
	} else {
		p.cmd = f.host.command(f.t, "serve")
		serve := p.cmd.Args
		p.cmd.Path, p.cmd.Args = "/bin/sh", append([]string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh"}, serve...)
		p.cmd.ExtraFiles = []*os.File{f.held}
	}
	p.cmd.Stderr = log
	f.t.must(p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	f.t.eventually("crm serve listens", func() bool {
		text, err := os.ReadFile(p.log)
		f.t.must(err)
		select {
		case <-p.exited:
			f.t.must(fmt.Errorf("crm serve ended: %s", text))
		default:
		}
		return bytes.Contains(text, []byte(`"msg":"listening"`))
	})
	return p
}

// kill ends it without a word.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// stop tells it to end, and returns how long that took. It has to end by itself, and well.
func (p *process) stop() time.Duration {
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			p.t.fault("crm serve ended with %d", code)
		}
	case <-time.After(3 * time.Minute):
		p.t.fault("crm serve does not end when it is told to")
		p.kill()
	}
	return time.Since(began)
}

// needs is what a process has of the system.
type needs struct {
	memory int // KiB, resident
	files  int
}

// needs reads what it has now.
func (p *process) needs() needs {
	folder := fmt.Sprintf("/proc/%d", p.cmd.Process.Pid)
	status, err := os.ReadFile(folder + "/status")
	p.t.must(err)
	files, err := os.ReadDir(folder + "/fd")
	p.t.must(err)
	n := needs{files: len(files)}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &n.memory); err == nil {
			break
		}
	}
	return n
}

// told counts what the log of a server says of how requests ended.
func (p *process) told(code string) int {
	text, err := os.ReadFile(p.log)
	p.t.must(err)
	return bytes.Count(text, []byte(`"code":"`+code+`"`))
}

// silent opens connections that say nothing, and opens others where one is ended, until ctx ends.
func (f *front) silent(ctx context.Context, n int) {
	for range n {
		go func() {
			for ctx.Err() == nil {
				conn, err := net.Dial("unix", f.socket)
				if err != nil { // the kernel's queue is full
					time.Sleep(100 * time.Millisecond)
					continue
				}
				forget := context.AfterFunc(ctx, func() { conn.Close() })
				_, _ = conn.Read(make([]byte, 1)) // until it is ended
				forget()
				conn.Close()
				time.Sleep(100 * time.Millisecond)
			}
		}()
	}
}
