package cli

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
)

// publicResources are what lists and details print. What employee add and set-password, contract add-payment
// and auth token create print has more fields than its kind has elsewhere, and a name of its own.
func publicResources() []render.Description {
	return []render.Description{
		render.Describe(employees),
		render.Describe(newEmployees).As("added_employee"),
		render.Describe(customers),
		render.Describe(duplicates),
		render.Describe(contracts),
		render.Describe(payments),
		render.Describe(recordedPayments).As("added_payment"),
		render.Describe(events),
		render.Describe(clashes),
		render.Describe(candidates),
		render.Describe(notes),
		render.Describe(reminders),
		render.Describe(workItems),
		render.Describe(receivables),
		render.Describe(revenue),
		render.Describe(receipts),
		render.Describe(workload),
		render.Describe(pipeline),
		render.Describe(customerAccounts).As("customer_overview").With("contracts", "contract").With("payments", "payment").With("events", "event").With("reminders", "reminder").With("notes", "note"),
		render.Describe(reconciled).As("statement_line"),
		render.Describe(contractAccounts).As("contract_overview").With("payments", "payment").With("events", "event").With("reminders", "reminder").With("notes", "note"),
		render.Describe(eventSheets).As("event_sheet"),
		render.Describe(finds),
		render.Describe(checkFindings),
		render.Describe(whoami),
		render.Describe(logins),
		render.Describe(tokens),
		render.Describe(newTokens).As("added_token"),
	}
}

func (a *app) schemaCommand() *ffcli.Command {
	c := a.Command("schema", "the fields of each resource, their types and whether they may be null, as JSON").
		WithoutSettings().Examples(
		"crm schema contract",
		"crm schema | jq -r '.[].resource'",
	)
	var names []string
	for _, d := range publicResources() {
		names = append(names, d.Resource)
	}
	name := command.Flag(c, "resource", "RESOURCE", "one of the resources", func(s string) (string, error) {
		if !slices.Contains(names, s) {
			return "", cmdline.UnknownValue("resource", s, names)
		}
		return s, nil
	}).MaybeArgument()
	name.OneOf(names...)
	return c.Does(func(context.Context) error {
		encoder := json.NewEncoder(a.Output().Out)
		encoder.SetIndent("", "  ")
		all := publicResources()
		if !name.Set {
			return encoder.Encode(all)
		}
		return encoder.Encode(all[slices.IndexFunc(all, func(d render.Description) bool { return d.Resource == name.Got })])
	})
}
