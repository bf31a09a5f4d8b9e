package localdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/epicevents/crm/internal/failure"
)

// usualPlaces are the folders of PostgreSQL's programs that packagers keep out of PATH.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/bin",                  // Fedora
	"/usr/pgsql-*/bin",          // the PostgreSQL project's own packages for Fedora and RHEL
	"/usr/lib/postgresql*/bin",  // openSUSE
	"/usr/libexec/postgresql*",  // Alpine
	"/usr/local/pgsql/bin",
	"/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple silicon
	"/opt/homebrew/opt/postgresql/bin",
	"/usr/local/opt/postgresql@*/bin", // Homebrew on Intel
	"/usr/local/opt/postgresql/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// installCommands are tried in order: the first tool found in PATH decides.
var installCommands = []struct{ tool, command string }{
	{"apt-get", "apt-get install postgresql"},
	{"dnf", "dnf install postgresql-server postgresql-contrib"},
	{"brew", "brew install postgresql@18"},
}

const alternatives = "or run docker compose up -d --wait postgres, or name a server with --database.url"

// installation is a folder with the programs of one PostgreSQL version.
type installation struct {
	bin   string
	major int
}

// Program returns the path of a PostgreSQL program such as pg_dump, of the version that fits the cluster.
func (c *Cluster) Program(ctx context.Context, name string) (string, error) {
	inst, err := c.installation(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(inst.bin, name)
	if !isProgram(path) {
		return "", &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("%s is missing in %s", name, inst.bin),
			Hint:    "install it with: " + c.InstallCommand(),
		}
	}
	return path, nil
}

// installation chooses the version that made the existing data, or the newest for a new cluster.
func (c *Cluster) installation(ctx context.Context) (installation, error) {
	found, err := c.installations(ctx)
	if err != nil {
		return installation{}, err
	}
	wanted, err := c.dataMajor()
	if err != nil {
		return installation{}, err
	}
	var best installation
	var majors []string
	for _, inst := range found {
		majors = append(majors, strconv.Itoa(inst.major))
		if inst.major == wanted && best.major != wanted || wanted == 0 && inst.major > best.major {
			best = inst
		}
	}
	switch {
	case wanted != 0 && best.major == 0:
		return best, &failure.Error{
			Code: failure.Unavailable,
			Message: fmt.Sprintf("The local database in %s was made by PostgreSQL %d, and only %s is installed",
				c.dataDir(), wanted, strings.Join(majors, ", ")),
			Hint: fmt.Sprintf("install PostgreSQL %d (then crm works again, and pg_dump can save the data), or start anew: mv %[2]s %[2]s.%[1]d",
				wanted, shellQuote(c.dataDir())),
		}
	case best.major < oldestMajor:
		return best, &failure.Error{
			Code: failure.Unavailable,
			Message: fmt.Sprintf("The local database needs PostgreSQL %d or newer, and only %s is installed",
				oldestMajor, strings.Join(majors, ", ")),
			Hint: "install a newer one, for example with: " + c.InstallCommand() + "; " + alternatives,
		}
	}
	return best, nil
}

// installations returns at least one, in the order in which they are preferred.
func (c *Cluster) installations(ctx context.Context) ([]installation, error) {
	if bin := c.getenv("CRM_POSTGRES_BIN"); bin != "" {
		for _, bin = range c.folders() { // the one, made absolute
		}
		major, err := c.major(ctx, bin)
		if err != nil {
			return nil, &failure.Error{
				Code:    failure.Unavailable,
				Message: fmt.Sprintf("CRM_POSTGRES_BIN=%s does not hold working PostgreSQL programs: %v", bin, err),
				Hint:    "set it to the folder of initdb and postgres, or unset it",
				Err:     err,
			}
		}
		return []installation{{bin, major}}, nil
	}

	var found []installation
	for _, bin := range c.folders() {
		if major, err := c.major(ctx, bin); err == nil {
			found = append(found, installation{bin, major})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &failure.Error{
			Code:    failure.Unavailable,
			Message: "The local database needs PostgreSQL, which was not found on this machine",
			Hint:    "install it with: " + c.InstallCommand() + "; " + alternatives,
		}
	}
	return found, nil
}

// folders are those where PostgreSQL's programs may be, in the order in which they are preferred.
func (c *Cluster) folders() (folders []string) {
	candidates := []string{c.getenv("CRM_POSTGRES_BIN")}
	if candidates[0] == "" {
		candidates = filepath.SplitList(c.getenv("PATH"))
		for _, pattern := range c.places {
			matches, _ := filepath.Glob(pattern) // fails only on a malformed pattern
			candidates = append(candidates, matches...)
		}
	} else if absolute, err := filepath.Abs(candidates[0]); err == nil {
		candidates[0] = absolute
	}
	for _, folder := range candidates {
		if filepath.IsAbs(folder) && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	return folders
}

// versionOutput finds the major version in what a program says of itself.
var versionOutput = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\(PostgreSQL\) (\d+)`) })

// major returns the version of the programs in a folder, and an error unless all that are needed are there.
func (c *Cluster) major(ctx context.Context, bin string) (int, error) {
	for _, name := range []string{"initdb", "postgres"} {
		if !isProgram(filepath.Join(bin, name)) {
			return 0, fmt.Errorf("no %s", name)
		}
	}
	cmd, err := c.command(ctx, filepath.Join(bin, "postgres"), "--version")
	if err != nil {
		return 0, err
	}
	output, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("postgres --version: %w", err)
	}
	match := versionOutput().FindSubmatch(output)
	if match == nil {
		return 0, fmt.Errorf("postgres --version names no version")
	}
	return strconv.Atoi(string(match[1]))
}

// dataMajor returns the version that made the existing data, 0 if there is none, and an Error if what lies in the
// data folder is not a cluster.
func (c *Cluster) dataMajor() (int, error) {
	if _, err := os.Lstat(c.dataDir()); os.IsNotExist(err) {
		return 0, nil
	}
	content, err := os.ReadFile(filepath.Join(c.dataDir(), "PG_VERSION"))
	if os.IsPermission(err) {
		return 0, c.unusable(err)
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(content)), ".")
	major, parseErr := strconv.Atoi(text)
	if err != nil || parseErr != nil || major <= 0 {
		return 0, &failure.Error{
			Code:    failure.Unavailable,
			Message: fmt.Sprintf("%s is not a PostgreSQL cluster", c.dataDir()),
			Hint:    fmt.Sprintf("move it away: mv %[1]s %[1]s.old", shellQuote(c.dataDir())),
			Err:     err,
		}
	}
	return major, nil
}

// InstallCommand returns the command that installs PostgreSQL on this system, or words that say so where it is not known.
func (c *Cluster) InstallCommand() string {
	for _, install := range installCommands {
		for _, folder := range filepath.SplitList(c.getenv("PATH")) {
			if !isProgram(filepath.Join(folder, install.tool)) {
				continue
			}
			if install.tool != "brew" && os.Geteuid() != 0 {
				return "sudo " + install.command
			}
			return install.command
		}
	}
	if runtime.GOOS == "darwin" {
		return "brew install postgresql@18 (Homebrew is at https://brew.sh)"
	}
	return fmt.Sprintf("your package manager (PostgreSQL %d or newer, server and contrib)", oldestMajor)
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// shellQuote makes a path safe to paste into a shell.
func shellQuote(path string) string {
	if !strings.ContainsAny(path, " '\"$`\\!*?[]{}()<>|&;~#\t") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
