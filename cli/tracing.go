package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/getsentry/sentry-go"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// reportTime is how long a failed command waits at most to deliver its report.
const reportTime = 2 * time.Second

// report sends an unexpected failure to Sentry, if error tracing is on: the command's name, the version, the role and a
// stack. Never what was typed, stored or configured; an error's own text may hold that, so only the types of the errors
// are told, and what PostgreSQL said without the values that it quotes. Whether the report arrives makes no difference to the user.
func (a *app) report(command, request string, problem error, stack *sentry.Stacktrace) {
	if !a.Config.Tracing || a.Config.TracingDSN == "" { // without a DSN, the SDK would look for one in the environment
		return
	}
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn:       a.Config.TracingDSN,
		Release:   "crm@" + Version,
		Transport: sentry.NewHTTPSyncTransport(),
		// A report goes where the DSN sends it and nowhere else.
		HTTPClient: &http.Client{Timeout: reportTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		// They would add the machine's name, its modules and its environment.
		Integrations: func([]sentry.Integration) []sentry.Integration { return nil },
		ServerName:   "crm",
		Environment:  "production",
	})
	if err != nil {
		return
	}
	role := cmp.Or(string(a.Role()), "unknown")
	event := sentry.NewEvent()
	event.Level = sentry.LevelError
	event.Transaction = command
	event.Tags = map[string]string{"command": command, "version": Version, "role": role, "request": request}
	event.Exception = []sentry.Exception{{Type: "unexpected failure", Value: errorTypes(problem), Stacktrace: stack}}
	if refusal, ok := errors.AsType[*pgconn.PgError](problem); ok {
		event.Contexts = map[string]sentry.Context{"server": {"code": refusal.Code, "message": withoutValues(refusal)}}
	}
	client.CaptureEvent(event, nil, nil)
}

// withoutValues is what the server said, less what it quotes, which may be what is stored. The words of a function that
// somebody wrote may hold anything.
func withoutValues(refusal *pgconn.PgError) string {
	if refusal.Routine == "exec_stmt_raise" {
		return "raised by a function of the database"
	}
	return backend.QuotedValue().ReplaceAllString(strings.Join(strings.Fields(refusal.Message), " "), `"`+text.Mask+`"`)
}

// stackOf is where an error was made, or where it was first known as unexpected. Frames of crm's own packages are told
// from those of others, which the SDK cannot where Go is not installed.
func stackOf(err error) *sentry.Stacktrace {
	var stack *sentry.Stacktrace
	for ; err != nil && stack == nil; err = errors.Unwrap(err) {
		stack = sentry.ExtractStacktrace(err)
	}
	return ours(stack)
}

func ours(stack *sentry.Stacktrace) *sentry.Stacktrace {
	if stack == nil {
		return nil
	}
	for i, frame := range stack.Frames {
		stack.Frames[i].InApp = frame.Module == "main" || strings.HasPrefix(frame.Module, module)
	}
	return stack
}

// module begins the names of crm's packages.
const module = "github.com/epicevents/crm"

// newRequest names one failed command, for the report and for whoever tells of it.
func newRequest() string {
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

// reportServer is the server that reports go to, without the key that is in the DSN.
func reportServer(dsn string) (*url.URL, error) {
	parsed, err := sentry.NewDsn(dsn)
	if err != nil {
		return nil, err
	}
	return &url.URL{Scheme: parsed.GetScheme(), Host: net.JoinHostPort(parsed.GetHost(), strconv.Itoa(parsed.GetPort()))}, nil
}

// reachable connects to a server, or to the proxy before it as a report would, and says nothing to it.
func reachable(ctx context.Context, server *url.URL) error {
	host := server.Host
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: server}); err == nil && proxy != nil {
		host = net.JoinHostPort(proxy.Hostname(), cmp.Or(proxy.Port(), proxy.Scheme))
	}
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return err
	}
	return conn.Close()
}

// errorTypes names the types of an error and its causes, and PostgreSQL's code where there is one.
func errorTypes(err error) string {
	text := fmt.Sprintf("%T", err)
	switch e := err.(type) {
	case *pgconn.PgError:
		text += " " + e.Code
		if e.Routine != "" { // of the server's source
			text += " in " + e.Routine
		}
	case panicked:
		text += fmt.Sprintf(" with %T", e.value)
	}
	var causes []string
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			causes = append(causes, errorTypes(cause))
		}
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			causes = append(causes, errorTypes(cause))
		}
	}
	if len(causes) > 0 {
		text += " <- " + strings.Join(causes, ", ")
	}
	return text
}

// panicked is a panic as an error.
type panicked struct{ value any }

func (p panicked) Error() string { return "panic" }

// caught runs a command and makes a panic of it into an unexpected failure.
func (a *app) caught(run func() error) (stack *sentry.Stacktrace, err error) {
	defer func() {
		if value := recover(); value != nil {
			stack = ours(sentry.NewStacktrace())
			err = failure.Unforeseen(panicked{value})
		}
	}()
	return nil, run()
}
