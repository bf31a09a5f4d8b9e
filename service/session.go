package service

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
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

var (
	errNotLoggedIn = &failure.Error{Code: failure.Unauthenticated, Reason: failure.NotLoggedIn, Message: "You are not logged in.", Hint: "crm auth login"}
	errSessionOver = &failure.Error{Code: failure.Unauthenticated, Reason: failure.SessionOver, Message: "Your session is over.", Hint: "crm auth login"}
	// Told to whoever knows the password, and to nobody else: to others it is a wrong one.
	errPasswordOver = &failure.Error{Code: failure.Unauthenticated, Message: "This one-time password is over; ask an administrator for a new one."}
	errLoginFailed  = &failure.Error{Code: failure.Unauthenticated, Reason: failure.WrongPassword, Message: "Unknown username or wrong password."}
)

// claims is what a good token says.
type claims struct {
	sessionID  uuid.UUID
	employeeID int64
	secretHash []byte     // of a token for scripts; nil for a login
	expiresAt  *time.Time // of the token of a login; nil for scripts
}

func (c claims) session() gen.SessionEmployeeParams {
	return gen.SessionEmployeeParams{SessionID: c.sessionID, EmployeeID: c.employeeID, SecretHash: c.secretHash, TokenExpiresAt: c.expiresAt}
}

func (c claims) renewal() gen.SessionRenewParams {
	return gen.SessionRenewParams{SessionID: c.sessionID, EmployeeID: c.employeeID}
}

// timeless are claims whose times are not looked at here: a session and its token end by the clock of the database, and
// never by that of a client, which may be wrong.
type timeless struct{ jwt.RegisteredClaims }

func (timeless) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (timeless) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (timeless) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }

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
		keys.Keys = append(keys.Keys, key.secret)
	}
	var registered timeless
	_, err := jwt.ParseWithClaims(token, &registered, func(*jwt.Token) (any, error) { return keys, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(tokenIssuer),
		jwt.WithAudience(tokenAudience),
	)
	if err == nil && registered.ExpiresAt == nil {
		err = jwt.ErrTokenRequiredClaimMissing
	}
	if err != nil {
		return nil, badToken(err)
	}
	sessionID, errID := uuid.Parse(registered.ID)
	employeeID, errSubject := strconv.ParseInt(registered.Subject, 10, 64)
	if err := errors.Join(errID, errSubject); err != nil {
		return nil, badToken(err)
	}
	return &Session{core: s.core, claims: claims{
		sessionID: sessionID, employeeID: employeeID, expiresAt: &registered.ExpiresAt.Time,
	}}, nil
}

// TokenEmployee returns whose token it says it is, for whoever has no key to check that with.
func TokenEmployee(token string) (employeeID int64, err error) {
	if token == "" {
		return 0, errNotLoggedIn
	}
	if strings.HasPrefix(token, tokenPrefix) {
		claims, err := parseToken(token)
		return claims.employeeID, err
	}
	var registered jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &registered); err != nil {
		return 0, badToken(err)
	}
	if employeeID, err = strconv.ParseInt(registered.Subject, 10, 64); err != nil {
		return 0, badToken(err)
	}
	return employeeID, nil
}

// badToken answers a token that cannot be trusted as one whose session is over; the cause is for a report.
func badToken(cause error) *failure.Error { return errSessionOver.With(cause) }

// over returns the error of a session that is no longer good.
func (s *Session) over(cause error) error {
	if s.claims.secretHash != nil {
		return errTokenOver.With(cause)
	}
	return errSessionOver.With(cause)
}

// NeedsLogin reports whether an operation was refused because there is no session, or none any more, so that logging in
// mends it. A wrong password is another matter.
func NeedsLogin(err error) bool {
	reason := failure.ReasonOf(err)
	return reason == failure.NotLoggedIn || reason == failure.SessionOver
}

// Login starts a session and returns its token. An unknown username is answered as a wrong password is,
// in words and in time.
func (s *Service) Login(ctx context.Context, username, password string) (string, error) {
	username, err := value.ParseUsername(username)
	if err != nil { // nobody has it, so there is nothing to count
		return "", errLoginFailed
	}
	// The turn is waited for first: an attempt counts as a failure until it proves good, and must not grow old in a queue.
	var mine turn
	if err := mine.take(ctx); err != nil {
		return "", err
	}
	defer mine.give()
	later := func(duration time.Duration) error {
		mine.give()
		if err := s.pause(ctx, duration); err != nil {
			return err
		}
		return mine.take(ctx)
	}
	var attempt gen.LoginAttemptRow
	count := func(paused bool) (err error) {
		attempt, err = s.attempt(ctx, username, s.peer, paused)
		// Logins at the same instant, of scripts that all begin at two o'clock, count as failures until the first proves good.
		for began := time.Now(); err != nil && attempt.Recent && time.Since(began) < parallelTime; {
			if err := later(parallelPause/2 + mathrand.N(parallelPause)); err != nil {
				return err
			}
			attempt, err = s.attempt(ctx, username, s.peer, paused)
		}
		return err
	}
	if err := count(false); err != nil {
		return "", err
	}
	if attempt.PauseMilliseconds > 0 {
		if err := later(time.Duration(attempt.PauseMilliseconds) * time.Millisecond); err != nil {
			return "", err
		}
		if err := count(true); err != nil {
			return "", err
		}
	}
	parameters, employeeID := nobodysParameters, int64(0)
	if attempt.ID != nil && attempt.PasswordParameters != nil {
		parameters, employeeID = *attempt.PasswordParameters, *attempt.ID
	}
	// The hash is not here to compare with: the database does, and starts a session if it is the same.
	hash := hashInTurn(parameters, password, attempt.PasswordOneTime)
	mine.give()
	if attempt.PasswordOver {
		var is bool
		params := gen.SessionPasswordIsParams{EmployeeID: employeeID, PasswordHash: hash}
		if err := s.send(ctx, readOnly, queryOne(ctx, (*gen.Queries).SessionPasswordIs, params, &is)); err != nil {
			return "", s.translate(ctx, err)
		}
		if is {
			return "", errPasswordOver
		}
		return "", errLoginFailed
	}
	fresh := freshSession{id: uuid.New(), employeeID: employeeID, lasting: s.lasting}
	err = s.change(ctx, "auth login", notIdempotent, fresh.add(ctx, hash, s.peer))
	if errors.Is(err, pgx.ErrNoRows) { // another password, or nobody
		return "", errLoginFailed
	}
	if err != nil {
		return "", s.translate(ctx, err)
	}
	return fresh.token(s.keys[0])
}

// pause waits, unless the context ends first.
func (s *core) pause(ctx context.Context, duration time.Duration) error {
	select {
	case <-time.After(duration):
		return nil
	case <-ctx.Done():
		return s.translate(ctx, ctx.Err())
	}
}

// attempt counts a failed login from the peer, which a session that starts takes back; or nothing, where it says how long
// to pause before that. Unauthenticated while the username has to wait there.
func (s *core) attempt(ctx context.Context, username, peer string, paused bool) (gen.LoginAttemptRow, error) {
	var attempt gen.LoginAttemptRow
	params := gen.LoginAttemptParams{Username: username, Peer: peer, SchemaVersion: schema.Version(), Paused: paused}
	if err := s.change(ctx, "auth login", idempotent, queryOne(ctx, (*gen.Queries).LoginAttempt, params, &attempt)); err != nil {
		return attempt, s.translate(ctx, err)
	}
	if err := checkVersion(attempt.Version, attempt.Dirty); err != nil {
		return attempt, err
	}
	if !attempt.Allowed && (attempt.PauseMilliseconds == 0 || attempt.WaitSeconds > 0) {
		return attempt, &failure.Error{Code: failure.Unauthenticated, Reason: failure.TooManyLogins, Message: fmt.Sprintf(
			"Too many failed logins for this username: wait %s.", plural(int64(max(attempt.WaitSeconds, 1)), "second"))}
	}
	return attempt, nil
}

// loginClaims are the claims of a login, with the name that a person is greeted by when it is over. Nothing else goes by it.
type loginClaims struct {
	jwt.RegisteredClaims
	Username string `json:"username,omitempty"`
}

// TokenUsername returns the username that a token was made for; empty if it does not say.
func TokenUsername(token string) string {
	var claims loginClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		return ""
	}
	return claims.Username
}

// freshSession is a login that is being made.
type freshSession struct {
	id         uuid.UUID
	employeeID int64
	lasting
	row gen.SessionAddRow
}

// add is the statement that starts the session of an employee whose password hash must still be the one that was checked,
// and forgets the failures that were counted at the peer.
func (f *freshSession) add(ctx context.Context, hash, peer string) statement {
	return queryOne(ctx, (*gen.Queries).SessionAdd, gen.SessionAddParams{
		ID: f.id, EmployeeID: f.employeeID, PasswordHash: hash, Peer: peer,
		IdleSeconds: int64(f.idle / time.Second), LimitSeconds: int64(f.limit / time.Second),
	}, &f.row)
}

// token returns the signed token of the session, once it was added.
func (f *freshSession) token(key Key) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, loginClaims{jwt.RegisteredClaims{
		ID:        f.id.String(),
		Subject:   strconv.FormatInt(f.employeeID, 10),
		Issuer:    tokenIssuer,
		Audience:  jwt.ClaimStrings{tokenAudience},
		IssuedAt:  jwt.NewNumericDate(f.row.CreatedAt),
		ExpiresAt: jwt.NewNumericDate(f.row.LimitAt),
	}, f.row.Username}).SignedString(key.secret)
}

// enterSession reads who acts, having put off the end of their login, because it is used. Statements that only read may go
// along in the same round trip.
func (s *Session) enterSession(ctx context.Context, row *gen.SessionEmployeeRow, along ...statement) error {
	statements := []statement{queryOne(ctx, (*gen.Queries).SessionEmployee, s.claims.session(), row)}
	if s.claims.secretHash == nil {
		statements = slices.Insert(statements, 0, queryOne(ctx, (*gen.Queries).SessionRenew, s.claims.renewal(), new(bool)))
	}
	return s.translate(ctx, s.send(ctx, readOnly, append(statements, along...)...))
}

// Person is an employee as far as a session says who they are.
type Person struct {
	ID       int64    `json:"id"`
	Username string   `json:"username"`
	Fullname string   `json:"fullname"`
	Role     gen.Role `json:"role"`
}

// Whoami is who is logged in, until when, and whether the password has to be changed first of all.
type Whoami struct {
	Person
	ExpiresAt       time.Time `json:"expires_at"`
	PasswordOneTime bool      `json:"password_one_time"`
}

// AuthWhoami returns the employee of this session.
func (s *Session) AuthWhoami(ctx context.Context) (Whoami, error) {
	var row gen.SessionEmployeeRow
	if err := s.enterSession(ctx, &row); err != nil {
		return Whoami{}, err
	}
	by, err := s.permit("AuthWhoami", row)
	if err != nil {
		return Whoami{}, err
	}
	return Whoami{by.Person, *row.ExpiresAt, row.PasswordOneTime}, nil
}

// AuthLogout ends this session. One that is over already is Unauthenticated.
func (s *Session) AuthLogout(ctx context.Context) error {
	by, err := s.allow(ctx, "AuthLogout")
	if err != nil {
		return err
	}
	session := gen.SessionEndParams{ID: s.claims.sessionID, EmployeeID: s.claims.employeeID}
	// In nobody's name: a session that is over by now was to end.
	err = s.change(ctx, by.command, by.again, queryOne(ctx, (*gen.Queries).SessionEnd, session, new(int64)))
	return s.translate(ctx, err)
}

// AuthChangePassword changes the password of the employee, who must know the current one. It ends all of their sessions
// and returns the token of a new one.
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
		return "", failure.Misuse("The new password is the current one.", "")
	}
	// Counted for this session: neither do guesses at a login keep its owner from this, nor the other way round.
	peer := "session " + s.claims.sessionID.String()
	attempt, err := s.attempt(ctx, by.Username, peer, false)
	if err != nil {
		return "", err
	}
	if attempt.PasswordParameters == nil {
		return "", errSessionOver
	}
	checked, err := hashLike(ctx, *attempt.PasswordParameters, current, attempt.PasswordOneTime)
	if err != nil {
		return "", err
	}
	hash, err := hashPassword(ctx, by.Username, password, false)
	if err != nil {
		return "", err
	}
	fresh := freshSession{id: uuid.New(), employeeID: by.ID, lasting: s.lasting}
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).SessionChangePassword, gen.SessionChangePasswordParams{
			EmployeeID: by.ID, CheckedHash: checked, PasswordHash: hash,
		}, new(int64)),
		fresh.add(ctx, hash, peer))
	if errors.Is(err, pgx.ErrNoRows) { // had somebody set another meanwhile, the session would be over
		return "", &failure.Error{Code: failure.Unauthenticated, Message: "The current password is wrong.", Err: err}
	}
	if err != nil {
		return "", s.translate(ctx, err)
	}
	return fresh.token(s.keys[0])
}
