package service

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
)

// EventList gives the events that pass the filters.
func (s *Session) EventList(ctx context.Context, p gen.EventListParams) iter.Seq2[gen.EventView, error] {
	return stream[gen.EventView](ctx, s, "EventList", gen.EventList, p)
}

// EventCount gives the number of rows of the list, whatever the limit.
func (s *Session) EventCount(ctx context.Context, p gen.EventListParams) (int64, error) {
	p.RowLimit = nil
	return count(ctx, s, "EventCount", gen.EventList, p)
}

// EventDetail gives one event; NotFound if there is none of this id.
func (s *Session) EventDetail(ctx context.Context, id int64) (gen.EventView, error) {
	if _, err := s.allow(ctx, "EventDetail"); err != nil {
		return gen.EventView{}, err
	}
	return s.eventNow(ctx, id)
}

// EventAdd adds an event to a signed contract. PermissionDenied for a contract of another's customer, Conflict for one
// that is not signed.
func (s *Session) EventAdd(ctx context.Context, p gen.EventAddParams) (gen.EventView, error) {
	by, err := s.allow(ctx, "EventAdd")
	if err != nil {
		return gen.EventView{}, err
	}
	p.OwnCommercialID = by.own
	id, err := s.gen.EventAdd(ctx, p)
	if err != nil {
		return gen.EventView{}, s.whyNoContract(ctx, err, by, p.ContractID)
	}
	return s.eventNow(ctx, id)
}

// EventUpdate changes the fields that are not nil and empties those named in p.Clear. PermissionDenied for an event that
// another runs.
func (s *Session) EventUpdate(ctx context.Context, p gen.EventUpdateParams) (gen.EventView, error) {
	by, err := s.allow(ctx, "EventUpdate")
	if err != nil {
		return gen.EventView{}, err
	}
	p.OwnSupportID = by.own
	_, err = s.gen.EventUpdate(ctx, p)
	if errors.Is(err, pgx.ErrNoRows) {
		event, err := s.eventNow(ctx, p.ID)
		if err != nil {
			return gen.EventView{}, err
		}
		support := ""
		if event.Support != nil {
			support = *event.Support
		}
		return gen.EventView{}, notOwn(by, fmt.Sprintf("Event %d", p.ID), support)
	}
	if err != nil {
		return gen.EventView{}, translate(ctx, s.db, err)
	}
	return s.eventNow(ctx, p.ID)
}

// EventSetSupport assigns the event to the support of this username.
func (s *Session) EventSetSupport(ctx context.Context, p gen.EventSetSupportParams) (gen.EventView, error) {
	if _, err := s.allow(ctx, "EventSetSupport"); err != nil {
		return gen.EventView{}, err
	}
	_, err := s.gen.EventSetSupport(ctx, p)
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err := s.eventNow(ctx, p.ID); err != nil {
			return gen.EventView{}, err
		}
		return gen.EventView{}, s.orNoEmployee(ctx, err, p.Support)
	}
	if err != nil {
		return gen.EventView{}, translate(ctx, s.db, err)
	}
	return s.eventNow(ctx, p.ID)
}

// eventNow reads an event as it now stands.
func (s *Session) eventNow(ctx context.Context, id int64) (gen.EventView, error) {
	row, err := s.gen.EventDetail(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, notFound("crm event list", "There is no event %d.", id)
	}
	return row, translate(ctx, s.db, err)
}
