package service

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
)

// CustomerAccount is a customer with what they bought, paid and owe.
type CustomerAccount struct {
	gen.CustomerView
	gen.CustomerSumsRow
}

// CustomerOverview is a customer with all that belongs to them, also what is cancelled or void: the newest first.
type CustomerOverview struct {
	CustomerAccount
	Contracts []gen.ContractView `json:"contracts"`
	Payments  []gen.PaymentView  `json:"payments"`
	Events    []gen.EventView    `json:"events"`
	Reminders []gen.ReminderView `json:"reminders"` // not done
	Notes     []gen.NoteView     `json:"notes"`
}

// CustomerOverview returns a customer with no more than rowLimit of each kind of what belongs to them, with all where that
// is nil; NotFound if there is none of this id.
func (s *Session) CustomerOverview(ctx context.Context, id int64, rowLimit *int64) (o CustomerOverview, err error) {
	var customer *gen.CustomerView
	var sums *gen.CustomerSumsRow
	_, err = s.allow(ctx, "CustomerOverview",
		queryMaybe(ctx, (*gen.Queries).CustomerDetail, id, &customer),
		queryMaybe(ctx, (*gen.Queries).CustomerSums, id, &sums),
		queryOne(ctx, (*gen.Queries).CustomerContracts, gen.CustomerContractsParams{CustomerID: id, RowLimit: rowLimit}, &o.Contracts),
		queryOne(ctx, (*gen.Queries).PaymentList, gen.PaymentListParams{
			CustomerID: &id, Voided: true, Sort: "received_on:desc", RowLimit: rowLimit,
		}, &o.Payments),
		queryOne(ctx, (*gen.Queries).EventList, gen.EventListParams{
			CustomerID: &id, Cancelled: true, Sort: "start:desc", RowLimit: rowLimit,
		}, &o.Events),
		queryOne(ctx, (*gen.Queries).ReminderList, gen.ReminderListParams{CustomerID: &id, RowLimit: rowLimit}, &o.Reminders),
		queryOne(ctx, (*gen.Queries).NoteList, gen.NoteListParams{CustomerID: &id, Sort: "at:desc", RowLimit: rowLimit}, &o.Notes))
	if err != nil {
		return o, err
	}
	if customer == nil || sums == nil { // who is deleted between the two is gone
		return o, noCustomer(id)
	}
	o.CustomerAccount = CustomerAccount{*customer, *sums}
	return o, nil
}

// ContractAccount is a contract with what is paid of it, and how its customer is reached.
type ContractAccount struct {
	gen.ContractView
	gen.ContractSumsRow
}

// ContractOverview is a contract with its payments and events, also those that are void or cancelled: the newest first.
type ContractOverview struct {
	ContractAccount
	Payments  []gen.PaymentView  `json:"payments"`
	Events    []gen.EventView    `json:"events"`
	Reminders []gen.ReminderView `json:"reminders"` // not done
	Notes     []gen.NoteView     `json:"notes"`
}

// ContractOverview returns a contract with no more than rowLimit of its payments and of its events, with all where that is
// nil; NotFound if there is none of this id.
func (s *Session) ContractOverview(ctx context.Context, id uuid.UUID, rowLimit *int64) (o ContractOverview, err error) {
	var contract *gen.ContractView
	var sums *gen.ContractSumsRow
	_, err = s.allow(ctx, "ContractOverview",
		queryMaybe(ctx, (*gen.Queries).ContractDetail, id, &contract),
		queryMaybe(ctx, (*gen.Queries).ContractSums, id, &sums),
		queryOne(ctx, (*gen.Queries).PaymentList, gen.PaymentListParams{
			ContractID: &id, Voided: true, Sort: "received_on:desc", RowLimit: rowLimit,
		}, &o.Payments),
		queryOne(ctx, (*gen.Queries).EventList, gen.EventListParams{
			ContractID: &id, Cancelled: true, Sort: "start:desc", RowLimit: rowLimit,
		}, &o.Events),
		queryOne(ctx, (*gen.Queries).ReminderList, gen.ReminderListParams{ContractID: &id, RowLimit: rowLimit}, &o.Reminders),
		queryOne(ctx, (*gen.Queries).NoteList, gen.NoteListParams{ContractID: &id, Sort: "at:desc", RowLimit: rowLimit}, &o.Notes))
	if err != nil {
		return o, err
	}
	if contract == nil || sums == nil {
		return o, noContract(id.String())
	}
	o.ContractAccount = ContractAccount{*contract, *sums}
	return o, nil
}

// EventSheet returns an event with what its support needs of its customer and its contract; NotFound if there is none of
// this id.
func (s *Session) EventSheet(ctx context.Context, id int64) (gen.EventSheetRow, error) {
	return detail(ctx, s, "EventSheet", (*gen.Queries).EventSheet, id, noEvent(id))
}

// FindParams say what to find, in which order, and how much of it; all where RowLimit is nil.
type FindParams struct {
	Text     string `json:"text"`
	Sort     string `json:"sort"`
	RowLimit *int64 `json:"row_limit"`
}

// Find returns the customers, contracts and events that a text fits.
func (s *Session) Find(ctx context.Context, p FindParams) iter.Seq2[gen.FindRow, error] {
	number, first, last := contractIn(p.Text)
	params := gen.FindParams{Text: p.Text, Number: number, FirstID: first, LastID: last, Sort: p.Sort, RowLimit: p.RowLimit}
	return stream[gen.FindRow](ctx, s, "Find", gen.Find, params)
}

// FindCount returns the number of what a text fits, whatever the limit.
func (s *Session) FindCount(ctx context.Context, p FindParams) (int64, error) {
	number, first, last := contractIn(p.Text)
	return count(ctx, s, "FindCount", (*gen.Queries).FindCount, gen.FindCountParams{Text: p.Text, Number: number, FirstID: first, LastID: last})
}

// contractIn returns the number that a text is, or the ids that begin with it; nil where it is neither.
func contractIn(text string) (number *string, first, last *uuid.UUID) {
	if whole, ok := value.ParseContractNumber(text); ok {
		number = &whole
	}
	if from, to, err := value.ParseContractID(text); err == nil {
		first, last = &from, &to
	}
	return number, first, last
}
