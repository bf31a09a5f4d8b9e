//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// TestWritersAtOnce: of several files that are made one stays, whole; of several that replace, the last; no partial stays.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	for kind, write := range map[string]func(name, content string) error{"made": Make, "replaced": Replace} {
		name := filepath.Join(t.TempDir(), "file")
		read := make([]string, 20)
		var writers sync.WaitGroup
		for i := range read {
			writers.Go(func() {
				if err := write(name, fmt.Sprintf("content %2d", i)); err != nil {
					t.Error(err)
				}
				content, err := os.ReadFile(name)
				if err != nil || len(content) != len("content  1") {
					t.Errorf("%s: %q, %v", kind, content, err)
				}
				read[i] = string(content)
			})
		}
		writers.Wait()
		for _, content := range read {
			if kind == "made" && content != read[0] {
				t.Errorf("one has read %q, another %q", read[0], content)
			}
		}
		entries, err := os.ReadDir(filepath.Dir(name))
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: %v, %v", kind, entries, err)
		}
		if info, err := os.Stat(name); err != nil || OthersMay(info, ToRead|ToWrite|ToEnter) {
			t.Errorf("%s: %v, %v", kind, info, err)
		}
	}
}

// TestPartialsInUseStay while another file of their kind is written, and those that nobody writes go.
func TestPartialsInUseStay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	used, err := Create(folder, "file")
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(folder, ".crm-file-1.partial")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(folder, "file"), "second"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what nobody writes is still there: %v", err)
	}
	if err := used.Replace(filepath.Join(folder, "file")); err != nil {
		t.Error(err)
	}
	if err := used.Close(); err != nil {
		t.Error(err)
	}
}

// TestReplaceWhereNoneCanBe leaves what is in the way, and nothing beside it.
func TestReplaceWhereNoneCanBe(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "file", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := Replace(filepath.Join(folder, "file"), "content")
	if _, ok := errors.AsType[*os.LinkError](err); !ok {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pipe, link := filepath.Join(folder, "pipe"), filepath.Join(folder, "link")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink(pipe, link)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pipe, link} { // or the test would not end
		file, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	if file, err := OpenNoLink(link); err == nil {
		file.Close()
		t.Error("a link was followed")
	}
}
