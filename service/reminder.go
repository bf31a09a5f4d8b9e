package service

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// ReminderList returns the reminders that pass the filters.
func (s *Session) ReminderList(ctx context.Context, p gen.ReminderListParams) iter.Seq2[gen.ReminderView, error] {
	return stream[gen.ReminderView](ctx, s, "ReminderList", gen.ReminderList, p)
}

// ReminderCount returns the number of rows of the list, whatever the limit.
func (s *Session) ReminderCount(ctx context.Context, p gen.ReminderListParams) (int64, error) {
	return count(ctx, s, "ReminderCount", (*gen.Queries).ReminderCount, gen.ReminderCountParams{
		CustomerID: p.CustomerID, ContractID: p.ContractID, EventID: p.EventID, Done: p.Done, For: p.For, ForID: p.ForID, DueFrom: p.DueFrom, DueTo: p.DueTo,
		ChangedSince: p.ChangedSince,
	})
}

// ReminderDetail returns one reminder; NotFound if there is none of this id.
func (s *Session) ReminderDetail(ctx context.Context, id int64) (gen.ReminderView, error) {
	return detail(ctx, s, "ReminderDetail", (*gen.Queries).ReminderDetail, id, noReminder(id))
}

// ReminderAdd adds a reminder about a customer, a contract or an event, for p.For or for whoever adds it. PermissionDenied
// for a subject that is not in the charge of a commercial or a support, nor belongs to what is.
func (s *Session) ReminderAdd(ctx context.Context, p gen.ReminderAddParams) (change Change[gen.ReminderView], err error) {
	by, err := s.allow(ctx, "ReminderAdd")
	if err != nil {
		return change, err
	}
	if err := value.CheckDate(p.DueOn); err != nil {
		return change, err
	}
	p.AsFor = by.Username
	p.AsCommercialID, p.AsSupportID = by.ownOf(gen.RoleCommercial), by.ownOf(gen.RoleSupport)
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).ReminderAdd, p, new(int64)),
		mustFind(queryNoArgs(ctx, (*gen.Queries).ReminderAdded, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) && p.For != nil {
		who, err := s.EmployeeDetail(ctx, *p.For)
		if err != nil {
			return change, err
		}
		if !who.Active {
			return change, &failure.Error{Code: failure.Conflict, Message: who.Username + " is inactive, and is not reminded.", Hint: "crm employee list"}
		}
	}
	return change, s.whyNotAbout(ctx, err, by, subject{p.CustomerID, p.ContractID, p.EventID})
}

// ReminderDone notes that it was done. One that is done already stays as it is, and Before then is the same as Now.
// PermissionDenied for a reminder for another.
func (s *Session) ReminderDone(ctx context.Context, id int64) (change Change[gen.ReminderView], err error) {
	by, err := s.allow(ctx, "ReminderDone")
	if err != nil {
		return change, err
	}
	var changed bool
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).ReminderDetail, id, &change.Before),
		queryOne(ctx, (*gen.Queries).ReminderDone, gen.ReminderDoneParams{ID: id, AsForID: by.own}, &changed),
		mustFind(queryOne(ctx, (*gen.Queries).ReminderDetail, id, &change.Now)))
	if now := change.Now; err == nil && !changed {
		change.Before = &now
	}
	return change, s.whyNotFor(ctx, err, by, id)
}

// ReminderDelete deletes a reminder. PermissionDenied for a reminder for another.
func (s *Session) ReminderDelete(ctx context.Context, id int64) error {
	by, err := s.allow(ctx, "ReminderDelete")
	if err != nil {
		return err
	}
	err = s.write(ctx, by, queryOne(ctx, (*gen.Queries).ReminderDelete, gen.ReminderDeleteParams{ID: id, AsForID: by.own}, new(int64)))
	return s.whyNotFor(ctx, err, by, id)
}

func (s *Session) whyNotFor(ctx context.Context, err error, by actor, id int64) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return s.translate(ctx, err)
	}
	row, err := s.ReminderDetail(ctx, id)
	if err != nil {
		return err
	}
	return &failure.Error{Code: failure.PermissionDenied, Message: fmt.Sprintf("Reminder %d is for %s, not for %s.", id, row.For, by.Username)}
}

func noReminder(id int64) error {
	return notFound("crm reminder list", "There is no reminder %d.", id)
}
