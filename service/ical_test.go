package service_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

// calendarOf returns the lines of a calendar, unfolded.
func calendarOf(t *testing.T, rows ...gen.EventCalendar) []string {
	t.Helper()
	var b bytes.Buffer
	must[int](t)(service.WriteCalendar(&b, "crm", rowsOf(rows...)))
	for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line that is too long, or ends within a letter: %q", line)
		}
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(b.String(), "\r\n ", ""), "\r\n"), "\r\n")
}

// awkward is an event whose texts have all that iCalendar writes in another way.
func awkward() gen.EventCalendar {
	paris := time.FixedZone("", 3600)
	return gen.EventCalendar{
		ID: 7, Uid: "event-7@x", Sequence: 3, UpdatedAt: time.Date(2026, 3, 1, 9, 0, 0, 7, paris),
		Name: `Gala, ou "bal"; \o/: 🎉`, Number: "2026-0042", Customer: "Zoé", Company: new("A; B, C & fils"),
		SupportFullname: new("Gaëlle"), Attendees: new(int32(12)), Location: new("12, rue; de\\n la Paix"),
		Note: new("un\ndeux\n\ntrois"), Start: new(time.Date(2026, 3, 29, 1, 30, 0, 0, paris)), End: new(time.Date(2026, 3, 29, 4, 0, 0, 0, paris)),
	}
}

func TestWriteCalendar(t *testing.T) {
	t.Parallel()
	head := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Epic Events//crm//EN", "NAME:crm", "X-WR-CALNAME:crm", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"}
	event := []string{
		"BEGIN:VEVENT", "UID:event-7@x", "SEQUENCE:3", "DTSTAMP:20260301T080000Z", "LAST-MODIFIED:20260301T080000Z",
		"DTSTART:20260329T003000Z", "DTEND:20260329T030000Z", `SUMMARY:Gala\, ou "bal"\; \\o/: 🎉`, `LOCATION:12\, rue\; de\\n la Paix`, "STATUS:CONFIRMED",
		`DESCRIPTION:Customer: Zoé\, A\; B\, C & fils\nContract: 2026-0042\nSupport: Gaëlle\nAttendees: 12\n\nun\ndeux\n\ntrois`, "END:VEVENT",
	}
	end := []string{"END:VCALENDAR"}
	is := func(got []string, want ...[]string) {
		t.Helper()
		if diff := cmp.Diff(slices.Concat(want...), got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	is(calendarOf(t), head, end)
	is(calendarOf(t, awkward()), head, event, end)

	later := awkward()
	later.End, later.Attendees, later.Location, later.Note, later.Company, later.SupportFullname = nil, nil, nil, nil, nil, nil
	later.CancelledAt, later.CancelReason = later.Start, new("neige")
	is(calendarOf(t, later), head, []string{
		"BEGIN:VEVENT", "UID:event-7@x", "SEQUENCE:3", "DTSTAMP:20260301T080000Z", "LAST-MODIFIED:20260301T080000Z", "DTSTART:20260329T003000Z",
		event[7], "STATUS:CANCELLED", `DESCRIPTION:Customer: Zoé\nContract: 2026-0042\nSupport: nobody\nCancelled: neige`, "END:VEVENT",
	}, end)
	later.End = later.Start // no end after its start
	if got := calendarOf(t, later); slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, "DTEND") }) {
		t.Errorf("an end at the start: %q", got)
	}

	nowhen := awkward()
	nowhen.Start = nil
	var b bytes.Buffer
	if n := must[int](t)(service.WriteCalendar(&b, "crm", rowsOf(nowhen, awkward(), nowhen))); n != 2 || strings.Count(b.String(), "BEGIN:VEVENT") != 1 {
		t.Errorf("%d without a start in\n%s", n, b.String())
	}

	lost := errors.New("lost")
	b.Reset()
	if _, err := service.WriteCalendar(&b, "crm", func(yield func(gen.EventCalendar, error) bool) {
		if yield(awkward(), nil) {
			yield(gen.EventCalendar{}, lost)
		}
	}); !errors.Is(err, lost) || b.Len() > 0 {
		t.Errorf("%v after %d bytes", err, b.Len())
	}
}

// letters are those that are hard to write and to fold: of one to four bytes, and those that stand for something.
var letters = []rune("aé€🎉 ,;:\\\"'\n<>=\t\u0301\u200d👨‍👩‍👧")

func randomText(r *rand.Rand, most int, line bool) string {
	var b strings.Builder
	for range 1 + r.IntN(most) {
		letter := letters[r.IntN(len(letters))]
		if line && letter == '\n' {
			letter = 'n'
		}
		b.WriteRune(letter)
	}
	return strings.TrimSpace("x" + b.String() + "x")
}

// randomEvent has texts of up to some hundred letters, and times on any second of some years.
func randomEvent(r *rand.Rand, id int64) gen.EventCalendar {
	row := awkward()
	row.ID, row.Uid, row.Sequence = id, "event-"+strings.Repeat("9", 1+r.IntN(90)), r.Int64N(1000)
	row.Name, row.Customer = randomText(r, 255, true), randomText(r, 255, true)
	row.Location, row.Note = new(randomText(r, 255, true)), new(randomText(r, 2000, false))
	at := time.Unix(1_700_000_000+r.Int64N(200_000_000), 0)
	row.Start, row.End, row.UpdatedAt = &at, new(at.Add(time.Duration(r.IntN(100_000))*time.Second)), at.Add(-time.Hour)
	if r.IntN(4) == 0 {
		row.End = nil
	}
	if r.IntN(4) == 0 {
		row.CancelledAt, row.CancelReason = &at, new(randomText(r, 255, true))
	}
	return row
}

// TestCalendarFolds: whatever the letters, no line is too long or ends within one, and unfolded the texts are there.
func TestCalendarFolds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	escape := strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)
	for n := range 300 {
		row := randomEvent(r, int64(n))
		got := calendarOf(t, row)
		for _, want := range []string{"SUMMARY:" + escape.Replace(row.Name), "LOCATION:" + escape.Replace(*row.Location), "UID:" + row.Uid} {
			if !slices.Contains(got, want) {
				t.Fatalf("no line %q in %q", want, got)
			}
		}
	}
}
