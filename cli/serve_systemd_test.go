//go:build unix

package cli

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// service is a crm serve of its own process, as systemd has it.
type systemdService struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // of its log
}

// served starts a server, with the variables that systemd would give it and the sockets that it would hand over.
func (e *env) served(variables []string, handed []*os.File, args ...string) *systemdService {
	e.t.Helper()
	// Whose sockets they are is known only once the process is there.
	line := append([]string{"-c", `[ -z "$LISTEN_FDS" ] || export LISTEN_PID=$$; exec crm serve "$@"`, "sh"}, args...)
	s := &systemdService{t: e.t, cmd: exec.Command("sh", line...), lines: make(chan string, 1000)}
	s.cmd.Dir, s.cmd.Env, s.cmd.ExtraFiles = e.home, append(e.command().Env, variables...), handed
	log, err := s.cmd.StderrPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	e.t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	return s
}

// until returns the next record of the log with this message.
func (s *systemdService) until(message string) map[string]any {
	s.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line, open := <-s.lines:
			if !open {
				s.t.Fatalf("the server ended before it said %q", message)
			}
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				s.t.Fatalf("not a record: %s", line)
			}
			if record["msg"] == message {
				return record
			}
		case <-timeout:
			s.t.Fatalf("the server never said %q", message)
		}
	}
}

// listens waits until the server does.
func (s *systemdService) listens() string {
	s.t.Helper()
	return s.until("listening")["on"].(string)
}

// ends has the server end as systemd has it.
func (s *systemdService) ends() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	for range s.lines {
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the server: %v", err)
	}
}

// laptop has neither the database nor the key, but where a server is.
func (e *env) laptop(url string, settings ...string) *env {
	e.t.Helper()
	other := &env{t: e.t, config: e.config, home: e.t.TempDir()}
	for _, variable := range e.vars {
		name, _, _ := strings.Cut(variable, "=")
		if name != "HOME" && name != "CRM_DATABASE_URL" && name != "CRM_CONTROLLER_AUTH_SECRET_KEY" {
			other.vars = append(other.vars, variable)
		}
	}
	other.vars = append(other.vars, append(settings, "HOME="+other.home, "CRM_SERVER_URL="+url)...)
	return other
}

// is runs crm and compares its exit code, and what it says.
func (e *env) is(code int, says string, args ...string) {
	e.t.Helper()
	got, stdout, stderr := e.crm("", args...)
	if got != code || !strings.Contains(stdout+stderr, says) {
		e.t.Errorf("crm %v: exit %d, not %d with %q: %s%s", args, got, code, says, stdout, stderr)
	}
}

// authority is one that signs certificates of servers.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.write(a.file, "CERTIFICATE", a.signed(a.cert, a.key))
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) signed(template *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

func (a *authority) write(name, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// issue writes a certificate for 127.0.0.1 that is good between two times, and its key.
func (a *authority) issue(certFile, keyFile string, from, to time.Time) {
	a.t.Helper()
	key := newKey(a.t)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(keyFile, "PRIVATE KEY", private)
	a.write(certFile, "CERTIFICATE", a.signed(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key))
}

// TestServeTLS: a client believes a server by the certificate that its authority signed, for this host and at this time;
// a renewed one is taken while the server runs.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	e, now := newEnv(t), time.Now()
	ours, others := newAuthority(t, "ours"), newAuthority(t, "others'")
	cert, key := filepath.Join(e.home, "server.pem"), filepath.Join(e.home, "server.key")
	e.is(2, "cannot be read, or do not fit", "serve", "--serve.listen", "127.0.0.1:0", "--serve.tls_cert", cert, "--serve.tls_key", key)
	ours.issue(cert, key, now.Add(-2*time.Hour), now.Add(-time.Hour))
	s := e.served(nil, nil, "--serve.listen", "127.0.0.1:0", "--serve.tls_cert", cert, "--serve.tls_key", key)
	address := s.listens()

	laptop := e.laptop("https://"+address, "CRM_SERVER_CA_FILE="+ours.file)
	laptop.is(7, "its certificate has expired", "doctor")
	ours.issue(cert, key, now.Add(time.Hour), now.Add(2*time.Hour))
	laptop.is(7, "its certificate is not valid yet, by the clock of this machine", "doctor")
	others.issue(cert, key, now.Add(-time.Hour), now.Add(time.Hour))
	laptop.is(7, "its certificate is not trusted", "doctor")
	laptop.is(7, "server.ca_file names the certificate of the authority", "doctor")

	ours.issue(cert, key, now.Add(-time.Hour), now.Add(time.Hour))
	laptop.login("commercial1")
	laptop.is(0, "20", "contract", "list", "--count")
	e.laptop("https://"+address, "CRM_SERVER_CA_FILE="+others.file).is(7, "its certificate is not trusted", "doctor")
	e.laptop("https://"+address).is(7, "its certificate is not trusted", "doctor")
	_, port, _ := strings.Cut(address, ":")
	e.laptop("https://localhost:"+port, "CRM_SERVER_CA_FILE="+ours.file).is(7, "its certificate is for another host", "doctor")
	e.laptop("http://"+address).is(2, "in clear", "auth", "whoami")

	// Half a renewal is none: until the other file is there, the pair before it is used.
	if err := os.WriteFile(key, []byte("not yet"), 0o600); err != nil {
		t.Fatal(err)
	}
	laptop.is(0, "commercial1", "auth", "whoami")
	s.ends()
	laptop.is(7, "connection refused", "auth", "whoami")
}

// file returns the descriptor of a listener, as systemd keeps it.
func file(t *testing.T, listener net.Listener) *os.File {
	t.Helper()
	file, err := listener.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func listenOn(t *testing.T, network, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// systemd is the end of systemd to which a service says how far it is.
func systemd(t *testing.T, folder string) (variable string, next func() string) {
	t.Helper()
	path := filepath.Join(folder, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return "NOTIFY_SOCKET=" + path, func() string {
		t.Helper()
		buffer := make([]byte, 4096)
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal("systemd was told nothing: ", err)
		}
		return string(buffer[:n])
	}
}

// TestServeHandedSockets: a server takes the sockets of systemd, which are of both kinds, and leaves those of the settings
// alone; systemd is told that it is ready, and the sockets are there for the next one.
func TestServeHandedSockets(t *testing.T) {
	t.Parallel()
	e, ours := newEnv(t), newAuthority(t, "ours")
	folder := shortFolder(t)
	cert, key, socket := filepath.Join(folder, "server.pem"), filepath.Join(folder, "server.key"), filepath.Join(folder, "crm.sock")
	ours.issue(cert, key, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	unix, tcp := listenOn(t, "unix", socket), listenOn(t, "tcp", "127.0.0.1:0")
	notify, told := systemd(t, folder)
	both := []*os.File{file(t, unix), file(t, tcp)}

	start := func() *systemdService {
		s := e.served([]string{"LISTEN_FDS=2", notify}, both, "--serve.socket", filepath.Join(folder, "unused"), "--serve.tls_cert", cert, "--serve.tls_key", key)
		if state := told(); !strings.HasPrefix(state, "READY=1\n") {
			t.Fatalf("systemd was told %q", state)
		}
		if on := s.listens(); on != socket {
			t.Errorf("it listens on %s first", on)
		}
		return s
	}
	s := start()
	if _, err := os.Lstat(filepath.Join(folder, "unused")); err == nil {
		t.Error("it listens on the socket of its settings as well")
	}
	near, far := e.laptop("unix://"+socket), e.laptop("https://"+tcp.Addr().String(), "CRM_SERVER_CA_FILE="+ours.file)
	near.login("commercial1")
	far.login("support1")
	near.is(0, "commercial1", "auth", "whoami")
	far.is(0, "support1", "auth", "whoami")
	s.ends()

	// Whoever comes while there is none waits for the next.
	answer := make(chan int, 1)
	go func() {
		code, _, _ := near.crm("", "auth", "whoami")
		answer <- code
	}()
	start()
	if code := <-answer; code != 0 {
		t.Errorf("who came in between: exit %d", code)
	}
}

// TestServeWaitsForItsDatabase: where systemd listens, a server waits for a database with its schema, and says so; told to
// end meanwhile it ends. Without systemd it is an error.
func TestServeWaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	folder := shortFolder(t)
	socket := filepath.Join(folder, "crm.sock")
	handed := []*os.File{file(t, listenOn(t, "unix", socket))}
	notify, told := systemd(t, folder)
	e.sql("UPDATE schema_migrations SET version = version - 1")
	e.is(7, "The database is at schema version", "serve", "--serve.socket", filepath.Join(folder, "other.sock"))

	s := e.served([]string{"LISTEN_FDS=1", notify}, handed)
	if state := told(); !strings.HasPrefix(state, "STATUS=Waiting: The database is at schema version ") {
		t.Errorf("systemd was told %q", state)
	}
	s.until("waiting")
	s.ends()

	s = e.served([]string{"LISTEN_FDS=1", notify}, handed)
	told()
	answer := make(chan int, 1)
	go func() {
		code, _, _ := e.laptop("unix://"+socket).crm("", "doctor")
		answer <- code
	}()
	e.sql("UPDATE schema_migrations SET version = version + 1")
	if state := told(); !strings.HasPrefix(state, "READY=1\n") {
		t.Errorf("systemd was told %q", state)
	}
	if code := <-answer; code != 0 {
		t.Errorf("who came meanwhile: exit %d", code)
	}
	s.ends()
}

// TestServeRefusesWhatIsHanded: a socket of the network without a certificate, and what is no socket.
func TestServeRefusesWhatIsHanded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for what, test := range map[string]struct {
		file *os.File
		says string
	}{
		"a network without TLS": {file(t, listenOn(t, "tcp", "127.0.0.1:0")), "needs serve.tls_cert and serve.tls_key"},
		"a file":                {plain, "is no socket that listens"},
	} {
		s := e.served([]string{"LISTEN_FDS=1"}, []*os.File{test.file})
		var said []string
		for line := range s.lines {
			said = append(said, line)
		}
		if code := exitCode(s.cmd.Wait()); code != 2 || !strings.Contains(strings.Join(said, "\n"), test.says) {
			t.Errorf("%s: exit %d, %s", what, code, said)
		}
	}
	// Sockets of a parent are not for its child.
	e.vars = append(e.vars, "LISTEN_PID=1", "LISTEN_FDS=1")
	e.is(2, "neither serve.socket nor serve.listen", "serve")
}

// shortFolder is one whose name leaves room for that of a socket.
func shortFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "crm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// TestServeConnections: a server has no more connections than its setting says; who comes then waits.
func TestServeConnections(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	socket := filepath.Join(shortFolder(t), "crm.sock")
	s := e.served(nil, nil, "--serve.socket", socket, "--serve.connections", "2")
	s.listens()
	laptop := e.laptop("unix://" + socket)
	laptop.login("commercial2")
	tx := e.locked(5)
	var updates []*running
	for _, name := range []string{"One", "Two", "Three"} {
		updates = append(updates, laptop.start("customer", "update", "5", "--company", name, "--database.timeout", "1m"))
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		response, err := client.Get("http://crm/metrics")
		if err != nil {
			t.Fatal(err)
		}
		figures, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && strings.Contains(string(figures), "crm_requests_under_way 3\n") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no three requests are under way: %v\n%.200s", err, figures)
		}
	}
	e.awaitWaiting(2)
	if n := e.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%customer%' AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'"); n != 2 {
		t.Errorf("%d statements wait for the row", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, update := range updates {
		if code := <-update.ended; code != 0 {
			t.Errorf("exit %d: %s", code, update.stderr.String())
		}
	}
	s.ends()
}
