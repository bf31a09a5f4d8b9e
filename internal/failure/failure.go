// Package failure is how everything in crm says no: with a code for scripts, a sentence and a hint for people, and a
// cause for the report of what nobody foresaw.
//
// Whoever finds out what is wrong makes the Error, and what it passes through on its way up adds nothing: the command
// line prints it and exits with its code. Where a program has to tell two errors of one code apart it asks for the
// Reason, which is a word and not an identity, so that it can travel.
package failure

import (
	"encoding/json"
	"errors"
	"io"
	"runtime"
)

// Code is the kind of an Error, as scripts see it.
type Code string

const (
	Internal         Code = "internal"          // a fault of crm or of the database; worth a report
	Usage            Code = "usage"             // a value that cannot be
	Unauthenticated  Code = "unauthenticated"   // no session, or a wrong password
	PermissionDenied Code = "permission_denied" // the role, or the ownership, does not allow it
	NotFound         Code = "not_found"         // no such employee, customer, contract, event or payment
	Conflict         Code = "conflict"          // refused by a rule or by the data
	Unavailable      Code = "unavailable"       // no database, or one of another schema version
)

// Reason tells errors of one code apart, for programs. Most errors need none.
type Reason string

const (
	NotLoggedIn    Reason = "not_logged_in"   // there is no session
	SessionOver    Reason = "session_over"    // there is none any more
	WrongPassword  Reason = "wrong_password"  // or an unknown username
	TooManyLogins  Reason = "too_many_logins" // the next one has to wait
	OtherWire      Reason = "other_wire"      // what was sent is nothing that the server takes
	OutcomeUnknown Reason = "outcome_unknown" // whether it was done is not known
	Duplicate      Reason = "duplicate"       // what is added may be there already
	ForHost        Reason = "for_host"        // only whoever runs the database can do what the hint says
)

// Error is a refusal or a failure. Message and Hint are for the user, one line each, safe to print once escaped; Err is
// the cause, for a report, and may be nil.
type Error struct {
	Code    Code
	Reason  Reason
	Message string
	Hint    string
	Err     error
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }

// Misuse returns the error of something typed that cannot be taken. The hint may be empty.
func Misuse(message, hint string) *Error {
	return &Error{Code: Usage, Message: message, Hint: hint}
}

// With returns a copy of the error with a cause.
func (e *Error) With(cause error) *Error {
	caused := *e
	caused.Err = cause
	return &caused
}

// Of returns the Error in err, or makes one of a failure that nobody foresaw.
func Of(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return Unforeseen(err)
}

// CodeOf returns the code of an error, Internal where it has none.
func CodeOf(err error) Code {
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Code
	}
	return Internal
}

// ReasonOf returns the reason of an error, "" where it has none.
func ReasonOf(err error) Reason {
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Reason
	}
	return ""
}

// Unforeseen returns an Error for a failure that crm has no words for. It remembers where it was made, which is where it
// failed, for the report.
func Unforeseen(err error) *Error {
	if _, ok := errors.AsType[traced](err); !ok {
		const here = 2
		stack := make([]uintptr, 100)
		err = traced{err, stack[:runtime.Callers(here, stack)]}
	}
	return &Error{Code: Internal, Message: "Something went wrong inside crm.", Err: err}
}

// IsUnforeseen reports whether crm had no words for the failure, so that only a report tells more of it.
func (e *Error) IsUnforeseen() bool {
	_, ok := errors.AsType[traced](e.Err)
	return ok
}

// traced is an error that knows where it was made, in the way that Sentry's SDK asks for it.
type traced struct {
	error
	stack []uintptr
}

func (t traced) Unwrap() error         { return t.error }
func (t traced) StackTrace() []uintptr { return t.stack }

// WriteJSON writes the error as a script reads it. An unexpected one has the name of its report as request.
func (e *Error) WriteJSON(w io.Writer, request string) error {
	type body struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
		Request string `json:"request,omitempty"`
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(map[string]body{"error": {e.Code, e.Message, e.Hint, request}})
}
