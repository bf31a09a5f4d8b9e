package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
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

// AuthTokenCreate makes a token that acts as the employee, or only reads, as long as it is told to. Conflict if they have
// one of this name.
func (s *Session) AuthTokenCreate(ctx context.Context, name string, readOnly bool, lifetime time.Duration) (token Token, err error) {
	by, err := s.allow(ctx, "AuthTokenCreate")
	if err != nil {
		return token, err
	}
	p := gen.AuthTokenCreateParams{
		ID: uuid.New(), LoginID: s.claims.sessionID, Name: name, ReadOnly: readOnly, Seconds: int64(lifetime / time.Second),
	}
	token.Secret, p.SecretHash = formatToken(by.ID, p.ID)
	err = s.write(ctx, by,
		queryOne(ctx, (*gen.Queries).AuthTokenTurn, by.ID, new(int64)),
		queryOne(ctx, (*gen.Queries).AuthTokenForget, by.ID, new(int64)),
		queryOne(ctx, (*gen.Queries).AuthTokenCreate, p, &token.AuthTokenCreateRow))
	if errors.Is(err, pgx.ErrNoRows) {
		return token, s.over(err)
	}
	return token, s.translate(ctx, err)
}

// AuthTokenList returns the tokens of the employee that are good now.
func (s *Session) AuthTokenList(ctx context.Context, p gen.AuthTokenListParams) iter.Seq2[gen.AuthTokenListRow, error] {
	p.AsEmployeeID = s.claims.employeeID
	return stream[gen.AuthTokenListRow](ctx, s, "AuthTokenList", gen.AuthTokenList, p)
}

// AuthTokenListCount returns the number of tokens, whatever the limit.
func (s *Session) AuthTokenListCount(ctx context.Context) (int64, error) {
	return count(ctx, s, "AuthTokenListCount", (*gen.Queries).AuthTokenListCount, s.claims.employeeID)
}

// AuthTokenRevoke ends the token of this name; NotFound if there is none.
func (s *Session) AuthTokenRevoke(ctx context.Context, name string) error {
	by, err := s.allow(ctx, "AuthTokenRevoke")
	if err != nil {
		return err
	}
	err = s.write(ctx, by, queryOne(ctx, (*gen.Queries).AuthTokenRevoke, gen.AuthTokenRevokeParams{AsEmployeeID: by.ID, Name: name}, new(uuid.UUID)))
	if errors.Is(err, pgx.ErrNoRows) {
		return notFound("crm auth token list", "You have no token %q.", name)
	}
	return s.translate(ctx, err)
}

// AuthSessions returns the logins of the employee that are good now.
func (s *Session) AuthSessions(ctx context.Context, p gen.AuthSessionsParams) iter.Seq2[gen.AuthSessionsRow, error] {
	p.AsEmployeeID, p.AsSessionID = s.claims.employeeID, s.claims.sessionID
	return stream[gen.AuthSessionsRow](ctx, s, "AuthSessions", gen.AuthSessions, p)
}

// AuthSessionsCount returns the number of logins, whatever the limit.
func (s *Session) AuthSessionsCount(ctx context.Context) (int64, error) {
	return count(ctx, s, "AuthSessionsCount", (*gen.Queries).AuthSessionsCount, s.claims.employeeID)
}

// AuthSessionsRevoke ends one login of the employee, NotFound if there is none of this id, or all of them, this one too.
// It returns the number of those that it ended.
func (s *Session) AuthSessionsRevoke(ctx context.Context, id *uuid.UUID) (ended int64, err error) {
	by, err := s.allow(ctx, "AuthSessionsRevoke")
	if err != nil {
		return 0, err
	}
	err = s.write(ctx, by, queryOne(ctx, (*gen.Queries).AuthSessionsRevoke, gen.AuthSessionsRevokeParams{AsEmployeeID: by.ID, ID: id}, &ended))
	if err == nil && ended == 0 && id != nil {
		return 0, notFound("crm auth sessions", "You have no session %s.", id)
	}
	return ended, s.translate(ctx, err)
}
