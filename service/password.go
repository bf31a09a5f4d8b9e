package service

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/epicevents/crm/internal/failure"
)

// A password of a person has 15 to 128 characters and no rules of composition.
const (
	passwordMin = 15
	passwordMax = 128
)

// passwordCost is what a guess costs: 64 MiB, 3 passes, 4 lanes.
var passwordCost = argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32}

// nobodysParameters are hashed with when a username is unknown, so that the answer takes as long.
const nobodysParameters = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$"

// passwordCommon lists, one a line, passwords of 15 characters and more that are among the first to be guessed.
//
//go:embed password_common.txt
var passwordCommon string

// CheckPassword refuses a new password that is too short or too easy to guess.
func CheckPassword(username, password string) error {
	password = norm.NFC.String(password)
	if n := utf8.RuneCountInString(password); n < passwordMin || n > passwordMax {
		return failure.Misuse(fmt.Sprintf("A password has %d to %d characters.", passwordMin, passwordMax), "")
	}
	folded := strings.ToLower(password)
	_, first := utf8.DecodeRuneInString(folded)
	if strings.ReplaceAll(folded, folded[:first], "") == "" || strings.Contains(passwordCommon, "\n"+folded+"\n") {
		return failure.Misuse("This password is one of the first that would be guessed.", "")
	}
	if strings.ReplaceAll(folded, username, "") == "" || strings.HasPrefix(folded, username) && utf8.RuneCountInString(folded)-len(username) < 6 {
		return failure.Misuse("A password is not made of the username.", "")
	}
	return nil
}

// A one-time password that crm makes is read out, or typed from paper: 25 letters and digits, which are 125 bits, in
// groups.
const (
	oneTimeLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // those of rand.Text
	oneTimeLength  = 25
	oneTimeGroup   = 5
)

// GeneratePassword makes a one-time password, such as 7KQ2M-....
func GeneratePassword() string {
	var groups []string
	for group := range slices.Chunk([]byte(rand.Text()[:oneTimeLength]), oneTimeGroup) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}

// ungrouped is a one-time password as it is hashed, however its letters and groups were typed. One that crm cannot have
// made stays as it is.
func ungrouped(password string) string {
	letters := strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, password))
	if len(letters) != oneTimeLength || strings.Trim(letters, oneTimeLetters) != "" {
		return password
	}
	return letters
}

// hashed is what is hashed of a password. One that a person has chosen is exact.
func hashed(password string, oneTime bool) string {
	if oneTime {
		password = ungrouped(password)
	}
	return norm.NFC.String(password)
}

// hashing has a place for each password that is hashed at the same time, in the whole process. Each takes 64 MiB, so that
// many who log in at once would take all the memory there is, and no less time.
var hashing = make(chan struct{}, 2)

// turn is a place among those who hash, while it is taken.
type turn struct{ taken bool }

// take waits for a place.
func (t *turn) take(ctx context.Context) error {
	select {
	case hashing <- struct{}{}:
		t.taken = true
		return nil
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	return &failure.Error{Code: failure.Unavailable, Message: "Too many passwords are being checked at this moment.", Hint: tooSlowHint, Err: ctx.Err()}
}

// give gives the place back, if it is taken.
func (t *turn) give() {
	if t.taken {
		t.taken = false
		<-hashing
	}
}

func hashPassword(ctx context.Context, username, password string, oneTime bool) (string, error) {
	password = hashed(password, oneTime)
	if err := CheckPassword(username, password); err != nil {
		return "", err
	}
	var mine turn
	if err := mine.take(ctx); err != nil {
		return "", err
	}
	defer mine.give()
	return argon2id.CreateHash(password, &passwordCost)
}

// samePassword reports whether a new password is the current one, also where that is a one-time password.
func samePassword(password, current string) bool {
	return hashed(password, true) == hashed(current, true)
}

// hashLike makes the hash that a password has if another was made of the same one: parameters are the text of that up to
// its last part. What only the database knows is whether the two are the same. The error is only of the wait for a turn.
func hashLike(ctx context.Context, parameters, password string, oneTime bool) (string, error) {
	var mine turn
	if err := mine.take(ctx); err != nil {
		return "", err
	}
	defer mine.give()
	return hashInTurn(parameters, password, oneTime), nil
}

// hashInTurn is hashLike of somebody whose turn it is. Without a sense in the parameters the hash is empty, as none is.
func hashInTurn(parameters, password string, oneTime bool) string {
	empty := base64.RawStdEncoding.EncodeToString(make([]byte, passwordCost.KeyLength))
	cost, salt, _, err := argon2id.DecodeHash(parameters + empty)
	if err != nil {
		return ""
	}
	key := argon2.IDKey([]byte(hashed(password, oneTime)), salt, cost.Iterations, cost.Memory, cost.Parallelism, cost.KeyLength)
	return parameters + base64.RawStdEncoding.EncodeToString(key)
}
