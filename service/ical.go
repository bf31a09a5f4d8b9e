package service

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"

	ics "github.com/arran4/golang-ical"

	"github.com/epicevents/crm/gen"
)

// calendarLines is how iCalendar is written: no line has more than 75 bytes, and none ends within a letter.
var calendarLines = &ics.SerializationConfiguration{MaxLength: 75, PropertyMaxLength: 75, NewLine: "\r\n"}

// calendarFlush is how many bytes of a calendar are written at once.
const calendarFlush = 32 << 10

// WriteCalendar writes events as iCalendar (RFC 5545), all times in UTC, and returns how many of them it left out because
// they have no start. The same events make the same bytes. An error before the first bytes has none written.
func WriteCalendar(w io.Writer, name string, events iter.Seq2[gen.EventCalendar, error]) (without int, err error) {
	var b bytes.Buffer
	head := ics.NewCalendar()
	head.CalendarProperties = nil
	head.SetVersion("2.0")
	head.SetProductId("-//Epic Events//crm//EN")
	head.SetName(name)
	head.SetRefreshInterval("PT1H")
	head.SetXPublishedTTL("PT1H")
	if err := head.SerializeTo(&b, calendarLines); err != nil {
		return 0, err
	}
	end := []byte("END:VCALENDAR\r\n")
	b.Truncate(b.Len() - len(end))
	for row, err := range events {
		if err != nil {
			return without, err
		}
		if row.Start == nil {
			without++
			continue
		}
		if err := calendarEvent(row).SerializeTo(&b, calendarLines); err != nil {
			return without, err
		}
		if b.Len() > calendarFlush {
			if _, err := b.WriteTo(w); err != nil {
				return without, err
			}
		}
	}
	b.Write(end)
	_, err = b.WriteTo(w)
	return without, err
}

// calendarEvent is one event. One without an end takes the instant of its start, as everywhere in crm. How the customer is
// reached is left out: a calendar lies in more places than crm.
func calendarEvent(row gen.EventCalendar) *ics.VEvent {
	event := ics.NewEvent(row.Uid)
	event.SetSequence(int(row.Sequence))
	event.SetDtStampTime(row.UpdatedAt)
	event.SetLastModifiedAt(row.UpdatedAt)
	event.SetStartAt(*row.Start)
	if row.End != nil && row.End.After(*row.Start) {
		event.SetEndAt(*row.End)
	}
	event.SetSummary(row.Name)
	if row.Location != nil {
		event.SetLocation(*row.Location)
	}
	status := ics.ObjectStatusConfirmed
	if row.CancelledAt != nil {
		status = ics.ObjectStatusCancelled
	}
	event.SetStatus(status)
	event.SetDescription(strings.Join(calendarText(row), "\n"))
	return event
}

// calendarText says of an event what a calendar has no field for.
func calendarText(row gen.EventCalendar) []string {
	customer, support := row.Customer, "nobody"
	if row.Company != nil {
		customer += ", " + *row.Company
	}
	if row.SupportFullname != nil {
		support = *row.SupportFullname
	}
	lines := []string{"Customer: " + customer, "Contract: " + row.Number, "Support: " + support}
	if row.Attendees != nil {
		lines = append(lines, fmt.Sprintf("Attendees: %d", *row.Attendees))
	}
	if row.CancelReason != nil {
		lines = append(lines, "Cancelled: "+*row.CancelReason)
	}
	if row.Note != nil {
		lines = append(lines, "", *row.Note)
	}
	return lines
}
