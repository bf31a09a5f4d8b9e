package remote

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/failure"
)

const (
	calendarPath = "/calendar/"
	calendarEnd  = ".ics"
)

// CalendarAddress is where a server has the calendar of a secret.
func CalendarAddress(serverURL, secret string) string {
	return strings.TrimRight(serverURL, "/") + calendarPath + secret + calendarEnd
}

// calendar answers GET /calendar/{secret}.ics, which no crm asks for, but the calendar of a telephone.
func (h *handler) calendar(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	x := &exchange{w: w, r: r, operation: "Calendar", stopping: h.stopping}
	h.figures.begin()
	x.err = h.readCalendar(x)
	if x.err != nil && !errors.Is(x.err, errGone) && r.Context().Err() == nil {
		known := describe(x.err)
		status := statuses[known.Code]
		if known.Reason == failure.TooManyLogins {
			status = http.StatusTooManyRequests
		}
		http.Error(w, known.Message, status)
	}
	h.figures.end(x, time.Since(began))
	h.log(x, uuid.NewString(), time.Since(began))
}

// readCalendar answers with the calendar, or only that it is as it was. A wrong secret counts as a wrong password does.
func (h *handler) readCalendar(x *exchange) error {
	from := peerOf(x.r)
	wait := h.logins.spent(from)
	if wait == 0 {
		wait = h.feeds.wait(from)
	}
	if wait > 0 {
		seconds := int(wait/time.Second) + 1
		x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return &failure.Error{Code: failure.Unauthenticated, Reason: failure.TooManyLogins, Message: fmt.Sprintf("Too many requests from here: wait %d s.", seconds)}
	}
	ctx, release := x.stopping.untilGrace(x.r.Context())
	defer release()
	secret, whole := strings.CutSuffix(x.r.PathValue("file"), calendarEnd)
	if !whole {
		secret = ""
	}
	calendar, err := h.Service.Within(h.Most).Calendar(ctx, secret)
	if err != nil {
		if describe(err).Code == failure.NotFound {
			h.logins.wait(from)
		}
		return err
	}
	x.owner = calendar.EmployeeID
	if err := http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(writeTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	header := x.w.Header()
	header.Set("Content-Type", "text/calendar; charset=utf-8")
	header.Set("Cache-Control", "private, no-cache") // asked about each time: it may be over
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("ETag", fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(calendar.Content))))
	http.ServeContent(x.w, x.r, "", time.Time{}, bytes.NewReader(calendar.Content))
	return nil
}
