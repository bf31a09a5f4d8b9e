// Package testprogram writes the programs that a test stands in for those of the machine.
package testprogram

import (
	"os"
	"syscall"
	"testing"
)

// Write writes a program that can be started at once. Nothing is forked meanwhile: a child of a test beside would hold
// the open file until it runs its own program, and till then Linux refuses to start ours, "text file busy".
func Write(t testing.TB, path string, program []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, program, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
}
