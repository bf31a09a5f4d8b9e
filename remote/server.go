package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

const (
	bodyTime  = 10 * time.Second // a request has to have come whole
	bodyMax   = 64 << 10         // bytes of it
	writeTime = 30 * time.Second // a client may stand still in the middle of an answer
	rowBuffer = 32 << 10
)

// Server does operations for whoever shows a token, on a Service that has the database and the key.
type Server struct {
	Service *service.Service
	Version string        // of this program
	Log     *slog.Logger  // one record a request; never a parameter
	Most    time.Duration // for one request to wait for the database, whatever its client allows; no limit if zero
}

// Handler returns the server without its listeners, which Serve has.
func (srv *Server) Handler() http.Handler { return srv.handler(newStopping()) }

func (srv *Server) handler(stopping *stopping) http.Handler {
	h := &handler{Server: srv, routes: routes(), logins: newLimiter(), feeds: newLimiter(), stopping: stopping, figures: newFigures()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+prefix+"{operation}", h.operation)
	mux.HandleFunc("GET "+calendarPath+"{file}", h.calendar)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET "+readyPath, h.ready)
	mux.HandleFunc("GET /metrics", h.metrics)
	return mux
}

type handler struct {
	*Server
	routes   map[string]route
	logins   *limiter // and wrong secrets of calendars: both are guesses
	feeds    *limiter
	stopping *stopping
	figures  *figures
	state    readiness
}

// exchange is one request on its way through the server.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	body      []byte
	operation string
	stopping  *stopping
	session   service.Operations
	owner     int64 // of the calendar that is read; 0 where it is none
	rows      int64
	began     bool // the answer
	err       error
}

// route is how an operation is done with what came in an exchange, and answered.
type route struct {
	takesRows bool // whose body is not read before it is done
	do        func(ctx context.Context, x *exchange) error
}

// one is the route of an operation that has one result.
func one[Q, R any](do func(context.Context, service.Operations, Q) (R, error)) route {
	return route{do: func(ctx context.Context, x *exchange) error {
		ctx, release := x.stopping.untilGrace(ctx)
		defer release()
		var params Q
		if err := readRequest(x.body, &params); err != nil {
			return badRequest(x.operation, err)
		}
		result, err := do(ctx, x.session, params)
		if err != nil {
			return err
		}
		return x.answer(result)
	}}
}

// answer answers with the one result.
func (x *exchange) answer(result any) error {
	line, err := appendLine(nil, result)
	if err != nil {
		return failure.Unforeseen(err)
	}
	x.begin(typeOne, http.StatusOK)
	return x.write(line)
}

// many is the route of an operation that has rows.
func many[Q, R any](do func(context.Context, service.Operations, Q) iter.Seq2[R, error]) route {
	return route{do: func(ctx context.Context, x *exchange) error {
		var params Q
		if err := readRequest(x.body, &params); err != nil {
			return badRequest(x.operation, err)
		}
		out, columns := newRow[R]()
		buffer, err := appendLine(make([]byte, 0, rowBuffer+rowBuffer/4), struct {
			Columns []string `json:"columns"`
		}{columns})
		if err != nil {
			return failure.Unforeseen(err)
		}
		for row, err := range do(ctx, x.session, params) {
			if err != nil {
				if x.began { // the rows before it go along
					return errors.Join(err, x.write(buffer))
				}
				return err
			}
			out.value = row
			if buffer, err = out.append(buffer); err != nil {
				return failure.Unforeseen(err)
			}
			x.rows++
			if len(buffer) < rowBuffer {
				continue
			}
			x.begin(typeRows, http.StatusOK)
			if err := x.write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
		if buffer, err = appendLine(buffer, ending{Rows: &x.rows}); err != nil {
			return failure.Unforeseen(err)
		}
		x.begin(typeRows, http.StatusOK)
		return x.write(buffer)
	}}
}

// errGone is a client that does not read its answer.
var errGone = errors.New("the client is gone")

// begin writes the head of the answer, once.
func (x *exchange) begin(kind string, status int) {
	if x.began {
		return
	}
	x.began = true
	header := x.w.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", "no-store")
	if x.session != nil && x.session.Role() != "" {
		header.Set(headerRole, string(x.session.Role()))
	}
	x.w.WriteHeader(status)
}

// write writes a part of the answer; the client has its time for each.
func (x *exchange) write(part []byte) error {
	err := http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil || errors.Is(err, http.ErrNotSupported) {
		_, err = x.w.Write(part)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// refuse answers with an error: as the last line, if rows were sent before.
func (x *exchange) refuse(err error) error {
	known := describe(err)
	hint := known.Hint
	if known.Reason == failure.ForHost { // whoever is at the other end has neither the database nor its settings
		hint = "tell whoever runs the server"
	}
	line, errLine := appendLine(nil, ending{Error: &refusal{known.Code, known.Reason, known.Message, hint}})
	if errLine != nil {
		return errLine
	}
	x.begin(typeOne, statuses[known.Code])
	return x.write(line)
}

// describe returns what the client is told of an error.
func describe(err error) *failure.Error {
	cancelled := errors.Is(err, context.Canceled) // by the server: a client that left is told nothing
	if known, ok := errors.AsType[*failure.Error](err); ok {
		if cancelled && known.Reason == failure.OutcomeUnknown {
			told := *known
			told.Message = "The server is shutting down: whether this was done is not known."
			return &told
		}
		return known
	}
	if cancelled {
		return &failure.Error{Code: failure.Unavailable, Message: "The server is shutting down.", Hint: "try again in a moment", Err: err}
	}
	return failure.Unforeseen(err)
}

// otherWire is the error of a request that is none of this wire; it may repeat a part of it, which no log does.
func otherWire(format string, values ...any) *failure.Error {
	err := unfit(format, values...)
	err.Reason = failure.OtherWire
	return err
}

// badRequest is the error of parameters that are not those of the operation; both ends are made from the same table, so
// they are of different versions.
func badRequest(operation string, err error) error {
	return otherWire("The server does not take this request for %s: %v.", operation, err).With(err)
}

// operation answers POST /v1/{operation}.
func (h *handler) operation(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	request := r.Header.Get(headerRequest)
	if id, err := uuid.Parse(request); err != nil || id.String() != request {
		request = uuid.NewString()
	}
	w.Header().Set(headerProtocol, protocolNumber)
	w.Header().Set(headerVersion, h.Version)
	w.Header().Set(headerRequest, request)
	x := &exchange{w: w, r: r, operation: r.PathValue("operation"), stopping: h.stopping}
	if h.routes[x.operation].do == nil && x.operation != loginName {
		x.operation = "unknown"
	}
	h.figures.begin()
	x.err = h.do(x)
	if x.err != nil && !errors.Is(x.err, errGone) && r.Context().Err() == nil {
		if err := x.refuse(x.err); err != nil {
			x.err = errors.Join(x.err, err)
		}
	}
	h.figures.end(x, time.Since(began))
	h.log(x, request, time.Since(began))
}

// do does the operation of an exchange, or says why not.
func (h *handler) do(x *exchange) error {
	r := x.r
	if spoken := r.Header.Get(headerProtocol); spoken != "" && spoken != protocolNumber {
		return otherWire("The server (crm %s) speaks protocol %s, not %.10q.", h.Version, protocolNumber, spoken)
	}
	// A form of some page in a browser cannot send this.
	route, wanted := h.routes[x.operation], typeOne
	if route.takesRows {
		wanted = typeRows
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != wanted {
		return failure.Misuse("A request is "+wanted+".", "")
	}
	var err error
	if !route.takesRows {
		if x.body, err = h.body(x); err != nil {
			return err
		}
	}
	svc, err := h.within(r)
	if err != nil {
		return err
	}
	if x.operation == loginName {
		return h.login(x, svc.From(peerOf(r)))
	}
	if route.do == nil {
		return otherWire("The server (crm %s) does not know the operation %.60q.", h.Version, r.PathValue("operation"))
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	if x.session, err = svc.Accounts().As(token); err != nil {
		return err
	}
	return route.do(r.Context(), x)
}

// body reads what was sent, in its time.
func (h *handler) body(x *exchange) ([]byte, error) {
	control := http.NewResponseController(x.w)
	if err := control.SetReadDeadline(time.Now().Add(bodyTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, bodyMax))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, failure.Misuse(fmt.Sprintf("A request is at most %d KiB.", bodyMax>>10), "")
	}
	if err == nil {
		err = control.SetReadDeadline(time.Time{}) // or it would end the context of what takes longer
	}
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	return body, nil
}

// within returns the Service for one request, which waits no longer than the server and its client allow.
func (h *handler) within(r *http.Request) (*service.Service, error) {
	limit := h.Most
	if text := r.Header.Get(headerTimeout); text != "" {
		left, err := time.ParseDuration(text)
		if err != nil || left <= 0 {
			return nil, failure.Misuse("The header "+headerTimeout+" is a time, as 9.8s.", "")
		}
		if limit == 0 || left < limit {
			limit = left
		}
	}
	return h.Service.Within(limit), nil
}

func (h *handler) login(x *exchange, svc *service.Service) error {
	var params loginRequest
	if err := readRequest(x.body, &params); err != nil {
		return badRequest(loginName, err)
	}
	if wait := h.logins.wait(peerOf(x.r)); wait > 0 {
		return &failure.Error{Code: failure.Unauthenticated, Reason: failure.TooManyLogins, Message: fmt.Sprintf("Too many logins from here: wait %d s.", int(wait/time.Second)+1)}
	}
	ctx, release := x.stopping.untilGrace(x.r.Context())
	defer release()
	token, err := svc.Login(ctx, params.Username, params.Password)
	if err != nil {
		return err
	}
	if x.session, err = svc.Accounts().As(token); err != nil {
		return err
	}
	return x.answer(token)
}
