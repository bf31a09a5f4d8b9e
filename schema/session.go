package schema

import (
	"errors"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What crm relies on in a session. It goes along in the startup message, where it costs no round trip and goes before
// what role and database say. The search path is not among them: it is how an operator chooses crm's schema.
var (
	// passedOn are the settings that PgBouncer keeps for each of its clients.
	passedOn = map[string]string{
		"client_encoding":             "UTF8",
		"DateStyle":                   "ISO, MDY",
		"TimeZone":                    "UTC", // who asks which day it is sets another
		"standard_conforming_strings": "on",
	}
	// direct are the settings that PgBouncer refuses to pass on. No result depends on them there: crm reads no interval
	// and no bytea, and a batch, which is one transaction, never idles.
	direct = map[string]string{
		"IntervalStyle":                       "postgres",
		"bytea_output":                        "hex",
		"default_transaction_isolation":       "read committed",
		"row_security":                        "off", // rows that a policy hides are an error and not missing
		"jit":                                 "off", // to compile a report takes longer than the report
		"lock_timeout":                        "0",   // --database.timeout says how long
		"idle_session_timeout":                "0",   // somebody may think at a prompt
		"idle_in_transaction_session_timeout": "5min",
		"log_parameter_max_length_on_error":   "0", // parameters are hashes, names and phone numbers
	}
)

// Settle has the sessions of a configuration begin with the settings that crm relies on, whatever its URL says of them.
func Settle(config *pgx.ConnConfig) {
	maps.DeleteFunc(config.RuntimeParams, func(name, _ string) bool {
		return has(passedOn, name) || has(direct, name)
	})
	maps.Copy(config.RuntimeParams, passedOn)
	maps.Copy(config.RuntimeParams, direct)
}

// has reports whether a setting is among these. Their names have no case.
func has(settings map[string]string, name string) bool {
	for each := range settings {
		if strings.EqualFold(each, name) {
			return true
		}
	}
	return false
}

// Pooled returns the configuration without the settings that PgBouncer refuses, for a second attempt to connect. A
// pooler whose ignore_startup_parameters names them needs none.
func Pooled(config *pgx.ConnConfig) *pgx.ConnConfig {
	config = config.Copy()
	maps.DeleteFunc(config.RuntimeParams, func(name, _ string) bool { return has(direct, name) })
	return config
}

// IsPoolerRefusal reports whether a pooler refused a setting of the startup message, and which.
func IsPoolerRefusal(err error) (setting string, refused bool) {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refusal.Code != "08P01" {
		return "", false
	}
	message, setting, _ := strings.Cut(refusal.Message, ": ")
	return setting, strings.HasPrefix(message, "unsupported startup parameter")
}
