package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// tracker is a Sentry that keeps what it gets.
type tracker struct {
	*httptest.Server
	mu   sync.Mutex
	sent []string
}

func newTracker(t *testing.T) *tracker {
	k := &tracker{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(body)
		}
		text, _ := io.ReadAll(body)
		k.mu.Lock()
		k.sent = append(k.sent, r.URL.String()+"\n"+fmt.Sprint(r.Header)+"\n"+string(text))
		k.mu.Unlock()
		record(t.Name(), []string{"report"}, nil, string(text))
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *tracker) dsn() string {
	return strings.Replace(k.URL, "http://", "http://publickey@", 1) + "/1"
}

// reports gives what came, which is all there is: a report is delivered before the command ends.
func (k *tracker) reports() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.sent)
}

// failing makes a search fail inside the database, with what was searched for in the error's text.
const failing = `
	CREATE OR REPLACE FUNCTION search_pattern(query text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RAISE EXCEPTION 'out of order: %', query USING ERRCODE = 'XX001', DETAIL = 'secret detail'; END $$`

// tracedEmployee reports to a tracker.
func tracedEmployee(t *testing.T, dsn string) *employee {
	e := asEmployee(t, "commercial1")
	e.sql(failing)
	e.vars["CRM_ERROR_TRACING_ENABLED"] = "true"
	e.vars["CRM_ERROR_TRACING_DNS"] = dsn
	return e
}

// private is what must not be in a report of this employee.
func (e *employee) private() []string {
	words := []string{
		"Zanzibar", "secret detail", "out of order", "Johanna", "Baker", "4321", "search_pattern", "SELECT", "--search",
		e.vars["CRM_TOKEN"], e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"], e.vars["HOME"], e.vars["CRM_DATABASE_URL"],
		e.config.Database, "commercial1",
	}
	if e.config.Password != "" {
		words = append(words, e.config.Password)
	}
	return words
}

func (e *employee) checkReport(t *testing.T, reports []string, wanted ...string) {
	t.Helper()
	if len(reports) != 1 {
		t.Fatalf("%d reports", len(reports))
	}
	for _, want := range append(wanted, `"release":"crm@`+Version, `"version":"`+Version, `"stacktrace":{"frames":[`, `"function":"`) {
		if !strings.Contains(reports[0], want) {
			t.Errorf("the report does not have %s in it:\n%s", want, reports[0])
		}
	}
	for _, word := range e.private() {
		if strings.Contains(reports[0], word) {
			t.Errorf("the report has %q in it:\n%s", word, reports[0])
		}
	}
}

func TestReportOfFailure(t *testing.T) {
	t.Parallel()
	k := newTracker(t)
	e := tracedEmployee(t, k.dsn())
	r := e.crm("", "customer", "list", "--search", "Zanzibar", "--company", "Johanna Baker")
	request := requestOf(t, r)
	if strings.Contains(k.reports()[0], `"in_app":false,"module":"github.com/epicevents`) {
		t.Error("crm's own packages are told as those of others")
	}
	// Where it failed is told, not only where that was noticed.
	e.checkReport(t, k.reports(), `"request":"`+request+`"`, `"function":"translate`, `(*app).customerList`, `"in_app":true`,
		`"command":"crm customer list"`, `"role":"commercial"`, "pgconn.PgError XX001", `"server":{"code":"XX001","message":"`)
}

// TestReportHasTheServersWords, for which crm has none, less what they quote.
func TestReportHasTheServersWords(t *testing.T) {
	t.Parallel()
	for words, refusal := range map[string]*pgconn.PgError{
		`invalid page in block 7 of relation "***"`: {Code: "XX001", Routine: "ReadBuffer_common", Message: `invalid page in block 7 of relation "customer of Johanna"`},
		"raised by a function of the database":      {Code: "XX001", Routine: "exec_stmt_raise", Message: "Johanna Baker"},
		`cannot do "***"`:                           {Code: "0A000", Message: "cannot do \"a\"\n and \"b\""},
	} {
		if got := withoutValues(refusal); got != strings.ReplaceAll(words, "***", text.Mask) {
			t.Errorf("%q, want %q", got, words)
		}
	}
}

// requestOf is what an unexpected failure is called on the line of the error.
func requestOf(t *testing.T, r result) string {
	t.Helper()
	line := regexp.MustCompile(`^crm: Something went wrong inside crm\. \(request ([0-9a-f]{8})\)\n$`).FindStringSubmatch(r.err)
	if r.code != 1 || r.out != "" || line == nil {
		t.Fatalf("%+v", r)
	}
	return line[1]
}

// panicking is an output that fails in the worst way.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("Zanzibar of Johanna Baker") }

func TestReportOfPanic(t *testing.T) {
	t.Parallel()
	k := newTracker(t)
	e := tracedEmployee(t, k.dsn())
	var stderr bytes.Buffer
	code := Run(context.Background(), []string{"contract", "list", "--customer-id", "1", "-o", "json"}, terminal.IO{
		In: strings.NewReader(""), Out: panicking{}, Err: &stderr, Getenv: func(name string) string { return e.vars[name] },
	})
	if want := `{"error":{"code":"internal","message":"Something went wrong inside crm.","request":"`; code != 1 || !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
	e.checkReport(t, k.reports(), `"command":"crm contract list"`, `"role":"commercial"`, "panicked with string", `"function":"panicking.Write"`)
}

func TestReportIsOffByDefault(t *testing.T) {
	t.Parallel()
	k := newTracker(t)
	for name, change := range map[string]func(e *employee){
		"not enabled":  func(e *employee) { e.vars["CRM_ERROR_TRACING_ENABLED"] = "" },
		"switched off": func(e *employee) { e.vars["CRM_ERROR_TRACING_ENABLED"] = "false" },
		"no DSN":       func(e *employee) { e.vars["CRM_ERROR_TRACING_DNS"] = "" },
		"no URL":       func(e *employee) { e.vars["CRM_ERROR_TRACING_DNS"] = "nonsense" },
	} {
		e := tracedEmployee(t, k.dsn())
		change(e)
		if r := e.crm("", "customer", "list", "--search", "Zanzibar"); r.code != 1 || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if reports := k.reports(); len(reports) > 0 {
		t.Errorf("%q", reports)
	}
}

func TestOnlyUnexpectedFailuresAreReported(t *testing.T) {
	t.Parallel()
	k := newTracker(t)
	for code, args := range map[int][]string{
		0: {"customer", "list"},
		2: {"customer", "list", "--limit", "x"},
		4: {"customer", "update", "13", "--fullname", "X"},
		5: {"customer", "detail", "99999"},
		6: {"contract", "add-payment", "771c41", "--payment", "1"},
	} {
		if r := tracedEmployee(t, k.dsn()).crm("", args...); r.code != code {
			t.Errorf("crm %q: exit %d, want %d", args, r.code, code)
		}
	}
	e := tracedEmployee(t, k.dsn())
	e.vars["CRM_DATABASE_URL"] = "postgres://crm@127.0.0.1:1/crm"
	if r := e.crm("", "customer", "list"); r.code != 7 {
		t.Errorf("exit %d", r.code)
	}
	e.as("")
	if r := e.crm("", "customer", "list"); r.code != 3 {
		t.Errorf("exit %d", r.code)
	}
	if reports := k.reports(); len(reports) > 0 {
		t.Errorf("%q", reports)
	}
}

// TestTracingCostsNothing while nothing unexpected happens: nobody connects to the tracker, so that it may be as slow as
// it likes.
func TestTracingCostsNothing(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	e := asEmployee(t, "commercial1")
	e.vars["CRM_ERROR_TRACING_ENABLED"], e.vars["CRM_ERROR_TRACING_DNS"] = "true", "http://publickey@"+deaf.Addr().String()+"/1"
	for code, args := range map[int][]string{0: {"customer", "list"}, 2: {"customer", "list", "--limit", "x"}, 5: {"customer", "detail", "99999"}} {
		if r := e.crm("", args...); r.code != code {
			t.Errorf("crm %q: exit %d, %s", args, r.code, r.err)
		}
	}
	_ = deaf.(*net.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
	if conn, err := deaf.Accept(); err == nil {
		t.Errorf("%s connected", conn.RemoteAddr())
	}
}

// TestReportThatCannotArrive has trackers that refuse, never answer, and answer without an end.
func TestReportThatCannotArrive(t *testing.T) {
	t.Parallel()
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	deaf, closed := listen(), listen()
	closed.Close()
	stop := make(chan struct{})
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(endless.Close)
	t.Cleanup(func() { close(stop) })
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(busy.Close)
	elsewhere := newTracker(t)
	moved := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(moved.Close)
	t.Cleanup(func() {
		if reports := elsewhere.reports(); len(reports) > 0 {
			t.Errorf("a report went where no DSN sent it: %q", reports)
		}
	})
	trickling := listen()
	go func() {
		for {
			conn, err := trickling.Accept()
			if err != nil {
				return
			}
			go func() {
				_, err := conn.Read(make([]byte, 4096))
				for ; err == nil; time.Sleep(100 * time.Millisecond) {
					_, err = conn.Write([]byte("H"))
				}
			}()
		}
	}()
	for name, address := range map[string]string{
		"closed": closed.Addr().String(), "deaf": deaf.Addr().String(), "unknown host": "tracker.invalid",
		"endless": endless.Listener.Addr().String(), "busy": busy.Listener.Addr().String(), "moved": moved.Listener.Addr().String(), "trickling": trickling.Addr().String(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tracedEmployee(t, "http://publickey@"+address+"/1")
			start := time.Now()
			r := e.crm("", "customer", "list", "--search", "Zanzibar")
			if took := time.Since(start); took > reportTime+3*time.Second {
				t.Errorf("it took %v", took)
			}
			requestOf(t, r)
		})
	}
}

func TestErrorTypes(t *testing.T) {
	t.Parallel()
	database := &pgconn.PgError{Code: "XX001", Message: "Zanzibar"}
	for want, err := range map[string]error{
		"*pgconn.PgError XX001":                   database,
		"*failure.Error <- *pgconn.PgError XX001": &failure.Error{Err: database},
		"*errors.joinError <- *errors.errorString, *fmt.wrapError <- *pgconn.PgError XX001": errors.Join(io.EOF, fmt.Errorf("Zanzibar: %w", database)),
		"*failure.Error <- cli.panicked with *errors.errorString":                           &failure.Error{Err: panicked{io.EOF}},
		"*failure.Error": &failure.Error{},
	} {
		if got := errorTypes(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
