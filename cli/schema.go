package cli

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// described is a resource as scripts may rely on it.
type described struct {
	Resource string           `json:"resource"`
	Fields   []describedField `json:"fields"`
}

type describedField struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
}

var kindNames = map[kind]string{
	kindText:    "string",
	kindInteger: "integer",
	kindBoolean: "boolean",
	kindAmount:  "decimal",
	kindTime:    "date-time",
	kindUUID:    "uuid",
}

func describeResource[T any](r resource[T]) described {
	var zero T
	d := described{Resource: r.name}
	for _, c := range r.columns {
		cell := cellOf(c.value(zero))
		d.Fields = append(d.Fields, describedField{c.name, kindNames[cell.kind], cell.null})
	}
	return d
}

// as is the resource under another name.
func (d described) as(name string) described {
	d.Resource = name
	return d
}

// publicResources are what lists and details print. What employee add and set-password, contract add-payment
// and auth token create print has more fields than its kind has elsewhere, and a name of its own.
func publicResources() []described {
	return []described{
		describeResource(employees),
		describeResource(newEmployees).as("added_employee"),
		describeResource(customers),
		describeResource(contracts),
		describeResource(payments),
		describeResource(recordedPayments).as("added_payment"),
		describeResource(events),
		describeResource(found),
		describeResource(whoami),
		describeResource(logins),
		describeResource(tokens),
		describeResource(newTokens).as("added_token"),
	}
}

func (a *app) schemaCommand() *ffcli.Command {
	c := a.command("schema", "the fields of each resource, their types and whether they may be null, as JSON").examples(
		"crm schema contract",
		"crm schema | jq -r '.[].resource'",
	)
	var names []string
	for _, d := range publicResources() {
		names = append(names, d.Resource)
	}
	name := maybeArgument(flagOf(c, "resource", "RESOURCE", "one of the resources", func(s string) (string, error) {
		if !slices.Contains(names, s) {
			return "", unknownValue("resource", s, names)
		}
		return s, nil
	}))
	name.pick = func(context.Context) (choices []choice, _ error) {
		for _, n := range names {
			choices = append(choices, choice{"", n})
		}
		return choices, nil
	}
	return c.does(func(context.Context) error {
		encoder := json.NewEncoder(a.output().out)
		encoder.SetIndent("", "  ")
		all := publicResources()
		if !name.set {
			return encoder.Encode(all)
		}
		return encoder.Encode(all[slices.IndexFunc(all, func(d described) bool { return d.Resource == name.got })])
	})
}
