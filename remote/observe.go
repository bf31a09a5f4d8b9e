package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/epicevents/crm/internal/failure"
)

// log writes the record of a request. What it says of a cause is what can hold nothing that was typed.
func (h *handler) log(x *exchange, request string, took time.Duration) {
	code, reason, level := codeOf(x), failure.ReasonOf(x.err), slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("request", request),
		slog.String("operation", x.operation),
		slog.String("peer", peerOf(x.r)),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("code", code),
	}
	if reason != "" {
		attributes = append(attributes, slog.String("reason", string(reason)))
	}
	if x.session != nil && (x.session.Role() != "" || x.operation == loginName) { // else nobody knows who it is
		attributes = append(attributes, slog.Int64("employee", x.session.EmployeeID()),
			slog.Bool("token", strings.HasPrefix(x.r.Header.Get("Authorization"), "Bearer crm_")))
	}
	if x.owner != 0 {
		attributes = append(attributes, slog.Int64("employee", x.owner))
	}
	if x.rows > 0 {
		attributes = append(attributes, slog.Int64("rows", x.rows))
	}
	// What says that a request is no request repeats a part of it, and is no fault of the server.
	if (code == string(failure.Internal) || code == string(failure.Unavailable)) && reason != failure.OtherWire {
		level = slog.LevelError
		attributes = append(attributes, slog.String("cause", causeOf(x.err)))
	}
	h.Log.LogAttrs(context.WithoutCancel(x.r.Context()), level, "request", attributes...)
}

// codeOf is ok, gone where the client left before its answer, or the code of the error.
func codeOf(x *exchange) string {
	switch {
	case x.err == nil:
		return "ok"
	case errors.Is(x.err, errGone) || x.r.Context().Err() != nil:
		return "gone"
	}
	return string(describe(x.err).Code)
}

// causeOf names the types of an error and of what caused it, and what PostgreSQL calls it. The texts may repeat values.
func causeOf(err error) string {
	var words []string
	for ; err != nil; err = errors.Unwrap(err) {
		word := strings.TrimPrefix(fmt.Sprintf("%T", err), "*")
		if state, ok := err.(interface{ SQLState() string }); ok {
			word += " " + state.SQLState()
		}
		if known, ok := err.(*failure.Error); ok && !known.IsUnforeseen() {
			word += " (" + known.Message + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, ": ")
}

// readiness is whether the database answers, looked at once a second at most, for nobody has to log in to ask.
type readiness struct {
	mutex  sync.Mutex
	at     time.Time
	schema int64
	err    error
}

const (
	readyAge  = time.Second
	readyTime = 2 * time.Second
)

func (h *handler) ready(w http.ResponseWriter, r *http.Request) {
	h.state.mutex.Lock()
	defer h.state.mutex.Unlock()
	if time.Since(h.state.at) > readyAge {
		h.state.schema, h.state.err = h.Service.Within(readyTime).CheckVersion(context.WithoutCancel(r.Context()))
		h.state.at = time.Now()
	}
	w.Header().Set(headerProtocol, protocolNumber)
	w.Header().Set(headerVersion, h.Version)
	if h.state.err == nil {
		w.Header().Set(headerSchema, strconv.FormatInt(h.state.schema, 10))
		_, _ = io.WriteString(w, "ok\n")
		return
	}
	http.Error(w, describe(h.state.err).Message, http.StatusServiceUnavailable)
}
