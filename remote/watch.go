package remote

import (
	"context"
	"io"
	"sync/atomic"
	"time"
)

// watch ends a request when a wait for the server takes longer than the rest of the client's limit. Time that goes by
// while nobody waits, as at a pager, does not count.
type watch struct {
	client  *Client
	timer   *time.Timer
	waiting atomic.Bool
	began   time.Time
	first   bool
}

func newWatch(c *Client, cut context.CancelCauseFunc) *watch {
	w := &watch{client: c, first: true}
	if c.limit > 0 {
		w.timer = time.AfterFunc(time.Hour, func() {
			if w.waiting.Load() {
				cut(context.DeadlineExceeded)
			}
		})
		w.timer.Stop()
	}
	return w
}

func (w *watch) begin() {
	w.began = time.Now()
	w.waiting.Store(true)
	if w.timer != nil {
		w.timer.Reset(max(w.client.remaining(), time.Millisecond))
	}
}

// end takes the wait for the beginning of the answer off the limit; those for the rest of it may each be as long.
func (w *watch) end() {
	w.waiting.Store(false)
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.first {
		w.client.clock.charge(w.began)
		w.first = false
	}
}

func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// reader returns an answer whose reads are waits.
func (w *watch) reader(ctx context.Context, answer io.Reader) io.Reader {
	return watchedReader{ctx, w, answer}
}

type watchedReader struct {
	ctx    context.Context
	watch  *watch
	answer io.Reader
}

func (r watchedReader) Read(p []byte) (int, error) {
	r.watch.begin()
	n, err := r.answer.Read(p)
	r.watch.end()
	if err != nil && err != io.EOF {
		err = timely(r.ctx, err)
	}
	return n, err
}

// timely returns that time was up, where that is why something failed.
func timely(ctx context.Context, err error) error {
	if context.Cause(ctx) == context.DeadlineExceeded {
		return context.DeadlineExceeded
	}
	return err
}
