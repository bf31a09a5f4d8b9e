package pgclient

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// messagesInEnglish lets explain find the program's reason.
const messagesInEnglish = "LC_ALL=C"

// Connection is what libpq is told, so that a program reaches the database that pgx reaches.
type Connection struct {
	Config     *pgx.ConnConfig     // server, user, password and database
	Parameters url.Values          // libpq's, by their names in a URL: what pgx has taken into its own configuration
	Timeout    time.Duration       // longest wait for the server's first answer, in whole seconds
	Getenv     func(string) string // the user's environment, for what leads to nothing else
}

// kept are the variables that a program needs to run at all, and to find what the user trusts.
var kept = []string{"HOME", "PATH", "TMPDIR", "KRB5CCNAME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT"}

// variables are libpq's, by the parameters of a URL that they stand for.
var variables = map[string]string{
	"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslsni": "PGSSLSNI",
	"sslnegotiation": "PGSSLNEGOTIATION", "channel_binding": "PGCHANNELBINDING", "require_auth": "PGREQUIREAUTH",
	"krbsrvname": "PGKRBSRVNAME", "options": "PGOPTIONS", "target_session_attrs": "PGTARGETSESSIONATTRS",
}

// Environment returns the environment of a program of that major version.
func (c Connection) Environment(major int) []string {
	config := c.Config
	hosts, ports := []string{config.Host}, []string{fmt.Sprint(config.Port)}
	for _, f := range config.Fallbacks { // the same host comes twice where TLS is a matter of trying
		if last := len(hosts) - 1; f.Host != hosts[last] || fmt.Sprint(f.Port) != ports[last] {
			hosts, ports = append(hosts, f.Host), append(ports, fmt.Sprint(f.Port))
		}
	}
	env := []string{
		messagesInEnglish,
		"PGHOST=" + strings.Join(hosts, ","), "PGPORT=" + strings.Join(ports, ","),
		"PGUSER=" + config.User, "PGDATABASE=" + config.Database, "PGPASSWORD=" + config.Password,
		"PGAPPNAME=crm", "PGCONNECT_TIMEOUT=" + fmt.Sprint(int(c.Timeout.Seconds())),
	}
	for _, name := range kept {
		if value := c.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	for parameter, variable := range variables {
		if value := c.Parameters.Get(parameter); value != "" {
			env = append(env, variable+"="+value)
		}
	}
	if strings.HasPrefix(c.Parameters.Get("sslmode"), "verify-") && c.Parameters.Get("sslrootcert") == "" {
		if roots := c.systemRoots(major); roots != "" {
			env = append(env, variables["sslrootcert"]+"="+roots)
		}
	}
	return env
}

// systemRoots returns how libpq finds the certificates that pgx trusts where none are named; empty means by itself.
func (c Connection) systemRoots(major int) string {
	const knowsSystem = 16
	if _, err := os.Stat(filepath.Join(c.Getenv("HOME"), ".postgresql", "root.crt")); err == nil {
		return ""
	}
	if major >= knowsSystem {
		return "system"
	}
	for _, file := range []string{
		c.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
	} {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}
