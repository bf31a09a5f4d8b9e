package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// post sends anything to the server.
func (srv *testServer) post(operation, body string, headers ...string) (*http.Response, string) {
	srv.Helper()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", srv.socket) }}
	defer transport.CloseIdleConnections()
	method, path := http.MethodPost, prefix+operation
	if strings.HasPrefix(operation, "/") {
		method, path = http.MethodGet, operation
	}
	r, err := http.NewRequestWithContext(srv.Context(), method, "http://crm"+path, strings.NewReader(body))
	if err != nil {
		srv.Fatal(err)
	}
	r.Header.Set("Content-Type", typeOne)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		srv.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		srv.Fatal(err)
	}
	return response, string(answer)
}

func collect[R any](rows func(func(R, error) bool)) (all []R, err error) {
	for row, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, row)
	}
	return all, nil
}

// TestSameAnswers asks the same here and over the wire.
func TestSameAnswers(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	token := srv.token("administrator1")
	near, err := srv.svc.Accounts().As(token)
	if err != nil {
		t.Fatal(err)
	}
	far, err := srv.client().As(token)
	if err != nil {
		t.Fatal(err)
	}
	if near.EmployeeID() != far.EmployeeID() || far.Role() != "" {
		t.Error("the employee is another, or known before the server said so")
	}
	for name, ask := range map[string]func(service.Operations) (any, error){
		"contracts": func(s service.Operations) (any, error) {
			return collect(s.ContractList(t.Context(), gen.ContractListParams{Sort: "total_due:desc"}))
		},
		"one contract": func(s service.Operations) (any, error) {
			return s.ContractDetail(t.Context(), uuid.MustParse("fb819b38-e035-4e65-b4ea-ae5076a82518"))
		},
		"customers": func(s service.Operations) (any, error) {
			return collect(s.CustomerList(t.Context(), gen.CustomerListParams{}))
		},
		"events": func(s service.Operations) (any, error) {
			return collect(s.EventList(t.Context(), gen.EventListParams{}))
		},
		"no events": func(s service.Operations) (any, error) {
			return collect(s.EventList(t.Context(), gen.EventListParams{Search: new("nobody")}))
		},
		"findings": func(s service.Operations) (any, error) {
			return collect(s.Check(t.Context(), gen.CheckParams{WithinDays: 30}))
		},
		"usernames": func(s service.Operations) (any, error) { return s.EmployeeUsernames(t.Context()) },
		"a number":  func(s service.Operations) (any, error) { return s.ContractCount(t.Context(), gen.ContractListParams{}) },
		"whoami":    func(s service.Operations) (any, error) { return s.AuthWhoami(t.Context()) },
		"may":       func(s service.Operations) (any, error) { return s.May(t.Context(), "contract sign") },
		"may not":   func(s service.Operations) (any, error) { return s.May(t.Context(), "customer add") },
		"not there": func(s service.Operations) (any, error) { return s.CustomerDetail(t.Context(), 999) },
		"a bad order": func(s service.Operations) (any, error) {
			return collect(s.CustomerList(t.Context(), gen.CustomerListParams{Search: new("\x00")}))
		},
		"what was due": func(s service.Operations) (any, error) {
			return collect(s.PaymentList(t.Context(), gen.PaymentListParams{}))
		},
	} {
		want, errWant := ask(near)
		got, errGot := ask(far)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if errWant == nil || errGot == nil {
			if errWant != nil || errGot != nil {
				t.Errorf("%s: %v here, %v over the wire", name, errWant, errGot)
			}
			continue
		}
		a, b := describe(errWant), describe(errGot)
		if a.Code != b.Code || a.Reason != b.Reason || a.Message != b.Message || a.Hint != b.Hint {
			t.Errorf("%s: %+v here, %+v over the wire", name, a, b)
		}
	}
	if far.Role() != gen.RoleAdministrator {
		t.Errorf("the role is %q", far.Role())
	}
	change, err := far.ContractSign(t.Context(), uuid.MustParse("fb819b38-e035-4e65-b4ea-ae5076a82518"))
	if err != nil || change.Before == nil || change.Before.Signed || !change.Now.Signed {
		t.Errorf("%+v %v", change, err)
	}
	if _, err := srv.client().As(""); !service.NeedsLogin(err) {
		t.Errorf("nobody: %v", err)
	}
	if err := far.AuthLogout(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := far.AuthWhoami(t.Context()); !service.NeedsLogin(err) {
		t.Errorf("after the logout: %v", err)
	}
}

// TestWire is what curl sees.
func TestWire(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	token := srv.token("administrator1")
	bearer := []string{"Authorization", "Bearer " + token}
	request := uuid.NewString()
	response, body := srv.post("EmployeeList", `{"inactive":false,"sort":"","row_limit":2}`, append(bearer, headerRequest, request, headerProtocol, "1", headerTimeout, "9.8s")...)
	const want = `{"columns":["id","username","fullname","role","active","last_login_at","password_one_time","locked_until","updated_at"]}
[1,"administrator1","Hélène Marchand","administrator"]
[2,"administrator2","Bernard Chevalier","administrator"]
{"rows":2}
`
	if lines := strings.SplitAfter(body, "\n"); len(lines) != 5 || lines[0] != strings.SplitAfter(want, "\n")[0] || lines[3] != `{"rows":2}`+"\n" || !strings.HasPrefix(lines[1], `[1,"administrator1",`) {
		t.Error(body)
	}
	for header, want := range map[string]string{
		"Content-Type": typeRows, headerProtocol: "1", headerVersion: "1.5.0", headerRole: "administrator", headerRequest: request, "Cache-Control": "no-store",
	} {
		if got := response.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	for _, test := range []struct {
		operation, body string
		headers         []string
		status          int
		code, message   string
	}{
		{"EmployeeList", `{"inactive":false,"sort":""}`, nil, 401, "unauthenticated", "You are not logged in."},
		{"EmployeeList", `{"inactive":false,"sort":""}`, []string{"Authorization", "Basic " + token}, 401, "unauthenticated", "You are not logged in."},
		{"EmployeeList", `{"inactive":false,"sort":""}`, []string{"Authorization", "Bearer x"}, 401, "unauthenticated", "Your session is over."},
		{"EmployeeList", `{"inactive":false,"sort":""}`, append(bearer, headerProtocol, "2"), 503, "unavailable", "speaks protocol 1"},
		{"EmployeeList", `{"inactive":false}`, bearer, 503, "unavailable", `the field "sort" is missing`},
		{"EmployeeList", `{"inactive":false,"sort":"","more":1}`, bearer, 503, "unavailable", `the field "more" is not known`},
		{"EmployeeList", `{"inactive":false,"sort":""}x`, bearer, 503, "unavailable", "something stands after it"},
		{"EmployeeList", `{"inactive":false,"sort":""}`, append(bearer, headerTimeout, "soon"), 400, "usage", headerTimeout},
		{"EmployeeList", `{"inactive":false,"sort":""}`, append(bearer, "Content-Type", "text/plain"), 400, "usage", "application/json"},
		{"EmployeeList", `{"sort":"` + strings.Repeat("x", bodyMax) + `"}`, bearer, 400, "usage", "at most 64 KiB"},
		{"EmployeeNothing", `{}`, bearer, 503, "unavailable", `does not know the operation "EmployeeNothing"`},
		{"CustomerDetail", `{"id":999}`, bearer, 404, "not_found", "There is no customer 999."},
		{"CustomerAdd", `{"fullname":"Z","allow_duplicate":false,"company":"Z","email":"z@example.com","phone":""}`, bearer, 403, "permission_denied", "commercial"},
		{"CustomerAdd", `{"fullname":"Z","allow_duplicate":false,"company":"Z","email":"z@example.com","phone":"","as_commercial_id":4}`, bearer, 503, "unavailable", `"as_commercial_id" is not known`},
		{"EmployeeSetRole", `{"username":"commercial1","role":"support"}`, bearer, 409, "conflict", "in charge of"},
		{"Login", `{"username":"administrator1","password":"wrong"}`, nil, 401, "unauthenticated", "Unknown username or wrong password."},
	} {
		response, body := srv.post(test.operation, test.body, test.headers...)
		var got ending
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.Error == nil {
			t.Errorf("%s %.60s: %s", test.operation, test.body, body)
			continue
		}
		if response.StatusCode != test.status || string(got.Error.Code) != test.code || !strings.Contains(got.Error.Message, test.message) {
			t.Errorf("%s %.60s: %d %s, want %d %s %s", test.operation, test.body, response.StatusCode, body, test.status, test.code, test.message)
		}
	}
	if response, _ := srv.post("/v1/EmployeeList", ""); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a GET: %d", response.StatusCode)
	}
}

// TestLog has who did what and how it ended, and nothing that was typed.
func TestLog(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	client := srv.client()
	if _, err := client.Login(t.Context(), "secretname", "a secret that was typed"); failure.ReasonOf(err) != failure.WrongPassword {
		t.Fatal(err)
	}
	var peer string
	if err := srv.conn.QueryRow(t.Context(), "SELECT peer FROM login_failure WHERE username = 'secretname'").Scan(&peer); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	if want := fmt.Sprintf("uid %d on %s", os.Getuid(), host); peer != want {
		t.Errorf("the failure was counted for %q, want %q", peer, want)
	}
	s := srv.over(client, "commercial1")
	if _, err := s.CustomerAdd(t.Context(), gen.CustomerAddParams{Fullname: "Typed Name", Company: new("Typed"), Email: new("typed@example.com"), Phone: new(value.Phone("+33145670102"))}); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(s.CustomerList(t.Context(), gen.CustomerListParams{Search: new("typed")})); err != nil {
		t.Fatal(err)
	}
	srv.exec("ALTER TABLE customer DISABLE TRIGGER ALL; ALTER TABLE customer RENAME COLUMN fullname TO typedname")
	if _, err := s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: 1, Fullname: new("typed")}); err == nil {
		t.Error("a schema without a column was good enough")
	}
	for !strings.Contains(srv.log.String(), "CustomerUpdate") { // the record comes after the answer
		time.Sleep(10 * time.Millisecond)
	}
	before := srv.log.String()
	forged, err := client.As(someToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := forged.AuthWhoami(t.Context()); failure.CodeOf(err) != failure.Unauthenticated {
		t.Error(err)
	}
	for !strings.Contains(srv.log.String(), "AuthWhoami") {
		time.Sleep(10 * time.Millisecond)
	}
	if record := strings.TrimPrefix(srv.log.String(), before); strings.Contains(record, "employee") {
		t.Errorf("whoever a bad token names is in the log: %s", record)
	}
	text := srv.log.String()
	for _, secret := range []string{"secret", "yped Name", "typed@", "+331", schema.SamplePassword} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q: %s", secret, text)
		}
	}
	for _, want := range []string{
		`"operation":"Login","peer":"uid `, `"code":"unauthenticated"`, `"operation":"CustomerAdd"`, `"employee":4`, `"rows":1`, `"code":"unavailable"`, "42703",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s: %s", want, text)
		}
	}
}

// TestAround is what watches a server.
func TestAround(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	srv.token("none1")
	for !strings.Contains(srv.log.String(), "Login") { // what is counted is, too
		time.Sleep(10 * time.Millisecond)
	}
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ok\n", "/metrics": `crm_requests_total{operation="Login",code="ok"} 1`} {
		if response, body := srv.post(path, ""); response.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
	if ready, err := srv.client().Ready(t.Context()); err != nil || ready != (Readiness{"1.5.0", schema.Version()}) {
		t.Errorf("%+v %v", ready, err)
	}
	srv.exec("UPDATE schema_migrations SET version = version + 1")
	time.Sleep(readyAge + 10*time.Millisecond)
	if response, body := srv.post("/readyz", ""); response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "schema version") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	_, err := srv.client().Ready(t.Context())
	fails(t, failure.Unavailable, "", "schema version", err)
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil) // from 192.0.2.1
	w := httptest.NewRecorder()
	(&Server{Service: srv.svc, Log: slog.New(slog.DiscardHandler)}).Handler().ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Errorf("the figures are shown to %s", r.RemoteAddr)
	}
}

// TestLoginsAreLimited counts a peer's logins, whatever the usernames.
func TestLoginsAreLimited(t *testing.T) {
	t.Parallel()
	l := newLimiter()
	for range loginsAtOnce {
		if wait := l.wait("a"); wait > 0 {
			t.Fatalf("refused for %s", wait)
		}
	}
	if l.wait("a") <= 0 || l.wait("b") > 0 {
		t.Error("one peer is not limited, or another one is")
	}
	for i := range 2 * peersKept {
		l.wait(fmt.Sprint(i))
	}
	if len(l.peers) > peersKept {
		t.Errorf("%d peers are remembered", len(l.peers))
	}
}

// FuzzHandler sends any body to any operation. Behind it is a database that nobody reaches, so that what is taken fails.
func FuzzHandler(f *testing.F) {
	config, err := pgxpool.ParseConfig("host=/nonexistent user=nobody")
	if err != nil {
		f.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(pool.Close)
	server := &Server{Service: service.New(pool, testKey), Log: slog.New(slog.DiscardHandler), Most: time.Microsecond}
	handler := server.Handler()
	token := "crm_" + strings.Repeat("A", 75)
	if _, err := service.TokenEmployee(token); err != nil {
		f.Fatal(err)
	}
	for operation, wire := range onWire {
		if body, err := json.Marshal(wire.params); err == nil {
			f.Add(operation, body)
		}
	}
	f.Add(loginName, []byte(`{"username":"a","password":"b"}`))
	f.Add("ContractSign", []byte(`{"id":null}`))
	f.Fuzz(func(t *testing.T, operation string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, prefix+"x", strings.NewReader(string(body)))
		r.URL.Path = prefix + operation
		r.Header.Set("Content-Type", typeOne)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Header().Get(headerProtocol) == "" { // no operation has such a name
			return
		}
		if w.Code == http.StatusOK && operation == "May" && w.Body.String() == "null\n" { // everybody may read
			return
		}
		var answer ending
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error == nil || statuses[answer.Error.Code] != w.Code {
			t.Fatalf("%s %q: %d %s", operation, body, w.Code, w.Body)
		}
		if answer.Error.Code == failure.Internal || !slices.ContainsFunc([]rune(answer.Error.Message), func(r rune) bool { return r > ' ' }) {
			t.Fatalf("%s %q: %s", operation, body, w.Body)
		}
	})
}
