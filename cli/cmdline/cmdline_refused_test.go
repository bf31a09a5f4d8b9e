package cmdline

import (
	"errors"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/failure"
)

func TestPermuteErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	tests := []struct {
		args, message, hint string
	}{
		// Unknown commands.
		{"contarct", `unknown command "contarct", did you mean "contract"?`, "crm --help"},
		{"contarct list --limit 5", `unknown command "contarct", did you mean "contract"?`, "crm --help"},
		{"contracts list", `unknown command "contracts", did you mean "contract"?`, "crm --help"},
		{"contract lsit", `unknown command "lsit", did you mean "list"?`, "crm contract --help"},
		{"contract -o json lsit", `unknown command "lsit", did you mean "list"?`, "crm contract --help"},
		{"invoice", `unknown command "invoice"`, "crm --help"},
		{"-", `unknown command "-"`, "crm --help"},
		{"''", `unknown command ""`, "crm --help"},
		{"contract -- --list", `unknown command "--list", did you mean "list"?`, "crm contract --help"},
		{long, `unknown command "` + long[:39] + `…"`, "crm --help"},
		{"\x1b[31m", `unknown command "\x1b[31m"`, "crm --help"},

		// The verbs of other tools, where crm has such a command.
		{"contract ls", `unknown command "ls", did you mean "list"?`, "crm contract --help"},
		{"contract show", `unknown command "show", did you mean "detail"?`, "crm contract --help"},
		{"contract get", `unknown command "get", did you mean "detail"?`, "crm contract --help"},
		{"contract create", `unknown command "create", did you mean "add"?`, "crm contract --help"},
		{"contract EDIT", `unknown command "EDIT", did you mean "update"?`, "crm contract --help"},
		{"employee rm", `unknown command "rm", did you mean "delete"?`, "crm employee --help"},
		{"contract rm", `unknown command "rm"; "crm contract" has list, detail, add, update, add-payment`, "crm contract --help"},

		// Words in the wrong order, or one missing.
		{"list contract", `unknown command "list", did you mean "crm contract list"?`, "crm --help"},
		{"list --limit 5 contracts", `unknown command "list", did you mean "crm contract list"?`, "crm --help"},
		{"ls contract", `unknown command "ls", did you mean "crm contract list"?`, "crm --help"},
		{"rm contract", `unknown command "rm"`, "crm --help"},
		{"login", `unknown command "login", did you mean "crm auth login"?`, "crm --help"},
		{"list", `unknown command "list"`, "crm --help"},

		// Unknown flags.
		{"contract list --not-payed-filter", `unknown flag --not-payed-filter for "crm contract list", did you mean --not-paid-filter?`, "crm contract list --help"},
		{"contract list -not-payed-filter", `unknown flag -not-payed-filter for "crm contract list", did you mean --not-paid-filter?`, "crm contract list --help"},
		{"--limt 5 contract list", `unknown flag --limt for "crm contract list", did you mean --limit?`, "crm contract list --help"},
		{"contract add --amount 5", `unknown flag --amount for "crm contract add", did you mean --total-amount?`, "crm contract add --help"},
		{"contract add-payment --amount 5", `unknown flag --amount for "crm contract add-payment"`, "crm contract add-payment --help"},
		{"contract list --LIMIT=5", `unknown flag --LIMIT for "crm contract list", did you mean --limit?`, "crm contract list --help"},
		{"contract list --outptu=json", `unknown flag --outptu for "crm contract list", did you mean --output?`, "crm contract list --help"},
		{"contract list --zzz=secret", `unknown flag --zzz for "crm contract list"`, "crm contract list --help"},
		{"contract list -ojsn", `unknown flag -ojsn for "crm contract list", did you mean "-o jsn"?`, "crm contract list --help"},
		{"contract list --ojson", `unknown flag --ojson for "crm contract list"`, "crm contract list --help"},
		{"contract detail --not-paid-filter", `unknown flag --not-paid-filter for "crm contract detail", did you mean "crm contract list --not-paid-filter"?`, "crm contract detail --help"},
		{"--payment 5 contract update", `unknown flag --payment for "crm contract update", did you mean "crm contract add-payment --payment"?`, "crm contract update --help"},
		{"contract detail --assigned-to-me", `unknown flag --assigned-to-me for "crm contract detail"`, "crm contract detail --help"},
		{"customer set-commercial --commercial x", `unknown flag --commercial for "crm customer set-commercial", did you mean --commercial-username?`, "crm customer set-commercial --help"},
		{"contract --limit 5", `unknown flag --limit for "crm contract", did you mean "crm contract list --limit"?`, "crm contract --help"},
		{"--limit 5", `unknown flag --limit for "crm"`, "crm --help"},
		{"--zzz contarct list", `unknown flag --zzz for "crm"`, "crm --help"},
		{"--zzz=1 contarct", `unknown command "contarct", did you mean "contract"?`, "crm --help"},
		{"contract --yes lsit", `unknown command "lsit", did you mean "list"?`, "crm contract --help"},
		{"--zzz contract list", `unknown flag --zzz for "crm contract list"`, "crm contract list --help"},
		{"contract list --zzz --limit", `unknown flag --zzz for "crm contract list"`, "crm contract list --help"},
		{"contract list ---limit", `unknown flag "---limit" for "crm contract list", did you mean --limit?`, "crm contract list --help"},
		{"contract list --=x", `unknown flag "--=x" for "crm contract list"`, "crm contract list --help"},
		{"contract list --\x1b[31m", `unknown flag "--\x1b[31m" for "crm contract list"`, "crm contract list --help"},
		{"contract list --" + long, `unknown flag --` + long[:37] + `… for "crm contract list"`, "crm contract list --help"},

		// Negative numbers.
		{"contract add-payment 42 -5", `unknown flag -5 for "crm contract add-payment"`, "write --FLAG=-5 for the value of a flag, or -- -5 for an argument"},
		{"contract add-payment 42 -5,50", `unknown flag "-5,50" for "crm contract add-payment"`, `write --FLAG="-5,50" for the value of a flag, or -- "-5,50" for an argument`},

		// Flags without their value.
		{"contract list --limit", "flag --limit needs a value", "crm contract list --help"},
		{"contract list -o", "flag -o needs a value", "crm contract list --help"},
		{"contract list -limit 5 -search", "flag --search needs a value", "crm contract list --help"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			_, _, err := Permute(sampleTree(new(parsedLine)), splitWords(tt.args))
			var usage *failure.Error
			if !errors.As(err, &usage) || usage.Code != failure.Usage {
				t.Fatalf("got %v, want a usage error", err)
			}
			if usage.Error() != tt.message || usage.Hint != tt.hint {
				t.Errorf("\n got %s\n     %s\nwant %s\n     %s", usage.Message, usage.Hint, tt.message, tt.hint)
			}
		})
	}
}
