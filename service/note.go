package service

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// NoteList returns the notes that pass the filters.
func (s *Session) NoteList(ctx context.Context, p gen.NoteListParams) iter.Seq2[gen.NoteView, error] {
	return stream[gen.NoteView](ctx, s, "NoteList", gen.NoteList, p)
}

// NoteCount returns the number of rows of the list, whatever the limit.
func (s *Session) NoteCount(ctx context.Context, p gen.NoteListParams) (int64, error) {
	return count(ctx, s, "NoteCount", (*gen.Queries).NoteCount, gen.NoteCountParams{
		CustomerID: p.CustomerID, ContractID: p.ContractID, EventID: p.EventID, By: p.By, ChangedSince: p.ChangedSince,
	})
}

// NoteDetail returns one note; NotFound if there is none of this id.
func (s *Session) NoteDetail(ctx context.Context, id int64) (gen.NoteView, error) {
	return detail(ctx, s, "NoteDetail", (*gen.Queries).NoteDetail, id, notFound("crm note list", "There is no note %d.", id))
}

// NoteAdd adds a note about a customer, a contract or an event. PermissionDenied for one that is not in the charge of a
// commercial or a support, nor belongs to what is.
func (s *Session) NoteAdd(ctx context.Context, p gen.NoteAddParams) (change Change[gen.NoteView], err error) {
	by, err := s.allow(ctx, "NoteAdd")
	if err != nil {
		return change, err
	}
	p.AsBy, p.AsByID = by.Username, &by.ID
	p.AsCommercialID, p.AsSupportID = by.ownOf(gen.RoleCommercial), by.ownOf(gen.RoleSupport)
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).NoteAdd, p, new(int64)),
		mustFind(queryNoArgs(ctx, (*gen.Queries).NoteAdded, &change.Now)))
	return change, s.whyNotAbout(ctx, err, by, subject{p.CustomerID, p.ContractID, p.EventID})
}

// ownOf returns whose charge limits the employee, if they have that role.
func (by actor) ownOf(role gen.Role) *int64 {
	if by.Role != role {
		return nil
	}
	return by.own
}

// subject is what a note or a reminder is about.
type subject struct {
	customer *int64
	contract *uuid.UUID
	event    *int64
}

// whyNotAbout says why nothing was added about a subject: it is not there, or in the charge of another.
func (s *Session) whyNotAbout(ctx context.Context, err error, by actor, about subject) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return s.translate(ctx, err)
	}
	var what, inCharge string
	switch {
	case about.customer != nil:
		row, err := s.CustomerDetail(ctx, *about.customer)
		if err != nil {
			return err
		}
		what, inCharge = fmt.Sprintf("Customer %d", row.ID), row.Commercial
	case about.contract != nil:
		row, err := s.ContractDetail(ctx, *about.contract)
		if err != nil {
			return err
		}
		what, inCharge = "The customer of contract "+row.Number, row.Commercial
	case about.event != nil:
		row, err := s.EventDetail(ctx, *about.event)
		if err != nil {
			return err
		}
		what, inCharge = fmt.Sprintf("The customer of event %d", row.ID), row.Commercial
		if by.Role == gen.RoleSupport {
			what, inCharge = fmt.Sprintf("Event %d", row.ID), ""
			if row.Support != nil {
				inCharge = *row.Support
			}
		}
	default:
		return &failure.Error{Code: failure.Usage, Message: "It is about a customer, a contract or an event: name one of them."}
	}
	if by.Role == gen.RoleSupport && about.event == nil {
		return &failure.Error{Code: failure.PermissionDenied, Message: what + " has no event that is run by " + by.Username + "."}
	}
	return notOwn(by, what, inCharge)
}
