//go:build unix

package cli

import (
	"strings"
	"testing"
)

// TestRightsComeFirst: whoever may never use a command is told so before it asks for anything.
func TestRightsComeFirst(t *testing.T) {
	t.Parallel()
	for username, commands := range map[string][]string{
		"administrator1": {"customer add", "customer update 1", "event add", "event update 1", "event update"},
		"commercial1":    {"employee set-password none1", "employee delete none1", "employee delete nemo", "employee add", "employee update none1", "contract add", "event set-support 8"},
		"support1":       {"contract sign", "contract add-payment b0f94a", "contract update b0f94a"},
		"none1":          {"customer set-commercial", "employee set-role", "event add --contract-uuid b0f94a"},
	} {
		t.Run(username, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.login(username)
			for _, command := range commands {
				t.Run(command, func(t *testing.T) {
					s := startPTY(t, screens["80x24"], e.command(strings.Fields(command)...))
					s.expect(`crm: "crm`)
					s.expect(`is for the role`)
					s.ends(4)
				})
			}
		})
	}
}
