package service

import (
	"errors"
	"testing"
	"time"
)

// TestRetriesDoNotWearOut: a Service without a limit, which may be that of a server, retries after any number of requests
// as it did for the first, and the limit of one request is not that of the next.
func TestRetriesDoNotWearOut(t *testing.T) {
	t.Parallel()
	tries := func(b *budget) (n int) {
		_ = b.attempts(t.Context(), func(error) bool { return true }, func() error {
			if n++; n < 3 {
				return errors.New("lost")
			}
			return nil
		})
		return n
	}
	long := New(nil)
	long.budget.charge(time.Now().Add(-time.Hour))
	if n := tries(long.budget); n != 3 {
		t.Errorf("%d attempts after an hour of work, want 3", n)
	}
	request := long.Within(time.Minute)
	request.budget.charge(time.Now().Add(-time.Hour))
	if n := tries(request.budget); n != 1 {
		t.Errorf("%d attempts after the limit, want 1", n)
	}
	if n := tries(long.Within(time.Minute).budget); n != 3 {
		t.Errorf("%d attempts for another request, want 3", n)
	}
}
