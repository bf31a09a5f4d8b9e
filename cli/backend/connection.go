package backend

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/schema"
)

// ConnectTimeout bounds the wait for a database that does not answer.
const ConnectTimeout = 5 * time.Second

// ConnConfig is where the database is, whether or not it runs, and what its sessions begin with.
func (b *Backend) ConnConfig() (*pgx.ConnConfig, error) {
	ignorePG()
	raw := b.settings.DatabaseURL
	if b.IsRemote() {
		return nil, ErrForHost
	}
	if b.IsLocal() {
		raw = b.Cluster().URL(localdb.Database)
	} else if err := checkURL(raw); err != nil {
		return nil, err
	}
	config, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	if mode := SSLMode(raw); mode != "" && mode != "verify-full" && !OnThisMachine(config) && !b.warned {
		b.warned = true
		b.screen.Warn("sslmode=%s in database.url lets others pose as the database; verify-full does not", mode)
	}
	config.ConnectTimeout = ConnectTimeout
	if limit := b.settings.DatabaseTimeout; limit > 0 {
		config.ConnectTimeout = min(ConnectTimeout, limit)
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "crm"
	}
	if zone := b.settings.Location; zone != nil { // by which SQL knows what day it is
		config.RuntimeParams["TimeZone"] = zone.String()
	}
	if b.settings.DatabaseEcho {
		config.Tracer = echo{b.screen.Err}
	}
	return config, nil
}

// parseURL reads a URL, with what holds where it says nothing: over a network the database has to prove that it is the
// one, no password is shown to it, and of several hosts the one that can be written to is taken.
func parseURL(raw string) (*pgx.ConnConfig, error) {
	raw = withoutLeftOut(raw)
	config, err := pgx.ParseConfig(raw)
	if err != nil {
		return nil, urlError(raw)
	}
	given := URLQuery(raw)
	if !OnThisMachine(config) && SSLMode(raw) == "" {
		raw = WithParameter(raw, "sslmode", "verify-full")
	}
	if !given.Has("require_auth") {
		raw = WithParameter(raw, "require_auth", SafeAuth)
	}
	if SeveralHosts(config) && !given.Has("target_session_attrs") {
		raw = WithParameter(raw, "target_session_attrs", "read-write")
	}
	if config, err = pgx.ParseConfig(raw); err != nil {
		return nil, urlError(raw)
	}
	schema.Settle(config)
	return config, nil
}

// SafeAuth are the ways to prove who one is that tell a server nothing it did not know: not the password itself, in clear
// or as md5. The server may also ask for nothing, as on a socket it does that knows the account.
const SafeAuth = "scram-sha-256,none"

const urlForm = "postgres://user@host:5432/database"

var (
	errURL      = failure.Misuse("database.url is not a PostgreSQL URL.", urlForm)
	errPassword = failure.Misuse("database.url cannot be read.", "a password with @ : / ? # has to be percent-encoded: %40 %3A %2F %3F %23; and % itself: %25")
)

// checkURL refuses what is no URL of PostgreSQL, and what may be a password that is not encoded: nothing of that is shown.
func checkURL(raw string) error {
	scheme, rest, found := strings.Cut(raw, "://")
	switch {
	case found && strings.HasPrefix(scheme, "sqlite"):
		return failure.Misuse("database.url is not a PostgreSQL URL: it names an SQLite file, which crm cannot use.",
			"docs/moving.md says how to move out of it; leave database.url empty for a database of crm's own, or write "+urlForm)
	case !found || scheme != "postgres" && scheme != "postgresql":
		return errURL
	}
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	signs := strings.Count(rest, "@")
	if signs > 1 || signs == 1 && authority != "" && !strings.Contains(authority, "@") || strings.Contains(rest, "#") {
		return errPassword
	}
	for name := range URLQuery(raw) {
		if err := checkParameter(name); err != nil {
			return err
		}
	}
	return nil
}

// parameters are those of libpq that crm honours.
var parameters = []string{
	"host", "port", "dbname", "database", "user", "password", "passfile", "connect_timeout", "sslmode", "ssl", "sslkey", "sslcert",
	"sslcertmode", "sslrootcert", "sslnegotiation", "sslpassword", "sslsni", "krbspn", "krbsrvname", "target_session_attrs",
	"service", "servicefile", "min_protocol_version", "max_protocol_version", "channel_binding", "require_auth", "options",
	"application_name", "client_encoding", "search_path",
}

// leftOut are those of libpq that crm leaves out: without them nothing is less safe or other than meant.
var leftOut = []string{
	"fallback_application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
	"sslcompression", "gssencmode", "gsslib", "gssdelegation", "load_balance_hosts", "sslkeylogfile",
}

// notOurs are parameters of other programs, and of libpq those without which something would be less safe.
var notOurs = map[string]string{
	"pgbouncer":                "leave it out: crm works through PgBouncer without being told",
	"schema":                   "search_path=... names the schema",
	"currentSchema":            "search_path=... names the schema",
	"connection_limit":         "leave it out: a command opens one connection, and crm serve as many as serve.connections says",
	"pool_timeout":             "leave it out: --database.timeout is how long a command waits",
	"sslaccept":                "sslmode=verify-full is how the certificate is verified",
	"sslcrl":                   "leave it out, if certificates that were revoked may be trusted",
	"sslcrldir":                "leave it out, if certificates that were revoked may be trusted",
	"ssl_min_protocol_version": "leave it out: crm takes TLS 1.2 and newer",
	"ssl_max_protocol_version": "leave it out: crm takes TLS 1.2 and newer",
	"requirepeer":              "leave it out, if whoever has the socket may be trusted",
	"replication":              "leave it out",
}

// checkParameter refuses a parameter that only looks like one, where that is known without asking the server. All others
// are settings of the server, which knows them best.
func checkParameter(name string) error {
	if slices.Contains(parameters, name) || slices.Contains(leftOut, name) {
		return nil
	}
	for _, r := range name { // such as what stands behind a ? in a password
		if r != '_' && r != '.' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return errPassword
		}
	}
	if advice, ok := notOurs[name]; ok {
		return failure.Misuse(fmt.Sprintf("database.url has the parameter %s, which crm cannot use.", name), advice)
	}
	if near := text.Suggest(name, parameters); near != "" && text.EditDistance([]rune(near), []rune(name)) <= 2 {
		return failure.Misuse(fmt.Sprintf("database.url has the parameter %s, which PostgreSQL does not know.", name), near+"=...")
	}
	return nil
}

func withoutLeftOut(raw string) string {
	base, query, _ := strings.Cut(raw, "?")
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return pair == "" || slices.Contains(leftOut, name)
	})
	if len(kept) == 0 {
		return base
	}
	return base + "?" + strings.Join(kept, "&")
}

// urlError says which parameter keeps a URL from being read: the one without which it can be. Values are not shown, which
// may be secrets.
func urlError(raw string) error {
	base, query, _ := strings.Cut(raw, "?")
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if _, err := pgx.ParseConfig(base + "?" + strings.Join(slices.Delete(slices.Clone(pairs), i, i+1), "&")); err != nil {
			continue
		}
		if slices.Contains([]string{"sslrootcert", "sslcert", "sslkey", "servicefile"}, name) {
			why := "it does not hold what it should"
			if file, err := url.QueryUnescape(value); err == nil {
				if _, err := os.ReadFile(file); err != nil {
					why = err.Error()
					if errno, ok := errors.AsType[syscall.Errno](err); ok {
						why = errno.Error()
					}
				}
			}
			return failure.Misuse(fmt.Sprintf("The file that %s in database.url names cannot be used: %s.", name, why), "")
		}
		return failure.Misuse(fmt.Sprintf("The parameter %s in database.url has a value that it cannot have.", name), possible[name])
	}
	if strings.Contains(base, "%") {
		return errPassword
	}
	return errURL
}

// possible are the values of parameters that have few.
var possible = map[string]string{
	"sslmode":              "sslmode=verify-full, or verify-ca, require, prefer, allow, disable",
	"target_session_attrs": "target_session_attrs=read-write, or any, read-only, primary, standby, prefer-standby",
	"require_auth":         "require_auth=scram-sha-256, or md5, password, none, several with commas",
	"channel_binding":      "channel_binding=prefer, or require, disable",
	"sslnegotiation":       "sslnegotiation=postgres, or direct",
	"sslcertmode":          "sslcertmode=allow, or require, disable",
}

// ignorePG keeps variables of PostgreSQL's own tools from deciding where the connection, and with it a password, goes.
// Those that only give a password stay.
func ignorePG() {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "PG") && name != "PGPASSWORD" && name != "PGPASSFILE" {
			os.Unsetenv(name)
		}
	}
}

// OnThisMachine reports whether all hosts of a configuration are reached without a network.
func OnThisMachine(config *pgx.ConnConfig) bool {
	local := func(host string) bool {
		ip := net.ParseIP(host)
		return host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || ip != nil && ip.IsLoopback()
	}
	return local(config.Host) && !slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return !local(f.Host) })
}

// SeveralHosts reports whether a configuration names more than one server. The same one comes twice where TLS is a matter
// of trying.
func SeveralHosts(config *pgx.ConnConfig) bool {
	return slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.Host != config.Host || f.Port != config.Port
	})
}

// SSLMode returns the sslmode of a URL; empty if it has none.
func SSLMode(raw string) string {
	query := URLQuery(raw)
	if query.Get("sslmode") == "" && query.Get("ssl") == "true" {
		return "require"
	}
	return query.Get("sslmode")
}

// URLQuery returns the parameters of a URL, which may name several hosts, as net/url refuses.
func URLQuery(raw string) url.Values {
	_, query, _ := strings.Cut(raw, "?")
	values, _ := url.ParseQuery(query)
	return values
}

func WithParameter(raw, name, value string) string {
	separator := "?"
	if strings.Contains(raw, "?") {
		separator = "&"
	}
	return raw + separator + name + "=" + url.QueryEscape(value)
}

// Location names a database without user and password, on all the hosts where it may be.
func Location(config *pgx.ConnConfig) string {
	hosts := []string{fmt.Sprintf("%s:%d", config.Host, config.Port)}
	for _, other := range config.Fallbacks {
		if host := fmt.Sprintf("%s:%d", other.Host, other.Port); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return config.Database + " on " + strings.Join(hosts, " or ")
}

// MaskURL hides what is secret in a URL, and all of one that cannot be read.
func MaskURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || errors.Is(checkURL(raw), errPassword) {
		return text.Mask
	}
	query := u.Query()
	for name := range query {
		if regexp.MustCompile(`pass|key|secret`).MatchString(name) {
			query.Set(name, "xxxxx")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}
