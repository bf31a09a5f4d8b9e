package localdb

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// In a container root lacks CAP_IPC_OWNER: crm db status said of a server that runs that it is stopped, and crm db stop
// left it running.
func TestServerWhoseMemoryMayNotBeRead(t *testing.T) {
	t.Parallel()
	id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var segment unix.SysvShmDesc
	if _, err := unix.SysvShmCtl(id, unix.IPC_STAT, &segment); err != nil {
		t.Fatal(err)
	}
	segment.Perm.Mode = 0
	if _, err := unix.SysvShmCtl(id, unix.IPC_SET, &segment); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil); err != nil { // once nobody is attached
		t.Fatal(err)
	}

	runtime.LockOSThread() // without a counterpart: the thread ends with the test, and what was taken from it too
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var rights [2]unix.CapUserData
	if err := unix.Capget(&header, &rights[0]); err != nil {
		t.Fatal(err)
	}
	rights[0].Effective &^= 1 << unix.CAP_IPC_OWNER
	if err := unix.Capset(&header, &rights[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.SysvShmCtl(id, unix.IPC_STAT, &segment); err != unix.EACCES {
		t.Fatalf("the memory may be read: %v", err)
	}

	server := postmaster{pid: os.Getpid(), segment: id}
	if !server.living() {
		t.Error("a server that runs is taken for none")
	}
	if other := (postmaster{pid: os.Getppid(), segment: id}); other.attached() {
		t.Error("another process is taken for the server")
	}
	if other := (postmaster{pid: os.Getpid(), segment: id + 1}); other.attached() {
		t.Error("other memory is taken for the server's")
	}
	if err := unix.SysvShmDetach(memory); err != nil {
		t.Fatal(err)
	}
	if server.attached() {
		t.Error("memory that nobody uses is taken for a server's")
	}
}
