package service_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

func TestEmployeeDetail(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("none1")
	row := must[gen.EmployeeView](t)(s.EmployeeDetail(t.Context(), "commercial2"))
	same(t, "employee", row, stored[gen.EmployeeView](p, "employee_view", row.ID))
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error { return second(s.EmployeeDetail(t.Context(), "nobody")) })
	usernames := must[[]string](t)(s.EmployeeUsernames(t.Context()))
	if len(usernames) != 10 || usernames[0] != "administrator1" {
		t.Errorf("usernames: %v", usernames)
	}
}

func TestEmployeeAdd(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("administrator1")
	good := gen.EmployeeAddParams{Username: "lea.martin", Fullname: "Léa Martin", Role: gen.RoleSupport, AsPasswordHash: "not looked at"}
	row := must[service.NewPassword](t)(s.EmployeeAdd(ctx, good, goodPassword)).EmployeeView
	same(t, "employee", row, gen.EmployeeView{ID: row.ID, Username: "lea.martin", Fullname: "Léa Martin", Role: gen.RoleSupport,
		Active: true, PasswordOneTime: true, UpdatedAt: row.UpdatedAt})
	same(t, "employee", row, stored[gen.EmployeeView](p, "employee_view", row.ID))
	must[string](t)(p.svc.Login(ctx, "lea.martin", goodPassword))

	p.refuses(failure.Conflict, "This username is taken.", func() error { return second(s.EmployeeAdd(ctx, good, goodPassword)) })
	p.refuses(failure.Usage, "A password has 15 to 128 characters.", func() error { return second(s.EmployeeAdd(ctx, good, "short")) })
	good.Role = "boss"
	p.refuses(failure.Usage, "The database cannot store this value.", func() error { return second(s.EmployeeAdd(ctx, good, goodPassword)) })
}

func TestEmployeeAddFirst(t *testing.T) {
	t.Parallel()
	p := newEnv(t, dbtest.Empty(t))
	ctx := t.Context()
	p.refuses(failure.Usage, "A password has 15 to 128 characters.", func() error { return p.svc.EmployeeAddFirst(ctx, "root", "The First", "short") })
	p.refuses(failure.Conflict, "A username has 2 to 30 characters: a-z, 0-9, and after the first also . _ -",
		func() error { return p.svc.EmployeeAddFirst(ctx, "Root", "The First", goodPassword) })

	// Two at once: the second waits for the first, then sees that it is late.
	tx, err := p.svcDB.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.New(tx, testKey).EmployeeAddFirst(ctx, "root", "The First", goodPassword); err != nil {
		t.Fatal(err)
	}
	late := p.connect(p.config)
	result := make(chan error, 1)
	go func() { result <- service.New(late, testKey).EmployeeAddFirst(ctx, "late", "The Second", goodPassword) }()
	p.waits(late)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	fails(t, failure.Conflict, "The database has employees already; an administrator adds more.", <-result)
	if n := one[int](p, "SELECT count(*) FROM employee WHERE role = 'administrator'"); n != 1 {
		t.Errorf("%d administrators, want 1", n)
	}
}

// TestEmployeeUpdate keeps the sessions and whatever is in the employee's charge.
func TestEmployeeUpdate(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s, renamed := p.as("administrator1"), p.as("commercial1")
	row := must[gen.EmployeeView](t)(now(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("commercial1"), Username: new("lea.roche")})))
	same(t, "employee", row, gen.EmployeeView{ID: row.ID, Username: "lea.roche", Fullname: "Désiré Fontaine", Role: gen.RoleCommercial,
		Active: true, UpdatedAt: row.UpdatedAt})
	same(t, "employee", row, stored[gen.EmployeeView](p, "employee_view", row.ID))
	if who := must[service.Whoami](t)(renamed.AuthWhoami(ctx)); who.Username != "lea.roche" {
		t.Errorf("the session is of %s", who.Username)
	}
	if customer := must[gen.CustomerView](t)(now(renamed.CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: ownCustomer, Company: new("Other")}))); customer.Commercial != "lea.roche" {
		t.Errorf("the customer is in the charge of %s", customer.Commercial)
	}
	must[string](t)(p.svc.Login(ctx, "lea.roche", password))

	row = must[gen.EmployeeView](t)(now(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{ID: &row.ID, Fullname: new("Léa Roche")})))
	same(t, "employee", row, gen.EmployeeView{ID: row.ID, Username: "lea.roche", Fullname: "Léa Roche", Role: gen.RoleCommercial,
		Active: true, LastLoginAt: row.LastLoginAt, UpdatedAt: row.UpdatedAt})

	// An old username may look like an id: the id goes first, and one employee alone is changed.
	p.exec("ALTER TABLE employee DISABLE TRIGGER employee_username_letter_add")
	p.exec("INSERT INTO employee (id, username, fullname, password_hash) OVERRIDING SYSTEM VALUE VALUES (77, 'by-id', 'By Id', $1), (78, '77', 'By Name', $1)", cheapHash())
	row = must[gen.EmployeeView](t)(now(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{ID: new(int64(77)), CurrentUsername: new("77"), Fullname: new("Changed")})))
	if row.ID != 77 || one[int](p, "SELECT count(*) FROM employee WHERE fullname = 'Changed'") != 1 {
		t.Errorf("changed %+v and maybe another", row)
	}

	p.refuses(failure.Conflict, "A username has 2 to 30 characters: a-z, 0-9, and after the first also . _ -", func() error {
		return second(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("none1"), Username: new("Léa")}))
	})
	p.refuses(failure.Conflict, "A full name is one line of 1 to 255 characters in Unicode normal form C, without control characters.", func() error {
		return second(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("none1"), Fullname: new(" ")}))
	})
	p.refuses(failure.Conflict, "This username is taken.", func() error {
		return second(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("none1"), Username: new("support1")}))
	})
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error {
		return second(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("nobody"), Fullname: new("X")}))
	})
	p.refuses(failure.NotFound, `There is no employee "4711".`, func() error {
		return second(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{ID: new(int64(4711)), Fullname: new("X")}))
	})
	p.refuses(failure.NotFound, `There is no employee "".`, func() error {
		return second(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{Fullname: new("X")}))
	})
}

func TestEmployeeSetRole(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("administrator1")
	set := func(username string, role gen.Role) (gen.EmployeeView, error) {
		return now(s.EmployeeSetRole(ctx, gen.EmployeeSetRoleParams{Username: username, Role: role}))
	}
	row := must[gen.EmployeeView](t)(set("none1", gen.RoleCommercial))
	if same(t, "employee", row, stored[gen.EmployeeView](p, "employee_view", row.ID)); row.Role != gen.RoleCommercial {
		t.Errorf("the role is %s", row.Role)
	}
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error { return second(set("nobody", gen.RoleNone)) })
	inCharge(p, func(username string) error { return second(set(username, gen.RoleNone)) })
	lastAdministrator(p, "The last administrator keeps the role: make another one first (crm employee set-role).",
		func(username string) error { return second(set(username, gen.RoleNone)) })
}

func TestEmployeeDelete(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("administrator1")
	if err := s.EmployeeDelete(ctx, "none1"); err != nil {
		t.Fatal(err)
	}
	if n := one[int](p, "SELECT count(*) FROM employee WHERE username = 'none1'"); n != 0 {
		t.Error("none1 is still there")
	}
	p.refuses(failure.NotFound, `There is no employee "none1".`, func() error { return s.EmployeeDelete(ctx, "none1") })
	inCharge(p, func(username string) error { return s.EmployeeDelete(ctx, username) })
	lastAdministrator(p, "The last administrator stays: make another one first (crm employee set-role).",
		func(username string) error { return s.EmployeeDelete(ctx, username) })

	// What the employee recorded outlives the employee.
	commercial := p.as("commercial1")
	payment := must[service.RecordedPayment](t)(now(commercial.ContractAddPayment(ctx,
		gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 1})))
	p.exec("UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial2')")
	if err := s.EmployeeDelete(ctx, "commercial1"); err != nil {
		t.Fatal(err)
	}
	if by := one[string](p, "SELECT recorded_by FROM payment WHERE id = $1", payment.ID); by != "commercial1" {
		t.Errorf("recorded by %s", by)
	}
}

// inCharge tries what an employee in charge of customers or events cannot lose to.
func inCharge(p *env, remove func(username string) error) {
	p.Helper()
	p.refuses(failure.Conflict, "Replace this employee first: in charge of 4 customers (crm customer set-commercial).",
		func() error { return remove("commercial1") })
	p.refuses(failure.Conflict, "Replace this employee first: in charge of 4 events (crm event set-support).",
		func() error { return remove("support1") })
	p.exec("UPDATE event SET support_id = NULL WHERE support_id = (SELECT id FROM employee WHERE username = 'support1') AND id <> 1")
	p.refuses(failure.Conflict, "Replace this employee first: in charge of 1 event (crm event set-support).",
		func() error { return remove("support1") })
}

// lastAdministrator takes away the others, then tries the last.
func lastAdministrator(p *env, message string, remove func(username string) error) {
	p.Helper()
	for _, username := range []string{"administrator2", "administrator3"} {
		if err := remove(username); err != nil {
			p.Fatal(err)
		}
	}
	p.refuses(failure.Conflict, message, func() error { return remove("administrator1") })
}

// TestEmployeeUnlock forgets what was counted for this name, and for no other.
func TestEmployeeUnlock(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("administrator1")
	p.exec("INSERT INTO login_failure VALUES ('none1', 9, now() + interval '1 hour'), ('support1', 9, now() + interval '1 hour')")
	unlock := func(username string) int64 {
		row, forgotten, err := s.EmployeeUnlock(ctx, username)
		if err != nil || row.Username != username {
			t.Errorf("unlock %s: %+v, %v", username, row, err)
		}
		return forgotten
	}
	if err := second(p.svc.Login(ctx, "none1", password)); failure.CodeOf(err) != failure.Unauthenticated {
		t.Fatalf("before: %v", err)
	}
	if n := unlock("none1"); n != 1 {
		t.Errorf("%d forgotten", n)
	}
	must[string](t)(p.svc.Login(ctx, "none1", password))
	if n := unlock("none1"); n != 0 {
		t.Errorf("%d forgotten the second time", n)
	}
	if n := one[int](p, "SELECT count(*) FROM login_failure WHERE username = 'support1'"); n != 1 {
		t.Error("another's were forgotten too")
	}
	p.exec("INSERT INTO login_failure VALUES ('nobody', 9, now())")
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error {
		_, _, err := s.EmployeeUnlock(ctx, "nobody")
		return err
	})
}

func TestEmployeeSetPassword(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s := p.as("administrator1")
	p.exec("INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('none1', '', 9, now() + interval '1 hour'), ('none1', 'elsewhere', 9, now() + interval '1 hour')")
	row := must[service.NewPassword](t)(s.EmployeeSetPassword(ctx, "none1", goodPassword, false)).EmployeeView
	same(t, "employee", row, stored[gen.EmployeeView](p, "employee_view", row.ID))
	must[string](t)(p.svc.Login(ctx, "none1", goodPassword)) // a new password ends the wait
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error { return second(s.EmployeeSetPassword(ctx, "nobody", goodPassword, false)) })
	p.refuses(failure.Usage, "A password has 15 to 128 characters.", func() error { return second(s.EmployeeSetPassword(ctx, "none1", "short", false)) })
}
