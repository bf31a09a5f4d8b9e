//go:build calendar

package service_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

// parseCalendar has a parser that nobody here wrote say what is in a calendar.
const parseCalendar = `
const ICAL = require('ical.js')
const calendar = new ICAL.Component(ICAL.parse(require('fs').readFileSync(0, 'utf8')))
const at = (event, name) => event.hasProperty(name) ? event.getFirstPropertyValue(name).toJSDate().toISOString() : ''
const text = (event, name) => String(event.getFirstPropertyValue(name))
process.stdout.write(JSON.stringify(calendar.getAllSubcomponents('vevent').map(event => ({
    uid: text(event, 'uid'), sequence: event.getFirstPropertyValue('sequence'), stamp: at(event, 'dtstamp'), start: at(event, 'dtstart'),
    end: at(event, 'dtend'), name: text(event, 'summary'), location: text(event, 'location'), text: text(event, 'description'), status: text(event, 'status'),
}))))
`

type parsedEvent struct {
	Uid, Stamp, Start, End, Name, Location, Text, Status string
	Sequence                                             int64
}

// TestCalendarInIcalJS reads what crm writes with ical.js: events on both days of the time change, over
// midnight, cancelled, without an end, and a thousand with random texts and times.
func TestCalendarInIcalJS(t *testing.T) {
	t.Parallel()
	if err := exec.Command("node", "-e", "require('ical.js')").Run(); err != nil {
		t.Fatal("ical.js is needed for this test: NODE_PATH=$(tools/ensure-icaljs.sh)")
	}
	paris := must[*time.Location](t)(time.LoadLocation("Europe/Paris"))
	var rows []gen.EventCalendar
	for _, times := range [][2]string{
		{"2026-03-29 01:59", "2026-03-29 03:00"}, {"2026-03-28 23:00", "2026-03-29 05:00"}, // an hour is missing
		{"2026-10-25 01:30", "2026-10-25 03:30"}, {"2026-10-24 22:00", "2026-10-25 02:30"}, // an hour comes twice
		{"2026-06-20 11:00", "2026-06-21 03:00"}, {"2026-12-31 20:00", "2027-01-01 04:00"}, // over midnight
		{"2026-06-20 00:00", "2026-06-21 00:00"}, {"2026-06-20 09:00", "2026-06-20 09:00"}, // a whole day; no time at all
	} {
		row := awkward()
		row.Start = new(must[time.Time](t)(time.ParseInLocation("2006-01-02 15:04", times[0], paris)))
		row.End = new(must[time.Time](t)(time.ParseInLocation("2006-01-02 15:04", times[1], paris)))
		rows = append(rows, row)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 1000 {
		rows = append(rows, randomEvent(r, int64(n)))
	}
	var want []parsedEvent
	for _, row := range rows {
		at := func(at *time.Time) string {
			if at == nil {
				return ""
			}
			return at.UTC().Format("2006-01-02T15:04:05.000Z")
		}
		if row.End != nil && !row.End.After(*row.Start) {
			row.End = nil
		}
		one := parsedEvent{Uid: row.Uid, Sequence: row.Sequence, Stamp: at(&row.UpdatedAt), Start: at(row.Start), End: at(row.End), Name: row.Name,
			Location: *row.Location, Status: "CONFIRMED"}
		lines := []string{"Customer: " + row.Customer + ", " + *row.Company, "Contract: 2026-0042", "Support: Gaëlle", "Attendees: 12"}
		if row.CancelledAt != nil {
			one.Status, lines = "CANCELLED", append(lines, "Cancelled: "+*row.CancelReason)
		}
		one.Text = strings.Join(append(lines, "", *row.Note), "\n")
		want = append(want, one)
	}
	var written bytes.Buffer
	must[int](t)(service.WriteCalendar(&written, "crm", rowsOf(rows...)))
	parse := exec.Command("node", "-e", parseCalendar)
	var said bytes.Buffer
	parse.Stdin, parse.Stderr = &written, &said
	out, err := parse.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.Bytes())
	}
	var got []parsedEvent
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ical.js reads something else (-written +read):\n%s", diff)
	}
	t.Logf("%d events", len(got))
}
