//go:build unix && container

package dbtest_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// These tests need a Docker engine: go test -tags container.

func TestContainerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*child, *testing.T){"finished": (*child).finish, "killed": (*child).kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, "container")
			if !listens(c.address()) {
				t.Fatal("nobody listens at", c.address())
			}
			end(c, t)
			eventually(t, "the container is removed", func() bool { return !listens(c.address()) })
		})
	}
}

// TestContainerIsShared has a shell in the place of go test: two programs at once, a pause, and a third.
func TestContainerIsShared(t *testing.T) {
	t.Parallel()
	const script = `"$0" "$@" <&0 & "$0" "$@" <&0 & wait; sleep 1; "$0" "$@"; echo all; kill -STOP $$`
	shell := marked(exec.Command("sh", "-c", script, os.Args[0],
		"-test.run=^TestChild$", "-test.timeout=5m", "-test.paniconexit0"), "container")
	stdout, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shell.Process.Kill() })
	addresses, programs := map[string]bool{}, 0
	for lines := bufio.NewScanner(stdout); lines.Scan() && lines.Text() != "all"; {
		var c child
		if _, err := fmt.Sscanf(lines.Text(), "ready %s %s %d", &c.database, &c.host, &c.port); err == nil {
			addresses[c.address()] = true
			programs++
		}
	}
	if programs != 3 || len(addresses) != 1 {
		t.Fatalf("%d programs had the servers %v, want 3 with one", programs, addresses)
	}
	for address := range addresses {
		if !listens(address) {
			t.Error("the container is gone before the shell")
		}
		if err := shell.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = shell.Wait()
		eventually(t, "the container is removed", func() bool { return !listens(address) })
	}
}

func (c *child) address() string { return net.JoinHostPort(c.host, strconv.Itoa(c.port)) }

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
