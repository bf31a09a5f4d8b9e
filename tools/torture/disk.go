//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// diskFull lets the server's disk, a small tmpfs, run full under load, and frees it again: the disk of the tables, and
// that of the write-ahead log, whose end is the server's own.
func diskFull(t *trial) {
	t.part("tables", func(t *trial) {
		disk := t.smallDisk(160 << 20)
		s := t.place("server")
		s.elsewhere = filepath.Join(disk, "data")
		s.initialise("--waldir=" + t.walFolder(s.dir))
		t.fillUp(s, disk, "the disk of the tables")
	})
	t.part("log", func(t *trial) {
		disk := t.smallDisk(64 << 20)
		s := t.place("server", "min_wal_size=4MB", "max_wal_size=16MB")
		s.initialise("--waldir="+t.walFolder(disk), "--wal-segsize=1")
		t.fillUp(s, disk, "the disk of the write-ahead log")
	})
}

// smallDisk mounts a tmpfs, which only root can; it is unmounted with everything else.
func (t *trial) smallDisk(size int) string {
	disk := filepath.Join(t.dir, "disk")
	t.must(os.Mkdir(disk, 0o755))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", size)); err != nil {
		t.must(fmt.Errorf("a small disk cannot be mounted (root can, outside of a container without CAP_SYS_ADMIN): %w", err))
	}
	t.must(t.give(disk))
	return disk
}

func (t *trial) walFolder(in string) string {
	folder := filepath.Join(in, "wal")
	t.must(t.ownDir(folder))
	return folder
}

func (t *trial) fillUp(s *server, disk, what string) {
	s.start()
	s.createRole()
	d := t.desk("home", s.url(), shortLimit)
	d.found()
	l := d.newLedger()
	var full, other, unknown atomic.Int64
	var reasons [2]atomic.Pointer[string]
	ctx, cancel := context.WithCancel(t)
	defer cancel()
	loading := l.load(ctx, d, 4, func(a answer) {
		switch {
		case a.code != 7:
			t.fault("a payment while %s is full: %v", what, a)
		case a.unknown():
			unknown.Add(1)
		case strings.Contains(a.stderr, "disk is full"):
			full.Add(1)
			reasons[0].CompareAndSwap(nil, &a.stderr)
		default:
			other.Add(1)
			reasons[1].CompareAndSwap(nil, &a.stderr)
		}
		time.Sleep(20 * time.Millisecond)
	})
	t.wait(2 * time.Second)
	filler := filepath.Join(disk, "filler")
	t.must(fill(filler))
	t.eventually(what+" is full for crm", func() bool {
		return full.Load()+other.Load()+unknown.Load() > 0
	})
	t.wait(3 * time.Second)
	before := l.acknowledged()
	fell := !s.runs()
	t.must(os.Remove(filler))
	if fell {
		s.start()
	}
	s.awaitReady()
	t.eventually("payments are recorded again", func() bool { return l.acknowledged() > before })
	cancel()
	loading.Wait()
	t.must(nil)
	repeated, recorded := l.settle(d)
	end := "the server went on"
	if fell {
		end = "the server ended and was started again"
	}
	t.figure("%s full, %s: exit 7 %d that the disk is full, %d otherwise, %d that the outcome is unknown", what, end, full.Load(), other.Load(), unknown.Load())
	for i := range reasons {
		if reason := reasons[i].Load(); reason != nil {
			t.figure("    %s", strings.ReplaceAll(strings.TrimSpace(uuids.ReplaceAllString(*reason, "...")), "\n", " / "))
		}
	}
	t.figure("    after space was freed %d repeated, %d had been recorded: %v", repeated, recorded, l.holds(s))
	t.onTime(l, d)
	s.stop()
}

func (l *ledger) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acks)
}

// fill writes until nothing more fits.
func fill(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			return err
		}
	}
	return nil
}
