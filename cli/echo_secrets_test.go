package cli

import (
	"strings"
	"testing"
)

// TestEchoOfSecrets has everything done that a secret takes part in, and reads what is echoed of it.
func TestEchoOfSecrets(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	e.vars["CRM_DATABASE_ECHO"] = "true"
	token := e.vars["CRM_TOKEN"]
	const first, second = "the first of two good passwords", "the second of two good passwords"
	echoed := ""
	run := func(stdin string, args ...string) {
		t.Helper()
		r := e.crm(stdin, args...)
		if r.code != 0 || !strings.Contains("\n"+r.err, "\n-- ") {
			t.Errorf("crm %q: exit %d, %s", args, r.code, r.err)
		}
		echoed += r.err
	}
	run(first+"\n", "employee", "set-password", "none1", "--password-stdin")
	run("", "employee", "add", "--fullname", "Léa Martin", "--username", "lea", "--role", "support")
	e.vars["CRM_TOKEN"] = ""
	run(first+"\n", "auth", "login", "none1", "--password-stdin")
	run(first+"\n"+second+"\n", "auth", "change-password", "--password-stdin")
	run("", "auth", "whoami")
	run("", "auth", "logout")
	rows, err := e.conn.Query(t.Context(), "SELECT password_hash FROM employee")
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{first, second, token, "argon2id", "eyJ", e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"]}
	for rows.Next() {
		var hash string
		if err := rows.Scan(&hash); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, hash)
	}
	for _, secret := range secrets {
		if strings.Contains(echoed, secret) {
			t.Errorf("%q is echoed", secret)
		}
	}
	if !strings.Contains(echoed, "-- SessionAdd ") {
		t.Errorf("the login is not echoed: %s", echoed)
	}
}
