//go:build unix

package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/testprogram"
)

// standIns are programs that docs/company.md calls and that a test cannot run, with why, and what is done in their place.
var standIns = map[string]struct{ why, script string }{
	"apt-get": {"it installs packages", ""},
	"chown":   {"it takes root, and the account of the package", ""},
	"runuser": {"it takes root, and PostgreSQL's account; the rest of its line is run, as the server's superuser", `shift 3; . "$STANDINS/superuser"; exec "$@"`},
	"systemctl": {"there is no systemd; the test starts and stops the server, with sockets handed over as systemd does, and the backup is made by what the unit runs", `
case "$*" in "start crm-backup.service")
	mkdir -p "$MACHINE/var/lib/crm/backup"
	exec crm --config "$MACHINE/etc/crm/owner.toml" db backup "$MACHINE/var/lib/crm/backup/crm-$(date -u +%Y%m%dT%H%M%S)-$$.backup" --output jsonl
esac`},
	"ssh": {"there is no other machine; a link leads to the server's socket", `
while [ "$1" != -L ]; do shift; done
ln -s "${2#*:}" "${2%%:*}"`},
}

// company is a machine and a laptop that become those of docs/company.md.
type company struct {
	*testing.T
	page          string
	machine, home string // folders: the machine's root, the laptop's home
	written, real []string
	vars          []string
}

// means has the page mean something of this test where it names something of a machine.
func (c *company) means(written, real string) {
	c.Helper()
	if !strings.Contains(c.page, written) {
		c.Errorf("the page does not say %q any more", written)
	}
	c.written, c.real = append(c.written, written, real), append(c.real, real)
}

// types runs a block of the page in one of the folders, as somebody at a terminal who answers, and returns what is shown.
func (c *company) types(block, folder string, answers ...step) string {
	c.Helper()
	command := exec.Command("sh", "-e", "-c", strings.NewReplacer(c.written...).Replace(block))
	command.Dir, command.Env = folder, append(slices.Clone(c.vars), "HOME="+c.home)
	s := startPTY(c.T, pty.Winsize{Rows: 50, Cols: 200}, command)
	s.follow(answers...)
	s.ends(0)
	if c.Failed() {
		c.Fatalf("%s\n%s", block, s.text())
	}
	return strings.ReplaceAll(s.text(), "\r", "")
}

// shown returns what is shown, or the part of it in parentheses.
func (c *company) shown(text, pattern string) string {
	c.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		c.Fatalf("%s is not shown:\n%s", pattern, text)
	}
	return match[len(match)-1]
}

// TestCompany does what docs/company.md says, block by block, with the real crm, PostgreSQL, openssl and shell: in folders
// of its own, under names of its own on the server of the tests, and with stand-ins for what changes a system. The console
// blocks about a sample database are left to TestPages.
func TestCompany(t *testing.T) {
	t.Parallel()
	for program, of := range map[string]string{"openssl": "openssl", "psql": "postgresql-client", "createdb": "postgresql-client", "dropdb": "postgresql-client"} {
		requireProgram(t, program, of)
	}
	c := &company{T: t, page: readFile(t, "../docs/company.md"), machine: shortFolder(t), home: t.TempDir()}
	etc, run := filepath.Join(c.machine, "etc/crm"), filepath.Join(c.machine, "run/crm")
	tools := filepath.Join(c.machine, "standins")
	for _, folder := range []string{etc, run, tools} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}

	// The names of databases and roles, which others on the same server have too.
	config := dbtest.Blank(t)
	database, trial, owner, role := config.Database+"_crm", config.Database+"_trial", config.Database+"_owner", config.Database+"_server"
	t.Cleanup(func() {
		conn, err := pgx.ConnectConfig(context.Background(), config)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(context.Background())
		for _, what := range []string{"DATABASE IF EXISTS " + database, "DATABASE IF EXISTS " + trial, "ROLE IF EXISTS " + owner, "ROLE IF EXISTS " + role} {
			if _, err := conn.Exec(context.Background(), "DROP "+what); err != nil {
				t.Error(err)
			}
		}
	})
	as := func(user string) string {
		u, err := url.Parse(dbtest.URL(config))
		if err != nil {
			t.Fatal(err)
		}
		u.User, u.Path = url.UserPassword(user, "PASSWORD"), "/"+database
		return u.String()
	}
	c.means("postgres://crm_owner:$owner@127.0.0.1/crm", strings.Replace(as(owner), "PASSWORD", "$owner", 1))
	c.means("postgres:///crm?host=/run/postgresql&user=crm", as(role))
	c.means(`s,/crm"$,/crm_trial",`, `s,/`+database+`\([?"]\),/`+trial+`\1,`)
	c.means("crm_owner", owner)
	c.means("crm_trial", trial)
	c.means("CREATE ROLE crm LOGIN", "CREATE ROLE "+role+" LOGIN PASSWORD 'PASSWORD'")
	c.means("CREATE DATABASE crm OWNER", "CREATE DATABASE "+database+" OWNER")
	c.means("db grant crm\n", "db grant "+role+"\n")

	// The sockets, which are there before the server and stay when it ends.
	socket := filepath.Join(run, "crm.sock")
	var handed []*os.File
	var address string
	for _, at := range [][2]string{{"unix", socket}, {"tcp", "127.0.0.1:0"}} {
		listener, err := net.Listen(at[0], at[1])
		if err != nil {
			t.Fatal(err)
		}
		file, err := listener.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		handed, address = append(handed, file), listener.Addr().String()
		t.Cleanup(func() {
			listener.Close()
			file.Close()
		})
	}
	c.means("/run/crm/crm.sock", socket)
	c.means("https://crm.example:8443", "https://"+address)
	c.means("subjectAltName = DNS:crm.example", "subjectAltName = DNS:crm.example, IP:127.0.0.1")
	for _, folder := range []string{"/etc/crm", "/etc/systemd", "/var/lib/crm"} {
		c.means(folder, c.machine+folder)
	}

	called := filepath.Join(tools, "called")
	for name, standIn := range standIns {
		script := fmt.Sprintf("#!/bin/sh\necho %s >>%s\n%s\n", name, called, standIn.script)
		testprogram.Write(t, filepath.Join(tools, name), []byte(script))
	}
	superuser := fmt.Sprintf("export PGHOST='%s' PGPORT=%d PGUSER='%s' PGPASSWORD='%s'\n: ${PGDATABASE:=postgres}\nexport PGDATABASE\n",
		config.Host, config.Port, config.User, config.Password)
	if err := os.WriteFile(filepath.Join(tools, "superuser"), []byte(superuser), 0o600); err != nil {
		t.Fatal(err)
	}
	c.vars = []string{"PATH=" + tools + ":" + os.Getenv("PATH"), "STANDINS=" + tools, "MACHINE=" + c.machine, "TERM=xterm-256color", "PAGER=cat",
		"LC_ALL=C.UTF-8", "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}

	var server *systemdService
	start := func() {
		e := &env{t: t, config: config, home: c.machine, vars: append(slices.Clone(c.vars), "HOME="+c.machine)}
		server = e.served([]string{"LISTEN_FDS=2", "CRM_CONFIG=" + filepath.Join(etc, "serve.toml")}, handed)
		server.listens()
	}
	const chloe, amelie = "a long password of Chloe", "a long password of Amelie"
	login := func(password string) []step { return []step{{"what you type is not shown", password + enter}} }
	choose := func(password string) []step {
		return []step{{"New password", password + enter}, {"gain", password + enter}}
	}
	var oneTime string
	blocks := []struct {
		begins string
		do     func(block string)
	}{
		{"apt-get update", func(block string) { c.types(block, c.machine) }},
		{"cd /etc/crm", func(block string) { c.types(block, c.machine) }},
		{"crm --config owner.toml db migrate", func(block string) { c.types(block, etc, choose(chloe)...) }},
		{"$ openssl req -x509", func(block string) {
			var commands strings.Builder
			for line := range strings.Lines(block) {
				if command, ok := strings.CutPrefix(line, "$ "); ok {
					commands.WriteString(command)
				}
			}
			c.types(commands.String(), etc)
		}},
		{"chmod 644 ca.pem", func(block string) { c.types(block, etc) }},
		{"mkdir -p /etc/systemd/system/crm.socket.d", func(block string) {
			c.shown(block, `(?m)^systemctl enable --now crm\.socket crm\.service `)
			c.types(block, c.machine)
			start()
		}},
		{"mkdir -p ~/.config/crm", func(block string) {
			c.shown(c.types(block, etc), `✓ server +https://`)
		}},
		{"crm auth login chloe", func(block string) {
			oneTime = c.shown(c.types(block, c.home, login(chloe)...), `One-time password: +([A-Z0-9-]+)`)
		}},
		{"while IFS=';'", func(block string) {
			if err := os.WriteFile(filepath.Join(c.home, "people.csv"), []byte("bruno;Bruno Petit;support\nines;Inès Roy;none\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.shown(c.types(block, c.home), `(?m)^bruno,[A-Z0-9-]+\nines,[A-Z0-9-]+$`)
		}},
		{"crm auth login amelie", func(block string) {
			c.types(block, c.home, append(login(oneTime), choose(amelie)...)...)
		}},
		{"ssh -fN", func(block string) { c.types(block, c.home, login(amelie)...) }},
		{"systemctl start crm-backup.service\napt-get", func(block string) { c.shown(c.types(block, c.machine), `"location":"`+database) }},
		{"umask 077\nsystemctl start crm-backup.service", func(block string) {
			c.shown(c.types(block, c.machine), `(?s)The backup is restored.*\n +4\n\(1 row\)`)
		}},
		{"systemctl stop crm.socket", func(block string) {
			c.shown(block, `(?s)^systemctl stop crm\.socket crm\.service\n.*\nsystemctl start crm\.socket crm\.service\n$`)
			server.ends()
			c.types(block, c.machine, step{"name", database + enter})
			start()
		}},
		{"$ crm employee deactivate administrator2", func(string) {}}, // of the sample database
		{"crm --config /etc/crm/owner.toml db set-password chloe", func(block string) {
			c.shown(c.types(block, c.machine), `One-time password: +[A-Z0-9-]+`)
		}},
		{"owner=$(openssl rand -hex 24)\necho", func(block string) {
			c.shown(block, `\nsystemctl restart crm\.service\n$`)
			c.types(block, c.machine)
			server.ends()
			start()
		}},
		{"$ crm employee set-password commercial1", func(string) {}}, // and this
	}
	found := regexp.MustCompile("(?ms)^```(?:sh|console)\n(.*?)^```$").FindAllStringSubmatch(c.page, -1)
	for i, block := range found {
		if i >= len(blocks) || !strings.HasPrefix(block[1], blocks[i].begins) {
			t.Fatalf("this block is not where it was, or new: say above how it is run\n%s", block[1])
		}
		blocks[i].do(block[1])
	}
	if len(found) < len(blocks) {
		t.Errorf("the page has %d blocks, not %d", len(found), len(blocks))
	}
	for name, standIn := range standIns {
		if !slices.Contains(strings.Fields(readFile(t, called)), name) {
			t.Errorf("the page does not call %s any more", name)
		}
		t.Logf("not run: %s, for %s", name, standIn.why)
	}
	c.types("crm --config owner.toml db status\n", etc) // by the new password of the owner
	c.shown(c.types("crm auth login amelie\ncrm auth whoami\n", c.home, login(amelie)...), `Amélie Roux`)
	server.ends()
}
