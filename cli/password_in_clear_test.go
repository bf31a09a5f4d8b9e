package cli

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/epicevents/crm/cli/terminal"
)

// TestPasswordInClear: a server that asks for the password itself does not get it, unless the URL says so.
func TestPasswordInClear(t *testing.T) {
	t.Parallel()
	for parameter, shown := range map[string]bool{"": false, "require_auth=password": true} {
		for _, request := range []pgproto3.BackendMessage{&pgproto3.AuthenticationCleartextPassword{}, &pgproto3.AuthenticationMD5Password{}} {
			if _, md5 := request.(*pgproto3.AuthenticationMD5Password); md5 && shown {
				continue
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			got := make(chan bool, 1)
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				server := pgproto3.NewBackend(conn, conn)
				_, _ = server.ReceiveStartupMessage()
				server.Send(request)
				_ = server.Flush()
				_ = server.SetAuthType(pgproto3.AuthTypeCleartextPassword)
				_, err = server.Receive()
				got <- err == nil
			}()
			var stderr strings.Builder
			env := map[string]string{
				"HOME":                           t.TempDir(),
				"CRM_DATABASE_URL":               "postgres://crm:hunter2@" + listener.Addr().String() + "/crm?sslmode=disable&" + parameter,
				"CRM_CONTROLLER_AUTH_SECRET_KEY": strings.Repeat("k", 32),
			}
			code := Run(t.Context(), []string{"db", "status"}, terminal.IO{In: strings.NewReader(""), Out: io.Discard, Err: &stderr, Getenv: func(name string) string { return env[name] }})
			if code != 7 || strings.Contains(stderr.String(), "hunter2") || !shown && !strings.Contains(stderr.String(), "asks for the password in a way") {
				t.Errorf("%q: exit %d, %s", parameter, code, stderr.String())
			}
			if <-got != shown {
				t.Errorf("%q, %T: the password is sent: %v", parameter, request, !shown)
			}
			listener.Close()
		}
	}
}
