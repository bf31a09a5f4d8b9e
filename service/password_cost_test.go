package service

import (
	"testing"

	"github.com/alexedwards/argon2id"
)

// TestNobodysHash costs as much as a real one, and no password fits it.
func TestNobodysHash(t *testing.T) {
	t.Parallel()
	params, _, _, err := argon2id.DecodeHash(nobodysHash)
	if err != nil || *params != passwordCost {
		t.Errorf("%+v, %v; want %+v", params, err, passwordCost)
	}
	if verifyPassword("", nobodysHash, false) {
		t.Error("no password fits")
	}
}
