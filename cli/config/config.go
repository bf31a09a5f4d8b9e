// Package config is the settings: global flags, CRM_ variables and crm.toml, and where each value is from; and the folders
// below which crm's own files lie.
//
// A Config loads itself and tells nobody: what may surprise comes back as lines, and what is wrong with a setting waits in
// Invalid, because some commands run all the same. Nothing of the file is ever shown, since there are secrets in it.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines that have none installed

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
)

// Config is the global flags. Each is also a variable, CRM_ and its name in capitals, and the dotted ones are the keys of
// crm.toml. Getenv and Named are given to it; Load fills the rest.
type Config struct {
	Getenv func(string) string
	Named  *files.Named

	// Notices are lines for the user about what Load found and did not use.
	Notices []string

	File     string
	Output   string
	CSVStyle string
	NoHeader bool
	NoColor  bool

	DatabaseURL           string
	DatabaseEcho          bool
	DatabaseTimeout       time.Duration
	DatabaseReset         bool
	PopulateSample        bool
	AuthSecretKeyPrevious string
	AuthSecretKey         string
	SessionIdle           time.Duration
	SessionLimit          time.Duration
	Tracing               bool
	TracingDSN            string
	ServerURL             string
	ServerCAFile          string
	ServeSocket           string
	ServeListen           string
	ServeTLSCert          string
	ServeTLSKey           string
	ServeConnections      int
	TimeZone              string
	Location              *time.Location
	Invalid               error    // what is wrong with the variables, the file or a value
	FileUnusable          bool     // the file, or the rest of it
	Secrets               []string // what in the file is nobody else's business
	readable              []string // files with secrets that others can read, of which nobody was told yet
	Home                  string   // folder below which crm's own lie

	// Source is where the value of a flag is from, if it is not the default: --flag, CRM_VARIABLE or file:line.
	Source map[string]string
}

// How csv is written.
const (
	CSVPlain   = "plain"
	CSVExcelFr = "excel-fr"
)

// How many connections a server may have: one for lists and one for all else, and no more than a PostgreSQL can be told to
// take without one thinking twice.
const (
	connectionsMin = 2
	connectionsMax = 1000
)

const envPrefix = "CRM_"

// A login that goes unused for less would be over while somebody reads; one of more than a week is a token for scripts.
const sessionMin, sessionMax = 5 * time.Minute, 7 * 24 * time.Hour

// KeyHint is what to do about a signing key that is missing or too short.
const KeyHint = "set CRM_CONTROLLER_AUTH_SECRET_KEY, to the same for everyone; openssl rand -hex 32 makes a key"

func (c *Config) Define(flags *flag.FlagSet) {
	flags.StringVar(&c.File, "config", "", "`FILE` configuration file")
	c.Output = "table"
	flags.Var((*formatValue)(&c.Output), "output", "`FORMAT` format of the result: "+strings.Join(render.Formats, ", ")+"; of a report also "+render.Page)
	flags.Var((*formatValue)(&c.Output), "o", "`FORMAT` short for --output")
	flags.StringVar(&c.CSVStyle, "csv-style", CSVPlain, "`STYLE` style of csv: plain, which is exact, or excel-fr for spreadsheets, as a French Excel opens it")
	flags.BoolVar(&c.NoHeader, "no-header", false, "csv without its first line")
	flags.BoolVar(&c.NoColor, "no-color", false, "no colours, as with NO_COLOR")
	flags.StringVar(&c.DatabaseURL, "database.url", "", "`URL` PostgreSQL database; empty means the local one")
	flags.BoolVar(&c.DatabaseEcho, "database.echo", false, "log every SQL statement, its time and rows to stderr")
	flags.DurationVar(&c.DatabaseTimeout, "database.timeout", 10*time.Second, "`TIME` longest wait of a command for the database, such as 30s or 5m; 0 means no limit")
	flags.BoolVar(&c.DatabaseReset, "database.reset", false, "recreate the database at start")
	flags.BoolVar(&c.PopulateSample, "database_sample.populate", true, "fill a new local database with sample data")
	flags.StringVar(&c.AuthSecretKey, "controller.auth_secret_key", "", "`KEY` signs tokens, at least 32 bytes")
	flags.StringVar(&c.AuthSecretKeyPrevious, "controller.auth_secret_key_previous", "", "`KEY` the key before this one: what it signed is good until it expires")
	flags.DurationVar(&c.SessionIdle, "controller.session_idle", 30*time.Minute, "`TIME` how long a login may go unused, such as 30m")
	flags.DurationVar(&c.SessionLimit, "controller.session_limit", 10*time.Hour, "`TIME` how long a login lasts at most, such as 10h")
	flags.BoolVar(&c.Tracing, "error_tracing.enabled", false, "report unexpected failures to Sentry")
	flags.StringVar(&c.TracingDSN, "error_tracing.dns", "", "`DSN` where Sentry takes the reports")
	flags.StringVar(&c.TracingDSN, "error_tracing.dsn", "", "`DSN` the same as error_tracing.dns")
	flags.StringVar(&c.ServerURL, "server.url", "", "`URL` server of crm, https://HOST or unix:///PATH, that has the database instead")
	flags.StringVar(&c.ServerCAFile, "server.ca_file", "", "`FILE` certificates that the server's is checked with, instead of this machine's")
	flags.StringVar(&c.ServeSocket, "serve.socket", "", "`PATH` unix socket that crm serve listens on")
	flags.StringVar(&c.ServeListen, "serve.listen", "", "`ADDRESS` host and port that crm serve listens on, with TLS")
	flags.StringVar(&c.ServeTLSCert, "serve.tls_cert", "", "`FILE` certificate of crm serve")
	flags.StringVar(&c.ServeTLSKey, "serve.tls_key", "", "`FILE` key of that certificate")
	flags.IntVar(&c.ServeConnections, "serve.connections", 10, "`NUMBER` of connections that crm serve has to the database at most, half of them for lists")
	flags.StringVar(&c.TimeZone, "time_zone", "Europe/Paris", "`ZONE` time zone of dates without offset")
}

// formatValue is the value of --output. Which formats there are is checked once it is known where the value is from.
type formatValue string

func (v *formatValue) Set(format string) error { *v = formatValue(format); return nil }

func (v *formatValue) String() string { return string(*v) }

// Attaches allows -ojson.
func (v *formatValue) Attaches(format string) bool { return isFormat(format) }

func isFormat(name string) bool { return slices.Contains(render.Formats, name) || name == render.Page }

// Variable is the environment variable of a flag.
func Variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag))
}

// Load reads the global flags that are given, then the environment, then the file. Its error is about a flag, and that of
// the flag package where the flag is not one or its value is none; what else is wrong it leaves in fault.
//
// It is not ff.Parse: that reads the process's environment instead of the run's, opens the file itself, which waits for a
// pipe that nobody writes into, knows no setting with two names, and ends at the first fault, where crm doctor goes on.
func (c *Config) Load(flags *flag.FlagSet, args []string) error {
	c.Source = map[string]string{}
	flags.VisitAll(func(f *flag.Flag) {
		name := Variable(f.Name)
		if value := c.Getenv(name); value != "" && len(f.Name) > 1 {
			if err := flags.Set(f.Name, value); err != nil && c.Invalid == nil {
				c.Invalid = failure.Misuse(fmt.Sprintf("The variable %s has a value that --%s cannot have: it wants %s.", name, f.Name, Wanted(f)), "")
			}
			c.isFrom(f.Name, name)
		}
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	var typed Config
	typedFlags := cmdline.NewFlagSet()
	typed.Define(typedFlags)
	_ = typedFlags.Parse(args)
	typedFlags.Visit(func(f *flag.Flag) { c.isFrom(f.Name, cmdline.Dashed(f.Name)) })
	if err := c.findHome(user.Current); err != nil {
		return err
	}
	if c.File == "" {
		c.File = c.findFile()
	}
	if c.File != "" {
		err := c.readFile(flags)
		c.FileUnusable = err != nil
		if c.Invalid == nil {
			c.Invalid = err
		}
	} else if _, err := os.Stat("crm.toml"); err == nil {
		c.Notices = append(c.Notices, "./crm.toml is not read; use --config crm.toml or set CRM_CONFIG.")
	}
	return c.check()
}

func (c *Config) check() error {
	if err := c.checkValues(); c.Invalid == nil {
		c.Invalid = err
	}
	if !isFormat(c.Output) {
		format := c.Output
		c.Output = "table"
		return cmdline.UnknownValue("output format", format, render.Formats)
	}
	if c.CSVStyle != CSVPlain && c.CSVStyle != CSVExcelFr {
		return cmdline.UnknownValue("csv style", c.CSVStyle, []string{CSVPlain, CSVExcelFr})
	}
	return nil
}

func (c *Config) checkValues() error {
	location, err := time.LoadLocation(c.TimeZone)
	if err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		c.Location = time.UTC
		return c.invalidValue("time_zone", fmt.Sprintf("unknown time zone %q", text.Shorten(c.TimeZone)), "is not a time zone", "a name such as Europe/Paris")
	}
	c.Location = location
	if c.DatabaseTimeout < 0 {
		return c.invalidValue("database.timeout", "database.timeout is below zero.", "is below zero", "a time such as 10s, or 0 for no limit")
	}
	if c.SessionIdle < sessionMin || c.SessionIdle > c.SessionLimit {
		return c.invalidValue("controller.session_idle", "controller.session_idle is not from 5m to controller.session_limit.",
			"is not from 5m to controller.session_limit", "a time such as 30m")
	}
	if c.SessionLimit > sessionMax {
		return c.invalidValue("controller.session_limit", "controller.session_limit is more than 168h.", "is more than 168h", "a time such as 10h")
	}
	if c.ServeConnections < connectionsMin || c.ServeConnections > connectionsMax {
		words := fmt.Sprintf("is not between %d and %d", connectionsMin, connectionsMax)
		return c.invalidValue("serve.connections", "serve.connections "+words+".", words, "fewer than max_connections of the database")
	}
	const alone = "whoever has a server needs neither the database's URL nor the signing key: unset it"
	switch {
	case c.ServerURL != "" && c.DatabaseURL != "":
		return c.invalidValue("server.url", "server.url and database.url are both set.", "is set, and so is database.url", alone)
	case c.ServerURL != "" && c.AuthSecretKey != "":
		return c.invalidValue("server.url", "server.url and controller.auth_secret_key are both set.", "is set, and so is controller.auth_secret_key", alone)
	}
	const short = "has fewer than 32 bytes"
	if c.AuthSecretKey != "" && len(c.AuthSecretKey) < 32 {
		return c.invalidValue("controller.auth_secret_key", "controller.auth_secret_key "+short+".", short, KeyHint)
	}
	if c.AuthSecretKeyPrevious != "" && len(c.AuthSecretKeyPrevious) < 32 {
		return c.invalidValue("controller.auth_secret_key_previous", "controller.auth_secret_key_previous "+short+".", short, "")
	}
	return nil
}

// findFile returns the first configuration file that exists, or nothing. The current directory is not searched: whoever prepared it
// could send the password to a database of their own.
func (c *Config) findFile() string {
	for _, file := range []string{filepath.Join(c.Folder("XDG_CONFIG_HOME", ".config"), "crm.toml"), "/etc/crm/crm.toml"} {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
	return ""
}

// baseFolders are the variables of the XDG base folders that crm uses.
var baseFolders = []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"}

// findHome finds the folder below which crm's own lie. Where the environment does not say, as in a service, it is that
// of the account; it is never the current directory.
func (c *Config) findHome(account func() (*user.User, error)) error {
	c.Home = c.Getenv("HOME")
	if !filepath.IsAbs(c.Home) {
		c.Home = ""
		if owner, err := account(); err == nil && filepath.IsAbs(owner.HomeDir) {
			c.Home = owner.HomeDir
		}
	}
	for _, variable := range baseFolders {
		if c.Home == "" && !filepath.IsAbs(c.Getenv(variable)) {
			return failure.Misuse("There is no home folder for crm's files.", "set HOME, or "+strings.Join(baseFolders, ", "))
		}
	}
	return nil
}

// Folder returns crm's own folder below one of the XDG base folders.
func (c *Config) Folder(variable, below string) string {
	base := c.Getenv(variable)
	if !filepath.IsAbs(base) {
		base = filepath.Join(c.Home, below)
	}
	return filepath.Join(base, "crm")
}

// isFrom keeps where a value comes from, under both names of a key that has two.
func (c *Config) isFrom(name, source string) {
	c.Source[name] = source
	switch name {
	case "error_tracing.dns":
		c.Source["error_tracing.dsn"] = source
	case "error_tracing.dsn":
		c.Source["error_tracing.dns"] = source
	}
}

// invalidValue is a value that cannot be, with its place if that is the file; nothing of the file is shown.
func (c *Config) invalidValue(key, shown, what, hint string) error {
	source := c.Source[key]
	if strings.Contains(source, ":") {
		return failure.Misuse(fmt.Sprintf("%s: %s %s.", source, key, what), hint)
	}
	return failure.Misuse(shown, hint)
}

// IsKey reports whether a global flag is a key of the file as well.
func IsKey(name string) bool { return strings.Contains(name, ".") || name == "time_zone" }
