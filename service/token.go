package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// A token for scripts is the prefix and, in base64, whose it is, which session it is, and a secret of 256 bits.
const (
	tokenPrefix = "crm_"
	tokenSecret = 32
	tokenBytes  = 8 + len(uuid.UUID{}) + tokenSecret
)

var errTokenOver = &failure.Error{Code: failure.Unauthenticated, Message: "This token is not good: it is over, was revoked, or is not a token.",
	Hint: "crm auth token create"}

// formatToken spells a token and returns the hash of its secret, which is all that is kept.
func formatToken(employeeID int64, id uuid.UUID) (token string, secretHash []byte) {
	secret := make([]byte, tokenSecret)
	_, _ = rand.Read(secret)
	content := binary.BigEndian.AppendUint64(nil, uint64(employeeID))
	content = append(append(content, id[:]...), secret...)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(content), hashSecret(secret)
}

func parseToken(token string) (claims, error) {
	content, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(token, tokenPrefix))
	if err != nil || len(content) != tokenBytes {
		return claims{}, errTokenOver
	}
	return claims{
		employeeID: int64(binary.BigEndian.Uint64(content)),
		sessionID:  uuid.UUID(content[8 : tokenBytes-tokenSecret]),
		secretHash: hashSecret(content[tokenBytes-tokenSecret:]),
	}, nil
}

// hashSecret needs no salt and no cost: a secret of 256 random bits is not guessed.
func hashSecret(secret []byte) []byte {
	hash := sha256.Sum256(secret)
	return hash[:]
}

// Token is a token for scripts that was just made. Secret is the token itself, told this once.
type Token struct {
	gen.AuthTokenCreateRow
	Secret string `json:"token"`
}

// AuthTokenCreate makes a token that acts as the employee, or only reads, as long as it is told to; or the secret of a
// calendar. Conflict if they have one of this name, PermissionDenied if there are no events for a calendar of theirs.
func (s *Session) AuthTokenCreate(ctx context.Context, name string, readOnly, calendar bool, lifetime time.Duration) (token Token, err error) {
	by, err := s.allow(ctx, "AuthTokenCreate")
	if err != nil {
		return token, err
	}
	p := gen.AuthTokenCreateParams{
		ID: uuid.New(), LoginID: s.claims.sessionID, Name: name, ReadOnly: readOnly || calendar, Calendar: calendar, Seconds: int64(lifetime / time.Second),
	}
	if calendar {
		if by.Role != gen.RoleCommercial && by.Role != gen.RoleSupport {
			return token, &failure.Error{Code: failure.PermissionDenied, Message: fmt.Sprintf(
				"A calendar has the events that a support runs, or those of a commercial's customers; %s has the role %s.", by.Username, by.Role)}
		}
		token.Secret, p.SecretHash = formatCalendar(p.ID)
	} else {
		token.Secret, p.SecretHash = formatToken(by.ID, p.ID)
	}
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).AuthTokenTurn, by.ID, new(int64)),
		queryOne(ctx, (*gen.Queries).AuthTokenForget, by.ID, new(int64)),
		queryOne(ctx, (*gen.Queries).AuthTokenCreate, p, &token.AuthTokenCreateRow))
	if errors.Is(err, pgx.ErrNoRows) {
		return token, s.over(err)
	}
	return token, s.translate(ctx, err)
}

// AuthTokenList returns the tokens that are good now: of the employee, or of others.
func (s *Session) AuthTokenList(ctx context.Context, p gen.AuthTokenListParams) iter.Seq2[gen.AuthTokenListRow, error] {
	p.AsEmployeeID = s.claims.employeeID
	return streamOf[gen.AuthTokenListRow](ctx, s, "AuthTokenList", gen.AuthTokenList, p, whose{p.Username, p.Everyone})
}

// AuthTokenListCount returns the number of tokens, whatever the limit.
func (s *Session) AuthTokenListCount(ctx context.Context, p gen.AuthTokenListParams) (n int64, err error) {
	params := gen.AuthTokenListCountParams{Everyone: p.Everyone, Username: p.Username, AsEmployeeID: s.claims.employeeID}
	by, err := s.allow(ctx, "AuthTokenListCount", queryOne(ctx, (*gen.Queries).AuthTokenListCount, params, &n))
	if err == nil {
		err = whose{p.Username, p.Everyone}.allow(by)
	}
	return n, err
}

// AuthTokenRevoke ends the token of this name, NotFound if there is none, or all tokens: of the employee, or of others. It
// returns the number of those that it ended.
func (s *Session) AuthTokenRevoke(ctx context.Context, p gen.AuthTokenRevokeParams) (ended int64, err error) {
	by, err := s.allow(ctx, "AuthTokenRevoke")
	if err == nil {
		err = whose{p.Username, p.Everyone}.allow(by)
	}
	if err != nil {
		return 0, err
	}
	p.AsEmployeeID = by.ID
	err = s.write(ctx, by, queryOne(ctx, (*gen.Queries).AuthTokenRevoke, p, &ended))
	if err == nil && ended == 0 && p.Name != nil {
		switch {
		case p.Everyone:
			return 0, notFound("crm auth token list --all", "Nobody has a token %q.", *p.Name)
		case p.Username != nil && *p.Username != by.Username:
			return 0, notFound("crm auth token list --username "+*p.Username, "%s has no token %q.", *p.Username, *p.Name)
		}
		return 0, notFound("crm auth token list", "You have no token %q.", *p.Name)
	}
	return ended, s.translate(ctx, err)
}

// AuthSessions returns the logins that are good now: of the employee, or of others.
func (s *Session) AuthSessions(ctx context.Context, p gen.AuthSessionsParams) iter.Seq2[gen.AuthSessionsRow, error] {
	p.AsEmployeeID, p.AsSessionID = s.claims.employeeID, s.claims.sessionID
	return streamOf[gen.AuthSessionsRow](ctx, s, "AuthSessions", gen.AuthSessions, p, whose{p.Username, p.Everyone})
}

// AuthSessionsCount returns the number of logins, whatever the limit.
func (s *Session) AuthSessionsCount(ctx context.Context, p gen.AuthSessionsParams) (n int64, err error) {
	params := gen.AuthSessionsCountParams{Everyone: p.Everyone, Username: p.Username, AsEmployeeID: s.claims.employeeID}
	by, err := s.allow(ctx, "AuthSessionsCount", queryOne(ctx, (*gen.Queries).AuthSessionsCount, params, &n))
	if err == nil {
		err = whose{p.Username, p.Everyone}.allow(by)
	}
	return n, err
}

// AuthSessionsRevoke ends the login of an id, NotFound if there is none or it is another's, or all logins: of the employee,
// this one too, or of others. It returns the number of those that it ended.
func (s *Session) AuthSessionsRevoke(ctx context.Context, p gen.AuthSessionsRevokeParams) (ended int64, err error) {
	by, err := s.allow(ctx, "AuthSessionsRevoke")
	if err == nil {
		err = whose{p.Username, p.Everyone}.allow(by)
	}
	if err != nil {
		return 0, err
	}
	p.AsEmployeeID, p.AsOwnID = by.ID, by.own
	err = s.write(ctx, by, queryOne(ctx, (*gen.Queries).AuthSessionsRevoke, p, &ended))
	if err == nil && ended == 0 && p.ID != nil {
		if by.own == nil {
			return 0, notFound("crm auth sessions --all", "There is no session %s.", p.ID)
		}
		return 0, notFound("crm auth sessions", "You have no session %s.", p.ID)
	}
	return ended, s.translate(ctx, err)
}

// whose says whose logins and tokens an operation is about: the actor's own, where nobody is named.
type whose struct {
	username *string
	everyone bool
}

// allow refuses those of others to whom the table limits the operation to their own.
func (w whose) allow(by actor) error {
	if by.own == nil || !w.everyone && (w.username == nil || *w.username == by.Username) {
		return nil
	}
	return &failure.Error{Code: failure.PermissionDenied,
		Message: fmt.Sprintf("%q of others is for the role administrator; %s has the role %s.", "crm "+by.command, by.Username, by.Role)}
}
