package remote

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
)

// from sends a request to a handler as if it came from an address, and returns the error that is the answer.
func from(handler http.Handler, address, operation, token, body string) *refusal {
	r := httptest.NewRequest(http.MethodPost, prefix+operation, strings.NewReader(body))
	r.RemoteAddr = address
	r.Header.Set("Content-Type", typeOne)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var answer ending
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil { // a token is no object
		return nil
	}
	return answer.Error
}

func credentials(username, password string) string {
	return fmt.Sprintf(`{"username":%q,"password":%q}`, username, password)
}

// fresh returns a second handler on the same service, with a log of its own.
func (srv *testServer) fresh() (http.Handler, *logged) {
	log := &logged{}
	server := &Server{Service: srv.svc, Version: "1.5.0", Log: slog.New(slog.NewJSONHandler(log, nil)), Most: time.Minute}
	return server.Handler(), log
}

// TestGuessing: whoever guesses has to wait, and whoever the name belongs to logs in from elsewhere meanwhile, and works on
// where a session is open.
func TestGuessing(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	handler, log := srv.fresh()
	open := srv.as("none1")
	const guesser, owner = "192.0.2.1:999", "198.51.100.7:999"
	const guesses = loginsAtOnce + 10
	answers := map[failure.Reason]int{}
	for n := range guesses {
		err := from(handler, guesser, loginName, "", credentials("none1", fmt.Sprintf("guess number %d", n)))
		if err == nil || err.Code != failure.Unauthenticated {
			t.Fatalf("guess %d: %v", n, err)
		}
		answers[err.Reason]++
	}
	if tried := answers[failure.WrongPassword]; tried == 0 || tried > 5 || tried+answers[failure.TooManyLogins] != guesses {
		t.Errorf("of %d guesses: %v", guesses, answers)
	}
	if err := from(handler, guesser, loginName, "", credentials("none1", schema.SamplePassword)); err == nil || err.Reason != failure.TooManyLogins {
		t.Errorf("the password itself, from where they guess: %v", err)
	}
	if err := from(handler, owner, loginName, "", credentials("none1", schema.SamplePassword)); err != nil {
		t.Errorf("the owner, from elsewhere: %s", err.Message)
	}
	if _, err := open.AuthWhoami(t.Context()); err != nil {
		t.Errorf("a session that was open: %v", err)
	}
	var left int
	if err := srv.conn.QueryRow(t.Context(), "SELECT failures FROM login_failure WHERE username = 'none1' AND peer = 'address 192.0.2.1'").Scan(&left); err != nil || left == 0 {
		t.Errorf("the owner's login forgets the guesses of others: %d %v", left, err)
	}
	for _, want := range []string{
		`"operation":"Login","peer":"address 192.0.2.1"`, `"code":"unauthenticated","reason":"wrong_password"`, `"reason":"too_many_logins"`,
		`"operation":"Login","peer":"address 198.51.100.7"`, `"code":"ok","employee":`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	if records := strings.Count(log.String(), "\n"); records != guesses+2 {
		t.Errorf("%d records of %d requests", records, guesses+2)
	}
}

// TestGuessesWriteNothing: one password tried with many names is stopped before the database hears of it.
func TestGuessesWriteNothing(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	handler, _ := srv.fresh()
	var all sync.WaitGroup
	for n := range 2 * loginsAtOnce { // at once, so that no second goes by
		all.Go(func() { // of one line of IPv6, whatever the address
			_ = from(handler, fmt.Sprintf("[2001:db8::%x]:999", n+1), loginName, "", credentials(fmt.Sprintf("name%d", n), "Spring2026"))
		})
	}
	all.Wait()
	var names, peers int
	if err := srv.conn.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT peer) FROM login_failure").Scan(&names, &peers); err != nil {
		t.Fatal(err)
	}
	if peers != 1 || names < loginsAtOnce || names >= 2*loginsAtOnce {
		t.Errorf("%d names were tried, of %d peers", names, peers)
	}
}

func TestAddressed(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]peer{
		"192.0.2.1:999":              {"address 192.0.2.1", false},
		"127.0.0.1:999":              {"address 127.0.0.1", true},
		"[::1]:999":                  {"address ::1", true},
		"[::ffff:192.0.2.1]:999":     {"address 192.0.2.1", false},
		"[2001:db8:1:2:3:4:5:6]:999": {"address 2001:db8:1:2::/64", false},
		"[fe80::3:4:5:6%eth0]:999":   {"address fe80::/64", false},
		"@":                          {"unknown", false},
		"":                           {"unknown", false},
		"crm.example.com:443":        {"unknown", false},
	} {
		if got := addressed(address); got != want {
			t.Errorf("%q is %v, want %v", address, got, want)
		}
	}
}

// TestLogRepeatsNothing sends something that nobody else says in every field of every operation and in every header, with a
// good token and with bad ones. The log has a record of each, and nothing of what was sent.
func TestLogRepeatsNothing(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	handler, log := srv.fresh()
	const typed = "distinctive"
	password := typed + " password of administrator2"
	administrator := srv.as("administrator1")
	if _, err := administrator.EmployeeSetPassword(t.Context(), "administrator2", password, false); err != nil {
		t.Fatal(err)
	}
	srv.exec("UPDATE employee SET password_one_time = false")
	token, err := srv.client().Login(t.Context(), "administrator2", password)
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	send := func(operation, token, body string) {
		sent++
		r := httptest.NewRequest(http.MethodPost, prefix+operation+"?"+typed+"="+typed, strings.NewReader(body))
		for _, name := range []string{"Authorization", "User-Agent", "Cookie", "X-Forwarded-For", headerRequest} {
			r.Header.Set(name, typed)
		}
		r.Header.Set("Content-Type", typeOne)
		r.Header.Set("Authorization", "Bearer "+token)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	for operation, wire := range onWire {
		if operation == "AuthLogout" || operation == "AuthChangePassword" || operation == "AuthSessionsRevoke" || operation == "EmployeeDelete" {
			continue // the token is needed
		}
		value := reflect.New(reflect.TypeOf(wire.params).Elem()).Elem()
		fill(value, 1)
		body, err := appendRequest(nil, value.Interface())
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(body), "lodie", typed)
		send(operation, token, text)
		send(operation, typed, text)
		send(operation, "crm_"+typed, text)
		send(operation, token, strings.Replace(text, "{", `{"`+typed+`":1,`, 1))
		send(operation, token, typed+text)
	}
	send(typed, token, "{}")
	send(loginName, "", credentials("administrator2", password))
	send(loginName, "", credentials(typed, password))
	send(loginName, "", `{"`+typed+`":`)
	text := log.String()
	if records := strings.Count(text, `"msg":"request"`); records != sent {
		t.Errorf("%d records of %d requests", records, sent)
	}
	parts := strings.Split(token, ".")
	for line := range strings.Lines(text) {
		for _, secret := range []string{typed, parts[len(parts)-1], schema.SamplePassword, `"employee":0`} {
			if strings.Contains(line, secret) {
				t.Errorf("the log has %q: %s", secret, line)
			}
		}
		var record struct {
			Time, Request, Operation, Peer, Code string
			MS                                   *float64
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record.Time == "" || record.Request == "" || record.Operation == "" || record.Peer == "" || record.Code == "" || record.MS == nil {
			t.Errorf("something is missing in %s", line)
		}
	}
}
