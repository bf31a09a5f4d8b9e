package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// lost is a request without its answer, or without the end of it.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

// final is a failure after which nothing is tried again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

const protocolNumber = string('0' + rune(protocol))

func notCrm(status string) *failure.Error {
	return &failure.Error{Code: failure.Unavailable, Message: fmt.Sprintf("What answers at server.url is not crm: %.40s.", status), Hint: "check server.url"}
}

// explain puts a failure into words. Unknown is whether it may have been done all the same.
func (s *Session) explain(ctx context.Context, operation string, params any, err error, unknown bool) error {
	cancelled := errors.Is(ctx.Err(), context.Canceled)
	known, answered := errors.AsType[*failure.Error](err)
	if answered && !errors.As(err, new(lost)) && (!unknown || known.Code != failure.Unavailable) {
		return known
	}
	problem := &failure.Error{Code: failure.Unavailable, Err: err}
	if unknown {
		problem.Reason, problem.Hint = failure.OutcomeUnknown, service.RepeatHint(operation, params)
		switch {
		case cancelled:
			problem.Message = "Interrupted: whether this was done is not known."
			problem.Err = errors.Join(err, context.Canceled)
		case isTimeout(err):
			problem.Message = "The server did not answer in time: whether this was done is not known."
		default:
			problem.Message = "The connection to the server was lost: whether this was done is not known."
		}
		return problem
	}
	problem.Hint = "try again in a moment"
	switch {
	case cancelled:
		return context.Canceled
	case answered:
		return known
	case isTimeout(err):
		problem.Message = "The server did not answer in time."
	case isDial(err):
		problem.Message, problem.Hint = "The server cannot be reached"+failure.WhyUnreachable(err)+".", "see that it runs, and that server.url is right"
		if _, untrusted := errors.AsType[x509.UnknownAuthorityError](err); untrusted {
			problem.Hint = "server.ca_file names the certificate of the authority that signed the server's"
		}
	default:
		problem.Message = "The connection to the server was lost."
	}
	return problem
}

func isTimeout(err error) bool {
	network, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || ok && network.Timeout()
}

// isDial reports whether there was no connection at all.
func isDial(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, clear := errors.AsType[tls.RecordHeaderError](err)
	return ok && operation.Op == "dial" || untrusted || clear
}
