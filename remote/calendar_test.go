package remote

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
)

// TestCalendar: the address of a calendar is answered with it, or with 304 only where nothing changed, and opens nothing
// else; no log has its secret; guesses count as those of passwords do.
func TestCalendar(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	handler, log := srv.fresh()
	s := srv.as("support1")
	create := func(name string, calendar bool) string {
		t.Helper()
		token, err := s.AuthTokenCreate(t.Context(), name, true, calendar, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token.Secret
	}
	secret, script := create("phone", true), create("script", false)
	if got, want := CalendarAddress("https://crm.example:8443/", "x"), "https://crm.example:8443/calendar/x.ics"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	get := func(method, address, path, etag string, headers ...string) *http.Response {
		t.Helper()
		r := httptest.NewRequest(method, path, nil)
		r.RemoteAddr = address
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result()
	}
	body := func(answer *http.Response) string {
		t.Helper()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const phone, guesser = "198.51.100.7:999", "192.0.2.1:999"
	path := calendarPath + secret + calendarEnd
	first := get(http.MethodGet, phone, path, "")
	etag, content := first.Header.Get("ETag"), body(first)
	if first.StatusCode != http.StatusOK || first.Header.Get("Content-Type") != "text/calendar; charset=utf-8" || first.Header.Get("Cache-Control") != "private, no-cache" ||
		!strings.HasPrefix(content, "BEGIN:VCALENDAR\r\n") || !strings.Contains(content, "UID:event-3@") || strings.Contains(content, "UID:event-2@") {
		t.Errorf("%d %v\n%s", first.StatusCode, first.Header, content)
	}
	if again := get(http.MethodGet, phone, path, etag); again.StatusCode != http.StatusNotModified || body(again) != "" {
		t.Errorf("unchanged: %d", again.StatusCode)
	}
	if head := get(http.MethodHead, phone, path, ""); head.StatusCode != http.StatusOK || head.Header.Get("ETag") != etag || body(head) != "" {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
	if post := get(http.MethodPost, phone, path, ""); post.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", post.StatusCode)
	}
	if _, err := srv.conn.Exec(t.Context(), "UPDATE event SET name = 'Fado' WHERE id = 3"); err != nil {
		t.Fatal(err)
	}
	changed := get(http.MethodGet, phone, path, etag)
	if text := body(changed); changed.StatusCode != http.StatusOK || changed.Header.Get("ETag") == etag || !strings.Contains(text, "SUMMARY:Fado\r\nLOCATION") || !strings.Contains(text, "SEQUENCE:1\r\n") {
		t.Errorf("changed: %d %v\n%s", changed.StatusCode, changed.Header, text)
	}

	// It is no token, and a token is no calendar.
	for _, token := range []string{secret, "crm_" + secret} {
		if err := from(handler, phone, "EventList", token, "{}"); err == nil || err.Code != "unauthenticated" {
			t.Errorf("the secret as a token: %v", err)
		}
	}
	for _, path := range []string{calendarPath + script + calendarEnd, calendarPath + secret, calendarPath + strings.ToUpper(secret) + calendarEnd, calendarPath + calendarEnd} {
		if answer := get(http.MethodGet, phone, path, etag, "Authorization", "Bearer "+script); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}

	// Whoever guesses has to wait, also with the right one, and with a password; others have not.
	answers := map[int]int{}
	for range loginsAtOnce + 10 {
		answers[get(http.MethodGet, guesser, calendarPath+"guess"+calendarEnd, "").StatusCode]++
	}
	if answers[http.StatusNotFound] < loginsAtOnce || answers[http.StatusTooManyRequests] == 0 || len(answers) != 2 {
		t.Errorf("guesses: %v", answers)
	}
	if right := get(http.MethodGet, guesser, path, ""); right.StatusCode != http.StatusTooManyRequests || right.Header.Get("Retry-After") == "" {
		t.Errorf("the right one, from where they guess: %d", right.StatusCode)
	}
	if err := from(handler, guesser, loginName, "", credentials("none1", "x")); err == nil || err.Reason != "too_many_logins" {
		t.Errorf("a password, from where they guess: %v", err)
	}
	if owner := get(http.MethodGet, phone, path, ""); owner.StatusCode != http.StatusOK {
		t.Errorf("the owner, from elsewhere: %d", owner.StatusCode)
	}
	often := map[int]int{}
	for range loginsAtOnce + 10 {
		often[get(http.MethodGet, "203.0.113.5:1", path, etag).StatusCode]++
	}
	if often[http.StatusTooManyRequests] == 0 {
		t.Errorf("one that asks all the time: %v", often)
	}

	if _, err := s.AuthTokenRevoke(t.Context(), gen.AuthTokenRevokeParams{Name: new("phone")}); err != nil {
		t.Fatal(err)
	}
	revoked := get(http.MethodGet, phone, path, changed.Header.Get("ETag"))
	if revoked.StatusCode != http.StatusNotFound || body(revoked) != "There is no such calendar: its address is wrong, over, or was revoked.\n" {
		t.Errorf("revoked: %d", revoked.StatusCode)
	}

	said := log.String()
	for _, hidden := range []string{secret, secret[:20], secret[44:], script[4:], "guess", calendarPath} {
		if strings.Contains(said, hidden) {
			t.Errorf("the log has %q", hidden)
		}
	}
	for _, want := range []string{
		`"operation":"Calendar","peer":"address 198.51.100.7"`, `"code":"ok","employee":`, `"operation":"Calendar","peer":"address 192.0.2.1"`, `"reason":"too_many_logins"`, `"code":"not_found"`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}
