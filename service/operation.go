package service

import (
	"fmt"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
)

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
		return fmt.Sprintf("crm contract add-payment %s --payment %s --payment-id %s records it once, however often it is repeated",
			p.ContractID, value.FormatMoney(p.Amount), p.ID)
	}
	return retryOf(operation).hint()
}

func (r retry) hint() string {
	if r == notIdempotent {
		return "look whether it was done before you repeat the command"
	}
	return "repeat the command: done twice it changes nothing more"
}
