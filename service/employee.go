package service

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
)

// EmployeeList gives the employees that pass the filters.
func (s *Session) EmployeeList(ctx context.Context, p gen.EmployeeListParams) iter.Seq2[gen.EmployeeView, error] {
	return stream[gen.EmployeeView](ctx, s, "EmployeeList", gen.EmployeeList, p)
}

// EmployeeCount gives the number of rows of the list, whatever the limit.
func (s *Session) EmployeeCount(ctx context.Context, p gen.EmployeeListParams) (int64, error) {
	p.RowLimit = nil
	return count(ctx, s, "EmployeeCount", gen.EmployeeList, p)
}

// EmployeeDetail gives one employee; NotFound if there is none of this username.
func (s *Session) EmployeeDetail(ctx context.Context, username string) (gen.EmployeeView, error) {
	if _, err := s.allow(ctx, "EmployeeDetail"); err != nil {
		return gen.EmployeeView{}, err
	}
	row, err := s.gen.EmployeeDetail(ctx, username)
	return row, s.orNoEmployee(ctx, err, username)
}

// EmployeeUsernames gives every username, to suggest the one that was meant.
func (s *Session) EmployeeUsernames(ctx context.Context) ([]string, error) {
	if _, err := s.allow(ctx, "EmployeeUsernames"); err != nil {
		return nil, err
	}
	usernames, err := s.gen.EmployeeUsernames(ctx)
	return usernames, translate(ctx, s.db, err)
}

// EmployeeAdd adds an employee who logs in with the password; p.PasswordHash is not looked at.
func (s *Session) EmployeeAdd(ctx context.Context, p gen.EmployeeAddParams, password string) (gen.EmployeeView, error) {
	if _, err := s.allow(ctx, "EmployeeAdd"); err != nil {
		return gen.EmployeeView{}, err
	}
	var err error
	if p.PasswordHash, err = hashPassword(p.Username, password); err != nil {
		return gen.EmployeeView{}, err
	}
	id, err := s.gen.EmployeeAdd(ctx, p)
	return s.employeeNow(ctx, id, err, p.Username)
}

// EmployeeAddFirst adds an administrator to a database that has no employee. Conflict if it has.
func (s *Service) EmployeeAddFirst(ctx context.Context, username, fullname, password string) error {
	hash, err := hashPassword(username, password)
	if err != nil {
		return err
	}
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		q := s.gen.WithTx(tx)
		if _, err := q.EmployeeTableLock(ctx); err != nil {
			return err
		}
		_, err := q.EmployeeAddFirst(ctx, gen.EmployeeAddFirstParams{
			Username: username, Fullname: fullname, PasswordHash: hash,
		})
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return &Error{Code: Conflict, Message: "The database has employees already; an administrator adds more.", Hint: "crm employee add"}
	}
	return translate(ctx, s.db, err)
}

// EmployeeUpdate changes the fields that are not nil of the employee with p.ID, or else with p.CurrentUsername.
func (s *Session) EmployeeUpdate(ctx context.Context, p gen.EmployeeUpdateParams) (gen.EmployeeView, error) {
	if _, err := s.allow(ctx, "EmployeeUpdate"); err != nil {
		return gen.EmployeeView{}, err
	}
	named := ""
	if p.CurrentUsername != nil {
		named = *p.CurrentUsername
	} else if p.ID != nil {
		named = fmt.Sprint(*p.ID)
	}
	id, err := s.gen.EmployeeUpdate(ctx, p)
	return s.employeeNow(ctx, id, err, named)
}

// EmployeeSetRole changes the role and ends the employee's sessions. Conflict while customers or events are in their
// charge, and for the last administrator.
func (s *Session) EmployeeSetRole(ctx context.Context, p gen.EmployeeSetRoleParams) (gen.EmployeeView, error) {
	if _, err := s.allow(ctx, "EmployeeSetRole"); err != nil {
		return gen.EmployeeView{}, err
	}
	id, err := s.gen.EmployeeSetRole(ctx, p)
	return s.employeeNow(ctx, id, err, p.Username)
}

// EmployeeSetPassword changes the password and ends the employee's sessions.
func (s *Session) EmployeeSetPassword(ctx context.Context, username, password string) (gen.EmployeeView, error) {
	if _, err := s.allow(ctx, "EmployeeSetPassword"); err != nil {
		return gen.EmployeeView{}, err
	}
	hash, err := hashPassword(username, password)
	if err != nil {
		return gen.EmployeeView{}, err
	}
	id, err := s.gen.EmployeeSetPassword(ctx, gen.EmployeeSetPasswordParams{Username: username, PasswordHash: hash})
	return s.employeeNow(ctx, id, err, username)
}

// EmployeeDelete deletes the employee and ends their sessions. Conflict while customers or events are in their charge,
// and for the last administrator.
func (s *Session) EmployeeDelete(ctx context.Context, username string) error {
	if _, err := s.allow(ctx, "EmployeeDelete"); err != nil {
		return err
	}
	_, err := s.gen.EmployeeDelete(ctx, username)
	return s.orNoEmployee(ctx, err, username)
}

// employeeNow reads an employee back after a change that gave its id or an error.
func (s *Session) employeeNow(ctx context.Context, id int64, err error, named string) (gen.EmployeeView, error) {
	var row gen.EmployeeView
	if err == nil {
		row, err = s.gen.EmployeeDetailByID(ctx, id)
	}
	return row, s.orNoEmployee(ctx, err, named)
}

func (s *Session) orNoEmployee(ctx context.Context, err error, named string) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return notFound("crm employee list", "There is no employee %q.", named)
	}
	return translate(ctx, s.db, err)
}
