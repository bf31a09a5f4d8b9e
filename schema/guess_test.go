package schema_test

import (
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// TestGuessesInSQL: the role of a server may ask whether a hash is that of an employee, and so whoever has the role may try
// passwords without anybody counting. Two things limit that, beside the right to run the function at all. The answer is
// about a hash as a whole, so that it is not found piece by piece. And each try costs what a login costs, for the salt and
// the price that the role reads are those of the one employee: 64 MiB three times over, for one password and one person.
func TestGuessesInSQL(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	owner := dbtest.Connect(t, config)
	server := dbtest.Connect(t, dbtest.Granted(t, config))
	fresh, err := argon2id.CreateHash(schema.SamplePassword, &argon2id.Params{Memory: 64 << 10, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	run(t, owner, "UPDATE employee SET password_hash = $1 WHERE username = 'support1'", fresh) // the same password as all have
	const of = "SELECT id FROM employee WHERE username = 'none1'"
	hash := one[string](t, owner, "SELECT password_hash FROM employee WHERE username = 'none1'")
	parameters := one[string](t, server, "SELECT password_parameters FROM employee_password WHERE username = 'none1'")
	is := func(guess string) bool {
		t.Helper()
		return one[bool](t, server, "SELECT employee_password_is(("+of+"), $1)", guess)
	}
	if !is(hash) {
		t.Fatal("the hash itself is not that of the password")
	}
	for _, part := range []string{
		"", "%", "_%", ".*", parameters, parameters + "%", hash[:len(hash)-1], hash[1:], hash + " ", " " + hash, strings.ToUpper(hash), hash + hash,
		fresh,
	} {
		if is(part) {
			t.Errorf("%q is taken for the hash", part)
		}
	}
	if one[bool](t, server, "SELECT coalesce(employee_password_is(("+of+"), NULL), false)") {
		t.Error("nothing is taken for the hash")
	}
	if !strings.HasPrefix(hash, parameters) || strings.Count(parameters, "$") != 5 || !strings.HasSuffix(parameters, "$") {
		t.Errorf("%s is more than how %s is made", parameters, hash)
	}
	price, salt, key, err := argon2id.DecodeHash(hash)
	if err != nil || price.Memory < 64<<10 || price.Iterations < 3 || len(salt) < 16 || len(key) < 32 {
		t.Errorf("a guess costs %+v: %v", price, err)
	}
	if match, err := argon2id.ComparePasswordAndHash(schema.SamplePassword, hash); err != nil || !match {
		t.Errorf("the password at that price: %v %v", match, err)
	}
	if public := one[bool](t, owner, "SELECT has_function_privilege('public', 'employee_password_is(bigint, text)', 'EXECUTE')"); public {
		t.Error("everybody may ask")
	}
}
