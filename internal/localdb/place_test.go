//go:build linux || darwin

package localdb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/testprogram"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestUnusualHomes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		strings.Repeat("long/", 40) + "home",
		`é "quoted", it's $HOME %41+b \ ?`,
	} {
		c := clusterIn(t, filepath.Join(tempDir(t), name))
		if err := c.Start(t.Context(), nil, fill); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again := New(c.home, os.Getenv) // a later command needs no Start
		if again.URL(Database) != c.URL(Database) {
			t.Errorf("%s, and later %s", c.URL(Database), again.URL(Database))
		}
		checkFilled(t, again)
	}
}

func TestSocketFolderOfOthersIsRefused(t *testing.T) {
	t.Parallel()
	elsewhere := tempDir(t)
	for name, squat := range map[string]func(path string) error{
		"link": func(path string) error { return os.Symlink(elsewhere, path) },
		"file": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"open": func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		home := filepath.Join(tempDir(t), strings.Repeat("long/", 30))
		c := clusterIn(t, home)
		if err := squat(c.socketDir()); err != nil {
			t.Fatal(err)
		}
		if again := New(home, os.Getenv); strings.Contains(again.URL(Database), "crm-") {
			t.Errorf("%s: it would be connected to: %s", name, again.URL(Database))
		}
		wantError(t, c.Start(t.Context(), nil, fill), c.socketDir())
	}
}

func TestTwoNamesOfOneHome(t *testing.T) {
	t.Parallel()
	folder := tempDir(t)
	if err := os.Symlink(folder, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	one, two := New(filepath.Join(folder, "home"), os.Getenv), New(filepath.Join(folder, "link", "home"), os.Getenv)
	if one.Dir() != two.Dir() {
		t.Errorf("%s and %s", one.Dir(), two.Dir())
	}
}

// TestPlace starts in a home that only the user may enter, which matters to root alone.
func TestPlace(t *testing.T) {
	t.Parallel()
	private := filepath.Join(tempDir(t), "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(private, "home")
	c := clusterIn(t, home)
	if atHome := c.Dir() == filepath.Join(c.home, "postgres"); atHome == isRoot() {
		t.Errorf("files lie in %s", c.Dir())
	}
	start(t, c)
	checkFilled(t, c)
	checkModes(t, c)
	if err := os.Chmod(private, 0o755); err != nil {
		t.Fatal(err)
	}
	if again := New(home, os.Getenv); again.Dir() != c.Dir() {
		t.Errorf("moved from %s to %s", c.Dir(), again.Dir())
	}
	if !isRoot() {
		return
	}
	owner, err := unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.account(); err != nil || got != owner {
		t.Errorf("account %+v, %v", got, err)
	}
}

// TestRootInTheHomeOfAUser takes over the user's cluster, as sudo crm would, and leaves it usable for the user.
func TestRootInTheHomeOfAUser(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	user := account{12345, 12345}
	if !isRoot() {
		user = account{os.Getuid(), os.Getgid()}
	}
	for _, folder := range []string{c.home, c.dir, c.dataDir()} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(folder, user.uid, user.gid); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := c.account(); err != nil || got != user {
		t.Errorf("account %+v, %v", got, err)
	}
	lock, err := c.open("lock", os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := os.Remove(c.dataDir()); err != nil {
		t.Fatal(err)
	}
	if again := New(c.home, os.Getenv); again.Dir() != c.Dir() {
		t.Errorf("moved to %s", again.Dir())
	}
}

func TestUnusableHome(t *testing.T) {
	t.Parallel()
	folder := tempDir(t)
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	absent := clusterIn(t, "/proc/crm/home") // nobody can make folders there
	wantError(t, absent.Start(t.Context(), nil, fill), absent.Dir(), "--database.url")

	lineBreak := clusterIn(t, filepath.Join(folder, "line\nbreak"))
	wantError(t, lineBreak.Start(t.Context(), nil, fill), "line break")

	if isRoot() {
		return // nothing is forbidden to root
	}
	inFile := clusterIn(t, filepath.Join(folder, "file", "home"))
	wantError(t, inFile.Start(t.Context(), nil, fill), inFile.Dir(), "not a directory")

	forbidden := filepath.Join(folder, "forbidden")
	if err := os.Mkdir(forbidden, 0o500); err != nil {
		t.Fatal(err)
	}
	c := clusterIn(t, filepath.Join(forbidden, "home"))
	wantError(t, c.Start(t.Context(), nil, fill), c.Dir(), "permission denied")
}

// TestRootInANewHomeOfAUser makes a cluster in somebody's home, who owns all of it then.
func TestRootInANewHomeOfAUser(t *testing.T) {
	t.Parallel()
	somebody, err := account{os.Getuid(), os.Getgid()}, error(nil)
	if isRoot() {
		somebody, err = unprivileged()
	}
	home := filepath.Join(tempDir(t), "home")
	if err := errors.Join(err, os.Mkdir(home, 0o700), os.Chown(home, somebody.uid, somebody.gid)); err != nil {
		t.Fatal(err)
	}
	c := clusterIn(t, filepath.Join(home, ".local", "share", "crm"))
	start(t, c)
	checkFilled(t, c)
	err = filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if info, infoErr := os.Lstat(path); infoErr == nil && int(info.Sys().(*syscall.Stat_t).Uid) != somebody.uid {
			t.Errorf("%s belongs to another", path)
		}
		if os.IsNotExist(err) { // the server removes files
			return nil
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAccountWithoutEntry is met where a container runs under a number that nobody has: initdb refuses.
func TestAccountWithoutEntry(t *testing.T) {
	t.Parallel()
	programs := tempDir(t)
	fakeInstallation(t, programs, "17.2", "postgres")
	script := "#!/bin/sh\necho 'initdb: error: could not look up effective user ID 1234567: user does not exist' >&2\nexit 1\n"
	testprogram.Write(t, filepath.Join(programs, "initdb"), []byte(script))
	c := New(filepath.Join(tempDir(t), "home"), func(name string) string {
		return map[string]string{"CRM_POSTGRES_BIN": programs}[name]
	})
	owner, err := c.account()
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, c.Start(t.Context(), nil, fill), "account number "+itoa(owner.uid), "initdb", "/etc/passwd", "--database.url")
}

// TestEnvironment is not parallel, since it changes the environment of the process.
func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"PGDATA": "/nonexistent", "PGHOST": "nowhere.invalid", "PGPORT": "1", "PGUSER": "nobody", "PGDATABASE": "other",
		"PGSSLMODE": "require", "PGOPTIONS": "-c default_transaction_read_only=on", "PGTARGETSESSIONATTRS": "standby",
		"PGPASSWORD": "secret", "PGCLIENTENCODING": "LATIN1", "CRM_TOKEN": "secret", "LANG": "fr_FR.UTF-8",
	} {
		t.Setenv(name, value)
	}
	c := cluster(t)
	start(t, c)
	checkFilled(t, c)
	if got := query(t, c, "SHOW default_transaction_read_only"); got != "off" {
		t.Errorf("read only: %s", got)
	}
	var environment string
	err := withConn(t.Context(), c.AdminURL(Database), func(conn *pgx.Conn) error {
		if _, err := conn.Exec(t.Context(), "CREATE TABLE environment (line text); COPY environment FROM PROGRAM 'env'"); err != nil {
			return err
		}
		return conn.QueryRow(t.Context(), "SELECT string_agg(line, ' ') FROM environment").Scan(&environment)
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(environment, "secret") || strings.Contains(environment, "nowhere.invalid") {
		t.Errorf("the server inherits %s", environment)
	}
}

// TestBackupUnitLeavesRootsDatabaseAlone: systemd makes the account of a unit the owner of the folder that is called its
// state, and of everything in it. The nightly backup took the data of root's local database from the server that ran on it.
func TestBackupUnitLeavesRootsDatabaseAlone(t *testing.T) {
	t.Parallel()
	unit, err := os.ReadFile("../../deploy/crm-backup.service")
	if err != nil {
		t.Fatal(err)
	}
	folders := 0
	for line := range strings.Lines(string(unit)) {
		value, ok := strings.CutPrefix(line, "StateDirectory=")
		if !ok {
			continue
		}
		for _, folder := range strings.Fields(value) {
			folders++
			if above, err := filepath.Rel(filepath.Join("/var/lib", folder), systemDir); err != nil || !strings.HasPrefix(above, "..") {
				t.Errorf("%s is crm-backup.service's, with the databases in it", filepath.Join("/var/lib", folder))
			}
		}
	}
	if folders == 0 {
		t.Error("crm-backup.service has no folder")
	}
}
