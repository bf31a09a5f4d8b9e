package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/epicevents/crm/internal/dbtest"
)

// BenchmarkLoginRefused returns the medians of 100 logins each with a wrong password and an unknown username, in turns,
// and how far they are apart: whoever measures must not learn which usernames there are.
func BenchmarkLoginRefused(b *testing.B) {
	const tries = 100
	p := newEnv(b, dbtest.Sample(b)) // with hashes that cost what real ones do
	for range b.N {
		took := map[string][]time.Duration{}
		for i := range 2 * tries {
			username := []string{"none1", "nobody.of.this.name"}[i%2]
			p.exec("DELETE FROM login_failure")
			start := time.Now()
			if err := p.login(username, "a password that is wrong"); err == nil || err.Error() != loginFailed {
				b.Fatal(err)
			}
			took[username] = append(took[username], time.Since(start))
		}
		median := func(username string) float64 {
			slices.Sort(took[username])
			return took[username][tries/2].Seconds() * 1000
		}
		wrong, unknown := median("none1"), median("nobody.of.this.name")
		b.ReportMetric(wrong, "ms/wrong-password")
		b.ReportMetric(unknown, "ms/unknown-user")
		b.ReportMetric(100*(unknown/wrong-1), "%apart")
	}
}
