package service_test

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// TestCalendarOfEmployee: the address of a calendar has the events of a support, or those of a commercial's customers, and
// ends with the token, the employee and their role.
func TestCalendarOfEmployee(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	p.exec("UPDATE event SET start_at = now() - interval '370 days', end_at = now() - interval '366 days' WHERE id = 1")
	secretOf := func(username, name string) string {
		t.Helper()
		return must[service.Token](t)(p.as(username).AuthTokenCreate(ctx, name, false, true, time.Hour)).Secret
	}
	is := func(secret string, ids ...string) {
		t.Helper()
		content := string(must[service.Calendar](t)(p.svc.Calendar(ctx, secret)).Content)
		if n := strings.Count(content, "BEGIN:VEVENT"); n != len(ids) {
			t.Errorf("%d events, want %v:\n%s", n, ids, content)
		}
		for _, id := range ids {
			if !strings.Contains(content, "UID:event-"+id+"@") {
				t.Errorf("no event %s", id)
			}
		}
	}
	support, commercial := secretOf("support1", "phone"), secretOf("commercial3", "phone")
	is(support, "3", "5", "7") // the first is over since more than a year
	is(commercial, eventsOf(t, p, "commercial3")...)
	p.exec("UPDATE event SET cancelled_at = now(), cancel_reason = 'x' WHERE id = 5")
	is(support, "3", "5", "7")

	const refusal = "There is no such calendar: its address is wrong, over, or was revoked."
	refused := func(why, secret string) {
		t.Helper()
		p.refuses(failure.NotFound, refusal, func() error { return second(p.svc.Calendar(ctx, secret)) })
		if t.Failed() {
			t.Fatal(why)
		}
	}
	other := []byte(support)
	other[len(other)-1] ^= 1
	for _, secret := range []string{"", "x", support[1:], support + "A", string(other), support[:32] + commercial[32:], commercial[:22] + support[22:]} {
		refused("another secret", secret)
	}

	// It opens no session, also in the form of a token; and a token for scripts, also a read-only one, opens no calendar.
	raw := must[[]byte](t)(base64.RawURLEncoding.DecodeString(support))
	whose := p.as("support1")
	var id int64
	if err := p.conn.QueryRow(ctx, "SELECT id FROM employee WHERE username = 'support1'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	forged := "crm_" + base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(id)), raw...))
	for _, token := range []string{support, "crm_" + support, forged} {
		s, err := p.svc.As(token)
		if err == nil {
			_, err = s.AuthWhoami(ctx)
		}
		if failure.Of(err).Code != failure.Unauthenticated {
			t.Errorf("the secret as a token: %v", err)
		}
	}
	script := must[service.Token](t)(whose.AuthTokenCreate(ctx, "script", true, false, time.Hour)).Secret
	inner := must[[]byte](t)(base64.RawURLEncoding.DecodeString(strings.TrimPrefix(script, "crm_")))
	refused("a token", script)
	refused("what is in a token", base64.RawURLEncoding.EncodeToString(inner[8:]))

	// It is listed with its kind, and only its hash is kept.
	kinds := map[string]string{}
	for _, row := range must[[]gen.AuthTokenListRow](t)(all(whose.AuthTokenList(ctx, gen.AuthTokenListParams{}))) {
		kinds[row.Name] = row.Kind
		if !row.ReadOnly {
			t.Errorf("%s may write", row.Name)
		}
	}
	if len(kinds) != 2 || kinds["phone"] != "calendar" || kinds["script"] != "script" {
		t.Errorf("%v", kinds)
	}
	var stored string
	if err := p.conn.QueryRow(ctx, "SELECT string_agg(session::text, ' ') FROM session").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stored, support) || strings.Contains(stored, string(raw[16:])) {
		t.Error("the secret is in the database")
	}

	administrator := p.as("administrator1")
	for _, username := range []string{"none1", "administrator1"} {
		as := p.as(username)
		p.refuses(failure.PermissionDenied, "A calendar has the events that a support runs, or those of a commercial's customers; "+username+" has the role "+username[:len(username)-1]+".",
			func() error { return second(as.AuthTokenCreate(ctx, "phone", false, true, time.Hour)) })
	}

	must[int64](t)(whose.AuthTokenRevoke(ctx, gen.AuthTokenRevokeParams{Name: new("phone")}))
	refused("revoked", support)
	over := secretOf("support1", "phone")
	p.exec("UPDATE session SET expires_at = now() WHERE calendar AND employee_id = (SELECT id FROM employee WHERE username = 'support1')")
	refused("over", over)
	for why, end := range map[string]func() error{
		"deactivated": func() error { return second(administrator.EmployeeDeactivate(ctx, "support2")) },
		"another role": func() error {
			return second(administrator.EmployeeSetRole(ctx, gen.EmployeeSetRoleParams{Username: "support2", Role: gen.RoleNone}))
		},
		"new password": func() error { return second(administrator.EmployeeSetPassword(ctx, "support2", goodPassword, false)) },
	} {
		p.exec("UPDATE event SET support_id = NULL WHERE cancelled_at IS NULL; UPDATE employee SET active = true, role = 'support', password_one_time = false WHERE username = 'support2'")
		ends := secretOf("support2", why)
		is(ends)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		refused(why, ends)
	}
}

// eventsOf returns the ids of the events of a commercial's customers that have a start.
func eventsOf(t *testing.T, p *env, commercial string) (ids []string) {
	t.Helper()
	if err := p.conn.QueryRow(t.Context(), "SELECT array_agg(id::text) FROM event_view WHERE commercial = $1 AND start > now() - interval '1 year'", commercial).Scan(&ids); err != nil {
		t.Fatal(err)
	}
	return ids
}
