package service

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"
)

// A password of a person has 15 to 128 characters and no rules of composition.
const (
	passwordMin = 15
	passwordMax = 128
)

// passwordCost is what a guess costs: 64 MiB, 3 passes, 4 lanes.
var passwordCost = argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32}

// nobodysHash is compared with when a username is unknown, so that the answer takes as long; no password fits it.
const nobodysHash = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// passwordCommon lists, one a line, passwords of 15 characters and more that are among the first to be guessed.
//
//go:embed password_common.txt
var passwordCommon string

// CheckPassword refuses a new password that is too short or too easy to guess.
func CheckPassword(username, password string) error {
	password = norm.NFC.String(password)
	if n := utf8.RuneCountInString(password); n < passwordMin || n > passwordMax {
		return &InputError{Message: fmt.Sprintf("A password has %d to %d characters.", passwordMin, passwordMax)}
	}
	folded := strings.ToLower(password)
	_, first := utf8.DecodeRuneInString(folded)
	if strings.ReplaceAll(folded, folded[:first], "") == "" || strings.Contains(passwordCommon, "\n"+folded+"\n") {
		return &InputError{Message: "This password is one of the first that would be guessed."}
	}
	if strings.ReplaceAll(folded, username, "") == "" || strings.HasPrefix(folded, username) && utf8.RuneCountInString(folded)-len(username) < 6 {
		return &InputError{Message: "A password is not made of the username."}
	}
	return nil
}

func hashPassword(username, password string) (string, error) {
	if err := CheckPassword(username, password); err != nil {
		return "", err
	}
	return argon2id.CreateHash(norm.NFC.String(password), &passwordCost)
}

func samePassword(a, b string) bool { return norm.NFC.String(a) == norm.NFC.String(b) }

func verifyPassword(password, hash string) bool {
	ok, err := argon2id.ComparePasswordAndHash(norm.NFC.String(password), hash)
	return err == nil && ok
}
