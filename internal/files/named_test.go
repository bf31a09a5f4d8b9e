//go:build unix

package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	file, link, empty := write("file", ByteOrderMark+"content"), filepath.Join(folder, "link"), filepath.Join(folder, "empty")
	if err := errors.Join(os.Symlink("file", link), syscall.Mkfifo(empty, 0o600)); err != nil {
		t.Fatal(err)
	}
	n := NewNamed(t.Context())
	const limit = int64(len(ByteOrderMark + "content"))
	for name, want := range map[string]string{
		file: "content", link: "content", os.DevNull: "", write("longest", "0123456789"): "0123456789",
		write("longer", "0123456789a"): "it is too large", folder: "it is a folder", empty: "nothing comes through this pipe",
		"/dev/zero": "it is neither a regular file nor a pipe", filepath.Join(folder, "none"): "no such file or directory",
	} {
		got := n.Read(name, limit)
		text := string(got.Text)
		if got.Err != nil {
			text = got.Err.Error()
		} else if got.Info == nil {
			t.Errorf("%s: nothing is known of the file", name)
		}
		if text != want {
			t.Errorf("%s: %q, want %q", name, text, want)
		}
	}
}

// pipe is one that somebody writes into.
func pipe(t *testing.T) (name string, writer *os.File) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := Open(name) // so that there is somebody to write for
	if err != nil {
		t.Fatal(err)
	}
	if writer, err = os.OpenFile(name, os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close(); writer.Close() })
	return name, writer
}

// TestNamedPipe is read once, and its content is there as often as it is wanted.
func TestNamedPipe(t *testing.T) {
	t.Parallel()
	name, writer := pipe(t)
	_, err := writer.WriteString("content")
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}
	n := NewNamed(t.Context())
	for range 2 {
		if got := n.Read(name, 100); got.Err != nil || string(got.Text) != "content" {
			t.Errorf("%q, %v", got.Text, got.Err)
		}
	}
}

// TestNamedPipeIsSilent: who waits for a writer that says nothing can be interrupted.
func TestNamedPipeIsSilent(t *testing.T) {
	t.Parallel()
	name, _ := pipe(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := NewNamed(ctx).Read(name, 100); !errors.Is(got.Err, context.Canceled) {
		t.Errorf("%q, %v", got.Text, got.Err)
	}
}
