package remote

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// someToken says whose it is, which is all that a client looks at.
var someToken = "crm_" + strings.Repeat("A", 75)

// answering is a server that reads a request and answers with these bytes, or with nothing, and counts.
func answering(t *testing.T, answers ...string) (socket string, requests *atomic.Int64) {
	t.Helper()
	socket, requests = socketIn(t), new(atomic.Int64)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				body := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(body)
				n := requests.Add(1)
				_, _ = conn.Write([]byte(answers[min(int(n), len(answers))-1]))
			}()
		}
	}()
	return socket, requests
}

func operations(t *testing.T, c *Client) service.Operations {
	t.Helper()
	s, err := c.As(someToken)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const head = "HTTP/1.1 200 OK\r\nCrm-Protocol: 1\r\nConnection: close\r\n"

// chunked is an answer whose end is known, or cut off.
func chunked(body string, whole bool) string {
	answer := head + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
	if whole {
		answer += "0\r\n\r\n"
	}
	return answer
}

// limitOf is long for what ends by itself.
func limitOf(ends bool) time.Duration {
	if ends {
		return time.Minute
	}
	return 50 * time.Millisecond
}

// TestCutAnswers: an answer that is not whole is an error and never a short result, wherever it ends.
func TestCutAnswers(t *testing.T) {
	t.Parallel()
	const whole = `{"columns":["id","username","fullname","role","active","last_login_at","password_one_time","locked_until","updated_at"]}
[1,"a","A","none",true,null,false,null,"2026-01-02T03:04:05Z"]
[2,"b","B","none",true,null,false,null,"2026-01-02T03:04:05Z"]
{"rows":2}
`
	list := func(answer string, limit time.Duration) ([]gen.EmployeeView, error) {
		socket, _ := answering(t, answer)
		return collect(operations(t, dialed(t, socket).Within(limit)).EmployeeList(t.Context(), gen.EmployeeListParams{}))
	}
	if rows, err := list(chunked(whole, true), time.Minute); err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	for end := range len(whole) {
		for _, ended := range []bool{false, true} { // by a server that dies, and by a proxy that thinks it was all
			if end == 0 && !ended {
				continue // a chunk of no length is the end
			}
			if _, err := list(chunked(whole[:end], ended), 50*time.Millisecond); failure.CodeOf(err) != failure.Unavailable {
				t.Errorf("%q, ended is %t: %v", whole[:end], ended, err)
			}
		}
	}
	for answer, want := range map[string]string{
		strings.Replace(whole, `"rows":2`, `"rows":3`, 1):                                                    "was lost",
		strings.Replace(whole, `[2,"b","B","none",true,null,false,null,"2026-01-02T03:04:05Z"]`+"\n", "", 1): "was lost",
		strings.Replace(whole, `{"rows":2}`, `{"error":{"code":"unavailable","message":"M."}}`, 1):           "M.",
		strings.Replace(whole, `{"rows":2}`, `{}`, 1):                                                        "was lost",
		strings.Replace(whole, `"b","B"`, `"b"`, 1):                                                          "A row of the server's",
		strings.Replace(whole, `[2`, `["2"`, 1):                                                              "A row of the server's",
		strings.Replace(whole, `{"columns"`, `{"rows"`, 1):                                                   "does not begin with its columns",
		strings.Replace(whole, `"role"`, `"roles"`, 1):                                                       "does not send the field role",
	} {
		_, err := list(chunked(answer, true), time.Minute) // rows were handed on, so it is not asked again
		fails(t, failure.Unavailable, "", want, err)
	}
	one := `{"id":1,"username":"a","fullname":"A","role":"none","active":true,"last_login_at":null,"password_one_time":false,"locked_until":null,"updated_at":"2026-01-02T03:04:05Z"}`
	for end := range len(one) + 1 {
		socket, _ := answering(t, head+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(one), one[:end]))
		row, err := operations(t, dialed(t, socket).Within(limitOf(end == len(one)))).EmployeeDetail(t.Context(), "a")
		if end == len(one) && (err != nil || row.Role != "none") || end < len(one) && failure.CodeOf(err) != failure.Unavailable {
			t.Errorf("%q: %v %v", one[:end], row, err)
		}
	}
	socket, _ := answering(t, head+"Content-Length: 23\r\n\r\n"+`{"id":1,"username":"a"}`)
	_, err := operations(t, dialed(t, socket)).EmployeeDetail(t.Context(), "a")
	fails(t, failure.Unavailable, "", `the field "fullname" is missing`, err)
}

// TestLostAnswers: what may be done twice is sent again, and what may not is not, and says so.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for name, test := range map[string]struct {
		do       func(context.Context, service.Operations) error
		again    bool
		reason   failure.Reason
		message  string
		hintPart string
	}{
		"a list": {func(ctx context.Context, s service.Operations) error {
			_, err := collect(s.ContractList(ctx, gen.ContractListParams{}))
			return err
		}, true, "", "The ", "try again"},
		"an addition": {func(ctx context.Context, s service.Operations) error {
			_, err := s.ContractAdd(ctx, gen.ContractAddParams{})
			return err
		}, false, failure.OutcomeUnknown, "whether this was done is not known", "look whether it was done"},
		"an update": {func(ctx context.Context, s service.Operations) error {
			_, err := s.ContractSign(ctx, id)
			return err
		}, true, failure.OutcomeUnknown, "whether this was done is not known", "done twice it changes nothing more"},
		"a payment": {func(ctx context.Context, s service.Operations) error {
			_, err := s.ContractAddPayment(ctx, gen.ContractAddPaymentParams{ID: id, Amount: 1234})
			return err
		}, true, failure.OutcomeUnknown, "whether this was done is not known", "--payment 12.34 --payment-id " + id.String()},
	} {
		const refused = "HTTP/1.1 409 No\r\nCrm-Protocol: 1\r\nContent-Length: 44\r\n\r\n" + `{"error":{"code":"conflict","message":"M."}}`
		for _, answer := range []string{"", head, head + "Content-Length: 9\r\n\r\n{", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"} {
			socket, requests := answering(t, answer, answer, refused)
			err := test.do(t.Context(), operations(t, dialed(t, socket).Within(time.Minute)))
			if test.again {
				fails(t, failure.Conflict, "", "M.", err)
			} else {
				fails(t, failure.Unavailable, test.reason, test.message, err)
			}
			if n := requests.Load(); (n == 3) != test.again || !test.again && n != 1 {
				t.Errorf("%s was sent %d times", name, n)
			}
		}
		socket, _ := answering(t, "")
		err := test.do(t.Context(), operations(t, dialed(t, socket).Within(100*time.Millisecond)))
		fails(t, failure.Unavailable, test.reason, test.message, err)
		if hint := describe(err).Hint; !strings.Contains(hint, test.hintPart) {
			t.Errorf("%s: %q, want %q", name, hint, test.hintPart)
		}
	}
	// Lost once, then answered.
	socket, requests := answering(t, "", head+"Content-Length: 44\r\n\r\n"+`{"count":7,"total_amount":12,"total_due":34}`)
	if n, err := operations(t, dialed(t, socket)).ContractCount(t.Context(), gen.ContractListParams{}); n != (gen.ContractCountRow{Count: 7, TotalAmount: 12, TotalDue: 34}) || err != nil || requests.Load() != 2 {
		t.Errorf("%+v %v after %d requests", n, err, requests.Load())
	}
	// Refused the second time, when the first may have done it.
	const down = `{"error":{"code":"unavailable","message":"Down."}}`
	socket, _ = answering(t, "", fmt.Sprintf("HTTP/1.1 503 No\r\nCrm-Protocol: 1\r\nContent-Length: %d\r\n\r\n%s", len(down), down))
	_, err := operations(t, dialed(t, socket)).ContractSign(t.Context(), id)
	fails(t, failure.Unavailable, failure.OutcomeUnknown, "whether this was done is not known", err)
	// Cancelled while it is under way.
	ctx, cancel := context.WithCancel(t.Context())
	hanging := socketIn(t)
	listener, err := net.Listen("unix", hanging)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			cancel()
			<-t.Context().Done()
		}
	}()
	_, err = operations(t, dialed(t, hanging)).ContractSign(ctx, id)
	fails(t, failure.Unavailable, failure.OutcomeUnknown, "Interrupted: whether this was done is not known.", err)
}

func TestOtherServers(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":                                          "is not crm: 200 OK",
		"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n": "is not crm: 302 Found",
		"HTTP/1.1 200 OK\r\nCrm-Protocol: 2\r\nContent-Length: 2\r\n\r\nok":                       `The server speaks protocol "2", this crm 1.`,
		"HTTP/1.1 500 Bad\r\nCrm-Protocol: 1\r\nContent-Length: 2\r\n\r\nok":                      "is not crm: 500 Bad",
	} {
		socket, requests := answering(t, answer)
		_, err := operations(t, dialed(t, socket)).AuthWhoami(t.Context())
		fails(t, failure.Unavailable, "", want, err)
		if requests.Load() != 1 {
			t.Errorf("%s was asked %d times", answer, requests.Load())
		}
	}
	_, err := operations(t, dialed(t, socketIn(t))).AuthWhoami(t.Context())
	fails(t, failure.Unavailable, "", "The server cannot be reached: no server is behind its socket.", err)
	// A code of a newer server.
	socket, _ := answering(t, "HTTP/1.1 400 No\r\nCrm-Protocol: 1\r\nContent-Length: 42\r\n\r\n"+`{"error":{"code":"novelty","message":"M"}}`)
	_, err = operations(t, dialed(t, socket)).AuthWhoami(t.Context())
	fails(t, failure.Internal, "", "M", err)
}

func TestDial(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none.pem")
	if err := os.WriteFile(none, []byte("nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ url, ca, want string }{
		{"http://crm.example.com", "", "in clear"},
		{"crm.example.com", "", "begins with neither"},
		{"", "", "begins with neither"},
		{"unix://crm.sock", "", "absolute path"},
		{"unix:crm.sock", "", "absolute path"},
		{"https:///x", "", "it has a host"},
		{"https://crm.example.com/x", "", "no path"},
		{"https://me:secret@crm.example.com", "", "more than a host"},
		{"https://crm.example.com?x", "", "more than a host"},
		{"https://crm.example.com", none, "holds no certificate"},
		{"https://crm.example.com", none + "x", "cannot be read"},
	} {
		_, err := Dial(test.url, test.ca)
		fails(t, failure.Usage, "", test.want, err)
		if err != nil && strings.Contains(err.Error()+describe(err).Hint, "secret") {
			t.Errorf("%v repeats a password", err)
		}
	}
	for _, url := range []string{"https://crm.example.com", "https://crm.example.com:8443/", "unix:///run/crm/crm.sock"} {
		c, err := Dial(url, "")
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if near := strings.HasPrefix(url, "unix"); near != (c.transport.Proxy == nil) {
			t.Errorf("%s: a proxy is asked is %t", url, !near)
		}
	}
	if c, err := Dial("https://127.0.0.1:1", ""); err != nil || c.transport.Proxy != nil {
		t.Error("a proxy stands between this machine and itself", err)
	}
}

// issue makes a certificate of its own for 127.0.0.1.
func issue(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: certificate}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTLS reaches a server by its certificate, and no other one; a new certificate is taken without a new start.
func TestTLS(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	issue(t, cert, key)
	config, err := TLS(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	server := &Server{Service: srv.svc, Version: "1.5.0", Log: slog.New(slog.NewJSONHandler(srv.log, nil))}
	go func() { ended <- server.Serve(ctx, Listener{Listener: listener, TLS: config, Own: true}) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	url := "https://" + listener.Addr().String()
	whoami := func(url, ca string) error {
		client, err := Dial(url, ca)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_, err = client.Login(t.Context(), "nobody", "wrong password")
		return err
	}
	fails(t, failure.Unauthenticated, failure.WrongPassword, "Unknown username", whoami(url, cert))
	fails(t, failure.Unavailable, "", "its certificate is not trusted", whoami(url, ""))
	fails(t, failure.Unavailable, "", "its certificate is for another host", whoami(strings.Replace(url, "127.0.0.1", "localhost", 1), cert))
	before, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	issue(t, cert, key)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(cert, later, later); err != nil {
		t.Fatal(err)
	}
	fails(t, failure.Unauthenticated, failure.WrongPassword, "Unknown username", whoami(url, cert))
	old := filepath.Join(t.TempDir(), "old.pem")
	if err := os.WriteFile(old, before, 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, failure.Unavailable, "", "its certificate is not trusted", whoami(url, old))
	if _, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
	if !strings.Contains(srv.log.String(), `"peer":"address 127.0.0.1"`) {
		t.Errorf("the log does not name the peer: %s", srv.log)
	}
	if _, err := TLS(old, key+"x"); err == nil {
		t.Error("a key that is not there is good enough")
	}
}

// TestCutRows: rows whose end was not sent are not written, and this is said; where it was, nobody knows.
func TestCutRows(t *testing.T) {
	t.Parallel()
	imports := func(t *testing.T, socket string, rows iter.Seq2[gen.CustomerImportStageParams, error]) error {
		_, err := operations(t, dialed(t, socket).Within(time.Minute)).CustomerImport(t.Context(), service.ImportParams{OnMatch: gen.ImportOnMatchFail}, rows)
		return err
	}
	// reading is a server that reads so much of the body, and ends the connection.
	reading := func(t *testing.T, enough func(read string) bool) (socket string, ended chan struct{}) {
		socket, ended = socketIn(t), make(chan struct{})
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			defer close(ended)
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			r, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			var read strings.Builder
			part := make([]byte, 4096)
			for err == nil && !enough(read.String()) {
				var n int
				n, err = r.Body.Read(part)
				read.Write(part[:n])
			}
		}()
		return socket, ended
	}
	line := int64(1)
	row := func() gen.CustomerImportStageParams {
		line++
		return gen.CustomerImportStageParams{Line: line, Fullname: new(strings.Repeat("x", 1000))}
	}

	socket, ended := reading(t, func(read string) bool { return len(read) > 100_000 })
	err := imports(t, socket, func(yield func(gen.CustomerImportStageParams, error) bool) {
		for range 400 {
			if !yield(row(), nil) {
				return
			}
		}
		<-ended // some rows are left when the server has gone
		for range 400 {
			if !yield(row(), nil) {
				return
			}
		}
	})
	fails(t, failure.Unavailable, "", "The connection to the server was lost. Nothing was written.", err)

	socket, _ = reading(t, func(string) bool { return false })
	err = imports(t, socket, func(yield func(gen.CustomerImportStageParams, error) bool) { yield(row(), nil) })
	fails(t, failure.Unavailable, failure.OutcomeUnknown, "whether this was done is not known", err)

	err = imports(t, socketIn(t), func(yield func(gen.CustomerImportStageParams, error) bool) { yield(row(), nil) })
	fails(t, failure.Unavailable, "", "Nothing was written.", err)

	ctx, cancel := context.WithCancel(t.Context())
	socket, _ = reading(t, func(string) bool { return false })
	_, err = operations(t, dialed(t, socket)).CustomerImport(ctx, service.ImportParams{OnMatch: gen.ImportOnMatchFail}, func(yield func(gen.CustomerImportStageParams, error) bool) {
		for yield(row(), nil) {
			cancel()
		}
	})
	if _, told := errors.AsType[*failure.Error](err); told || !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted between two rows: %v", err)
	}
}
