package dbtest

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// image is the same everywhere unless another is asked for, whatever is newest.
func image() string { return cmp.Or(os.Getenv("CRM_TEST_POSTGRES_IMAGE"), "postgres:18.4") }

// startContainer gets a server from the program in container, and returns what it runs in. The program is a module of its
// own, so that crm requires no Docker client. The test programs of one go test share the server: it belongs to their
// parent. One that is started by hand has its own.
func startContainer() (string, error) {
	owner := os.Getpid()
	// Only go test sets this flag. Any other parent may be a shell, which outlives its tests.
	if underGoTest := flag.Lookup("test.paniconexit0"); underGoTest != nil && underGoTest.Value.String() == "true" {
		owner = os.Getppid()
	}
	said, says, err := os.Pipe() // not closed before it is read, as exec's own might be
	if err != nil {
		return "", err
	}
	defer said.Close()
	_, here, _, _ := runtime.Caller(0)
	program := exec.Command("go", "run", "-C", filepath.Join(filepath.Dir(here), "container"), ".", image(), strconv.Itoa(owner))
	program.Stdout, program.Stderr = says, says
	err = program.Start()
	_ = says.Close()
	if err != nil {
		return "", err
	}
	var complaint strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if address, engine, found := strings.Cut(lines.Text(), " "); found && strings.HasPrefix(address, "postgres://") {
			return Chosen() + ", " + engine, useShared(address)
		}
		complaint.WriteString(lines.Text() + "\n")
	}
	return "", errors.New(strings.TrimSuffix(strings.TrimSpace(complaint.String()), "\nexit status 1"))
}
