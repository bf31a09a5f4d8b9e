package service

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
)

// ContractList gives the contracts that pass the filters.
func (s *Session) ContractList(ctx context.Context, p gen.ContractListParams) iter.Seq2[gen.ContractView, error] {
	return stream[gen.ContractView](ctx, s, "ContractList", gen.ContractList, p)
}

// ContractCount gives the number of rows of the list, whatever the limit.
func (s *Session) ContractCount(ctx context.Context, p gen.ContractListParams) (int64, error) {
	p.RowLimit = nil
	return count(ctx, s, "ContractCount", gen.ContractList, p)
}

// ContractPayments gives the payments of a contract.
func (s *Session) ContractPayments(ctx context.Context, p gen.ContractPaymentsParams) iter.Seq2[gen.Payment, error] {
	return stream[gen.Payment](ctx, s, "ContractPayments", gen.ContractPayments, p)
}

// ContractPaymentsCount gives the number of payments, whatever the limit.
func (s *Session) ContractPaymentsCount(ctx context.Context, p gen.ContractPaymentsParams) (int64, error) {
	p.RowLimit = nil
	return count(ctx, s, "ContractPaymentsCount", gen.ContractPayments, p)
}

// ContractDetail gives one contract; NotFound if there is none of this id.
func (s *Session) ContractDetail(ctx context.Context, id uuid.UUID) (gen.ContractView, error) {
	if _, err := s.allow(ctx, "ContractDetail"); err != nil {
		return gen.ContractView{}, err
	}
	return s.contractNow(ctx, id)
}

// ContractFind gives the id of the one contract that an id or the beginning of one means. Usage, naming the candidates,
// if it may mean several.
func (s *Session) ContractFind(ctx context.Context, typed string) (uuid.UUID, error) {
	typed = strings.TrimSpace(typed)
	first, last, err := ParseContractID(typed)
	if err != nil || first == last {
		return first, err
	}
	if _, err := s.allow(ctx, "ContractFind"); err != nil {
		return uuid.Nil, err
	}
	candidates, err := s.gen.ContractCandidates(ctx, gen.ContractCandidatesParams{FirstID: first, LastID: last})
	switch {
	case err != nil:
		return uuid.Nil, translate(ctx, s.db, err)
	case len(candidates) == 0:
		return uuid.Nil, notFound("crm contract list", "There is no contract %s.", typed)
	case len(candidates) > 1:
		ids := make([]string, len(candidates))
		for i, candidate := range candidates {
			ids[i] = candidate.ID.String()
		}
		return uuid.Nil, &Error{Code: Usage, Message: fmt.Sprintf("%s may be any of %s.", typed, strings.Join(ids, ", "))}
	}
	return candidates[0].ID, nil
}

// ContractAdd draws up a contract for a customer, over an amount in euro cents.
func (s *Session) ContractAdd(ctx context.Context, p gen.ContractAddParams) (gen.ContractView, error) {
	if _, err := s.allow(ctx, "ContractAdd"); err != nil {
		return gen.ContractView{}, err
	}
	id, err := s.gen.ContractAdd(ctx, p)
	if errors.Is(err, pgx.ErrNoRows) {
		return gen.ContractView{}, notFound("crm customer list", "There is no customer %d.", p.CustomerID)
	}
	if err != nil {
		return gen.ContractView{}, translate(ctx, s.db, err)
	}
	return s.contractNow(ctx, id)
}

// ContractUpdate changes the fields that are not nil. PermissionDenied for a contract of another's customer, and for one
// that would go to another's customer.
func (s *Session) ContractUpdate(ctx context.Context, p gen.ContractUpdateParams) (gen.ContractView, error) {
	by, err := s.allow(ctx, "ContractUpdate")
	if err != nil {
		return gen.ContractView{}, err
	}
	p.OwnCommercialID = by.own
	_, err = s.gen.ContractUpdate(ctx, p)
	if errors.Is(err, pgx.ErrNoRows) && p.CustomerID != nil {
		contract, errNow := s.contractNow(ctx, p.ID)
		if errNow == nil && (by.own == nil || contract.CommercialID == by.ID) {
			return gen.ContractView{}, s.whyNoCustomer(ctx, err, by, *p.CustomerID)
		}
	}
	if err != nil {
		return gen.ContractView{}, s.whyNoContract(ctx, err, by, p.ID)
	}
	return s.contractNow(ctx, p.ID)
}

// ContractSign records that the customer has signed, now. A contract that is signed already stays as it is.
func (s *Session) ContractSign(ctx context.Context, id uuid.UUID) (contract gen.ContractView, changed bool, err error) {
	by, err := s.allow(ctx, "ContractSign")
	if err != nil {
		return contract, false, err
	}
	row, err := s.gen.ContractSign(ctx, gen.ContractSignParams{ID: id, OwnCommercialID: by.own})
	if err != nil {
		return contract, false, s.whyNoContract(ctx, err, by, id)
	}
	contract, err = s.contractNow(ctx, id)
	return contract, row, err
}

// RecordedPayment is a payment, whether it was recorded just now, and what is due of its contract after it.
type RecordedPayment struct {
	gen.ContractAddPaymentRow
	TotalDue int64
}

// ContractAddPayment records a payment under an id made by the caller. Repeated with the same id, contract and amount it
// answers the same and records nothing; Created then is false. Conflict if the id names another payment.
func (s *Session) ContractAddPayment(ctx context.Context, p gen.ContractAddPaymentParams) (RecordedPayment, error) {
	by, err := s.allow(ctx, "ContractAddPayment")
	if err != nil {
		return RecordedPayment{}, err
	}
	p.RecordedBy = by.Username
	p.OwnCommercialID = by.own
	payment, err := s.gen.ContractAddPayment(ctx, p)
	if errors.Is(err, pgx.ErrNoRows) {
		contract, errNow := s.contractNow(ctx, p.ContractID)
		if errNow == nil && (by.own == nil || contract.CommercialID == by.ID) {
			return RecordedPayment{}, &Error{Code: Conflict, Message: fmt.Sprintf("Payment %s is recorded already, with another amount or contract.", p.ID)}
		}
	}
	if err != nil {
		return RecordedPayment{}, s.whyNoContract(ctx, err, by, p.ContractID)
	}
	contract, err := s.contractNow(ctx, p.ContractID)
	return RecordedPayment{payment, contract.TotalDue}, err
}

// contractNow reads a contract as it now stands.
func (s *Session) contractNow(ctx context.Context, id uuid.UUID) (gen.ContractView, error) {
	row, err := s.gen.ContractDetail(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, notFound("crm contract list", "There is no contract %s.", id)
	}
	return row, translate(ctx, s.db, err)
}

// whyNoContract says why a statement limited to contracts of the actor's own customers found no row.
func (s *Session) whyNoContract(ctx context.Context, err error, by actor, id uuid.UUID) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return translate(ctx, s.db, err)
	}
	contract, err := s.contractNow(ctx, id)
	if err != nil {
		return err
	}
	return notOwn(by, fmt.Sprintf("The customer of contract %s", id), contract.Commercial)
}
