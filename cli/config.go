package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines that have none installed

	"github.com/pelletier/go-toml"
	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/fftoml"
)

// config is the global flags. Each is also a variable, CRM_ and its name in capitals, and the dotted ones are the keys
// of crm.toml.
type config struct {
	file     string
	output   string
	csvStyle string
	noHeader bool
	noColor  bool

	databaseURL           string
	databaseEcho          bool
	databaseTimeout       time.Duration
	databaseReset         bool
	populateSample        bool
	authSecretKeyPrevious string
	authSecretKey         string
	tracing               bool
	tracingDSN            string
	timeZone              string
	location              *time.Location

	source map[string]string // of the flags that have not their default: where the value is from
}

// How csv is written.
const (
	csvPlain   = "plain"
	csvExcelFr = "excel-fr"
)

const envPrefix = "CRM_"

// keyHint is what to do about a signing key that is missing or too short.
const keyHint = "set CRM_CONTROLLER_AUTH_SECRET_KEY, to the same for everyone; openssl rand -hex 32 makes a key"

func (c *config) define(flags *flag.FlagSet) {
	flags.StringVar(&c.file, "config", "", "`FILE` configuration file")
	flags.StringVar(&c.output, "output", "table", "`FORMAT` format of the result: "+strings.Join(formats, ", "))
	flags.StringVar(&c.output, "o", "table", "`FORMAT` short for --output")
	flags.StringVar(&c.csvStyle, "csv-style", csvPlain, "`STYLE` style of csv: plain, or excel-fr as a French Excel opens it")
	flags.BoolVar(&c.noHeader, "no-header", false, "csv without its first line")
	flags.BoolVar(&c.noColor, "no-color", false, "no colours, as with NO_COLOR")
	flags.StringVar(&c.databaseURL, "database.url", "", "`URL` PostgreSQL database; empty means the local one")
	flags.BoolVar(&c.databaseEcho, "database.echo", false, "log every SQL statement, its time and rows to stderr")
	flags.DurationVar(&c.databaseTimeout, "database.timeout", 10*time.Second, "`TIME` longest wait of a command for the database, such as 30s or 5m; 0 means no limit")
	flags.BoolVar(&c.databaseReset, "database.reset", false, "recreate the database at start")
	flags.BoolVar(&c.populateSample, "database_sample.populate", true, "fill a new local database with sample data")
	flags.StringVar(&c.authSecretKey, "controller.auth_secret_key", "", "`KEY` signs tokens, at least 32 bytes")
	flags.StringVar(&c.authSecretKeyPrevious, "controller.auth_secret_key_previous", "", "`KEY` the key before this one: what it signed is good until it expires")
	flags.BoolVar(&c.tracing, "error_tracing.enabled", false, "report unexpected failures to Sentry")
	flags.StringVar(&c.tracingDSN, "error_tracing.dns", "", "`DSN` where Sentry takes the reports")
	flags.StringVar(&c.tracingDSN, "error_tracing.dsn", "", "`DSN` the same as error_tracing.dns")
	flags.StringVar(&c.timeZone, "time_zone", "Europe/Paris", "`ZONE` time zone of dates without offset")
}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag))
}

// configure reads the global flags that are given, then the environment, then the file.
func (a *app) configure(args []string) error {
	flags := a.root.FlagSet
	a.config.source = map[string]string{}
	var failure error
	flags.VisitAll(func(f *flag.Flag) {
		name := variable(f.Name)
		if value := a.Getenv(name); value != "" && len(f.Name) > 1 && failure == nil {
			if err := flags.Set(f.Name, value); err != nil {
				failure = &usageError{message: fmt.Sprintf("The variable %s has a value that --%s cannot have.", name, f.Name)}
			}
			a.config.source[f.Name] = name
		}
	})
	if failure != nil {
		return failure
	}
	if err := flags.Parse(args); err != nil {
		return flagError(err)
	}
	var typed config
	typedFlags := newFlagSet()
	typed.define(typedFlags)
	_ = typedFlags.Parse(args)
	typedFlags.Visit(func(f *flag.Flag) { a.config.source[f.Name] = dashed(f.Name) })
	if a.config.file == "" {
		a.config.file = a.findConfig()
	}
	if a.config.file != "" {
		if err := a.readConfig(a.config.file); err != nil {
			return err
		}
	} else if _, err := os.Stat("crm.toml"); err == nil {
		a.notice("./crm.toml is not read; use --config crm.toml or set CRM_CONFIG.")
	}
	return a.config.check()
}

func (c *config) check() error {
	location, err := time.LoadLocation(c.timeZone)
	if err != nil || c.timeZone == "" || c.timeZone == "Local" {
		return &usageError{message: fmt.Sprintf("unknown time zone %q", c.timeZone), hint: "a name such as Europe/Paris"}
	}
	c.location = location
	if !slices.Contains(formats, c.output) {
		format := c.output
		c.output = "table"
		return unknownValue("output format", format, formats)
	}
	if c.csvStyle != csvPlain && c.csvStyle != csvExcelFr {
		return unknownValue("csv style", c.csvStyle, []string{csvPlain, csvExcelFr})
	}
	if c.databaseTimeout < 0 {
		return &usageError{message: "database.timeout is below zero.", hint: "a time such as 10s, or 0 for no limit"}
	}
	if c.authSecretKey != "" && len(c.authSecretKey) < 32 {
		return &usageError{message: "controller.auth_secret_key has fewer than 32 bytes.", hint: keyHint}
	}
	if c.authSecretKeyPrevious != "" && len(c.authSecretKeyPrevious) < 32 {
		return &usageError{message: "controller.auth_secret_key_previous has fewer than 32 bytes."}
	}
	return nil
}

// findConfig gives the first configuration file that exists. The current directory is not searched: whoever prepared it
// could send the password to a database of their own.
func (a *app) findConfig() string {
	for _, file := range []string{filepath.Join(a.folder("XDG_CONFIG_HOME", ".config"), "crm.toml"), "/etc/crm/crm.toml"} {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
	return ""
}

// folder is crm's own folder below one of the XDG base folders.
func (a *app) folder(variable, below string) string {
	base := a.Getenv(variable)
	if !filepath.IsAbs(base) {
		home := a.Getenv("HOME")
		if home == "" {
			home, _ = os.UserHomeDir()
		}
		base = filepath.Join(home, below)
	}
	return filepath.Join(base, "crm")
}

// isKey says whether a global flag is a key of the file as well.
func isKey(name string) bool { return strings.Contains(name, ".") || name == "time_zone" }

// readConfig takes from the file what neither a flag nor a variable has said. An error names the line and what is wrong
// there, and shows nothing of what is in the file: there are secrets.
func (a *app) readConfig(file string) error {
	flags := a.root.FlagSet
	text, err := os.ReadFile(file)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return &usageError{message: fmt.Sprintf("The configuration file %s cannot be read: %v.", file, err)}
	}
	tree, err := toml.LoadBytes(text)
	if err != nil || bytes.HasPrefix(text, []byte("\ufeff")) {
		line := 1
		if err != nil {
			_, _ = fmt.Sscanf(err.Error(), "(%d,", &line)
		}
		return &usageError{message: fmt.Sprintf("%s:%d: this is not TOML.", file, line)}
	}
	type fault struct {
		line  int
		error error
	}
	var faults []fault
	blame := func(name, what string) {
		line := tree.GetPosition(name).Line
		faults = append(faults, fault{line, &usageError{message: fmt.Sprintf("%s:%d: %s", file, line, what)}})
	}
	known := []string{}
	flags.VisitAll(func(f *flag.Flag) {
		if isKey(f.Name) {
			known = append(known, f.Name)
		}
	})
	parser := func(r io.Reader, set func(name, value string) error) error {
		return fftoml.Parser(r, func(name, value string) error {
			if !slices.Contains(known, name) {
				blame(name, describe(context.Background(), unknownValue("key", name, known)).Message)
			} else if set(name, value) != nil {
				blame(name, fmt.Sprintf("%s cannot have this value.", name))
			} else if a.config.source[name] == "" {
				a.config.source[name] = file
			}
			return nil
		})
	}
	err = ff.Parse(flags, nil, ff.WithConfigFileVia(&file), ff.WithConfigFileParser(parser))
	if len(faults) > 0 {
		return slices.MinFunc(faults, func(a, b fault) int { return a.line - b.line }).error
	}
	if err != nil {
		return &usageError{message: fmt.Sprintf("The configuration file %s is not valid.", file)}
	}
	return nil
}

// unknownValue refuses a word that is not one of a few.
func unknownValue(what, typed string, known []string) error {
	message := fmt.Sprintf("unknown %s %q", what, typed)
	if meant := suggest(typed, known); meant != "" {
		message += fmt.Sprintf(", did you mean %q?", meant)
	}
	return &usageError{message: message, hint: "one of " + strings.Join(known, ", ")}
}
