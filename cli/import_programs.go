package cli

import (
	"fmt"
	"strings"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/intake"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// program is another program, as far as its exports of one resource differ from crm's.
type program struct {
	name    string
	title   string
	columns []string // as --map takes them; of those that are not there is done without, and a column may be in several
	newline string   // what stands in a cell for the end of a line, beside that itself
	utc     bool     // whether times are in UTC, and not in the zone of whoever exported them
	report  bool     // whether lines of one cell may follow below the rows
}

// customerPrograms are the programs whose contacts become customers. Labels are in any case; each program is known in the
// languages and by the names of its own fields in which it writes them.
func customerPrograms() []program {
	return []program{
		{
			name: "hubspot", title: "HubSpot",
			columns: []string{
				"First Name+Last Name|Prénom+Nom|Company Name|Associated Company=fullname",
				"Company Name|Associated Company|Primary Associated Company|Nom de l'entreprise=company",
				"Email|E-mail=email",
				"Phone Number|Mobile Phone Number|Numéro de téléphone|Numéro de téléphone mobile=phone",
				"Street Address++Postal Code+City++Country/Region|Adresse postale++Code postal+Ville++Pays/Région=address",
				"Create Date|Date de création=created_at",
			},
		},
		{
			// Those of third parties are companies, and those of contacts people; both have some labels twice.
			name: "dolibarr", title: "Dolibarr", newline: `\n`,
			columns: []string{
				"Prénom+Nom|Firstname+Lastname|First name+Last name|Nom du tiers|Third-party name|Third party name|Raison sociale|Company name=fullname",
				"Raison sociale|Company name|Nom du tiers|Third-party name|Third party name=company",
				"Email|E-mail|Courriel=email",
				"Téléphone|Phone|Tél pro.|Prof. phone|Mobile|Tél portable|Tél. portable=phone",
				"Adresse++Code postal+Ville++Pays|Address++Zip Code+Zip+Town+City++Country=address",
				"Date création|Date de création|Creation date|Date creation=created_at",
			},
		},
		{
			name: "odoo", title: "Odoo",
			columns: []string{
				"Name|Nom|Display Name|Nom affiché|Complete Name|display_name|complete_name=fullname",
				"Related Company|Company Name|Société liée|Nom de la société|parent_id/name|parent_id|company_name|commercial_company_name=company",
				"Email|E-mail|Courriel=email",
				"Phone|Mobile|Téléphone|Portable=phone",
				"Street++Street2++Street 2++Zip+City++Country++country_id|Rue++Rue 2++Rue2++Code postal+Ville++Pays=address",
				"Created on|Créé le|create_date=created_at",
			},
		},
		{
			name: "espocrm", title: "EspoCRM", utc: true,
			columns: []string{
				"firstName+middleName+lastName|name|accountName=fullname",
				"accountName=company",
				"emailAddress=email",
				"phoneNumber=phone",
				"addressStreet++addressPostalCode+addressCity++addressCountry" +
					"|billingAddressStreet++billingAddressPostalCode+billingAddressCity++billingAddressCountry=address",
				"createdAt=created_at",
			},
		},
		{
			// A report has labels, and an export of the data the names of the fields. Created Date of a report is as the
			// country of its user writes it, in which a month may stand before its day: it is not taken.
			name: "salesforce", title: "Salesforce", utc: true, report: true,
			columns: []string{
				"First Name+Last Name|FirstName+LastName|Full Name|Contact Name|Name|Account Name|Company / Account|Company=fullname",
				"Account Name|Account.Name|Company / Account|Company=company",
				"Email=email",
				"Phone|Mobile|MobilePhone=phone",
				"Mailing Street++Mailing Zip/Postal Code+Mailing City++Mailing Country" +
					"|MailingStreet++MailingPostalCode+MailingCity++MailingCountry" +
					"|Street++PostalCode+Zip/Postal Code+City++Country" +
					"|Billing Street++Billing Zip/Postal Code+Billing City++Billing Country" +
					"|BillingStreet++BillingPostalCode+BillingCity++BillingCountry=address",
				"CreatedDate=created_at",
			},
		},
	}
}

// programFlag adds --from, which takes the name of one of the programs.
func programFlag(c *command.Command, programs []program) *command.Value[*program] {
	names := make([]string, len(programs))
	for i, each := range programs {
		names[i] = each.name
	}
	parse := command.ParseEnum("program", names)
	return command.Flag(c, "from", "PROGRAM", "the file is an export of "+strings.Join(names, ", ")+": its columns are known", func(s string) (*program, error) {
		name, err := parse(s)
		for i, each := range programs {
			if each.name == name {
				return &programs[i], nil
			}
		}
		return nil, err
	}).OneOf(names...)
}

// unguarded returns a cell without the apostrophe that programs put before what a spreadsheet takes for a formula.
func (p *program) unguarded(cell string) string {
	if rest, guarded := strings.CutPrefix(cell, "'"); guarded && rest != "" && strings.IndexByte("+-@=", rest[0]) >= 0 {
		return rest
	}
	return cell
}

// isBelow reports whether a record is no row, but what a report says below them.
func (in *intaking[P]) isBelow(record intake.Record) bool {
	return in.from != nil && in.from.report && len(record.Cells) == 1 && len(in.source.Header) > 1
}

// addressElsewhere makes one line of an address that has several.
func addressElsewhere(from *program, cell string) (string, error) {
	if from.newline != "" {
		cell = strings.ReplaceAll(cell, from.newline, "\n")
	}
	var lines []string
	for line := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimRight(strings.TrimSpace(line), ","); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ", "), nil
}

// timeElsewhere makes of another program's time one that says which moment it is. The year has to stand first, or the day
// and the month might be taken for each other.
func timeElsewhere(from *program, cell string) (string, error) {
	cell = strings.TrimSpace(cell)
	if len(cell) < 5 || strings.Trim(cell[:4], "0123456789") != "" || cell[4] != '-' {
		return "", failure.Misuse(fmt.Sprintf("%q can be a day of two months: write 2025-12-31.", text.Shorten(cell)), "")
	}
	if at := len(cell) - len("+0000"); at > 0 && strings.HasSuffix(cell, "+0000") {
		return cell[:at] + "Z", nil
	}
	if clock := cell[min(len("2025-12-31"), len(cell)):]; from.utc && strings.Contains(clock, ":") && !strings.ContainsAny(clock, "Zz+-") {
		return cell + "Z", nil
	}
	return cell, nil
}
