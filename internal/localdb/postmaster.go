//go:build linux || darwin

package localdb

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// postmaster is what the server's pid file says. The file outlives a killed server, and its number may by then be that
// of any process. Proof that the server lives is the shared memory segment that it made and names in the file: that
// segment's creator is the same number, and somebody is attached to it. PostgreSQL guards its data in the same way.
type postmaster struct {
	pid     int
	segment int  // id of the shared memory; 0 while the server has not come that far
	ready   bool // it accepts connections
}

// readPostmaster returns the zero value if there is no pid file.
func readPostmaster(dataDir string) postmaster {
	const segmentLine, statusLine = 6, 7
	content, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return postmaster{}
	}
	var p postmaster
	lines := strings.Split(string(content), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(lines[0])); err == nil && pid > 1 {
		p.pid = pid
	}
	if len(lines) > segmentLine {
		if fields := strings.Fields(lines[segmentLine]); len(fields) == 2 { // its key, then its id
			p.segment, _ = strconv.Atoi(fields[1])
		}
	}
	if len(lines) > statusLine {
		p.ready = strings.TrimSpace(lines[statusLine]) == "ready"
	}
	return p
}

// exists reports whether there is a process of that number, of whatever kind.
func (p postmaster) exists() bool {
	return p.pid != 0 && unix.Kill(p.pid, 0) != syscall.ESRCH
}

// attached reports whether the server or processes that it left behind use its shared memory.
func (p postmaster) attached() bool {
	if p.pid == 0 || p.segment == 0 {
		return false
	}
	var segment unix.SysvShmDesc
	switch _, err := unix.SysvShmCtl(p.segment, unix.IPC_STAT, &segment); err {
	case nil:
		return int(segment.Cpid) == p.pid && segment.Nattch > 0
	case unix.EACCES: // root in a container may not read what belongs to the server's account
		list, err := os.ReadFile("/proc/sysvipc/shm")
		return err == nil && p.listed(string(list))
	default:
		return false
	}
}

// listed reports whether Linux's list of all shared memory, which everybody may read, has that of the server, in use.
func (p postmaster) listed(list string) bool {
	const id, creator, attached = 1, 4, 6
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) > attached && fields[id] == strconv.Itoa(p.segment) {
			return fields[creator] == strconv.Itoa(p.pid) && fields[attached] != "0"
		}
	}
	return false
}

func (p postmaster) living() bool   { return p.attached() && p.exists() }
func (p postmaster) orphaned() bool { return p.attached() && !p.exists() }

// newborn may be a server that has not yet made its shared memory.
func (p postmaster) newborn() bool { return p.exists() && p.segment == 0 }

// failureLine picks the line that says why, out of what initdb or the server wrote.
func failureLine(output string) string {
	problem := regexp.MustCompile(`(?:FATAL|PANIC|ERROR|error|fatal):\s+(.*)`)
	noise := regexp.MustCompile(`the database system is |child process exited|^HINT:|^DETAIL:`)
	var last, why string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || noise.MatchString(line) {
			continue
		}
		last = line
		if match := problem.FindStringSubmatch(line); match != nil {
			why = match[1]
		}
	}
	if why != "" {
		return why
	}
	return last
}
