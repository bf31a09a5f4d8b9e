package service

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
)

// CustomerList gives the customers that pass the filters.
func (s *Session) CustomerList(ctx context.Context, p gen.CustomerListParams) iter.Seq2[gen.CustomerView, error] {
	return stream[gen.CustomerView](ctx, s, "CustomerList", gen.CustomerList, p)
}

// CustomerCount gives the number of rows of the list, whatever the limit.
func (s *Session) CustomerCount(ctx context.Context, p gen.CustomerListParams) (int64, error) {
	p.RowLimit = nil
	return count(ctx, s, "CustomerCount", gen.CustomerList, p)
}

// CustomerDetail gives one customer; NotFound if there is none of this id.
func (s *Session) CustomerDetail(ctx context.Context, id int64) (gen.CustomerView, error) {
	if _, err := s.allow(ctx, "CustomerDetail"); err != nil {
		return gen.CustomerView{}, err
	}
	return s.customerNow(ctx, id)
}

// CustomerAdd adds a customer in the charge of the commercial who acts.
func (s *Session) CustomerAdd(ctx context.Context, p gen.CustomerAddParams) (gen.CustomerView, error) {
	by, err := s.allow(ctx, "CustomerAdd")
	if err != nil {
		return gen.CustomerView{}, err
	}
	p.CommercialID = by.ID
	id, err := s.gen.CustomerAdd(ctx, p)
	if err != nil {
		return gen.CustomerView{}, translate(ctx, s.db, err)
	}
	return s.customerNow(ctx, id)
}

// CustomerUpdate changes the fields that are not nil. PermissionDenied for a customer of another commercial.
func (s *Session) CustomerUpdate(ctx context.Context, p gen.CustomerUpdateParams) (gen.CustomerView, error) {
	by, err := s.allow(ctx, "CustomerUpdate")
	if err != nil {
		return gen.CustomerView{}, err
	}
	p.OwnCommercialID = by.own
	if _, err := s.gen.CustomerUpdate(ctx, p); err != nil {
		return gen.CustomerView{}, s.whyNoCustomer(ctx, err, by, p.ID)
	}
	return s.customerNow(ctx, p.ID)
}

// CustomerSetCommercial hands the customer over to the commercial of this username.
func (s *Session) CustomerSetCommercial(ctx context.Context, p gen.CustomerSetCommercialParams) (gen.CustomerView, error) {
	if _, err := s.allow(ctx, "CustomerSetCommercial"); err != nil {
		return gen.CustomerView{}, err
	}
	_, err := s.gen.CustomerSetCommercial(ctx, p)
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err := s.customerNow(ctx, p.ID); err != nil {
			return gen.CustomerView{}, err
		}
		return gen.CustomerView{}, s.orNoEmployee(ctx, err, p.Commercial)
	}
	if err != nil {
		return gen.CustomerView{}, translate(ctx, s.db, err)
	}
	return s.customerNow(ctx, p.ID)
}

// customerNow reads a customer as it now stands.
func (s *Session) customerNow(ctx context.Context, id int64) (gen.CustomerView, error) {
	row, err := s.gen.CustomerDetail(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, notFound("crm customer list", "There is no customer %d.", id)
	}
	return row, translate(ctx, s.db, err)
}

// whyNoCustomer says why a statement limited to the actor's own customers found no row.
func (s *Session) whyNoCustomer(ctx context.Context, err error, by actor, id int64) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return translate(ctx, s.db, err)
	}
	customer, err := s.customerNow(ctx, id)
	if err != nil {
		return err
	}
	return notOwn(by, fmt.Sprintf("Customer %d", id), customer.Commercial)
}

// notOwn refuses what is in the charge of somebody else; in nobody's charge if that is empty.
func notOwn(by actor, what, inCharge string) error {
	if inCharge == by.Username { // handed over between the statement and the question why
		return &Error{Code: Conflict, Message: what + " changed hands at this moment; nothing was changed.", Hint: "try again"}
	}
	if inCharge == "" {
		inCharge = "nobody"
	}
	return &Error{Code: PermissionDenied, Message: fmt.Sprintf("%s is in the charge of %s, not of %s.", what, inCharge, by.Username)}
}
