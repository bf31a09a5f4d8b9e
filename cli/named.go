package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// readingVerbs are of the commands that change nothing, which take words for a customer in a script too.
var readingVerbs = []string{"list", "detail", "overview", "history"}

// customerFlag declares a customer, who is named by an id or by words that fit nobody else. A script that changes something
// says the id: words may fit another tomorrow.
func (a *app) customerFlag(c *command.Command, help string) *command.Value[int64] {
	return a.customerFlagNamed(c, "customer-id", help)
}

// customerFlagNamed is customerFlag for a command that takes several customers.
func (a *app) customerFlagNamed(c *command.Command, name, help string) *command.Value[int64] {
	v := command.Flag(c, name, "N", help+": an id, or words that fit no other", func(s string) (int64, error) {
		id, err := command.ParseID(s)
		switch {
		case !isWords(s):
			return id, err
		case !a.Interactive() && !slices.Contains(readingVerbs, c.Name):
			return 0, failure.Misuse(fmt.Sprintf("%q is not an id, which a script gives where it changes something.", text.Shorten(s)), searchFor(s))
		}
		return 0, nil // until it is found
	}).Titled("Customer").From(a.pickCustomer(c))
	return v.Finds(func(ctx context.Context, s service.Operations) (err error) {
		if v.Got == 0 {
			v.Got, err = a.customerFitting(ctx, s, v.Text)
		}
		return err
	})
}

// isWords reports whether a text is what a customer may be found by, and no id: it has a letter, or is a telephone number.
func isWords(s string) bool {
	s = strings.TrimSpace(s)
	const shortestPhone = 6
	digits := strings.Count(strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return '0'
		}
		return -1
	}, s), "0")
	return strings.ContainsFunc(s, unicode.IsLetter) || digits >= shortestPhone && (s[0] == '0' || s[0] == '+')
}

// customerFitting returns the id of the customer whom words fit. Where they fit several a person chooses one of these.
func (a *app) customerFitting(ctx context.Context, s service.Operations, words string) (int64, error) {
	words, err := command.Line("customer-id")(words)
	if err != nil {
		return 0, err
	}
	fitting := func(ctx context.Context, typed string, limit int) (found []terminal.Choice, err error) {
		search := strings.TrimSpace(words + " " + typed)
		return choicesOf(search, limit, "", customerChoice, s.CustomerList(ctx, gen.CustomerListParams{Search: &search, RowLimit: new(int64(limit))}))
	}
	const named = 5
	found, err := fitting(ctx, "", named+1)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, &failure.Error{Code: failure.NotFound, Message: fmt.Sprintf("No customer fits %q.", text.Shorten(words)), Hint: "crm customer list"}
	case len(found) == 1:
		return command.ParseID(found[0].Value)
	case a.Interactive():
		chosen, err := a.Choose(ctx, "Customer", fitting, "")
		if err != nil {
			return 0, err
		}
		return command.ParseID(chosen)
	}
	many := fmt.Sprint(len(found))
	if len(found) > named {
		found, many = found[:named], fmt.Sprintf("more than %d", named)
	}
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = strings.ReplaceAll(c.Label, "\t", " ")
	}
	return 0, failure.Misuse(fmt.Sprintf("%q fits %s customers: %s.", text.Shorten(words), many, strings.Join(names, "; ")), searchFor(words))
}

// searchFor is the command that lists whom words fit.
func searchFor(words string) string {
	return fmt.Sprintf("crm customer list --search '%s'", strings.ReplaceAll(words, "'", `'\''`))
}

// customerChoice offers a customer.
func customerChoice(c gen.CustomerView) terminal.Choice {
	label := fmt.Sprintf("%d\t%s (%s)", c.ID, withCompany(c.Fullname, c.Company), c.CommercialFullname)
	return terminal.Choice{Label: label, Value: fmt.Sprint(c.ID)}
}
