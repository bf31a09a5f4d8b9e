// Package localdb runs crm's private PostgreSQL server: it finds the programs on this machine, makes a cluster on first
// use, keeps the server running between commands, and ends it on request.
//
// A command first tries to connect to URL(Database), which costs nothing; only when that fails does it call Start.
// Every step of Start can be killed at any instant and is resumed by the next one: the cluster is made in a sibling
// folder and the database under a scratch name, and each gets its real name when it is complete.
//
// This package must never know tables, commands or terminals, never delete or alter a cluster that it cannot use, and
// never signal a process that it has not proved to be the server of its own data folder. To support one more
// installation of PostgreSQL add its folder to usualPlaces, and for one more packager a line to installCommands.
package localdb

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// Database is the name of the one database that Start provides.
	Database = "crm"

	// Starting is the progress of Start where the cluster is there already.
	Starting = "Starting the local database ..."

	// owner is the role that crm works as: it owns Database and may do nothing else on the server. superuser is for the
	// upkeep in this package alone. Who reaches the socket could name either; the difference is that SQL which runs as
	// owner, such as that of a restored file, cannot become the account that runs the server.
	owner           = "crm"
	superuser       = "crm_server"
	scratchDatabase = "crm_new"
	adminDatabase   = "postgres" // made by initdb; connected to while Database is created
	port            = "5432"     // only part of the socket's file name
	oldestMajor     = 14

	patience = time.Minute           // longest wait for the lock, the server's start or its end
	tick     = 25 * time.Millisecond // between two looks while waiting
)

// Cluster is one private PostgreSQL server and its one database. It is not safe for concurrent use, but any number of
// processes may have one for the same home.
type Cluster struct {
	// Settings are extra server settings such as "fsync=off", meant for test suites.
	Settings []string

	home   string
	dir    string
	socket string // a folder that only the server's account can enter, or nowhere
	getenv func(string) string
	places []string // where PostgreSQL is looked for after PATH, as glob patterns
}

// New names the cluster of home, the application's data folder. It looks at the file system but changes nothing.
// From the environment it uses CRM_POSTGRES_BIN and PATH.
func New(home string, getenv func(string) string) *Cluster {
	if absolute, err := filepath.Abs(home); err == nil {
		home = absolute
	}
	c := &Cluster{home: home, getenv: getenv, places: usualPlaces}
	c.locate()
	return c
}

// Dir returns the folder that holds the cluster (data), its socket, its log and the lock file.
func (c *Cluster) Dir() string { return c.dir }

// Exists reports whether there is a cluster, whatever its state.
func (c *Cluster) Exists() bool { return exists(c.dataDir()) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// LogFile returns the file with the server's messages.
func (c *Cluster) LogFile() string { return filepath.Join(c.dir, "log") }

func (c *Cluster) dataDir() string { return filepath.Join(c.dir, "data") }

// URL returns the connection URL of a database of this cluster, for pgx and libpq alike. What a PG* variable could
// change for the worse is set in it.
func (c *Cluster) URL(database string) string { return c.url(owner, database) }

// AdminURL is URL for the server's superuser. It is meant for the servers of test suites, never for crm itself.
func (c *Cluster) AdminURL(database string) string { return c.url(superuser, database) }

func (c *Cluster) url(role, database string) string {
	query := url.Values{
		"host":                 {c.socket},
		"port":                 {port},
		"sslmode":              {"disable"},
		"target_session_attrs": {"any"},
		"options":              {""},
	}
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(role),
		Path:     "/" + database,
		RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20"), // libpq takes a plus sign literally
	}
	return u.String()
}

// Create fills a new database; url is its connection URL. It must close its connections before it returns.
type Create func(ctx context.Context, url string) error

// State reports whether a cluster exists and runs.
type State string

// The states of a cluster.
const (
	Absent  State = "absent"
	Stopped State = "stopped"
	Running State = "running"
)

// Status describes a cluster at one moment.
type Status struct {
	State State
	PID   int    // of the server; 0 unless running
	Dir   string // as Cluster.Dir
	Major int    // PostgreSQL version of the data; 0 when absent or unknown
}
