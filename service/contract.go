package service

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// ContractList returns the contracts that pass the filters.
func (s *Session) ContractList(ctx context.Context, p gen.ContractListParams) iter.Seq2[gen.ContractView, error] {
	if err := checkDates(p.SignedFrom, p.SignedTo); err != nil {
		return func(yield func(gen.ContractView, error) bool) { yield(gen.ContractView{}, err) }
	}
	return stream[gen.ContractView](ctx, s, "ContractList", gen.ContractList, p)
}

// ContractCount returns the number of rows of the list and what they add up to, whatever the limit.
func (s *Session) ContractCount(ctx context.Context, p gen.ContractListParams) (gen.ContractCountRow, error) {
	if err := checkDates(p.SignedFrom, p.SignedTo); err != nil {
		return gen.ContractCountRow{}, err
	}
	return count(ctx, s, "ContractCount", (*gen.Queries).ContractCount, gen.ContractCountParams{
		NumberBegins: p.NumberBegins,
		FirstID:      p.FirstID,
		LastID:       p.LastID,
		NotSigned:    p.NotSigned,
		NotPaid:      p.NotPaid,
		Signed:       p.Signed,
		Overdue:      p.Overdue,
		Status:       p.Status,
		SignedFrom:   p.SignedFrom,
		SignedTo:     p.SignedTo,
		ChangedSince: p.ChangedSince,
		CommercialID: p.CommercialID,
		Commercial:   p.Commercial,
		CustomerID:   p.CustomerID,
		Search:       p.Search,
	})
}

// checkDates refuses what is no day, of those that are given: PostgreSQL would read it its own way.
func checkDates(days ...*value.Date) error {
	for _, day := range days {
		if day != nil {
			if err := value.CheckDate(*day); err != nil {
				return err
			}
		}
	}
	return nil
}

// ContractDetail returns one contract; NotFound if there is none of this id.
func (s *Session) ContractDetail(ctx context.Context, id uuid.UUID) (gen.ContractView, error) {
	return detail(ctx, s, "ContractDetail", (*gen.Queries).ContractDetail, id, noContract(id.String()))
}

// ContractFind returns the id of the one contract that a number, an id or the beginning of one means. Usage, naming the
// candidates, if it may mean several.
func (s *Session) ContractFind(ctx context.Context, typed string) (uuid.UUID, error) {
	typed = strings.TrimSpace(typed)
	var meant gen.ContractCandidatesParams
	if number, ok := value.ParseContractNumber(typed); ok {
		meant.Number, typed = &number, number
	} else {
		first, last, err := value.ParseContractID(typed)
		if err != nil || first == last {
			return first, err
		}
		meant.FirstID, meant.LastID = &first, &last
	}
	var candidates []gen.ContractView
	if _, err := s.allow(ctx, "ContractFind", queryOne(ctx, (*gen.Queries).ContractCandidates, meant, &candidates)); err != nil {
		return uuid.Nil, err
	}
	if len(candidates) == 0 {
		return uuid.Nil, noContract(typed)
	}
	ids := make([]uuid.UUID, len(candidates))
	for i, candidate := range candidates {
		ids[i] = candidate.ID
	}
	return oneOf(typed, ids)
}

// ContractAdd draws up a contract for a customer, over an amount in euro cents. Its id is made here.
func (s *Session) ContractAdd(ctx context.Context, p gen.ContractAddParams) (change Change[gen.ContractView], err error) {
	by, err := s.allow(ctx, "ContractAdd")
	if err != nil {
		return change, err
	}
	if err := checkDates(p.DueOn); err != nil {
		return change, err
	}
	p.AsID = uuid.New()
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).ContractAdd, p, new(uuid.UUID)),
		mustFind(queryOne(ctx, (*gen.Queries).ContractDetail, p.AsID, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) {
		return change, noCustomer(p.CustomerID)
	}
	return change, s.translate(ctx, err)
}

// ContractUpdate changes the fields that are not nil. PermissionDenied for a contract of another's customer, and for one
// that would go to another's customer.
func (s *Session) ContractUpdate(ctx context.Context, p gen.ContractUpdateParams) (change Change[gen.ContractView], err error) {
	by, err := s.allow(ctx, "ContractUpdate")
	if err != nil {
		return change, err
	}
	if err := checkDates(p.DueOn); err != nil {
		return change, err
	}
	p.AsCommercialID = by.own
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).ContractDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).ContractUpdate, p, new(uuid.UUID)),
		mustFind(queryOne(ctx, (*gen.Queries).ContractDetail, p.ID, &change.Now)))
	if isOverpaid(err) {
		return change, s.withAmount(ctx, err, p.ID, "paid", func(c gen.ContractView) value.Cents { return c.TotalAmount - c.TotalDue })
	}
	if errors.Is(err, pgx.ErrNoRows) && p.CustomerID != nil {
		contract, errNow := s.ContractDetail(ctx, p.ID)
		if errNow == nil && (by.own == nil || contract.CommercialID == by.ID) {
			return change, s.whyNoCustomer(ctx, err, by, *p.CustomerID)
		}
	}
	return change, s.whyNoContract(ctx, err, by, p.ID)
}

// ContractSign records that the customer has signed, now. A contract that is signed already stays as it is, and
// Before then is the same as Now.
func (s *Session) ContractSign(ctx context.Context, id uuid.UUID) (change Change[gen.ContractView], err error) {
	by, err := s.allow(ctx, "ContractSign")
	if err != nil {
		return change, err
	}
	var changed bool
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).ContractDetail, id, &change.Before),
		queryOne(ctx, (*gen.Queries).ContractSign, gen.ContractSignParams{ID: id, AsCommercialID: by.own}, &changed),
		mustFind(queryOne(ctx, (*gen.Queries).ContractDetail, id, &change.Now)))
	if now := change.Now; !changed { // perhaps signed by somebody else since it was read
		change.Before = &now
	}
	return change, s.whyNoContract(ctx, err, by, id)
}

// ContractUnsign withdraws the signature of a contract, for a reason that the history keeps. Conflict where something of it is
// paid or an event belongs to it. A contract that is not signed stays as it is, and Before then is the same as Now.
func (s *Session) ContractUnsign(ctx context.Context, p gen.ContractUnsignParams) (change Change[gen.ContractView], err error) {
	by, err := s.allow(ctx, "ContractUnsign")
	if err != nil {
		return change, err
	}
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).ContractDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).ContractUnsign, p, new(uuid.UUID)),
		mustFind(queryOne(ctx, (*gen.Queries).ContractDetail, p.ID, &change.Now)))
	return change, s.whyNoContract(ctx, err, by, p.ID)
}

// ContractCancel cancels a contract, for a reason. Conflict while it has payments that are not void, or events that are not
// cancelled. A contract that is cancelled already stays as it is, and Before then is the same as Now.
func (s *Session) ContractCancel(ctx context.Context, p gen.ContractCancelParams) (change Change[gen.ContractView], err error) {
	by, err := s.allow(ctx, "ContractCancel")
	if err != nil {
		return change, err
	}
	p.AsCommercialID = by.own
	var changed bool
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).ContractDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).ContractCancel, p, &changed),
		mustFind(queryOne(ctx, (*gen.Queries).ContractDetail, p.ID, &change.Now)))
	if now := change.Now; !changed {
		change.Before = &now
	}
	return change, s.whyNoContract(ctx, err, by, p.ID)
}

// RecordedPayment is a payment, whether it was recorded just now, who paid, and what is due of its contract after it.
type RecordedPayment struct {
	ID           uuid.UUID          `json:"id"`
	Contract     uuid.UUID          `json:"contract"`
	Number       string             `json:"number"`
	Customer     string             `json:"customer"`
	Company      *string            `json:"company"`
	Amount       value.Cents        `json:"amount"`
	ReceivedOn   value.Date         `json:"received_on"`
	Method       *gen.PaymentMethod `json:"method"`
	Reference    *string            `json:"reference"`
	RecordedBy   string             `json:"recorded_by"`
	RecordedByID *int64             `json:"recorded_by_id"`
	RecordedAt   time.Time          `json:"recorded_at"`
	Created      bool               `json:"created"`
	TotalDue     value.Cents        `json:"total_due"`
}

// ContractAddPayment records a payment under an id made by the caller. Repeated with the same id, contract and amount, or
// the same reference of the bank, it answers the payment that is there and records nothing; Created then is false. Conflict if the id names another payment. Before differs
// from Now in what was due.
func (s *Session) ContractAddPayment(ctx context.Context, p gen.ContractAddPaymentParams) (change Change[RecordedPayment], err error) {
	by, err := s.allow(ctx, "ContractAddPayment")
	if err != nil {
		return change, err
	}
	if err := checkDates(p.ReceivedOn); err != nil {
		return change, err
	}
	p.AsUsername, p.AsEmployeeID = by.Username, by.ID
	p.AsCommercialID = by.own
	var created *uuid.UUID
	var payment gen.PaymentView
	var contract gen.ContractView
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).ContractAddPayment, p, &created),
		queryOne(ctx, (*gen.Queries).ContractAddedPayment, gen.ContractAddedPaymentParams{
			ID: p.ID, ContractID: p.ContractID, Amount: p.Amount, Reference: p.Reference, AsCommercialID: p.AsCommercialID,
		}, &payment),
		mustFind(queryOne(ctx, (*gen.Queries).ContractDetail, p.ContractID, &contract)))
	if isOverpaid(err) {
		return change, s.withAmount(ctx, err, p.ContractID, "due", func(c gen.ContractView) value.Cents { return c.TotalDue })
	}
	if errors.Is(err, pgx.ErrNoRows) {
		contract, errNow := s.ContractDetail(ctx, p.ContractID)
		if errNow == nil && (by.own == nil || contract.CommercialID == by.ID) {
			return change, &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("Payment %s is recorded already, with another amount or contract.", p.ID)}
		}
	}
	if err = s.whyNoContract(ctx, err, by, p.ContractID); err != nil {
		if problem, ok := errors.AsType[*failure.Error](err); ok && problem.Reason == failure.OutcomeUnknown {
			problem.Hint = RepeatHint("ContractAddPayment", p)
		}
		return change, err
	}
	change.Now = RecordedPayment{
		ID: payment.ID, Contract: payment.Contract, Number: payment.Number, Customer: contract.Customer, Company: contract.Company,
		Amount: payment.Amount, ReceivedOn: payment.ReceivedOn, Method: payment.Method, Reference: payment.Reference, RecordedBy: payment.RecordedBy, RecordedByID: payment.RecordedByID, RecordedAt: payment.RecordedAt,
		Created: created != nil, TotalDue: contract.TotalDue,
	}
	before := change.Now
	if change.Now.Created {
		before.TotalDue += payment.Amount
	}
	change.Before = &before
	return change, nil
}

// withAmount adds to the refusal of a payment, or of a total, the amount that stands against it.
func (s *Session) withAmount(ctx context.Context, err error, id uuid.UUID, what string, of func(gen.ContractView) value.Cents) error {
	err = s.translate(ctx, err)
	contract, errNow := s.ContractDetail(ctx, id)
	if problem, ok := errors.AsType[*failure.Error](err); ok && errNow == nil {
		problem.Message = fmt.Sprintf("%s: %s is %s.", strings.TrimSuffix(problem.Message, "."), value.FormatEuro(of(contract)), what)
	}
	return err
}

func noContract(named string) error {
	return notFound("crm contract list", "There is no contract %s.", named)
}

// whyNoContract says why a statement limited to contracts of the actor's own customers found no row.
func (s *Session) whyNoContract(ctx context.Context, err error, by actor, id uuid.UUID) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return s.translate(ctx, err)
	}
	contract, err := s.ContractDetail(ctx, id)
	if err != nil {
		return err
	}
	return notOwn(by, fmt.Sprintf("The customer of contract %s", id), contract.Commercial)
}
