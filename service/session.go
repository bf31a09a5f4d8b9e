package service

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/schema"
)

// A token is for crm and from crm; it says whose session it is and nothing of what that employee may do.
const (
	tokenIssuer   = "crm"
	tokenAudience = "crm"
)

// How long a login waits for others of the same username that are under way, and how often it looks.
const (
	parallelTime  = 10 * time.Second
	parallelPause = 300 * time.Millisecond
)

// ClockLeeway is how far the clocks of two machines may be apart without a token suffering. The clock that counts is the
// database's.
const ClockLeeway = time.Minute

var (
	errNotLoggedIn = &Error{Code: Unauthenticated, Message: "You are not logged in.", Hint: "crm auth login"}
	errSessionOver = &Error{Code: Unauthenticated, Message: "Your session is over.", Hint: "crm auth login"}
	// Told to whoever knows the password, and to nobody else: to others it is a wrong one.
	errPasswordOver = &Error{Code: Unauthenticated, Message: "This one-time password is over; ask an administrator for a new one."}
	errLoginFailed  = &Error{Code: Unauthenticated, Message: "Unknown username or wrong password."}
)

// claims is what a good token says.
type claims struct {
	sessionID  uuid.UUID
	employeeID int64
	secretHash []byte // of a token for scripts; nil for a login
}

func (c claims) session() gen.SessionEmployeeParams {
	return gen.SessionEmployeeParams{SessionID: c.sessionID, EmployeeID: c.employeeID, SecretHash: c.secretHash}
}

// As binds the Service to the employee of a token. Whether the session is still good, each operation asks the database.
func (s *Service) As(token string) (*Session, error) {
	if token == "" {
		return nil, errNotLoggedIn
	}
	if strings.HasPrefix(token, tokenPrefix) {
		claims, err := parseToken(token)
		if err != nil {
			return nil, err
		}
		return &Session{core: s.core, claims: claims}, nil
	}
	keys := jwt.VerificationKeySet{}
	for _, key := range s.keys {
		keys.Keys = append(keys.Keys, key)
	}
	var registered jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(token, &registered, func(*jwt.Token) (any, error) { return keys, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(tokenIssuer),
		jwt.WithAudience(tokenAudience),
		jwt.WithIssuedAt(),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(ClockLeeway),
	)
	if err != nil {
		return nil, badToken(err)
	}
	sessionID, errID := uuid.Parse(registered.ID)
	employeeID, errSubject := strconv.ParseInt(registered.Subject, 10, 64)
	if err := errors.Join(errID, errSubject); err != nil {
		return nil, badToken(err)
	}
	return &Session{core: s.core, claims: claims{sessionID: sessionID, employeeID: employeeID}}, nil
}

// badToken answers a token that cannot be trusted as one whose session is over; the cause is for a report.
func badToken(cause error) *Error {
	failure := *errSessionOver
	failure.Err = errors.Join(errSessionOver, cause)
	return &failure
}

// NeedsLogin says whether an operation was refused because there is no session, or none any more, so that logging in
// mends it. A wrong password is another matter.
func NeedsLogin(err error) bool {
	return errors.Is(err, errNotLoggedIn) || errors.Is(err, errSessionOver)
}

// IsWrongPassword says whether a login was refused for its username or password, and may be tried again at once.
func IsWrongPassword(err error) bool { return errors.Is(err, errLoginFailed) }

// Login starts a session of 30 minutes and gives its token. An unknown username is answered as a wrong password is, in
// words and in time.
func (s *Service) Login(ctx context.Context, username, password string) (string, error) {
	username, err := ParseUsername(username)
	if err != nil { // nobody has it, so there is nothing to count
		return "", errLoginFailed
	}
	attempt, err := s.attempt(ctx, username)
	// Logins at the same instant, of scripts that all begin at two o'clock, count as failures until the first proves good.
	for began := time.Now(); err != nil && attempt.Recent && time.Since(began) < parallelTime; {
		select {
		case <-time.After(parallelPause/2 + mathrand.N(parallelPause)):
			attempt, err = s.attempt(ctx, username)
		case <-ctx.Done():
			return "", translate(ctx, s.db, ctx.Err())
		}
	}
	if err != nil {
		return "", err
	}
	hash := nobodysHash
	if attempt.PasswordHash != nil {
		hash = *attempt.PasswordHash
	}
	if !verifyPassword(password, hash, attempt.PasswordOneTime) || attempt.ID == nil {
		return "", errLoginFailed
	}
	if attempt.PasswordOver {
		return "", errPasswordOver
	}
	return s.startSession(ctx, *attempt.ID, hash)
}

// attempt counts a failed login, which startSession takes back. Unauthenticated while the username has to wait.
func (s *core) attempt(ctx context.Context, username string) (gen.LoginAttemptRow, error) {
	var attempt gen.LoginAttemptRow
	params := gen.LoginAttemptParams{Username: username, SchemaVersion: schema.Version()}
	if err := s.send(ctx, settles, ask(ctx, (*gen.Queries).LoginAttempt, params, &attempt)); err != nil {
		return attempt, translate(ctx, s.db, err)
	}
	if err := checkVersion(attempt.Version, attempt.Dirty); err != nil {
		return attempt, err
	}
	if !attempt.Allowed {
		return attempt, &Error{Code: Unauthenticated, Message: fmt.Sprintf(
			"Too many failed logins for this username: wait %s.", plural(int64(max(attempt.WaitSeconds, 1)), "second"))}
	}
	return attempt, nil
}

// startSession adds a session for the employee, whose password hash must still be the one that was checked, after the
// statements that go before it. No row from the first of all is a failed login.
func (s *core) startSession(ctx context.Context, employeeID int64, hash string, before ...statement) (string, error) {
	id := uuid.New()
	var expiresAt time.Time
	add := ask(ctx, (*gen.Queries).SessionAdd, gen.SessionAddParams{ID: id, EmployeeID: employeeID, PasswordHash: hash}, &expiresAt)
	err := s.send(ctx, adds, append(before, add)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errLoginFailed
	}
	if err != nil {
		return "", translate(ctx, s.db, err)
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		ID:        id.String(),
		Subject:   strconv.FormatInt(employeeID, 10),
		Issuer:    tokenIssuer,
		Audience:  jwt.ClaimStrings{tokenAudience},
		IssuedAt:  jwt.NewNumericDate(time.Now()),
		ExpiresAt: jwt.NewNumericDate(expiresAt),
	}).SignedString(s.keys[0])
}

// Whoami is who is logged in, until when, and whether the password has to be changed first of all.
type Whoami struct {
	gen.EmployeeView
	ExpiresAt       time.Time
	PasswordOneTime bool
}

// AuthWhoami gives the employee of this session.
func (s *Session) AuthWhoami(ctx context.Context) (Whoami, error) {
	var row gen.SessionEmployeeRow
	if err := s.send(ctx, reads, ask(ctx, (*gen.Queries).SessionEmployee, s.claims.session(), &row)); err != nil {
		return Whoami{}, translate(ctx, s.db, err)
	}
	by, err := s.permit("AuthWhoami", row)
	if err != nil {
		return Whoami{}, err
	}
	return Whoami{by.EmployeeView, *row.ExpiresAt, row.PasswordOneTime}, nil
}

// AuthLogout ends this session. One that is over already is Unauthenticated.
func (s *Session) AuthLogout(ctx context.Context) error {
	if _, err := s.allow(ctx, "AuthLogout"); err != nil {
		return err
	}
	session := gen.SessionEndParams{ID: s.claims.sessionID, EmployeeID: s.claims.employeeID}
	err := s.send(ctx, settles, ask(ctx, (*gen.Queries).SessionEnd, session, new(int64)))
	return translate(ctx, s.db, err)
}

// AuthChangePassword changes the password of the employee, who must know the current one. It ends all of their sessions
// and gives the token of a new one.
func (s *Session) AuthChangePassword(ctx context.Context, current, password string) (string, error) {
	by, err := s.allow(ctx, "AuthChangePassword")
	if err != nil {
		return "", err
	}
	// Before the attempt is counted: a bad new password is no failed login.
	if err := CheckPassword(by.Username, password); err != nil {
		return "", err
	}
	if samePassword(password, current) {
		return "", &InputError{Message: "The new password is the current one."}
	}
	attempt, err := s.attempt(ctx, by.Username)
	if err != nil {
		return "", err
	}
	if attempt.PasswordHash == nil || !verifyPassword(current, *attempt.PasswordHash, attempt.PasswordOneTime) {
		return "", &Error{Code: Unauthenticated, Message: "The current password is wrong."}
	}
	hash, err := hashPassword(by.Username, password, false)
	if err != nil {
		return "", err
	}
	change := gen.SessionChangePasswordParams{
		SessionID: s.claims.sessionID, EmployeeID: by.ID, CheckedHash: *attempt.PasswordHash, PasswordHash: hash,
	}
	token, err := s.startSession(ctx, by.ID, hash, ask(ctx, (*gen.Queries).SessionChangePassword, change, new(int64)))
	if errors.Is(err, errLoginFailed) { // whoever ended the session since it was checked, by a new password above all, goes first
		err = errSessionOver
	}
	return token, err
}
