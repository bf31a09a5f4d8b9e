//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/epicevents/crm/schema"
)

// The time limits that commands are given. Beyond its limit a command has a second for the server to confirm that it gave
// up, one to close the connections, and here one for a machine of few cores that runs many processes.
const (
	usualLimit = 10 * time.Second // crm's own default
	shortLimit = 3 * time.Second
	slack      = 3 * time.Second
)

// desk is where crm is used: a home, a database, and somebody who is logged in.
type desk struct {
	t     *trial
	home  string
	url   string
	limit time.Duration
	token string
	front string // the URL of a crm serve, which then has the database instead
}

// desk makes a home for a database.
func (t *trial) desk(name, url string, limit time.Duration) *desk {
	d := &desk{t: t, home: filepath.Join(t.dir, name), url: url, limit: limit}
	t.must(os.Mkdir(d.home, 0o700))
	return d
}

// at is the same desk with another way to the database, or another limit.
func (d *desk) at(url string, limit time.Duration) *desk {
	other := *d
	other.url, other.limit = url, limit
	return &other
}

// answer is what a process of crm answered.
type answer struct {
	code           int // -1 when it was killed
	stdout, stderr string
	took           time.Duration
}

func (a answer) String() string {
	return fmt.Sprintf("exit %d after %.1f s: %s", a.code, a.took.Seconds(), strings.ReplaceAll(strings.TrimSpace(a.stdout+a.stderr), "\n", " / "))
}

// unknown says whether crm has told that it does not know if a change was made.
func (a answer) unknown() bool { return a.code == 7 && unknownWord.MatchString(a.stderr) }

var unknownWord = regexp.MustCompile(`(?i)\b(unknown|not known)\b`)

// field is the n-th of the result, which was asked for as CSV without its header.
func (a answer) field(n int) string {
	fields := strings.Split(strings.TrimSpace(a.stdout), ",")
	if n >= len(fields) {
		return ""
	}
	return fields[n]
}

func (d *desk) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.t.crm, args...)
	cmd.Dir = d.home
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + d.home,
		"XDG_CONFIG_HOME=" + d.home, "XDG_STATE_HOME=" + d.home, "XDG_DATA_HOME=" + d.home,
		"CRM_CONFIG=" + os.DevNull, "CRM_DATABASE_TIMEOUT=" + d.limit.String(), "CRM_TOKEN=" + d.token,
	}
	if d.front != "" {
		cmd.Env = append(cmd.Env, "CRM_SERVER_URL="+d.front)
	} else {
		cmd.Env = append(cmd.Env, "CRM_DATABASE_URL="+d.url, "CRM_CONTROLLER_AUTH_SECRET_KEY="+strings.Repeat("torture ", 4))
	}
	return cmd
}

// run runs a command to its end, or until ctx kills it. One that does not end by itself is killed and a fault.
func (d *desk) run(ctx context.Context, stdin string, args ...string) answer {
	const patience = 20 * time.Second
	limited, cancel := context.WithTimeoutCause(ctx, d.limit+patience, errHung)
	defer cancel()
	cmd := d.command(limited, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.Cancel = func() error {
		if context.Cause(limited) == errHung {
			return cmd.Process.Signal(syscall.SIGQUIT) // it tells where it hangs
		}
		return cmd.Process.Kill()
	}
	cmd.WaitDelay = 5 * time.Second
	start := time.Now()
	err := cmd.Run()
	a := answer{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start)}
	if cmd.ProcessState == nil { // it did not start
		a.stderr = err.Error()
	}
	if context.Cause(limited) == errHung {
		where := filepath.Join(d.t.dir, fmt.Sprintf("hung-%d", cmd.Process.Pid))
		_ = os.WriteFile(where, stderr.Bytes(), 0o600)
		a.code, a.stderr = -1, ""
		d.t.fault("crm %s did not end within %v; with --keep %s says where", strings.Join(args, " "), a.took.Round(time.Second), where)
	}
	return a
}

var errHung = errors.New("hung")

// crm runs a command.
func (d *desk) crm(args ...string) answer { return d.run(d.t, "", args...) }

// must runs a command that has to succeed, before or after the harm, and gives its result.
func (d *desk) must(args ...string) answer { return d.mustRead("", args...) }

func (d *desk) mustRead(stdin string, args ...string) answer {
	a := d.run(d.t, stdin, args...)
	if a.code != 0 {
		d.t.must(fmt.Errorf("crm %s: %v", strings.Join(args, " "), a))
	}
	return a
}

const password = "torture torture torture"

// found migrates an empty database, fills it with the sample data, and logs an administrator in.
func (d *desk) found() {
	d.migrate()
	d.login("tamara", password)
	d.must("db", "populate", "--yes")
}

func (d *desk) migrate() {
	d.mustRead(password+"\n", "db", "migrate", "--admin-username", "tamara", "--admin-fullname", "Tamara Torture", "--password-stdin")
}

// login keeps the token, which is good for 30 minutes, for all that is run from here.
func (d *desk) login(username, password string) {
	d.token = ""
	d.mustRead(password+"\n", "auth", "login", username, "--password-stdin")
	token, err := os.ReadFile(filepath.Join(d.home, "crm", "token"))
	d.t.must(err)
	d.token = strings.TrimSpace(string(token))
}

// as is the same desk with an employee of the sample data logged in.
func (d *desk) as(username string) *desk {
	other := *d
	other.login(username, schema.SamplePassword)
	return &other
}

// csv asks for some fields of the result, to be read with answer.field.
func csv(fields string, args ...string) []string {
	return append(args, "-o", "csv", "--no-header", "--fields", fields)
}

// contract draws up a contract of so many cents.
func (d *desk) contract(cents int64) string {
	return d.must(csv("id", "contract", "add", "--customer-id", "5", "--total-amount", euros(cents))...).field(0)
}

func euros(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
