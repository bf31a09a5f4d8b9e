package service

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// EmployeeList returns the employees that pass the filters.
func (s *Session) EmployeeList(ctx context.Context, p gen.EmployeeListParams) iter.Seq2[gen.EmployeeView, error] {
	return stream[gen.EmployeeView](ctx, s, "EmployeeList", gen.EmployeeList, p)
}

// EmployeeCount returns the number of rows of the list, whatever the limit.
func (s *Session) EmployeeCount(ctx context.Context, p gen.EmployeeListParams) (int64, error) {
	return count(ctx, s, "EmployeeCount", (*gen.Queries).EmployeeCount, gen.EmployeeCountParams{
		Inactive:     p.Inactive,
		ChangedSince: p.ChangedSince,
		Role:         p.Role,
		Search:       p.Search,
	})
}

// EmployeeDetail returns one employee; NotFound if there is none of this username.
func (s *Session) EmployeeDetail(ctx context.Context, username string) (gen.EmployeeView, error) {
	return detail(ctx, s, "EmployeeDetail", (*gen.Queries).EmployeeDetail, username, noEmployee(username))
}

// EmployeeFind returns the employee with p.ID, or else with p.Username; NotFound if there is none.
func (s *Session) EmployeeFind(ctx context.Context, p gen.EmployeeFindParams) (gen.EmployeeView, error) {
	return detail(ctx, s, "EmployeeFind", (*gen.Queries).EmployeeFind, p, noEmployee(named(p)))
}

// EmployeeUsernames returns every username, to suggest the one that was meant.
func (s *Session) EmployeeUsernames(ctx context.Context) (usernames []string, err error) {
	_, err = s.allow(ctx, "EmployeeUsernames", queryNoArgs(ctx, (*gen.Queries).EmployeeUsernames, &usernames))
	return usernames, err
}

// NewPassword is an employee whose password was just set. Until is when it logs in no more unless they choose another;
// nil where it is their own choice.
type NewPassword struct {
	gen.EmployeeView
	Until *time.Time `json:"one_time_password_until"`
}

// EmployeeAdd adds an employee who logs in with the one-time password.
func (s *Session) EmployeeAdd(ctx context.Context, p gen.EmployeeAddParams, password string) (added NewPassword, err error) {
	by, err := s.allow(ctx, "EmployeeAdd")
	if err != nil {
		return added, err
	}
	if p.AsPasswordHash, err = hashPassword(ctx, p.Username, password, true); err != nil {
		return added, err
	}
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).EmployeeAdd, p, &added.Until),
		mustFind(queryOne(ctx, (*gen.Queries).EmployeeDetail, p.Username, &added.EmployeeView)))
	return added, s.translate(ctx, err)
}

// EmployeeAddFirst adds an administrator to a database that has no employee. Conflict if it has.
func (s *Service) EmployeeAddFirst(ctx context.Context, username, fullname, password string) error {
	hash, err := hashPassword(ctx, username, password, false)
	if err != nil {
		return err
	}
	// The lock comes in a statement of its own, so that the other one sees what was added while it waited.
	err = s.change(ctx, "db migrate", notIdempotent,
		queryNoArgs(ctx, (*gen.Queries).EmployeeFirstTurn, new(int64)),
		queryOne(ctx, (*gen.Queries).EmployeeAddFirst, gen.EmployeeAddFirstParams{
			Username: username, Fullname: fullname, PasswordHash: hash,
		}, new(int64)))
	if errors.Is(err, pgx.ErrNoRows) {
		return &failure.Error{Code: failure.Conflict, Message: "The database has employees already; an administrator adds more.", Hint: "crm employee add"}
	}
	return s.translate(ctx, err)
}

// EmployeeUpdate changes the fields that are not nil of the employee with p.ID, or else with p.CurrentUsername.
func (s *Session) EmployeeUpdate(ctx context.Context, p gen.EmployeeUpdateParams) (change Change[gen.EmployeeView], err error) {
	by, err := s.allow(ctx, "EmployeeUpdate")
	if err != nil {
		return change, err
	}
	before := gen.EmployeeFindParams{ID: p.ID, Username: p.CurrentUsername}
	now := before
	if p.Username != nil {
		now.Username = p.Username
	}
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).EmployeeFind, before, &change.Before),
		queryOne(ctx, (*gen.Queries).EmployeeUpdate, p, new(int64)),
		mustFind(queryOne(ctx, (*gen.Queries).EmployeeFind, now, &change.Now)))
	return change, s.orNoEmployee(ctx, err, named(before))
}

// EmployeeSetRole changes the role and ends the employee's sessions. Conflict while customers or events are in their
// charge, and for the last administrator.
func (s *Session) EmployeeSetRole(ctx context.Context, p gen.EmployeeSetRoleParams) (Change[gen.EmployeeView], error) {
	by, err := s.allow(ctx, "EmployeeSetRole")
	if err != nil {
		return Change[gen.EmployeeView]{}, err
	}
	return s.changeEmployee(ctx, by, p.Username, queryOne(ctx, (*gen.Queries).EmployeeSetRole, p, new(int64)))
}

// EmployeeSetPassword changes the password and ends the employee's sessions and tokens. It is a one-time password where
// oneTime says so, and for everybody but the employee who acts.
func (s *Session) EmployeeSetPassword(ctx context.Context, username, password string, oneTime bool) (NewPassword, error) {
	by, err := s.allow(ctx, "EmployeeSetPassword")
	if err != nil {
		return NewPassword{}, err
	}
	return s.setPassword(ctx, gen.EmployeeSetPasswordParams{
		Username: username, OneTime: oneTime || username != by.Username, AsEmployeeID: &by.ID,
	}, password, func(statements ...statement) error { return s.write(ctx, by, statements...) })
}

// DbEmployeeFind is EmployeeFind for whoever has the database.
func (s *Service) DbEmployeeFind(ctx context.Context, p gen.EmployeeFindParams) (row gen.EmployeeView, err error) {
	err = s.send(ctx, readOnly, queryOne(ctx, (*gen.Queries).EmployeeFind, p, &row))
	return row, s.orNoEmployee(ctx, err, named(p))
}

// DbSetPassword is EmployeeSetPassword for whoever has the database, and needs no session: it is the way back in when no
// administrator is left who knows a password.
func (s *Service) DbSetPassword(ctx context.Context, username, password string) (NewPassword, error) {
	return s.setPassword(ctx, gen.EmployeeSetPasswordParams{Username: username, OneTime: true}, password,
		func(statements ...statement) error {
			return s.change(ctx, "db set-password", idempotent, statements...)
		})
}

func (s *core) setPassword(ctx context.Context, p gen.EmployeeSetPasswordParams, password string, write func(...statement) error) (now NewPassword, err error) {
	if p.AsPasswordHash, err = hashPassword(ctx, p.Username, password, p.OneTime); err != nil {
		return now, err
	}
	err = write(
		queryOne(ctx, (*gen.Queries).EmployeeSetPassword, p, &now.Until),
		mustFind(queryOne(ctx, (*gen.Queries).EmployeeDetail, p.Username, &now.EmployeeView)))
	return now, s.orNoEmployee(ctx, err, p.Username)
}

// EmployeeUnlock forgets the failed logins of the employee, who may then try again at once, and returns how many were
// counted apart.
func (s *Session) EmployeeUnlock(ctx context.Context, username string) (row gen.EmployeeView, forgotten int64, err error) {
	by, err := s.allow(ctx, "EmployeeUnlock")
	if err != nil {
		return row, 0, err
	}
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).EmployeeDetail, username, &row),
		queryOne(ctx, (*gen.Queries).EmployeeUnlock, username, &forgotten))
	return row, forgotten, s.orNoEmployee(ctx, err, username)
}

// EmployeeDeactivate ends the sessions and tokens of the employee, who then logs in no more and is put in charge of nothing.
// Conflict while customers or events to come are in their charge, and for the last administrator.
func (s *Session) EmployeeDeactivate(ctx context.Context, username string) (Change[gen.EmployeeView], error) {
	by, err := s.allow(ctx, "EmployeeDeactivate")
	if err != nil {
		return Change[gen.EmployeeView]{}, err
	}
	return s.changeEmployee(ctx, by, username, queryOne(ctx, (*gen.Queries).EmployeeDeactivate, username, new(int64)))
}

// EmployeeReactivate lets an employee who was deactivated log in again, with the password that they had.
func (s *Session) EmployeeReactivate(ctx context.Context, username string) (Change[gen.EmployeeView], error) {
	by, err := s.allow(ctx, "EmployeeReactivate")
	if err != nil {
		return Change[gen.EmployeeView]{}, err
	}
	return s.changeEmployee(ctx, by, username, queryOne(ctx, (*gen.Queries).EmployeeReactivate, username, new(int64)))
}

// changeEmployee runs a statement that changes the employee of this username.
func (s *Session) changeEmployee(ctx context.Context, by actor, username string, change statement) (changed Change[gen.EmployeeView], err error) {
	err = s.write(ctx, by,
		queryMaybe(ctx, (*gen.Queries).EmployeeDetail, username, &changed.Before),
		change,
		mustFind(queryOne(ctx, (*gen.Queries).EmployeeDetail, username, &changed.Now)))
	return changed, s.orNoEmployee(ctx, err, username)
}

// HandoverParams say who takes whose place, and in what. With DryRun nothing is kept of it.
type HandoverParams struct {
	gen.EmployeeHandoverParams
	DryRun bool `json:"dry_run"`
}

// EmployeeHandover puts an employee in the place of another: for the customers who are not archived, the events to come, or
// both, with the reminders that are not done. It returns what that is. Conflict if the successor is inactive, has another
// role or runs another event at the time of one, and then nothing is handed over.
func (s *Session) EmployeeHandover(ctx context.Context, p HandoverParams) (rows []gen.EmployeeHandoverRow, err error) {
	by, err := s.allow(ctx, "EmployeeHandover")
	if err != nil {
		return nil, err
	}
	err = s.writeOrTry(ctx, by, p.DryRun,
		queryOne(ctx, (*gen.Queries).EmployeeDetail, p.Username, new(gen.EmployeeView)),
		queryOne(ctx, (*gen.Queries).EmployeeDetail, p.Successor, new(gen.EmployeeView)),
		queryOne(ctx, (*gen.Queries).EmployeeHandover, p.EmployeeHandoverParams, &rows))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		for _, username := range []string{p.Username, p.Successor} {
			if _, err := s.EmployeeDetail(ctx, username); err != nil {
				return nil, err
			}
		}
	case isClash(err):
		problem := failure.Of(s.translate(ctx, err))
		problem.Message += " Nothing was handed over."
		problem.Hint = "give that event to another first (crm event set-support), or say there that it is meant"
		return nil, problem
	case isRefusedBy(err, "event_support_fkey", "event_needs_support"):
		return nil, s.whyNotInCharge(ctx, err, p.Successor, "an event", gen.RoleSupport)
	case isWithout(err, "for_id"):
		return nil, &failure.Error{Code: failure.Conflict, Hint: "crm employee list", Err: err,
			Message: p.Successor + " is inactive; a reminder needs somebody who is not."}
	}
	return rows, s.whyNotInCharge(ctx, err, p.Successor, "a customer", gen.RoleCommercial)
}

// EmployeeDelete deletes the employee and ends their sessions. Conflict while customers or events are in their charge,
// and for the last administrator.
func (s *Session) EmployeeDelete(ctx context.Context, username string) error {
	by, err := s.allow(ctx, "EmployeeDelete")
	if err != nil {
		return err
	}
	err = s.write(ctx, by, queryOne(ctx, (*gen.Queries).EmployeeDelete, username, new(int64)))
	return s.orNoEmployee(ctx, err, username)
}

// named is how the employee was named.
func named(p gen.EmployeeFindParams) string {
	switch {
	case p.Username != nil:
		return *p.Username
	case p.ID != nil:
		return fmt.Sprint(*p.ID)
	}
	return ""
}

func (s *core) orNoEmployee(ctx context.Context, err error, named string) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return noEmployee(named)
	}
	return s.translate(ctx, err)
}

// whyNotInCharge says of an employee who cannot have the charge which role they have, and which it needs, or that they are
// inactive. It asks only once the schema has refused them for that.
func (s *Session) whyNotInCharge(ctx context.Context, err error, username, what string, needs gen.Role) error {
	if !isRefusedBy(err, "customer_commercial_fkey", "customer_commercial_active_fkey", "event_support_fkey", "event_needs_support") {
		return s.translate(ctx, err)
	}
	var row *gen.EmployeeView
	errNow := s.send(ctx, readOnly, queryMaybe(ctx, (*gen.Queries).EmployeeDetail, username, &row))
	if errNow != nil || row == nil || row.Role == needs && row.Active {
		return s.translate(ctx, err) // changed since
	}
	why := fmt.Sprintf("%s has the role %s; %s needs a %s.", row.Username, row.Role, what, needs)
	if row.Role == needs {
		why = fmt.Sprintf("%s is inactive; %s needs a %s who is not.", row.Username, what, needs)
	}
	return &failure.Error{Code: failure.Conflict, Hint: fmt.Sprintf("crm employee list --role-filter %s", needs), Err: err, Message: why}
}

func noEmployee(named string) error {
	return notFound("crm employee list", "There is no employee %q.", named)
}
