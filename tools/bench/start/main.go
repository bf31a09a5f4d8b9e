//go:build unix

// Command start only prints, which is the least that a Go program costs. Given a command line, it runs that and writes
// its time in nanoseconds, its peak memory in KiB and its exit code to file descriptor 3.
//
// A process inherits the peak of the one that starts it, so the one that measures must be as small as this. It must
// never import anything large.
package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		os.Stdout.WriteString("crm\n")
		return
	}
	begin := time.Now()
	process, err := os.StartProcess(os.Args[1], os.Args[1:], &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	state, err := process.Wait()
	took := time.Since(begin)
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	peak := int64(state.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" {
		peak /= 1024 // there it is in bytes
	}
	os.NewFile(3, "report").WriteString(strconv.FormatInt(int64(took), 10) + " " + strconv.FormatInt(peak, 10) + " " +
		strconv.Itoa(state.ExitCode()) + "\n")
}
