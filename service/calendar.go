package service

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// The secret of a calendar is, in base64, which session it is and a secret of 256 bits.
const calendarBytes = len(uuid.UUID{}) + tokenSecret

// calendarYears is how far back a calendar goes: it is fetched every hour.
const calendarYears = 1

var errNoCalendar = &failure.Error{Code: failure.NotFound, Message: "There is no such calendar: its address is wrong, over, or was revoked."}

// formatCalendar spells the secret of a calendar and returns the hash of it, which is all that is kept.
func formatCalendar(id uuid.UUID) (text string, secretHash []byte) {
	content := append(id[:], make([]byte, tokenSecret)...)
	_, _ = rand.Read(content[len(id):])
	return base64.RawURLEncoding.EncodeToString(content), hashSecret(content[len(id):])
}

// Calendar is what somebody reads who has the address of a calendar.
type Calendar struct {
	EmployeeID int64 // whose events it has
	Content    []byte
}

// Calendar returns the calendar of a secret: the events that a support runs, or those of a commercial's customers, that are
// to come or were in the last year. NotFound if the secret is none, is over, was revoked, or its employee has left.
func (s *Service) Calendar(ctx context.Context, secret string) (calendar Calendar, err error) {
	content, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || len(content) != calendarBytes {
		return calendar, errNoCalendar
	}
	var owner gen.CalendarEmployeeRow
	id := uuid.UUID(content[:calendarBytes-tokenSecret])
	p := gen.CalendarEmployeeParams{SessionID: id, SecretHash: hashSecret(content[calendarBytes-tokenSecret:])}
	if err := s.send(ctx, readOnly, queryOne(ctx, (*gen.Queries).CalendarEmployee, p, &owner)); err != nil {
		return calendar, s.translate(ctx, err)
	}
	if err := checkVersion(owner.Version, owner.Dirty); err != nil {
		return calendar, err
	}
	if owner.ID == nil {
		return calendar, errNoCalendar
	}
	events := gen.EventIcsParams{SupportID: owner.ID, FromAt: new(time.Now().AddDate(-calendarYears, 0, 0))}
	if *owner.Role == gen.RoleCommercial {
		events.SupportID, events.CommercialID = nil, owner.ID
	}
	var rows []gen.EventCalendar
	if err := s.send(ctx, readOnly, queryOne(ctx, (*gen.Queries).EventIcs, events, &rows)); err != nil {
		return calendar, s.translate(ctx, err)
	}
	var b bytes.Buffer
	_, err = WriteCalendar(&b, "crm: "+*owner.Fullname, func(yield func(gen.EventCalendar, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	})
	return Calendar{EmployeeID: *owner.ID, Content: b.Bytes()}, err
}
