package service

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// EventList returns the events that pass the filters.
func (s *Session) EventList(ctx context.Context, p gen.EventListParams) iter.Seq2[gen.EventView, error] {
	return stream[gen.EventView](ctx, s, "EventList", gen.EventList, p)
}

// EventCount returns the number of rows of the list, whatever the limit.
func (s *Session) EventCount(ctx context.Context, p gen.EventListParams) (int64, error) {
	return count(ctx, s, "EventCount", (*gen.Queries).EventCount, gen.EventCountParams{
		IDBegins:          p.IDBegins,
		Cancelled:         p.Cancelled,
		NoSupportAssigned: p.NoSupportAssigned,
		SupportID:         p.SupportID,
		Support:           p.Support,
		CommercialID:      p.CommercialID,
		Commercial:        p.Commercial,
		CustomerID:        p.CustomerID,
		ContractID:        p.ContractID,
		FromAt:            p.FromAt,
		ToAt:              p.ToAt,
		NotOverAt:         p.NotOverAt,
		ChangedSince:      p.ChangedSince,
		Search:            p.Search,
	})
}

// EventDetail returns one event; NotFound if there is none of this id.
func (s *Session) EventDetail(ctx context.Context, id int64) (gen.EventView, error) {
	return detail(ctx, s, "EventDetail", (*gen.Queries).EventDetail, id, noEvent(id))
}

// EventAdd adds an event to a signed contract. PermissionDenied for a contract of another's customer, Conflict for one
// that is not signed.
func (s *Session) EventAdd(ctx context.Context, p gen.EventAddParams) (change Change[gen.EventView], err error) {
	by, err := s.allow(ctx, "EventAdd")
	if err != nil {
		return change, err
	}
	p.AsCommercialID = by.own
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).EventAdd, p, new(int64)),
		mustFind(queryNoArgs(ctx, (*gen.Queries).EventAdded, &change.Now)))
	return change, s.whyNoContract(ctx, err, by, p.ContractID)
}

// EventClashes returns the clashes that pass the filters: events that are meant to clash, each with one that its support
// runs at the same time.
func (s *Session) EventClashes(ctx context.Context, p gen.EventClashesParams) iter.Seq2[gen.EventClash, error] {
	return stream[gen.EventClash](ctx, s, "EventClashes", gen.EventClashes, p)
}

// EventClashesCount returns the number of rows of the list, whatever the limit.
func (s *Session) EventClashesCount(ctx context.Context, p gen.EventClashesParams) (int64, error) {
	return count(ctx, s, "EventClashesCount", (*gen.Queries).EventClashesCount, gen.EventClashesCountParams{
		Support: p.Support, FromAt: p.FromAt, ToAt: p.ToAt,
	})
}

// EventUpdate changes the fields that are not nil and empties those named in p.Clear. PermissionDenied for an event that
// another runs, Conflict while its support runs another event, unless p.AllowClash is true.
func (s *Session) EventUpdate(ctx context.Context, p gen.EventUpdateParams) (change Change[gen.EventView], err error) {
	by, err := s.allow(ctx, "EventUpdate")
	if err != nil {
		return change, err
	}
	p.AsSupportID = by.own
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).EventDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).EventUpdate, p, new(int64)),
		mustFind(queryOne(ctx, (*gen.Queries).EventDetail, p.ID, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) {
		event, err := s.EventDetail(ctx, p.ID)
		if err != nil {
			return change, err
		}
		support := ""
		if event.Support != nil {
			support = *event.Support
		}
		return change, notOwn(by, fmt.Sprintf("Event %d", p.ID), support)
	}
	return change, allowClash(err, s.translate(ctx, err))
}

// EventSetSupport assigns the event to the support of this username. Conflict while they run another event, unless
// p.AllowClash is true.
func (s *Session) EventSetSupport(ctx context.Context, p gen.EventSetSupportParams) (change Change[gen.EventView], err error) {
	by, err := s.allow(ctx, "EventSetSupport")
	if err != nil {
		return change, err
	}
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).EventDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).EventSetSupport, p, new(int64)),
		mustFind(queryOne(ctx, (*gen.Queries).EventDetail, p.ID, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err := s.EventDetail(ctx, p.ID); err != nil {
			return change, err
		}
		return change, s.orNoEmployee(ctx, err, p.Support)
	}
	return change, allowClash(err, s.whyNotInCharge(ctx, err, p.Support, "an event", gen.RoleSupport))
}

// allowClash says of what was refused for a clash how it is done all the same.
func allowClash(err, translated error) error {
	if problem, ok := errors.AsType[*failure.Error](translated); ok && isClash(err) {
		problem.Hint = "if it is meant, --allow-clash"
	}
	return translated
}

// EventCancel cancels an event, for a reason, which frees its support and its contract. An event that is cancelled already
// stays as it is, and Before then is the same as Now. PermissionDenied for an event of another's customer.
func (s *Session) EventCancel(ctx context.Context, p gen.EventCancelParams) (change Change[gen.EventView], err error) {
	by, err := s.allow(ctx, "EventCancel")
	if err != nil {
		return change, err
	}
	p.AsCommercialID = by.own
	var changed bool
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).EventDetail, p.ID, &change.Before),
		queryOne(ctx, (*gen.Queries).EventCancel, p, &changed),
		mustFind(queryOne(ctx, (*gen.Queries).EventDetail, p.ID, &change.Now)))
	if errors.Is(err, pgx.ErrNoRows) {
		event, err := s.EventDetail(ctx, p.ID)
		if err != nil {
			return change, err
		}
		return change, notOwn(by, fmt.Sprintf("The customer of event %d", p.ID), event.Commercial)
	}
	if now := change.Now; !changed {
		change.Before = &now
	}
	return change, s.translate(ctx, err)
}

// EventIcs returns what a calendar says of the events that pass the filters: WriteCalendar writes it.
func (s *Session) EventIcs(ctx context.Context, p gen.EventIcsParams) iter.Seq2[gen.EventCalendar, error] {
	return stream[gen.EventCalendar](ctx, s, "EventIcs", gen.EventIcs, p)
}

// EventStaff is an event with those who could run it.
type EventStaff struct {
	Event gen.EventView       `json:"event"`
	Staff []gen.EventStaffRow `json:"staff"`
}

// EventStaff returns the supports who could run an event, those first who are free then and have the fewest events around
// it; NotFound if there is none of this id, Conflict if it is cancelled.
func (s *Session) EventStaff(ctx context.Context, id int64) (staff EventStaff, err error) {
	var event *gen.EventView
	_, err = s.allow(ctx, "EventStaff",
		queryMaybe(ctx, (*gen.Queries).EventDetail, id, &event),
		queryOne(ctx, (*gen.Queries).EventStaff, id, &staff.Staff))
	if err != nil {
		return staff, err
	}
	if event == nil {
		return staff, noEvent(id)
	}
	if event.CancelledAt != nil {
		return staff, &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("Event %d is cancelled: nobody has to run it.", id)}
	}
	staff.Event = *event
	return staff, nil
}

func noEvent(id int64) error {
	return notFound("crm event list", "There is no event %d.", id)
}
