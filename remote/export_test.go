//go:build unix

package remote

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// BenchmarkExport reads all contracts, here and through a server, whose both ends are in this process. What it takes is
// the processor's time of this process alone, not that of the database, and as µs a row.
func BenchmarkExport(b *testing.B) {
	srv := newTestServer(b)
	const rows = 100_000
	srv.exec("INSERT INTO contract (customer_id, total_amount, signed_at) SELECT 1 + n % 13, 88, now() FROM generate_series(1, $1) AS n", rows)
	srv.exec("ANALYZE contract")
	token, err := srv.svc.Accounts().Login(b.Context(), "administrator1", schema.SamplePassword)
	if err != nil {
		b.Fatal(err)
	}
	direct, err := srv.svc.Accounts().As(token)
	if err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name string
		s    service.Operations
	}{{"direct", direct}, {"server", srv.as("administrator1")}} {
		b.Run(way.name, func(b *testing.B) {
			n := 0
			began := processorTime(b)
			for b.Loop() {
				for _, err := range way.s.ContractList(b.Context(), gen.ContractListParams{}) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(n), "µs/row")
		})
	}
}

// processorTime returns what this process has had.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
