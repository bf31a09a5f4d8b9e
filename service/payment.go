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
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// PaymentList returns the payments that pass the filters.
func (s *Session) PaymentList(ctx context.Context, p gen.PaymentListParams) iter.Seq2[gen.PaymentView, error] {
	if err := checkDates(p.ReceivedFrom, p.ReceivedTo); err != nil {
		return func(yield func(gen.PaymentView, error) bool) { yield(gen.PaymentView{}, err) }
	}
	return stream[gen.PaymentView](ctx, s, "PaymentList", gen.PaymentList, p)
}

// PaymentCount returns the number of rows of the list and what they add up to, whatever the limit. What is void adds nothing.
func (s *Session) PaymentCount(ctx context.Context, p gen.PaymentListParams) (gen.PaymentCountRow, error) {
	if err := checkDates(p.ReceivedFrom, p.ReceivedTo); err != nil {
		return gen.PaymentCountRow{}, err
	}
	return count(ctx, s, "PaymentCount", (*gen.Queries).PaymentCount, gen.PaymentCountParams{
		Voided:       p.Voided,
		ReceivedFrom: p.ReceivedFrom,
		ReceivedTo:   p.ReceivedTo,
		ChangedSince: p.ChangedSince,
		ContractID:   p.ContractID,
		CustomerID:   p.CustomerID,
		Commercial:   p.Commercial,
		RecordedBy:   p.RecordedBy,
		Method:       p.Method,
	})
}

// PaymentDetail returns one payment; NotFound if there is none of this id.
func (s *Session) PaymentDetail(ctx context.Context, id uuid.UUID) (gen.PaymentView, error) {
	return detail(ctx, s, "PaymentDetail", (*gen.Queries).PaymentDetail, id, noPayment(id.String()))
}

// PaymentFind returns the id of the one payment that an id or the beginning of one means. Usage, naming the candidates, if
// it may mean several.
func (s *Session) PaymentFind(ctx context.Context, typed string) (uuid.UUID, error) {
	typed = strings.TrimSpace(typed)
	first, last, err := value.ParseUUIDPrefix("Payment", typed)
	if err != nil || first == last {
		return first, err
	}
	var ids []uuid.UUID
	params := gen.PaymentCandidatesParams{FirstID: first, LastID: last}
	if _, err := s.allow(ctx, "PaymentFind", queryOne(ctx, (*gen.Queries).PaymentCandidates, params, &ids)); err != nil {
		return uuid.Nil, err
	}
	if len(ids) == 0 {
		return uuid.Nil, noPayment(typed)
	}
	return oneOf(typed, ids)
}

// PaymentVoid marks a payment as void, so that it counts no more and is due again. One that is void already stays as it is,
// and Before then is the same as Now. PermissionDenied to a commercial for what they have not recorded themselves, today, of
// a customer of their own.
func (s *Session) PaymentVoid(ctx context.Context, p gen.PaymentVoidParams) (change Change[gen.PaymentView], err error) {
	by, err := s.allow(ctx, "PaymentVoid")
	if err != nil {
		return change, err
	}
	p.AsUsername, p.AsEmployeeID, p.AsCommercialID = by.Username, by.ID, by.own
	var changed bool
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).PaymentDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).PaymentVoid, p, &changed),
		mustFind(queryOne(ctx, (*gen.Queries).PaymentDetail, p.ID, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) {
		payment, err := s.PaymentDetail(ctx, p.ID)
		if err != nil {
			return change, err
		}
		if payment.CommercialID != by.ID {
			return change, notOwn(by, fmt.Sprintf("The customer of payment %s", p.ID), payment.Commercial)
		}
		return change, &failure.Error{Code: failure.PermissionDenied, Hint: "ask an administrator: crm payment void " + p.ID.String(),
			Message: fmt.Sprintf("Payment %s was recorded by %s on %s; you void what you recorded yourself, today.", p.ID, payment.RecordedBy, payment.RecordedAt.Format("2006-01-02"))}
	}
	if now := change.Now; !changed {
		change.Before = &now
	}
	return change, s.translate(ctx, err)
}

func noPayment(named string) error {
	return notFound("crm payment list", "There is no payment %s.", named)
}
