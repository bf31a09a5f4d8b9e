package failure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	for want, err := range map[Code]error{
		Internal:    errors.New("x"),
		Usage:       fmt.Errorf("x: %w", Misuse("This cannot be.", "")),
		Unavailable: fmt.Errorf("x: %w", &Error{Code: Unavailable}),
	} {
		if got := CodeOf(err); got != want {
			t.Errorf("CodeOf(%v) = %s, want %s", err, got, want)
		}
	}
	if err := (&Error{Message: "m", Err: context.Canceled}); err.Error() != "m" || !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not what it was made of", err)
	}
}

// TestReasonOf: what a program goes by is in the values of the error, which a copy of it and a wire keep.
func TestReasonOf(t *testing.T) {
	t.Parallel()
	over := &Error{Code: Unauthenticated, Reason: SessionOver, Message: "Your session is over."}
	for _, test := range []struct {
		err  error
		want Reason
	}{
		{nil, ""},
		{context.Canceled, ""},
		{Misuse("This cannot be.", ""), ""},
		{over, SessionOver},
		{over.With(context.Canceled), SessionOver},
		{fmt.Errorf("x: %w", &Error{Code: Unauthenticated, Reason: SessionOver}), SessionOver},
		{&Error{Code: Unauthenticated, Err: over}, ""}, // somebody who knew better put it in other words
	} {
		if got := ReasonOf(test.err); got != test.want {
			t.Errorf("ReasonOf(%v) = %q, want %q", test.err, got, test.want)
		}
	}
	if over.Err != nil || !errors.Is(over.With(context.Canceled), context.Canceled) {
		t.Error("With changes the original, or loses the cause")
	}
}

func TestUnforeseenIsTracedOnce(t *testing.T) {
	t.Parallel()
	first := Unforeseen(errors.New("x"))
	if again := Unforeseen(first); again.Err != error(first) {
		t.Errorf("%#v was traced a second time", again)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*Error{
		`{"error":{"code":"usage","message":"a < b","hint":"crm help"}}`: Misuse("a < b", "crm help"),
		`{"error":{"code":"unauthenticated","message":"m"}}`:             {Code: Unauthenticated, Reason: NotLoggedIn, Message: "m", Err: context.Canceled},
	} {
		var out strings.Builder
		if e := err.WriteJSON(&out, ""); e != nil || out.String() != want+"\n" {
			t.Errorf("%v %s, want %s", e, out.String(), want)
		}
	}
	var out strings.Builder
	if err := Unforeseen(context.Canceled).WriteJSON(&out, "1a2b"); err != nil || !strings.HasSuffix(out.String(), `crm.","request":"1a2b"}}`+"\n") {
		t.Error(err, out.String())
	}
}
