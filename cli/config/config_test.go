package config

import (
	"errors"
	"flag"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
)

// settled is what a global flag comes to.
type settled struct{ value, source string }

// settle reads the configuration as a run with these arguments, variables and file does. file may be empty.
func settle(t *testing.T, name, file string, env map[string]string, args ...string) (settled, error) {
	t.Helper()
	variables := map[string]string{"HOME": t.TempDir()}
	for variable, value := range env {
		variables[variable] = value
	}
	if file != "" {
		path := filepath.Join(variables["HOME"], "file.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append([]string{"--config", path}, args...)
	}
	c, flags := newConfig(t, func(name string) string { return variables[name] })
	err := errors.Join(c.Load(flags, args), c.Invalid)
	return settled{flags.Lookup(name).Value.String(), strings.TrimPrefix(c.Source[name], variables["HOME"]+"/")}, err
}

// newConfig returns a configuration that is not loaded yet, and its flags.
func newConfig(t *testing.T, getenv func(string) string) (*Config, *flag.FlagSet) {
	t.Helper()
	c, flags := &Config{Getenv: getenv, Named: files.NewNamed(t.Context())}, cmdline.NewFlagSet()
	c.Define(flags)
	return c, flags
}

// precedence has for each global flag its default, and what it is in the file, the variable and the flag; empty where it
// cannot be there.
var precedence = map[string]struct{ byDefault, inFile, inVariable, inFlag string }{
	"output":                              {"table", "", "csv", "json"},
	"o":                                   {"table", "", "", "json"},
	"csv-style":                           {"plain", "", "excel-fr", "plain"},
	"no-header":                           {"false", "", "true", "false"},
	"no-color":                            {"false", "", "true", "false"},
	"config":                              {"", "", "", ""}, // which file is read: testdata/configuration.txtar
	"database.url":                        {"", `"postgres://file/crm"`, "postgres://variable/crm", "postgres://flag/crm"},
	"database.echo":                       {"false", "true", "false", "true"},
	"database.timeout":                    {"10s", `"20s"`, "30s", "40s"},
	"database.reset":                      {"false", "true", "false", "true"},
	"database_sample.populate":            {"true", "false", "true", "false"},
	"controller.auth_secret_key":          {"", `"thirty-two bytes and more, by file"`, "thirty-two bytes and more, by variable", "thirty-two bytes and more, by flag"},
	"controller.auth_secret_key_previous": {"", `"thirty-two bytes and more, by file"`, "thirty-two bytes and more, by variable", "thirty-two bytes and more, by flag"},
	"controller.session_idle":             {"30m0s", `"20m0s"`, "15m0s", "25m0s"},
	"controller.session_limit":            {"10h0m0s", `"8h0m0s"`, "9h0m0s", "12h0m0s"},
	"server.url":                          {"", `"unix:///file"`, "unix:///variable", "unix:///flag"},
	"server.ca_file":                      {"", `"/file"`, "/variable", "/flag"},
	"serve.socket":                        {"", `"/file"`, "/variable", "/flag"},
	"serve.listen":                        {"", `"file:1"`, "variable:1", "flag:1"},
	"serve.tls_cert":                      {"", `"/file"`, "/variable", "/flag"},
	"serve.tls_key":                       {"", `"/file"`, "/variable", "/flag"},
	"serve.connections":                   {"10", "20", "30", "40"},
	"error_tracing.enabled":               {"false", "true", "false", "true"},
	"error_tracing.dns":                   {"", `"https://k@file/1"`, "https://k@variable/1", "https://k@flag/1"},
	"error_tracing.dsn":                   {"", `"https://k@file/1"`, "https://k@variable/1", "https://k@flag/1"},
	"time_zone":                           {"Europe/Paris", `"Europe/Lisbon"`, "Asia/Tokyo", "UTC"},
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	_, flags := newConfig(t, nil)
	flags.VisitAll(func(f *flag.Flag) {
		name := f.Name
		values, ok := precedence[name]
		if !ok {
			t.Errorf("the precedence of %s is not in this test", cmdline.Dashed(name))
			return
		}
		check := func(value, source, file string, env map[string]string, args ...string) {
			t.Helper()
			want := settled{strings.Trim(value, `"`), source}
			if got, err := settle(t, name, file, env, args...); err != nil || got != want {
				t.Errorf("%s with %q, %q and %q: %q, %v; want %q", name, file, env, args, got, err, want)
			}
		}
		check(values.byDefault, "", "", nil)
		file, env := "", map[string]string{}
		if values.inFile != "" {
			file = name + " = " + values.inFile + "\n"
			check(values.inFile, "file.toml:1", file, nil)
		} else if _, err := settle(t, name, name+` = "x"`, nil); err == nil {
			t.Errorf("%s is a key of the file", name)
		}
		if values.inVariable != "" {
			env[Variable(name)] = values.inVariable
			check(values.inVariable, Variable(name), file, env)
		}
		if values.inFlag != "" {
			check(values.inFlag, cmdline.Dashed(name), file, env, cmdline.Dashed(name)+"="+values.inFlag)
			check(values.inFlag, cmdline.Dashed(name), file, nil, cmdline.Dashed(name)+"="+values.inFlag)
		}
	})
}

// TestPrecedenceOfTwoNames: error_tracing.dns and .dsn are one setting.
func TestPrecedenceOfTwoNames(t *testing.T) {
	t.Parallel()
	for _, names := range [][2]string{{"error_tracing.dns", "error_tracing.dsn"}, {"error_tracing.dsn", "error_tracing.dns"}} {
		one, other := names[0], names[1]
		file := one + ` = "https://k@file/1"`
		for want, got := range map[settled]func() (settled, error){
			{"https://k@file/1", "file.toml:1"}: func() (settled, error) { return settle(t, other, file, nil) },
			{"https://k@variable/1", Variable(other)}: func() (settled, error) {
				return settle(t, one, file, map[string]string{Variable(other): "https://k@variable/1"})
			},
			{"https://k@flag/1", cmdline.Dashed(other)}: func() (settled, error) {
				return settle(t, one, file, map[string]string{Variable(one): "https://k@variable/1"}, cmdline.Dashed(other), "https://k@flag/1")
			},
		} {
			if got, err := got(); got != want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		}
	}
}

// TestFolder: without HOME crm's folders are below the home of the account, and nowhere if there is none.
func TestFolder(t *testing.T) {
	t.Parallel()
	env := map[string]string{}
	c, _ := newConfig(t, func(name string) string { return env[name] })
	found := func() (*user.User, error) { return &user.User{HomeDir: "/home/ada"}, nil }
	unknown := func() (*user.User, error) { return nil, user.UnknownUserIdError(4711) }
	if err := c.findHome(found); err != nil || c.Folder("XDG_STATE_HOME", ".local/state") != "/home/ada/.local/state/crm" {
		t.Error(c.Home, err)
	}
	if err := c.findHome(unknown); err == nil || !strings.Contains(err.(*failure.Error).Hint, "set HOME, or XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_DATA_HOME") {
		t.Errorf("no home and no error of use: %v", err)
	}
	env = map[string]string{"XDG_CONFIG_HOME": "/a", "XDG_STATE_HOME": "/b", "XDG_DATA_HOME": "/c"}
	if err := c.findHome(unknown); err != nil || c.Folder("XDG_STATE_HOME", ".local/state") != "/b/crm" {
		t.Error(c.Home, err)
	}
}
