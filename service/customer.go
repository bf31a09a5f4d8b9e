package service

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// CustomerList returns the customers that pass the filters.
func (s *Session) CustomerList(ctx context.Context, p gen.CustomerListParams) iter.Seq2[gen.CustomerView, error] {
	return stream[gen.CustomerView](ctx, s, "CustomerList", gen.CustomerList, p)
}

// CustomerCount returns the number of rows of the list, whatever the limit.
func (s *Session) CustomerCount(ctx context.Context, p gen.CustomerListParams) (int64, error) {
	return count(ctx, s, "CustomerCount", (*gen.Queries).CustomerCount, gen.CustomerCountParams{
		IDBegins:     p.IDBegins,
		Archived:     p.Archived,
		ChangedSince: p.ChangedSince,
		CommercialID: p.CommercialID,
		Commercial:   p.Commercial,
		Company:      p.Company,
		Search:       p.Search,
	})
}

// CustomerDetail returns one customer; NotFound if there is none of this id.
func (s *Session) CustomerDetail(ctx context.Context, id int64) (gen.CustomerView, error) {
	return detail(ctx, s, "CustomerDetail", (*gen.Queries).CustomerDetail, id, noCustomer(id))
}

// CustomerAdd adds a customer in the charge of the commercial who acts. Conflict, with the reason Duplicate, if another has
// the same e-mail address or telephone number, unless that is allowed.
func (s *Session) CustomerAdd(ctx context.Context, p gen.CustomerAddParams) (change Change[gen.CustomerView], err error) {
	by, err := s.allow(ctx, "CustomerAdd")
	if err != nil {
		return change, err
	}
	if err := checkReach(p.Email, p.Phone); err != nil {
		return change, err
	}
	p.AsCommercialID = by.ID
	var (
		id    int64
		there []gen.CustomersReachedByRow
	)
	// Others take their turn in a statement of its own, so that who waited for it is seen by those that follow.
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).CustomerAddTurn, gen.CustomerAddTurnParams{Email: p.Email, Phone: p.Phone}, new(int64)),
		queryOne(ctx, (*gen.Queries).CustomersReachedBy, gen.CustomersReachedByParams{Email: p.Email, Phone: p.Phone, RowMost: twinsNamed + 1}, &there),
		queryOne(ctx, (*gen.Queries).CustomerAdd, p, &id),
		mustFind(queryNoArgs(ctx, (*gen.Queries).CustomerAdded, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) {
		return change, alreadyThere(there)
	}
	return change, s.translate(ctx, err)
}

// twinsNamed is how many customers a message names.
const twinsNamed = 5

// alreadyThere refuses to add a customer who is reached as these are.
func alreadyThere(there []gen.CustomersReachedByRow) error {
	more := ""
	if len(there) > twinsNamed {
		there, more = there[:twinsNamed], "; and more"
	}
	named := make([]string, len(there))
	for i, row := range there {
		who := fmt.Sprintf("customer %d, %s", row.ID, row.Fullname)
		if row.Company != nil {
			who += ", " + *row.Company
		}
		who += ", in the charge of " + row.Commercial
		if row.ArchivedAt != nil {
			who += ", archived"
		}
		what := "e-mail address"
		switch {
		case row.HasEmail && row.HasPhone:
			what = "e-mail address and telephone number"
		case row.HasPhone:
			what = "telephone number"
		}
		named[i] = fmt.Sprintf("%s (same %s)", who, what)
	}
	return &failure.Error{
		Code: failure.Conflict, Reason: failure.Duplicate,
		Message: fmt.Sprintf("This customer may be there already: %s%s.", strings.Join(named, "; "), more),
		Hint:    "--allow-duplicate adds another one",
	}
}

// checkReach checks what of an e-mail address and a phone number is given.
func checkReach(email *string, phone *value.Phone) error {
	if email != nil {
		if err := value.CheckEmail(*email); err != nil {
			return err
		}
	}
	if phone != nil {
		return value.CheckPhone(*phone)
	}
	return nil
}

// CustomerUpdate changes the fields that are not nil. PermissionDenied for a customer of another commercial.
func (s *Session) CustomerUpdate(ctx context.Context, p gen.CustomerUpdateParams) (change Change[gen.CustomerView], err error) {
	by, err := s.allow(ctx, "CustomerUpdate")
	if err != nil {
		return change, err
	}
	if err := checkReach(p.Email, p.Phone); err != nil {
		return change, err
	}
	p.AsCommercialID = by.own
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).CustomerUpdate, p, new(int64)),
		mustFind(queryOne(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Now)))
	return change, s.whyNoCustomer(ctx, err, by, p.ID)
}

// CustomerSetCommercial hands the customer over to the commercial of this username.
func (s *Session) CustomerSetCommercial(ctx context.Context, p gen.CustomerSetCommercialParams) (change Change[gen.CustomerView], err error) {
	by, err := s.allow(ctx, "CustomerSetCommercial")
	if err != nil {
		return change, err
	}
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).CustomerSetCommercial, p, new(int64)),
		mustFind(queryOne(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err := s.CustomerDetail(ctx, p.ID); err != nil {
			return change, err
		}
		return change, s.orNoEmployee(ctx, err, p.Commercial)
	}
	return change, s.whyNotInCharge(ctx, err, p.Commercial, "a customer", gen.RoleCommercial)
}

// CustomerArchive takes a customer out of the lists. One who is archived already stays as they are, and Before then is the
// same as Now. Conflict while a contract is open or an event is to come. PermissionDenied for a customer of another
// commercial.
func (s *Session) CustomerArchive(ctx context.Context, p gen.CustomerArchiveParams) (change Change[gen.CustomerView], err error) {
	by, err := s.allow(ctx, "CustomerArchive")
	if err != nil {
		return change, err
	}
	p.AsCommercialID = by.own
	var changed bool
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).CustomerArchive, p, &changed),
		mustFind(queryOne(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Now)))
	if now := change.Now; !changed {
		change.Before = &now
	}
	return change, s.whyNoCustomer(ctx, err, by, p.ID)
}

// CustomerRestore brings an archived customer back into the lists. Conflict if who was in charge is inactive.
// PermissionDenied for a customer of another commercial.
func (s *Session) CustomerRestore(ctx context.Context, p gen.CustomerRestoreParams) (change Change[gen.CustomerView], err error) {
	by, err := s.allow(ctx, "CustomerRestore")
	if err != nil {
		return change, err
	}
	p.AsCommercialID = by.own
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).CustomerRestore, p, new(int64)),
		mustFind(queryOne(ctx, (*gen.Queries).CustomerDetail, p.ID, &change.Now)))
	return change, s.whyNoCustomer(ctx, err, by, p.ID)
}

// CustomerDuplicates returns the customers who share an e-mail address, a telephone number, or name and company with another
// of those that pass the filters.
func (s *Session) CustomerDuplicates(ctx context.Context, p gen.CustomerDuplicatesParams) iter.Seq2[gen.CustomerDuplicatesRow, error] {
	return stream[gen.CustomerDuplicatesRow](ctx, s, "CustomerDuplicates", gen.CustomerDuplicates, p)
}

// CustomerDuplicatesCount returns the number of rows of the list, whatever the limit.
func (s *Session) CustomerDuplicatesCount(ctx context.Context, p gen.CustomerDuplicatesParams) (int64, error) {
	return count(ctx, s, "CustomerDuplicatesCount", (*gen.Queries).CustomerDuplicatesCount, gen.CustomerDuplicatesCountParams{
		Archived:     p.Archived,
		CommercialID: p.CommercialID,
	})
}

// MergeParams say which customer is kept, and which goes. With DryRun both stay as they are.
type MergeParams struct {
	gen.CustomerMergeParams
	DryRun bool `json:"dry_run"`
}

// CustomerMerge makes one customer of two: the one who is kept gets all that refers to the other, and what they lack of
// company, e-mail address, telephone number and address; the other is deleted. It returns how many rows of each table were
// moved. Conflict if only the one who would be kept is archived. PermissionDenied for a customer of another commercial.
func (s *Session) CustomerMerge(ctx context.Context, p MergeParams) (change Change[gen.CustomerView], moved []gen.CustomerMergeRow, err error) {
	by, err := s.allow(ctx, "CustomerMerge")
	if err != nil {
		return change, nil, err
	}
	if p.KeepID == p.DropID {
		return change, nil, failure.Misuse(fmt.Sprintf("Customer %d is one already: name two.", p.KeepID), "crm customer duplicates")
	}
	p.AsCommercialID = by.own
	var now *gen.CustomerView
	err = s.writeOrTry(ctx, by, p.DryRun,
		queryMaybe(ctx, (*gen.Queries).CustomerDetail, p.KeepID, &change.Before),
		queryOne(ctx, (*gen.Queries).CustomerMerge, p.CustomerMergeParams, &moved),
		queryMaybe(ctx, (*gen.Queries).CustomerDetail, p.KeepID, &now))
	switch {
	case err != nil:
		return change, nil, s.translate(ctx, err)
	case len(moved) == 0:
		return change, nil, s.whyNotMerged(ctx, by, p.KeepID, p.DropID)
	}
	change.Now = *now
	return change, moved, nil
}

// whyNotMerged says why two customers were not found.
func (s *Session) whyNotMerged(ctx context.Context, by actor, ids ...int64) error {
	for _, id := range ids {
		customer, err := s.CustomerDetail(ctx, id)
		if err != nil {
			return err
		}
		if by.own != nil && customer.CommercialID != *by.own {
			return notOwn(by, fmt.Sprintf("Customer %d", id), customer.Commercial)
		}
	}
	return &failure.Error{Code: failure.Conflict, Message: "The customers changed hands at this moment; nothing was changed.", Hint: "try again"}
}

func noCustomer(id int64) error {
	return notFound("crm customer list", "There is no customer %d.", id)
}

// whyNoCustomer says why a statement limited to the actor's own customers found no row.
func (s *Session) whyNoCustomer(ctx context.Context, err error, by actor, id int64) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return s.translate(ctx, err)
	}
	customer, err := s.CustomerDetail(ctx, id)
	if err != nil {
		return err
	}
	return notOwn(by, fmt.Sprintf("Customer %d", id), customer.Commercial)
}

// notOwn refuses what is in the charge of somebody else; in nobody's charge if that is empty.
func notOwn(by actor, what, inCharge string) error {
	if inCharge == by.Username { // handed over between the statement and the question why
		return &failure.Error{Code: failure.Conflict, Message: what + " changed hands at this moment; nothing was changed.", Hint: "try again"}
	}
	if inCharge == "" {
		inCharge = "nobody"
	}
	return &failure.Error{Code: failure.PermissionDenied, Message: fmt.Sprintf("%s is in the charge of %s, not of %s.", what, inCharge, by.Username)}
}
