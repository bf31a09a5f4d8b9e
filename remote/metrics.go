package remote

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bounds are what the times of requests are sorted into, in seconds. What takes longer is in the last, which has none.
var bounds = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// figures are what a handler counts. They are written here, in the text format of Prometheus: a library for that works
// before main begins, in every command, and the client of crm is the same program.
type figures struct {
	mutex    sync.Mutex
	began    time.Time
	underWay int64
	rows     int64
	requests map[outcome]int64
	times    map[string]*times
}

// outcome is how an operation ended.
type outcome struct{ operation, code string }

// times is how long an operation took: how often each bound was the first that was not exceeded, and all together.
type times struct {
	within  [len(bounds) + 1]int64
	seconds float64
}

func newFigures() *figures {
	return &figures{began: time.Now(), requests: map[outcome]int64{}, times: map[string]*times{}}
}

func (f *figures) begin() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.underWay++
}

func (f *figures) end(x *exchange, took time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.underWay--
	f.rows += x.rows
	f.requests[outcome{x.operation, codeOf(x)}]++
	of := f.times[x.operation]
	if of == nil {
		of = new(times)
		f.times[x.operation] = of
	}
	first, _ := slices.BinarySearch(bounds[:], took.Seconds())
	of.within[first]++
	of.seconds += took.Seconds()
}

// metrics answers on the socket and to this machine: what is done how often is nobody else's business.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	if !isNear(r) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = w.Write(append(h.figures.text(), h.figures.process()...)) // a client that left is told nothing
}

// text returns what was counted.
func (f *figures) text() []byte {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var out bytes.Buffer
	declare(&out, "crm_requests_under_way", "gauge", "Requests that are not answered yet.")
	fmt.Fprintf(&out, "crm_requests_under_way %d\n", f.underWay)
	declare(&out, "crm_rows_total", "counter", "Rows that were sent.")
	fmt.Fprintf(&out, "crm_rows_total %d\n", f.rows)
	declare(&out, "crm_requests_total", "counter", "Requests by how they ended.")
	for _, ended := range slices.SortedFunc(maps.Keys(f.requests), func(a, b outcome) int {
		return cmp.Or(strings.Compare(a.operation, b.operation), strings.Compare(a.code, b.code))
	}) {
		fmt.Fprintf(&out, "crm_requests_total{operation=%q,code=%q} %d\n", ended.operation, ended.code, f.requests[ended])
	}
	declare(&out, "crm_request_seconds", "histogram", "How long requests took, their answers included.")
	for _, operation := range slices.Sorted(maps.Keys(f.times)) {
		of, count := f.times[operation], int64(0)
		for i, n := range of.within {
			bound := "+Inf"
			if i < len(bounds) {
				bound = strconv.FormatFloat(bounds[i], 'g', -1, 64)
			}
			count += n
			fmt.Fprintf(&out, "crm_request_seconds_bucket{operation=%q,le=%q} %d\n", operation, bound, count)
		}
		fmt.Fprintf(&out, "crm_request_seconds_sum{operation=%q} %g\n", operation, of.seconds)
		fmt.Fprintf(&out, "crm_request_seconds_count{operation=%q} %d\n", operation, count)
	}
	return out.Bytes()
}

// process returns what the process needs, as far as the system tells it.
func (f *figures) process() []byte {
	var out bytes.Buffer
	declare(&out, "process_start_time_seconds", "gauge", "When the server began, in seconds since 1970.")
	fmt.Fprintf(&out, "process_start_time_seconds %d\n", f.began.Unix())
	declare(&out, "go_goroutines", "gauge", "Goroutines that there are.")
	fmt.Fprintf(&out, "go_goroutines %d\n", runtime.NumGoroutine())
	if pages, err := os.ReadFile("/proc/self/statm"); err == nil {
		var all, resident int64
		if _, err := fmt.Sscan(string(pages), &all, &resident); err == nil {
			declare(&out, "process_resident_memory_bytes", "gauge", "Memory that the process has.")
			fmt.Fprintf(&out, "process_resident_memory_bytes %d\n", resident*int64(os.Getpagesize()))
		}
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		declare(&out, "process_open_fds", "gauge", "Files and connections that are open.")
		fmt.Fprintf(&out, "process_open_fds %d\n", len(files)-1) // without the folder itself
	}
	return out.Bytes()
}

func declare(out *bytes.Buffer, name, kind, help string) {
	fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}
