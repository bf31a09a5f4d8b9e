//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// server is a PostgreSQL server with one database, crm, that belongs to the role crm, who is no superuser.
type server struct {
	t         *trial
	name      string
	dir       string // holds data, socket and log
	port      int
	password  string // of crm, over TCP
	settings  []string
	elsewhere string // the data folder, where it is not in dir
	process   *os.Process
	exited    chan struct{}
}

// newServer makes a server and starts it.
func (t *trial) newServer(name string, settings ...string) *server {
	s := t.place(name, settings...)
	s.initialise()
	s.start()
	s.createRole()
	return s
}

// createRole makes crm, the role and its database.
func (s *server) createRole() {
	s.must("postgres", "CREATE ROLE crm LOGIN PASSWORD '"+s.password+"'")
	s.must("postgres", "CREATE DATABASE crm OWNER crm")
}

// place makes the folders of a server that has no data yet.
func (t *trial) place(name string, settings ...string) *server {
	s := &server{t: t, name: name, dir: filepath.Join(t.dir, name), port: freePort(t), password: rand.Text(), settings: settings}
	t.must(os.Mkdir(s.dir, 0o755))
	t.must(t.ownDir(s.socket()))
	t.servers = append(t.servers, s)
	return s
}

func (s *server) data() string   { return cmp.Or(s.elsewhere, filepath.Join(s.dir, "data")) }
func (s *server) socket() string { return filepath.Join(s.dir, "socket") }
func (s *server) log() string    { return filepath.Join(s.dir, "log") }

func (s *server) initialise(more ...string) {
	s.t.must(s.t.ownDir(s.data()))
	args := append([]string{"--pgdata=" + s.data(), "--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync"}, more...)
	s.t.must(s.t.program("initdb", args...))
}

// ownDir makes a folder of the account that runs the servers.
func (t *trial) ownDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return t.give(path)
}

func (t *trial) give(path string) error {
	credential, err := unprivileged()
	if err != nil || credential == nil {
		return err
	}
	return os.Chown(path, int(credential.Uid), int(credential.Gid))
}

// touch makes an empty file of that account.
func (t *trial) touch(path string) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return t.give(path)
}

// unprivileged is whom servers run as where root tests, for they refuse to run as root; nil otherwise.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(found.Uid, 10, 32)
			gid, _ := strconv.ParseUint(found.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("there is no account postgres or nobody to run servers as")
}

// asServer prepares a program to run as the account of the servers.
func (t *trial) asServer(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = "/", []string{"HOME=/", "LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	credential, err := unprivileged()
	t.must(err)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: credential}
	return cmd
}

// program runs one of PostgreSQL's programs to its end.
func (t *trial) program(name string, args ...string) error {
	output, err := t.asServer(t, filepath.Join(t.bin, name), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, bytes.TrimSpace(output))
	}
	return nil
}

// launch starts the server and does not wait until it answers.
func (s *server) launch() {
	log, err := os.OpenFile(s.log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	s.t.must(err)
	defer log.Close()
	args := []string{"-D", s.data()}
	for _, setting := range append([]string{
		"port=" + strconv.Itoa(s.port), "listen_addresses=127.0.0.1", "unix_socket_directories=" + s.socket(),
		"shared_buffers=32MB", "max_connections=150", "dynamic_shared_memory_type=mmap", "logging_collector=off",
		"log_line_prefix=%m [%p] ", "max_wal_size=256MB", "min_wal_size=32MB",
	}, s.settings...) {
		args = append(args, "-c", setting)
	}
	// A server outlives nobody: not this scenario's context, for it must end by being told so.
	cmd := s.t.asServer(context.WithoutCancel(s.t), filepath.Join(s.t.bin, "postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	s.t.must(cmd.Start())
	exited := make(chan struct{})
	s.process, s.exited = cmd.Process, exited
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
}

// start launches the server and waits until it answers.
func (s *server) start() {
	s.launch()
	s.awaitReady()
}

func (s *server) awaitReady() {
	s.t.eventually("server "+s.name+" answers", func() bool {
		_, err := read[int](s, "postgres", "SELECT 1")
		if err != nil && !s.runs() {
			s.t.must(fmt.Errorf("server %s ended: %w\n%s", s.name, err, s.lastOfLog()))
		}
		return err == nil
	})
}

func (s *server) runs() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

func (s *server) lastOfLog() string {
	text, _ := os.ReadFile(s.log())
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// crash kills the server and all of its processes at one moment: nobody has time to react to the death of another. What
// the server has handed to the operating system stays, as when its process dies and unlike when the power fails.
func (s *server) crash() {
	_ = s.process.Signal(syscall.SIGSTOP) // forks no more
	for _, child := range children(s.process.Pid) {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	_ = s.process.Kill()
	<-s.exited
}

// children are the processes that a process has started.
func children(pid int) (found []int) {
	processes, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range processes {
		text, _ := os.ReadFile(name)
		_, rest, ok := bytes.Cut(text, []byte(") ")) // after the name, which may have spaces
		var state string
		var parent int
		if _, err := fmt.Sscan(string(rest), &state, &parent); ok && err == nil && parent == pid {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			found = append(found, child)
		}
	}
	return found
}

// freeze stops the server and all of its processes as they are; thaw lets them go on.
func (s *server) freeze() { s.signalAll(syscall.SIGSTOP) }
func (s *server) thaw()   { s.signalAll(syscall.SIGCONT) }

func (s *server) signalAll(signal syscall.Signal) {
	_ = s.process.Signal(signal)
	for _, child := range children(s.process.Pid) {
		_ = syscall.Kill(child, signal)
	}
}

// stop ends the server at once, disconnecting everybody.
func (s *server) stop() {
	if !s.runs() {
		return
	}
	_ = s.process.Signal(syscall.SIGINT)
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second):
		s.crash()
	}
}

// remove deletes a server that does not run, with the shared memory that a killed one leaves in the system.
func (s *server) remove() {
	pidFile, _ := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	const segmentLine = 6
	if lines := strings.Split(string(pidFile), "\n"); len(lines) > segmentLine {
		var key, id int
		if _, err := fmt.Sscan(lines[segmentLine], &key, &id); err == nil {
			_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
		}
	}
	s.t.must(os.RemoveAll(s.data()))
}

// url leads crm to the database, through the socket.
func (s *server) url() string {
	return fmt.Sprintf("postgres://crm@/crm?host=%s&port=%d", url.QueryEscape(s.socket()), s.port)
}

// tcp leads crm to the database on loopback ports: the server's own, or those of proxies in front of it.
func (s *server) tcp(query string, ports ...int) string {
	if len(ports) == 0 {
		ports = []int{s.port}
	}
	var hosts []string
	for _, port := range ports {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return fmt.Sprintf("postgres://crm:%s@%s/crm?sslmode=disable%s", s.password, strings.Join(hosts, ","), query)
}

// connect opens a connection as the superuser.
func (s *server) connect(database string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(s.t, 10*time.Second)
	defer cancel()
	return pgx.Connect(ctx, fmt.Sprintf("host=%s port=%d user=postgres dbname=%s sslmode=disable", s.socket(), s.port, database))
}

// read gives the one value that a query has.
func read[T any](s *server, database, query string, args ...any) (value T, err error) {
	rows, err := readAll[T](s, database, query, args...)
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("%d rows", len(rows))
	}
	if err != nil {
		return value, err
	}
	return rows[0], nil
}

// readAll gives the values of a query with one column.
func readAll[T any](s *server, database, query string, args ...any) ([]T, error) {
	conn, err := s.connect(database)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(s.t))
	rows, err := conn.Query(s.t, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

// one is read from crm's database, in the scenario's own goroutine.
func one[T any](s *server, query string, args ...any) T {
	value, err := read[T](s, "crm", query, args...)
	s.t.must(err)
	return value
}

// must runs a statement as the superuser.
func (s *server) must(database, statement string) {
	conn, err := s.connect(database)
	s.t.must(err)
	defer conn.Close(context.WithoutCancel(s.t))
	_, err = conn.Exec(s.t, statement)
	s.t.must(err)
}

// set changes a setting of the running server.
func (s *server) set(setting, value string) {
	s.must("postgres", fmt.Sprintf("ALTER SYSTEM SET %s = %s", setting, value))
	s.must("postgres", "SELECT pg_reload_conf()")
	s.t.wait(100 * time.Millisecond) // until every process has read it
}

// unset undoes set.
func (s *server) unset(setting string) {
	s.must("postgres", "ALTER SYSTEM RESET "+setting)
	s.must("postgres", "SELECT pg_reload_conf()")
	s.t.wait(100 * time.Millisecond)
}

func freePort(t *trial) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	t.must(err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
