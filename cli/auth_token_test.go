//go:build unix

package cli

import (
	"regexp"
	"testing"
)

// TestTokenAtATerminal: a new token stands on a line of its own, to be copied, however narrow the terminal.
func TestTokenAtATerminal(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("none1")
	for name, size := range screens {
		s := startPTY(t, size, e.command("auth", "token", "create", name))
		s.expect("not shown again")
		s.ends(0)
		shown := s.text()
		line := regexp.MustCompile(`(?m)^(crm_[\w-]+)\r?$`).FindStringSubmatch(shown)
		if line == nil {
			t.Fatalf("no token stands alone in\n%s", shown)
		}
		who := e.command("auth", "whoami")
		who.Env = append(who.Env, "CRM_TOKEN="+line[1])
		if out, err := who.CombinedOutput(); err != nil {
			t.Errorf("the token shown is not good: %v, %s", err, out)
		}
	}
}
