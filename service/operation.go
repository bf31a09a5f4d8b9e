package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
)

// Accounts is how an employee gets a session, whether the database is near or behind a server.
type Accounts interface {
	// Login starts a session and returns its token.
	Login(ctx context.Context, username, password string) (token string, err error)
	// As binds the operations to the employee of a token; whether the session is still good, each of them finds out.
	As(token string) (Operations, error)
}

// Accounts returns the Service as somebody who needs not know that the database is near.
func (s *Service) Accounts() Accounts { return near{s} }

type near struct{ *Service }

func (n near) As(token string) (Operations, error) {
	s, err := n.Service.As(token)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// May refuses the command of an operation to an employee whose role or token may never use it, before anything is asked
// for it. It returns their id where the table limits the operation to what is theirs, else nil. All may read.
func (s *Session) May(ctx context.Context, command string) (own *int64, err error) {
	for operation, permission := range permissions {
		if commandOf(operation) == command && permission.needs != read {
			by, err := s.allow(ctx, operation)
			return by.own, err
		}
	}
	return nil, nil
}

// retryOf returns whether an operation may be sent a second time. What has no row in the table, as a login, is not.
func retryOf(operation string) retry {
	if permission, ok := permissions[operation]; ok {
		return permission.again
	}
	return notIdempotent
}

// Reads reports whether an operation changes nothing, however often it is done.
func Reads(operation string) bool { return retryOf(operation) == readOnly }

// Repeats reports whether an operation may be done again where no answer tells whether it was: it reads, or done twice it
// changes nothing more.
func Repeats(operation string) bool { return retryOf(operation) != notIdempotent }

// RepeatHint is what to do where no answer tells whether an operation was done with these parameters.
func RepeatHint(operation string, params any) string {
	if p, ok := params.(gen.ContractAddPaymentParams); ok {
		more := ""
		if p.ReceivedOn != nil {
			more += " --received " + string(*p.ReceivedOn)
		}
		if p.Method != nil {
			more += " --method " + string(*p.Method)
		}
		if p.Reference != nil {
			more += " --reference '" + strings.ReplaceAll(*p.Reference, "'", `'\''`) + "'"
		}
		return fmt.Sprintf("crm contract add-payment %s --payment %s%s --payment-id %s records it once, however often it is repeated",
			p.ContractID, value.FormatMoney(p.Amount), more, p.ID)
	}
	return retryOf(operation).hint()
}

func (r retry) hint() string {
	if r == notIdempotent {
		return "look whether it was done before you repeat the command"
	}
	return "repeat the command: done twice it changes nothing more"
}
