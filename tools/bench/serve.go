package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/schema"
)

// front is a crm serve before the large database, and the environments of those who reach it and have no database.
type front struct {
	cmd       *exec.Cmd
	socket    string
	log       *bytes.Buffer
	unix, tls []string
}

// newFront starts a crm serve of that name and waits until it listens.
func (b *bench) newFront(ctx context.Context, name string) (*front, error) {
	f := &front{socket: filepath.Join(b.home, name+".sock"), log: &bytes.Buffer{}}
	cert, key := filepath.Join(b.home, name+".pem"), filepath.Join(b.home, name+".key")
	if err := certify(cert, key); err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	f.unix = b.far(name+"-unix", "CRM_SERVER_URL=unix://"+f.socket)
	f.tls = b.far(name+"-tls", "CRM_SERVER_URL=https://"+address, "CRM_SERVER_CA_FILE="+cert)
	// It is for the clients to give up: on a busy machine many logins take longer than the usual limit.
	f.cmd = command(ctx, append(slices.Clone(b.large.env), "CRM_DATABASE_TIMEOUT=0"), b.crm, "serve", "--serve.socket", f.socket, "--serve.listen", address, "--serve.tls_cert", cert, "--serve.tls_key", key)
	f.cmd.Stderr = f.log
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address) // the later one of the two
		if err == nil {
			return f, conn.Close()
		}
		if time.Since(began) > 10*time.Second {
			return nil, errors.Join(err, f.stop(), errors.New(f.log.String()))
		}
	}
}

// far is the environment of somebody who has a server's URL and no database.
func (b *bench) far(name string, settings ...string) []string {
	return append([]string{"HOME=" + filepath.Join(b.home, name), "PATH=" + os.Getenv("PATH"), "TERM=dumb", "LC_ALL=C.UTF-8"}, settings...)
}

func (f *front) stop() error {
	return errors.Join(f.cmd.Process.Signal(syscall.SIGTERM), f.cmd.Wait())
}

// forgetPeak has the system count the peak of the server's memory anew; peak returns it in MiB.
func (f *front) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", f.cmd.Process.Pid), []byte("5"), 0o600)
}

func (f *front) peak() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(rest + " ?")[0], 64)
	return kib / 1024, err
}

// certify makes a certificate of this machine, which is its own authority, and its key.
func certify(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// loginsAtOnce is how many people begin at the same instant.
const loginsAtOnce = 32

// serverCases are the same commands with a database of their own, over a server's socket and over TLS, and the least that
// they can cost, each beside psql; and what the server needs.
func (b *bench) serverCases(rows int64) []*measured {
	fifty := int64(50)
	var cases []*measured
	routes := []struct {
		name              string
		env               []string
		list, pay, export float64 // what is aimed at
	}{
		{"direct", b.large.env, 1.2, 1.3, 1.15},
		{"server, unix", b.front.unix, 0.45, 0.5, 1.15},
		{"server, TLS", b.front.tls, 0.5, 0.55, 1.25},
	}
	add := func(name, yardstick string, limit, peak float64, repeat int, crm, beside func(context.Context) (figure, error)) {
		cases = append(cases, &measured{Case: name, Yardstick: yardstick, Unit: milliseconds, limit: limit, PeakTarget: peak, repeat: repeat, crm: crm, beside: beside})
	}
	on := func(env []string, args ...string) func(context.Context) (figure, error) {
		return func(ctx context.Context) (figure, error) {
			return b.timed(ctx, env, append([]string{b.crm}, args...)...)
		}
	}
	list := b.psqlRuns(b.large, inline(gen.ContractList, gen.ContractListParams{RowLimit: &fifty}), "--csv")
	for _, route := range routes {
		add("contract list --limit 50, "+route.name, "psql --csv of the same query", route.list, 0, 10,
			on(route.env, "contract", "list", "-o", "csv", "--limit", "50"), list)
	}
	add("contract list --limit 50, floor", "psql --csv of the same query", 0, 0, 10, b.floors("ContractList", func() any {
		return gen.ContractListParams{RowLimit: &fifty}
	}), list)
	contract := uuid.MustParse(payableID(3))
	for _, route := range routes {
		add("contract add-payment, "+route.name, "psql of the same statements", route.pay, 0, 10,
			on(route.env, "contract", "add-payment", contract.String(), "--payment", "0.01", "-o", "csv"), b.psqlPays(contract))
	}
	add("contract add-payment, floor", "psql of the same statements", 0, 0, 10, b.floors("ContractAddPayment", func() any {
		return gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: contract, Amount: 1}
	}), b.psqlPays(contract))
	export := []string{"contract", "list", "-o", "csv", "--limit", strconv.FormatInt(rows, 10)}
	for _, route := range routes[1:] {
		add(fmt.Sprintf("contract list -o csv, %d rows, %s", rows, route.name), "psql, COPY of the same query", route.export, 40, 1,
			on(route.env, export...), b.psqlRuns(b.large, "COPY ("+inline(gen.ContractList, gen.ContractListParams{RowLimit: &rows})+") TO STDOUT CSV HEADER"))
	}
	if runtime.GOOS != "linux" { // which alone tells the peak of another process
		return cases
	}
	cases = append(cases, &measured{
		Case: fmt.Sprintf("memory of the server, an export of %d rows", rows), Unit: mebibytes, limit: 40,
		crm: func(ctx context.Context) (figure, error) {
			f, err := b.newFront(ctx, "export")
			if err != nil {
				return figure{}, err
			}
			_, err = b.timed(ctx, append(f.unix, "CRM_TOKEN="+b.token()), append([]string{b.crm}, export...)...)
			peak, errPeak := f.peak()
			return figure{value: peak}, errors.Join(err, errPeak, f.stop())
		},
	})
	var peak float64 // of the run whose time was measured
	cases = append(cases, &measured{
		Case: fmt.Sprintf("%d logins at once", loginsAtOnce), Unit: milliseconds,
		crm: func(ctx context.Context) (_ figure, err error) {
			var took time.Duration
			took, peak, err = b.logins(ctx)
			return figure{value: took.Seconds() * 1000}, err
		},
	}, &measured{
		Case: fmt.Sprintf("memory of the server, %d logins at once", loginsAtOnce), Unit: mebibytes, limit: 282,
		crm: func(context.Context) (figure, error) { return figure{value: peak}, nil },
	})
	return cases
}

// token is that of this round's login at the large database; a server with the same key takes it too.
func (b *bench) token() string {
	text, _ := os.ReadFile(filepath.Join(b.home, "large", ".local", "state", "crm", "token")) // without it the next command fails
	return strings.TrimSpace(string(text))
}

// floors measures the least that a request can cost.
func (b *bench) floors(operation string, params func() any) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		body, err := onWire(params())
		if err != nil {
			return figure{}, err
		}
		return b.timed(ctx, []string{"CRM_TOKEN=" + b.token()}, b.floor, b.front.socket, operation, body)
	}
}

// onWire is what a client sends: without what the server sets.
func onWire(params any) (string, error) {
	text, err := json.Marshal(params)
	if err != nil {
		return "", err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return "", err
	}
	for name := range fields {
		if strings.HasPrefix(name, "as_") {
			delete(fields, name)
		}
	}
	text, err = json.Marshal(fields)
	return string(text), err
}

// psqlPays measures psql with what crm sends for a payment.
func (b *bench) psqlPays(contract uuid.UUID) func(context.Context) (figure, error) {
	return func(ctx context.Context) (figure, error) {
		session, err := latestSession(ctx, b.large)
		if err != nil {
			return figure{}, err
		}
		pay := inline(gen.ContractAddPayment, gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: contract, Amount: 1, AsUsername: "administrator1"})
		sql := inline(gen.SessionEmployee, session) + ";" + pay + ";" + inline(gen.ContractDetail, struct{ ID uuid.UUID }{contract})
		return b.psqlRuns(b.large, sql, "--csv")(ctx)
	}
}

// logins has as many people log in at the same instant at a server of their own, and gives the time of all and the peak of
// the server's memory.
func (b *bench) logins(ctx context.Context) (took time.Duration, peak float64, err error) {
	f, err := b.newFront(ctx, "logins")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.stop()) }()
	if err := f.forgetPeak(); err != nil {
		return 0, 0, err
	}
	failures := make(chan error, loginsAtOnce)
	var all sync.WaitGroup
	began := time.Now()
	for n := range loginsAtOnce {
		all.Go(func() {
			env := b.far("login-"+strconv.Itoa(n), f.unix[len(f.unix)-1], "CRM_DATABASE_TIMEOUT=0")
			username := "login" + strconv.Itoa(n+1)
			if _, err := output(ctx, env, schema.SamplePassword+"\n", b.crm, "auth", "login", "--username", username, "--password-stdin"); err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	close(failures)
	peak, err = f.peak()
	return took, peak, errors.Join(err, <-failures)
}
