package cli

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines that have none installed
	"unicode/utf8"

	"github.com/pelletier/go-toml"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
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
	fault                 error    // what is wrong with the variables, the file or a value
	unread                bool     // the file, or the rest of it
	secrets               []string // what in the file is nobody else's business

	// source is where the value of a flag is from, if it is not the default: --flag, CRM_VARIABLE or file:line.
	source map[string]string
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
	c.output = "table"
	flags.Var((*formatValue)(&c.output), "output", "`FORMAT` format of the result: "+strings.Join(render.Formats, ", "))
	flags.Var((*formatValue)(&c.output), "o", "`FORMAT` short for --output")
	flags.StringVar(&c.csvStyle, "csv-style", csvPlain, "`STYLE` style of csv: plain, which is exact, or excel-fr for spreadsheets, as a French Excel opens it")
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

// formatValue is the value of --output. Which formats there are is checked once it is known where the value is from.
type formatValue string

func (v *formatValue) Set(format string) error { *v = formatValue(format); return nil }

func (v *formatValue) String() string { return string(*v) }

// Attaches allows -ojson.
func (v *formatValue) Attaches(format string) bool { return slices.Contains(render.Formats, format) }

// variable is the environment variable of a flag.
func variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag))
}

// configure reads the global flags that are given, then the environment, then the file. Wrong flags are its error; what
// else is wrong, it leaves in config.fault.
func (a *app) configure(args []string) error {
	flags := a.root.FlagSet
	a.config.source = map[string]string{}
	flags.VisitAll(func(f *flag.Flag) {
		name := variable(f.Name)
		if value := a.Getenv(name); value != "" && len(f.Name) > 1 {
			if err := flags.Set(f.Name, value); err != nil && a.config.fault == nil {
				a.config.fault = failure.Misuse(fmt.Sprintf("The variable %s has a value that --%s cannot have: it wants %s.", name, f.Name, wanted(f)), "")
			}
			a.config.isFrom(f.Name, name)
		}
	})
	if err := flags.Parse(args); err != nil {
		return a.flagError(err)
	}
	a.NoColor, a.HoldNotices = a.config.noColor, a.jsonErrors()
	var typed config
	typedFlags := cmdline.NewFlagSet()
	typed.define(typedFlags)
	_ = typedFlags.Parse(args)
	typedFlags.Visit(func(f *flag.Flag) { a.config.isFrom(f.Name, cmdline.Dashed(f.Name)) })
	if err := a.findHome(user.Current); err != nil {
		return err
	}
	if a.config.file == "" {
		a.config.file = a.findConfig()
	}
	if a.config.file != "" {
		err := a.readConfig(a.config.file)
		a.config.unread = err != nil
		if a.config.fault == nil {
			a.config.fault = err
		}
	} else if _, err := os.Stat("crm.toml"); err == nil {
		a.Notice("./crm.toml is not read; use --config crm.toml or set CRM_CONFIG.")
	}
	return a.config.check()
}

func (c *config) check() error {
	if err := c.checkValues(); c.fault == nil {
		c.fault = err
	}
	if !slices.Contains(render.Formats, c.output) {
		format := c.output
		c.output = "table"
		return unknownValue("output format", format, render.Formats)
	}
	if c.csvStyle != csvPlain && c.csvStyle != csvExcelFr {
		return unknownValue("csv style", c.csvStyle, []string{csvPlain, csvExcelFr})
	}
	return nil
}

func (c *config) checkValues() error {
	location, err := time.LoadLocation(c.timeZone)
	if err != nil || c.timeZone == "" || c.timeZone == "Local" {
		c.location = time.UTC
		return c.faultOf("time_zone", fmt.Sprintf("unknown time zone %q", text.Shorten(c.timeZone)), "is not a time zone", "a name such as Europe/Paris")
	}
	c.location = location
	if c.databaseTimeout < 0 {
		return c.faultOf("database.timeout", "database.timeout is below zero.", "is below zero", "a time such as 10s, or 0 for no limit")
	}
	const short = "has fewer than 32 bytes"
	if c.authSecretKey != "" && len(c.authSecretKey) < 32 {
		return c.faultOf("controller.auth_secret_key", "controller.auth_secret_key "+short+".", short, keyHint)
	}
	if c.authSecretKeyPrevious != "" && len(c.authSecretKeyPrevious) < 32 {
		return c.faultOf("controller.auth_secret_key_previous", "controller.auth_secret_key_previous "+short+".", short, "")
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

// baseFolders are the variables of the XDG base folders that crm uses.
var baseFolders = []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"}

// findHome finds the folder below which crm's own lie. Where the environment does not say, as in a service, it is that
// of the account; it is never the current directory.
func (a *app) findHome(account func() (*user.User, error)) error {
	a.home = a.Getenv("HOME")
	if !filepath.IsAbs(a.home) {
		a.home = ""
		if owner, err := account(); err == nil && filepath.IsAbs(owner.HomeDir) {
			a.home = owner.HomeDir
		}
	}
	for _, variable := range baseFolders {
		if a.home == "" && !filepath.IsAbs(a.Getenv(variable)) {
			return failure.Misuse("There is no home folder for crm's files.", "set HOME, or "+strings.Join(baseFolders, ", "))
		}
	}
	return nil
}

// folder is crm's own folder below one of the XDG base folders.
func (a *app) folder(variable, below string) string {
	base := a.Getenv(variable)
	if !filepath.IsAbs(base) {
		base = filepath.Join(a.home, below)
	}
	return filepath.Join(base, "crm")
}

// isFrom keeps where a value comes from, under both names of a key that has two.
func (c *config) isFrom(name, source string) {
	c.source[name] = source
	switch name {
	case "error_tracing.dns":
		c.source["error_tracing.dsn"] = source
	case "error_tracing.dsn":
		c.source["error_tracing.dns"] = source
	}
}

// faultOf is a value that cannot be, with its place if that is the file; nothing of the file is shown.
func (c *config) faultOf(key, shown, what, hint string) error {
	source := c.source[key]
	if strings.Contains(source, ":") {
		return failure.Misuse(fmt.Sprintf("%s: %s %s.", source, key, what), hint)
	}
	return failure.Misuse(shown, hint)
}

// isKey says whether a global flag is a key of the file as well.
func isKey(name string) bool { return strings.Contains(name, ".") || name == "time_zone" }

// configMax is far more than the settings take; a larger file is none of ours.
const configMax = 1 << 20

// readConfig takes from the file what neither a flag nor a variable has said. An error names the line and what is wrong
// there, and shows nothing of what is in the file: there are secrets.
func (a *app) readConfig(name string) error {
	file := a.readNamed(name, configMax)
	if file.err != nil {
		return failure.Misuse(fmt.Sprintf("The configuration file %s cannot be read: %v.", name, file.err), "")
	}
	tree, err := toml.LoadBytes(file.text)
	if err == nil && !utf8.Valid(file.text) {
		err = errors.New("(1, 1): not UTF-8")
	}
	if err != nil {
		line := 1
		_, _ = fmt.Sscanf(err.Error(), "(%d,", &line)
		return failure.Misuse(fmt.Sprintf("%s:%d: this is not TOML.", name, line), "")
	}
	entries := entriesOf(tree, nil)
	slices.SortStableFunc(entries, func(a, b entry) int { return a.line - b.line })
	a.config.secrets = secretsIn(entries)
	if len(a.config.secrets) > 0 {
		if err := a.guarded("configuration file", name, strings.Join(a.config.secrets, " and "), file.info); err != nil {
			return err
		}
	}
	said := maps.Clone(a.config.source)
	for _, e := range entries {
		if err := a.config.take(a.root.FlagSet, e, fmt.Sprintf("%s:%d", name, e.line), said[e.key] != ""); err != nil {
			return err
		}
	}
	return nil
}

// entry is one key of a file with its value and line.
type entry struct {
	key   string
	value any
	line  int
}

// entriesOf gives the keys of a file, those in tables with the table's name before them.
func entriesOf(tree *toml.Tree, above []string) (entries []entry) {
	for _, key := range tree.Keys() {
		path := append(slices.Clone(above), key)
		value := tree.GetPath([]string{key})
		if table, ok := value.(*toml.Tree); ok && len(table.Keys()) > 0 {
			entries = append(entries, entriesOf(table, path)...)
			continue
		}
		entries = append(entries, entry{strings.Join(path, "."), value, tree.GetPositionPath([]string{key}).Line})
	}
	return entries
}

// take sets one key from the file, unless a flag or variable has said it already; a wrong one is told in any case.
func (c *config) take(flags *flag.FlagSet, e entry, place string, said bool) error {
	f := flags.Lookup(e.key)
	if f == nil || !isKey(e.key) {
		return unknownKey(flags, e.key, place, e.value)
	}
	wanted := "a string in quotes"
	_, fits := e.value.(string)
	switch f.Value.(flag.Getter).Get().(type) {
	case bool:
		wanted = "true or false"
		_, fits = e.value.(bool)
	case time.Duration:
		wanted = "a time in quotes, such as 10s"
		_, err := time.ParseDuration(fmt.Sprint(e.value))
		fits = fits && err == nil
	}
	if !fits {
		return failure.Misuse(fmt.Sprintf("%s: %s is not %s.", place, e.key, wanted), "")
	}
	if said {
		return nil
	}
	c.isFrom(e.key, place)
	return flags.Set(e.key, fmt.Sprint(e.value))
}

// unknownKey names the key only where it is nearly one of ours: it may be a secret at the wrong place. A table of ours
// that has nothing in it is no fault.
func unknownKey(flags *flag.FlagSet, key, place string, value any) error {
	var known []string
	emptyTable := false
	flags.VisitAll(func(f *flag.Flag) {
		if isKey(f.Name) {
			known = append(known, f.Name)
			emptyTable = emptyTable || strings.HasPrefix(f.Name, key+".")
		}
	})
	if _, table := value.(*toml.Tree); table && emptyTable {
		return nil
	}
	message := place + ": unknown key"
	if meant := text.Suggest(key, known); meant != "" {
		message = fmt.Sprintf("%s %q, did you mean %q?", message, key, meant)
	}
	return failure.Misuse(message, "one of "+strings.Join(known, ", "))
}

// unknownValue refuses a word that is not one of a few.
func unknownValue(what, typed string, known []string) error {
	message := fmt.Sprintf("unknown %s %q", what, text.Shorten(typed))
	if meant := text.Suggest(typed, known); meant != "" {
		message += fmt.Sprintf(", did you mean %q?", meant)
	}
	return failure.Misuse(message, "one of "+strings.Join(known, ", "))
}
