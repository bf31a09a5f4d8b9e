//go:build unix

package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestTypedAhead types the answers to all questions at once, as a fast hand or a paste does: each goes to its question.
func TestTypedAhead(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("commercial1")
	for i, tt := range []struct {
		name  string
		typed []string // with a pause between
	}{
		{"at once", []string{"Zoé %d\rZed SARL\rzed@ex.fr\r0123456789\r\r"}},
		{"in pieces that end anywhere", []string{"Zoé", " %d\rZed", " SARL\rzed@ex.fr", "\r0123456789\r\r"}},
		{"an answer that is refused", []string{"Zoé %d\rZed SARL\rzed\r", "@ex.fr\r0123456789\r\r"}},
		{"pasted", []string{"Zoé %d\r\x1b[200~Zed SARL\x1b[201~\rzed@ex.fr\r0123456789\r\r"}},
		{"with the line ends of a file", []string{"Zoé %d\nZed SARL\nzed@ex.fr\n0123456789\n\n"}},
	} {
		s := startPTY(t, pty.Winsize{Cols: 80, Rows: 24}, e.command("customer", "add"))
		s.expect("Full name")
		for j, keys := range tt.typed {
			if j > 0 {
				time.Sleep(200 * time.Millisecond)
			}
			s.press(strings.ReplaceAll(keys, "%d", fmt.Sprint(i)))
		}
		s.ends(0)
		// Whoever is added next with these would be asked whether they are another one.
		if n := e.number(`WITH added AS (DELETE FROM customer WHERE fullname = $1 AND company = 'Zed SARL' AND email = 'zed@ex.fr'
			AND phone = '+33123456789' RETURNING id) SELECT count(*) FROM added`, fmt.Sprintf("Zoé %d", i)); n != 1 {
			t.Errorf("%s: the answers went astray; shown:\n%q", tt.name, s.text())
		}
	}
}
