package remote

import (
	"errors"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/internal/failure"
)

// TestFigures are in the format that Prometheus reads: each family with its type before it, buckets that add up.
func TestFigures(t *testing.T) {
	t.Parallel()
	f := newFigures()
	r := httptest.NewRequest("POST", "/v1/ContractList", nil)
	f.begin()
	f.begin()
	f.begin()
	f.begin()
	f.end(&exchange{r: r, operation: "ContractList", rows: 50}, 5*time.Millisecond)
	f.end(&exchange{r: r, operation: "ContractList", rows: 7}, 20*time.Second)
	f.end(&exchange{r: r, operation: "ContractList", err: &failure.Error{Code: failure.Usage}}, 100*time.Microsecond)
	f.end(&exchange{r: r, operation: "Login", err: errors.Join(errGone)}, 300*time.Millisecond)
	f.begin()
	text := string(f.text())
	for _, want := range []string{
		"# TYPE crm_requests_under_way gauge\ncrm_requests_under_way 1\n",
		"# TYPE crm_rows_total counter\ncrm_rows_total 57\n",
		`# TYPE crm_requests_total counter
crm_requests_total{operation="ContractList",code="ok"} 2
crm_requests_total{operation="ContractList",code="usage"} 1
crm_requests_total{operation="Login",code="gone"} 1
`, `# TYPE crm_request_seconds histogram
crm_request_seconds_bucket{operation="ContractList",le="0.001"} 1
crm_request_seconds_bucket{operation="ContractList",le="0.0025"} 1
crm_request_seconds_bucket{operation="ContractList",le="0.005"} 2
crm_request_seconds_bucket{operation="ContractList",le="0.01"} 2
`, `crm_request_seconds_bucket{operation="ContractList",le="10"} 2
crm_request_seconds_bucket{operation="ContractList",le="+Inf"} 3
crm_request_seconds_sum{operation="ContractList"} 20.0051
crm_request_seconds_count{operation="ContractList"} 3
`, `crm_request_seconds_bucket{operation="Login",le="0.5"} 1
`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	wanted := []string{"process_start_time_seconds", "go_goroutines"}
	if runtime.GOOS == "linux" {
		wanted = append(wanted, "process_resident_memory_bytes", "process_open_fds")
	}
	process := string(f.process())
	for _, name := range wanted {
		if !regexp.MustCompile(`(?m)^` + name + ` [1-9]\d*$`).MatchString(process) {
			t.Errorf("%s is not in\n%s", name, process)
		}
	}
	line := regexp.MustCompile(`^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? \S+)$`)
	for each := range strings.Lines(text + process) {
		if !line.MatchString(strings.TrimSuffix(each, "\n")) {
			t.Errorf("%q is no line of the format", each)
		}
	}
}
