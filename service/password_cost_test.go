package service

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/epicevents/crm/internal/failure"
)

// TestNobodysHash costs as much as a real one, and no password fits it.
func TestNobodysHash(t *testing.T) {
	t.Parallel()
	params, _, _, err := argon2id.DecodeHash(nobodysHash)
	if err != nil || *params != passwordCost {
		t.Errorf("%+v, %v; want %+v", params, err, passwordCost)
	}
	if fits, err := verifyPassword(t.Context(), "", nobodysHash, false); fits || err != nil {
		t.Errorf("no password fits: %t, %v", fits, err)
	}
}

// TestPasswordsTakeTurns runs alone: what other tests hold would be measured too. Sixteen at once would take a gigabyte.
func TestPasswordsTakeTurns(t *testing.T) {
	var checks sync.WaitGroup
	for range 16 {
		checks.Go(func() {
			if fits, err := verifyPassword(t.Context(), "a password that is wrong", nobodysHash, false); fits || err != nil {
				t.Errorf("%t, %v", fits, err)
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		checks.Wait()
		close(finished)
	}()
	most := uint64(0)
	for running := true; running; {
		select {
		case <-finished:
			running = false
		case <-time.After(time.Millisecond):
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapAlloc)
		}
	}
	if most > 512<<20 {
		t.Errorf("%d MiB", most>>20)
	}
}

// TestPasswordTurnGivenUp runs alone: it takes the places of all others.
func TestPasswordTurnGivenUp(t *testing.T) {
	for range cap(hashing) {
		hashing <- struct{}{}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	calls := map[string]func(context.Context) error{
		"check": func(ctx context.Context) error {
			_, err := verifyPassword(ctx, "a password that is wrong", nobodysHash, false)
			return err
		},
		"hash": func(ctx context.Context) error {
			_, err := hashPassword(ctx, "none1", "a password that is good", false)
			return err
		},
	}
	for name, call := range calls {
		if err := call(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, given up: %v", name, err)
		}
		if err := call(late); failure.CodeOf(err) != failure.Unavailable || err.Error() != "Too many passwords are being checked at this moment." {
			t.Errorf("%s, too late: %v", name, err)
		}
	}
	for range cap(hashing) {
		<-hashing
	}
	for name, call := range calls {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s, with a place: %v", name, err)
		}
	}
}
