package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

const (
	pauseFirst = 20 * time.Millisecond // before a second attempt; twice as long before each one after it
	pauseMost  = time.Second
	resultMax  = 64 << 20 // bytes of a result that is no rows
	lineBuffer = 64 << 10
)

// call does an operation that has one result.
func call[R any](ctx context.Context, s *Session, operation string, params any) (result R, err error) {
	err = s.attempts(ctx, operation, params, func(answer io.Reader) error {
		body, err := io.ReadAll(io.LimitReader(answer, resultMax))
		if err != nil {
			return lost{err}
		}
		if err := readResult(body, &result); err != nil {
			return unfit("The server's answer cannot be read: %v.", err)
		}
		return nil
	})
	return result, err
}

// rows does an operation that has rows, and hands them on as they arrive. A lost connection is tried again until a row was
// handed on.
func rows[R any](ctx context.Context, s *Session, operation string, params any) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		yielded := false
		err := s.attempts(ctx, operation, params, func(answer io.Reader) error {
			err := readRows(answer, func(row R) bool {
				yielded = true
				return yield(row, nil)
			})
			if yielded && errors.As(err, new(lost)) {
				return final{err}
			}
			return err
		})
		if err != nil {
			var zero R
			yield(zero, err)
		}
	}
}

// readRows reads the rows of an answer until yield has enough, or there are as many as the last line says.
func readRows[R any](answer io.Reader, yield func(R) bool) error {
	lines := bufio.NewReaderSize(answer, lineBuffer)
	first, err := readLine(lines)
	if err != nil {
		return err
	}
	var head struct{ Columns []string }
	if err := json.Unmarshal(first, &head); err != nil || head.Columns == nil {
		return unfit("The server's answer does not begin with its columns.")
	}
	into, err := newRowOf[R](head.Columns)
	if err != nil {
		return err
	}
	for n := int64(0); ; n++ {
		line, err := readLine(lines)
		if err != nil {
			return err
		}
		if line[0] == '{' {
			return readEnding(line, n)
		}
		if err := into.read(line); err != nil {
			return unfit("A row of the server's cannot be read.").With(err)
		}
		if !yield(into.value) {
			return nil
		}
	}
}

// readEnding reads the last line after n rows.
func readEnding(line []byte, n int64) error {
	var last ending
	if err := json.Unmarshal(line, &last); err != nil {
		return unfit("The last line of the server's answer cannot be read.").With(err)
	}
	if last.Error != nil {
		return last.Error.failure()
	}
	if last.Rows == nil || *last.Rows != n {
		return lost{errors.New("the answer has another number of rows than it says")}
	}
	return nil
}

// readLine returns the next line with its end, good until the next one. An answer that ends without its last line was cut.
func readLine(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		if err != nil {
			return nil, lost{err}
		}
		return line, nil
	}
	long := bytes.Clone(line)
	for err == bufio.ErrBufferFull && len(long) < resultMax {
		line, err = lines.ReadSlice('\n')
		long = append(long, line...)
	}
	if err != nil {
		return nil, lost{err}
	}
	return long, nil
}

// attempts sends a request and has read take its answer, again where the connection was lost, the operation may be
// repeated and time is left. What the error says of what was done is for lost.go.
func (s *Session) attempts(ctx context.Context, operation string, params any, read func(answer io.Reader) error) error {
	body, err := appendRequest(nil, params)
	if err != nil {
		return err
	}
	request := uuid.NewString()
	unknown := false // whether an attempt may have done it
	for pause := pauseFirst; ; pause = min(2*pause, pauseMost) {
		sent, err := s.attempt(ctx, operation, request, outgoing{kind: typeOne, body: bytes.NewReader(body)}, read)
		unknown = unknown || sent && errors.As(err, new(lost)) && !service.Reads(operation)
		if err == nil {
			return nil
		}
		wait := pause/2 + rand.N(pause)
		again := errors.As(err, new(lost)) && (!sent || service.Repeats(operation)) && (sent || s.client.connected.Load())
		if errors.As(err, new(final)) || !again || s.client.remaining() <= wait || ctx.Err() != nil {
			return s.explain(ctx, operation, params, err, unknown)
		}
		began := time.Now()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		s.client.clock.charge(began)
	}
}

// outgoing is what a request has to say.
type outgoing struct {
	kind    string
	body    io.Reader
	patient bool // the limit is for each statement at the server, and not for the answer
}

// attempt sends a request once. It reports whether the server may have seen it.
func (s *Session) attempt(ctx context.Context, operation, request string, out outgoing, read func(io.Reader) error) (sent bool, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { s.client.connected.Store(true) },
		WroteHeaders: func() { wrote.Store(true) },
	})
	watch := newWatch(s.client, stop)
	defer watch.stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.client.base+prefix+operation, out.body)
	if err != nil {
		return false, err
	}
	r.Header = http.Header{
		"Content-Type": {out.kind}, headerProtocol: {protocolNumber}, headerRequest: {request}, "User-Agent": {"crm"},
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	if left := s.client.remaining(); s.client.limit > 0 {
		r.Header.Set(headerTimeout, max(left-left/50, time.Millisecond).String()) // the rest is for the way back
	}
	if !out.patient {
		watch.begin()
	}
	response, err := s.client.transport.RoundTrip(r)
	if !out.patient {
		watch.end()
	}
	if err != nil {
		return wrote.Load(), lost{timely(ctx, err)}
	}
	defer response.Body.Close()
	answer := watch.reader(ctx, response.Body)
	if err := s.check(response, answer); err != nil {
		return true, err
	}
	return true, read(answer)
}

// Readiness is what a server says of itself.
type Readiness struct {
	Version string // of its program
	Schema  int64  // of its database
}

// Ready returns what a server says that answers, as its database does: one with the schema that the server needs.
func (c *Client) Ready(ctx context.Context) (ready Readiness, err error) {
	s := &Session{client: c}
	if c.limit > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, max(c.remaining(), time.Millisecond))
		defer stop()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+readyPath, nil)
	if err != nil {
		return ready, err
	}
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return ready, s.explain(ctx, readyPath, nil, lost{err}, false)
	}
	defer response.Body.Close()
	words, err := io.ReadAll(io.LimitReader(response.Body, lineBuffer))
	if err != nil {
		return ready, s.explain(ctx, readyPath, nil, lost{err}, false)
	}
	if err := fits(response); err != nil {
		return ready, err
	}
	ready.Version = response.Header.Get(headerVersion)
	if response.StatusCode != http.StatusOK {
		return ready, &failure.Error{Code: failure.Unavailable, Message: strings.TrimSpace(string(words)), Hint: "tell whoever runs the server"}
	}
	if ready.Schema, err = strconv.ParseInt(response.Header.Get(headerSchema), 10, 64); err != nil {
		return ready, notCrm(response.Status)
	}
	return ready, nil
}

// fits refuses the answer of what is no crm, or speaks another protocol.
func fits(response *http.Response) error {
	switch spoken := response.Header.Get(headerProtocol); spoken {
	case protocolNumber:
		return nil
	case "":
		return notCrm(response.Status)
	default:
		return unfit("The server speaks protocol %.10q, this crm %s.", spoken, protocolNumber)
	}
}

// check looks at the head of an answer, and returns the error that it is.
func (s *Session) check(response *http.Response, answer io.Reader) error {
	if err := fits(response); err != nil {
		if response.Header.Get(headerProtocol) == "" && response.StatusCode >= http.StatusInternalServerError { // of what stands between
			return lost{err}
		}
		return err
	}
	if role := gen.Role(response.Header.Get(headerRole)); role.Valid() {
		s.role = role
	}
	if response.StatusCode == http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(answer, lineBuffer))
	if err != nil {
		return lost{err}
	}
	var refused ending
	if err := json.Unmarshal(body, &refused); err != nil || refused.Error == nil {
		return notCrm(response.Status)
	}
	return refused.Error.failure()
}
