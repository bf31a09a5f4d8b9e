package service

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/epicevents/crm/internal/failure"
)

// TestNobodysParameters cost as much as those of a real password.
func TestNobodysParameters(t *testing.T) {
	t.Parallel()
	hash, err := hashLike(t.Context(), nobodysParameters, "whatever", false)
	if err != nil {
		t.Fatal(err)
	}
	params, _, _, err := argon2id.DecodeHash(hash)
	if err != nil || *params != passwordCost {
		t.Errorf("%+v, %v; want %+v", params, err, passwordCost)
	}
}

// TestHashLike makes the hash that the library made, and none of what has no sense.
func TestHashLike(t *testing.T) {
	t.Parallel()
	made, err := argon2id.CreateHash("une phrase", &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	parameters := made[:strings.LastIndex(made, "$")+1]
	for _, c := range []struct{ parameters, password, want string }{
		{parameters, "une phrase", made},
		{"", "une phrase", ""},
		{"$argon2id$", "une phrase", ""},
		{strings.Replace(parameters, "v=19", "v=18", 1), "une phrase", ""},
	} {
		if got, err := hashLike(t.Context(), c.parameters, c.password, false); err != nil || got != c.want {
			t.Errorf("%q: %q, %v; want %q", c.parameters, got, err, c.want)
		}
	}
	if got, err := hashLike(t.Context(), parameters, "une autre", false); err != nil || got == made {
		t.Errorf("another password has the same hash, %v", err)
	}
}

// TestPasswordsTakeTurns runs alone: what other tests hold would be measured too. Sixteen at once would take a gigabyte.
func TestPasswordsTakeTurns(t *testing.T) {
	var checks sync.WaitGroup
	for range 16 {
		checks.Go(func() {
			if _, err := hashLike(t.Context(), nobodysParameters, "a password that is wrong", false); err != nil {
				t.Error(err)
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
			_, err := hashLike(ctx, nobodysParameters, "a password that is wrong", false)
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
