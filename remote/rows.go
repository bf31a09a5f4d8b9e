package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// Some operations take rows, as many as there are: a line with the parameters, one with the columns, an array for each row,
// and at last how many rows there were. What ends without that last line was cut, and nothing is done with it.

const (
	sentMax  = 1 << 30          // bytes of all rows
	lineMax  = 256 << 10        // bytes of one
	sentTime = 30 * time.Second // for each part of them to come
)

// takes is the route of an operation that takes rows and has one result.
func takes[Q, P, R any](do func(context.Context, service.Operations, Q, iter.Seq2[P, error]) (R, error)) route {
	return route{takesRows: true, do: func(ctx context.Context, x *exchange) error {
		ctx, release := x.stopping.untilGrace(ctx)
		defer release()
		body := &sentBody{control: http.NewResponseController(x.w), body: http.MaxBytesReader(x.w, x.r.Body, sentMax)}
		result, err := taken(ctx, x, bufio.NewReaderSize(body, lineMax), do)
		if errors.Is(err, errGone) {
			return errGone
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, body) // a client that still sends would not see why it is refused
			return err
		}
		return x.answer(result)
	}}
}

func taken[Q, P, R any](ctx context.Context, x *exchange, lines *bufio.Reader, do func(context.Context, service.Operations, Q, iter.Seq2[P, error]) (R, error)) (result R, err error) {
	first, err := sentLine(lines)
	if err != nil {
		return result, err
	}
	var params Q
	if err := readRequest(first, &params); err != nil {
		return result, badRequest(x.operation, err)
	}
	return do(ctx, x.session, params, func(yield func(P, error) bool) {
		err := sentRows(lines, x.operation, func(row P) bool {
			x.rows++
			return yield(row, nil)
		})
		if err != nil {
			var none P
			yield(none, err)
		}
	})
}

// sentRows reads what a client sends, until yield has enough or there are as many rows as the last line says.
func sentRows[P any](lines *bufio.Reader, operation string, yield func(P) bool) error {
	second, err := sentLine(lines)
	if err != nil {
		return err
	}
	var head struct{ Columns []string }
	if err := json.Unmarshal(second, &head); err != nil {
		return badRequest(operation, errors.New("its rows have no columns"))
	}
	into, err := newRowOf[P](head.Columns)
	if err != nil {
		return badRequest(operation, errors.New("its columns are others"))
	}
	for n := int64(0); ; n++ {
		line, err := sentLine(lines)
		if err != nil {
			return err
		}
		if line[0] == '{' {
			var last ending
			if err := json.Unmarshal(line, &last); err != nil || last.Rows == nil || *last.Rows != n {
				return badRequest(operation, errors.New("it has another number of rows than it says"))
			}
			return sentAll(lines, operation)
		}
		var empty P
		into.value = empty // no list of the row before is written over
		if err := into.read(line); err != nil {
			return badRequest(operation, fmt.Errorf("row %d cannot be read", n+1))
		}
		if !yield(into.value) {
			return nil
		}
	}
}

// sentAll reads the end of what a client sends. Only from then on the server looks whether the client is still there.
func sentAll(lines *bufio.Reader, operation string) error {
	switch _, err := lines.ReadByte(); {
	case err == nil:
		return badRequest(operation, errors.New("it goes on after its last line"))
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// sentLine returns the next line, good until the next one.
func sentLine(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, failure.Misuse(fmt.Sprintf("A row is at most %d KiB.", lineMax>>10), "")
	case large:
		return nil, failure.Misuse(fmt.Sprintf("The rows of a request are at most %d MiB.", sentMax>>20), "")
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	return line, nil
}

// sentBody is the body of a request, each part of which has its time to come.
type sentBody struct {
	control *http.ResponseController
	body    io.Reader
}

func (b *sentBody) Read(p []byte) (int, error) {
	if err := b.control.SetReadDeadline(time.Now().Add(sentTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := b.body.Read(p)
	if err != nil { // the deadline would end the context of what takes longer
		if errControl := b.control.SetReadDeadline(time.Time{}); errControl != nil && !errors.Is(errControl, http.ErrNotSupported) {
			return n, errControl
		}
	}
	return n, err
}

// send does an operation that takes rows. It is never sent again: nobody keeps the rows.
func send[R, P any](ctx context.Context, s *Session, operation string, params any, rows iter.Seq2[P, error]) (result R, err error) {
	reader, writer := io.Pipe()
	var (
		whole  atomic.Bool // whether all of it was handed to the connection
		source error       // of the rows, and not of the wire
		done   = make(chan struct{})
	)
	go func() {
		defer close(done)
		out := bufio.NewWriterSize(writer, rowBuffer)
		var wrote error
		if source, wrote = writeRows(out, params, rows); source == nil && wrote == nil {
			wrote = out.Flush()
			whole.Store(wrote == nil)
		}
		writer.CloseWithError(errors.Join(source, wrote)) // nil is the end
	}()
	sent, err := s.attempt(ctx, operation, uuid.NewString(), outgoing{kind: typeRows, body: reader, patient: true}, func(answer io.Reader) error {
		body, err := io.ReadAll(io.LimitReader(answer, resultMax))
		if err != nil {
			return lost{err}
		}
		if err := readResult(body, &result); err != nil {
			return unfit("The server's answer cannot be read: %v.", err)
		}
		return nil
	})
	_ = reader.Close()
	<-done
	if err == nil {
		return result, nil
	}
	if source != nil {
		return result, source
	}
	isLost := errors.As(err, new(lost))
	unknown := isLost && sent && whole.Load()
	if err = s.explain(ctx, operation, params, err, unknown); isLost && !unknown {
		return result, service.NothingWritten(err) // for the server does nothing before it has the last line
	}
	return result, err
}

// writeRows writes parameters and rows as lines. The first error is that of the rows.
func writeRows[P any](out *bufio.Writer, params any, rows iter.Seq2[P, error]) (source, err error) {
	line, err := appendRequest(nil, params)
	if err != nil {
		return nil, err
	}
	each, columns := newRow[P]()
	line, err = appendLine(append(line, '\n'), struct {
		Columns []string `json:"columns"`
	}{columns})
	if err != nil {
		return nil, err
	}
	n := int64(0)
	for row, err := range rows {
		if err != nil {
			return err, nil
		}
		if _, err := out.Write(line); err != nil {
			return nil, err
		}
		each.value = row
		if line, err = each.append(line[:0]); err != nil {
			return nil, err
		}
		n++
	}
	if line, err = appendLine(line, ending{Rows: &n}); err != nil {
		return nil, err
	}
	_, err = out.Write(line)
	return nil, err
}
