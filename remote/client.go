package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// dialTime is how long a server has to take a connection and to prove who it is.
const dialTime = 10 * time.Second

// Client is a server as seen from where the database is not: service.Accounts, over a wire.
type Client struct {
	base      string // what stands before /v1/
	transport *http.Transport
	connected *atomic.Bool // once, so that a connection that fails now may come back
	limit     time.Duration
	clock     *clock
}

var _ service.Accounts = (*Client)(nil)

// clock is how long a Client has waited.
type clock struct {
	mutex sync.Mutex
	spent time.Duration
}

func (c *clock) charge(since time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.spent += time.Since(since)
}

// Dial makes a Client of the server at https://host[:port] or unix:///path. It sends nothing. Certificates are those of
// a file, or without one those that this machine trusts, which take their time to read. Usage if the URL is another, or
// the file holds none.
func Dial(serverURL, caFile string) (*Client, error) {
	refuse := func(why string) error {
		return failure.Misuse(fmt.Sprintf("%q is not where a server can be: %s.", serverURL, why), "as https://crm.example.com, or unix:///run/crm/crm.sock")
	}
	parsed, err := url.Parse(serverURL)
	if err != nil {
		return nil, failure.Misuse("The URL of the server cannot be read.", "as https://crm.example.com, or unix:///run/crm/crm.sock")
	}
	if parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, failure.Misuse("The URL of the server has more than a host or a path.", "as https://crm.example.com, or unix:///run/crm/crm.sock")
	}
	c := &Client{connected: new(atomic.Bool), clock: new(clock), transport: &http.Transport{
		DisableCompression:  true,
		TLSHandshakeTimeout: dialTime,
		IdleConnTimeout:     idleTime / 2,
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1.1
	}}
	dialer := &net.Dialer{Timeout: dialTime}
	switch parsed.Scheme {
	case "unix":
		if parsed.Host != "" || !filepath.IsAbs(parsed.Path) {
			return nil, refuse("a socket has an absolute path")
		}
		c.base = "http://crm"
		c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", parsed.Path)
		}
		return c, nil
	case "https":
		if parsed.Hostname() == "" || strings.Trim(parsed.Path, "/") != "" {
			return nil, refuse("it has a host, and no path")
		}
	case "http":
		return nil, refuse("it would send tokens and passwords in clear")
	default:
		return nil, refuse("it begins with neither https:// nor unix://")
	}
	c.base = "https://" + parsed.Host
	c.transport.DialContext = dialer.DialContext
	if !isLoopback(parsed.Hostname()) {
		c.transport.Proxy = http.ProxyFromEnvironment
	}
	c.transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS13}
	if caFile == "" {
		return c, nil
	}
	certificates, err := os.ReadFile(caFile)
	if err != nil {
		return nil, failure.Misuse(fmt.Sprintf("The certificates in %s cannot be read.", caFile), "").With(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, failure.Misuse(fmt.Sprintf("%s holds no certificate.", caFile), "it begins with -----BEGIN CERTIFICATE-----")
	}
	c.transport.TLSClientConfig.RootCAs = pool
	return c, nil
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

// Close ends the connections that nobody uses.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Within makes a Client, for one command, whose waits for the server together are no longer than the limit.
func (c *Client) Within(limit time.Duration) *Client {
	limited := *c
	limited.limit, limited.clock = limit, new(clock)
	return &limited
}

// retryTime is how long a lost connection is tried again where no limit is set.
const retryTime = 10 * time.Second

// remaining returns the time until the limit, or for further attempts where there is none.
func (c *Client) remaining() time.Duration {
	c.clock.mutex.Lock()
	defer c.clock.mutex.Unlock()
	if c.limit == 0 {
		return retryTime - c.clock.spent
	}
	return c.limit - c.clock.spent
}

// Login starts a session and returns its token.
func (c *Client) Login(ctx context.Context, username, password string) (string, error) {
	return call[string](ctx, &Session{client: c}, loginName, loginRequest{username, password})
}

// As binds the operations to the employee of a token. Whether it is good, the server says.
func (c *Client) As(token string) (service.Operations, error) {
	employeeID, err := service.TokenEmployee(token)
	if err != nil {
		return nil, err
	}
	return &Session{client: c, token: token, employeeID: employeeID}, nil
}

// Session is what one employee may do, on the server.
type Session struct {
	client     *Client
	token      string
	employeeID int64
	role       gen.Role
}

// EmployeeID is the id of the employee who acts.
func (s *Session) EmployeeID() int64 { return s.employeeID }

// Role is the employee's role as of the last operation; empty before the first.
func (s *Session) Role() gen.Role { return s.role }
