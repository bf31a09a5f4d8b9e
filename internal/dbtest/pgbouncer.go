//go:build unix

package dbtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PgBouncer returns a way to the database through a PgBouncer in transaction mode, which ends with the test, or with
// this process.
func PgBouncer(t testing.TB, config *pgx.ConnConfig) *pgx.ConnConfig {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer") // Debian's place, which is not in everyone's PATH
	}
	if err != nil {
		t.Fatal("PgBouncer is needed for this test: apt-get install -y --no-install-recommends pgbouncer")
	}
	// As in startPrivate, not TMPDIR.
	folder, err := os.MkdirTemp("/tmp", "crm-pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	server := fmt.Sprintf("host='%s' port=%d user='%s'", config.Host, config.Port, quoted(config.User))
	if config.Password != "" { // PgBouncer takes no empty value
		server += fmt.Sprintf(" password='%s'", quoted(config.Password))
	}
	settings := fmt.Sprintf(`[databases]
%s = %s
[pgbouncer]
pool_mode = transaction
auth_type = any
listen_addr =
unix_socket_dir = %[3]s
listen_port = 6432
max_client_conn = 200
default_pool_size = 5
logfile = %[3]s/log
`, config.Database, server, folder)
	name := filepath.Join(folder, "pgbouncer.ini")
	if err := os.WriteFile(name, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	// The shell outlives this process, however it ends, and then ends PgBouncer.
	shell := exec.Command("sh", "-c", `"$1" -q "$2" >/dev/null 2>&1 & cat >/dev/null; kill -KILL $!; wait`, "sh", program, name)
	shell.Dir = "/"
	if os.Geteuid() == 0 { // not as root, but as whoever reaches the server's socket
		owner := uint32(65534)
		if info, err := os.Stat(config.Host); err == nil {
			owner = info.Sys().(*syscall.Stat_t).Uid
		}
		for _, path := range []string{folder, name} {
			if err := os.Chown(path, int(owner), int(owner)); err != nil {
				t.Fatal(err)
			}
		}
		shell.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner, Gid: owner}}
	}
	stdin, err := shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = shell.Wait()
	})
	pooled, err := pgx.ParseConfig(fmt.Sprintf("postgres://%s@/%s?host=%s&port=6432&sslmode=disable", config.User, config.Database, folder))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := pgx.ConnectConfig(t.Context(), pooled)
		if err == nil {
			_ = conn.Close(t.Context())
			return pooled
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(folder, "log"))
			t.Fatalf("PgBouncer does not answer: %v\n%s", err, log)
		}
	}
}

// quoted is a value between the quotes of PgBouncer's settings.
func quoted(value string) string { return strings.ReplaceAll(value, "'", "''") }
