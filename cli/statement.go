package cli

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/epicevents/crm/cli/intake"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// statementFields are what the columns of a bank's file mean, with the labels by which they are recognised. Of the columns
// of a field, the one with the first of its labels is taken; of label all of them are, one after the other.
var statementFields = []struct {
	name   string
	labels []string
}{
	{"date", []string{"date de comptabilisation", "date comptable", "date", "date operation", "date de l operation", "date d operation", "dateop",
		"date de valeur", "date valeur", "dateval"}},
	{"label", []string{"libelle", "libelle simplifie", "libelle operation", "libelle de l operation", "libelle complementaire", "label", "detail de l ecriture",
		"nature de l operation", "reference", "informations complementaires", "motif", "communication", "nom de la contrepartie", "supplierfound", "comment"}},
	{"amount", []string{"montant", "montant euros", "montant eur", "montant en euros", "montant de l operation", "montant operation", "amount"}},
	{"debit", []string{"debit", "debit euros", "debit eur", "debit en euros"}},
	{"credit", []string{"credit", "credit euros", "credit eur", "credit en euros"}},
	{"side", []string{"sens", "debit credit", "d c"}},
	{"currency", []string{"devise", "currency"}},
	{"contract", []string{"contract"}},
	{"occurrence", []string{"occurrence"}},
}

// decisionColumns are what the file of undecided lines has beside the bank's own columns: somebody writes the number of the
// contract, and which of several equal lines it was is known though the others stand there no more.
var decisionColumns = []string{"contract", "occurrence"}

// mappedStatementFields are those that --map names.
var mappedStatementFields = []string{"date", "label", "amount", "debit", "credit", "side", "currency", "contract"}

// statement is a file of a bank.
type statement struct {
	*intake.Source
	columns map[string][]int // of each field
	untaken []string
}

// openStatement opens a file of a bank, whose header stands somewhere near its beginning.
func openStatement(name string, stdin io.Reader, labels map[string]string) (*statement, error) {
	var taken *statement
	source, err := intake.OpenAt(name, stdin, func(header []string) bool {
		taken = takenOf(header, labels)
		return taken.isWhole()
	})
	if err != nil {
		return nil, err
	}
	taken = takenOf(source.Header, labels)
	taken.Source = source
	for label := range labels {
		if !slices.ContainsFunc(source.Header, func(l string) bool { return strings.ToLower(l) == label }) {
			source.Close()
			return nil, failure.Misuse(fmt.Sprintf("%s has no column %s.", text.Shorten(source.Name), label), "its columns are "+strings.Join(source.Header, ", "))
		}
	}
	if !taken.isWhole() {
		source.Close()
		return nil, failure.Misuse(fmt.Sprintf("%s has no line that names columns for a date, a label, and an amount or a credit.", text.Shorten(source.Name)),
			"--map LABEL=FIELD names them")
	}
	return taken, nil
}

// takenOf finds the columns of the fields in a header.
func takenOf(header []string, labels map[string]string) *statement {
	s := &statement{columns: map[string][]int{}}
	rank := map[string]int{}
	for i, label := range header {
		folded := intake.Folded(label)
		field, mapped := labels[strings.ToLower(label)]
		at := -1 // what is mapped comes before what is recognised
		for _, each := range statementFields {
			if found := slices.Index(each.labels, folded); !mapped && found >= 0 {
				field, at = each.name, found
			}
		}
		before, isThere := rank[field]
		switch {
		case field == "":
		case !isThere || field == "label":
			s.columns[field], rank[field] = append(s.columns[field], i), at
		case at < before:
			s.columns[field], rank[field] = []int{i}, at
		}
	}
	if s.columns["credit"] != nil {
		delete(s.columns, "amount")
	} else {
		delete(s.columns, "debit")
	}
	for i, label := range header {
		isTaken := label == "" || label == intake.ReasonColumn
		for _, columns := range s.columns {
			isTaken = isTaken || slices.Contains(columns, i)
		}
		if !isTaken {
			s.untaken = append(s.untaken, label)
		}
	}
	return s
}

// isWhole reports whether a statement can be read by its columns.
func (s *statement) isWhole() bool {
	return s.columns["date"] != nil && s.columns["label"] != nil && (s.columns["amount"] != nil || s.columns["credit"] != nil)
}

// cell returns what a record has of a field.
func (s *statement) cell(record intake.Record, field string) string {
	var parts []string
	for _, at := range s.columns[field] {
		if at >= len(record.Cells) {
			continue
		}
		cell := record.Cells[at]
		if s.Comma == ';' { // a spreadsheet's, which crm guards too
			cell = render.Unguarded(cell)
		}
		part := strings.Join(strings.FieldsFunc(intake.Label(cell), isBlankOrControl), " ")
		if part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

func isBlankOrControl(r rune) bool { return r <= ' ' || r >= 0x7f && r <= 0xa0 || r == 0x202f }

// entry is a line of an account: above zero what was credited.
type entry struct {
	gen.ContractReconcileStageParams
	isEntry bool // and not a balance or a remark
}

// read reads a record. What has neither a day nor an amount is no entry.
func (s *statement) read(record intake.Record) (e entry, problems []problem) {
	refuse := func(field string, err error) { problems = append(problems, problem{field, reasonOf(err)}) }
	e.Line, e.Label = record.Line, s.cell(record, "label")
	day := s.cell(record, "date")
	bookedOn, errDate := parseBooked(day)
	amount, isThere, errAmount := s.amount(record)
	if !isThere || errDate != nil && !strings.ContainsAny(day, "0123456789") {
		return e, nil
	}
	e.isEntry, e.BookedOn, e.Amount = true, bookedOn, amount
	if errDate != nil {
		refuse("date", errDate)
	}
	if errAmount != nil {
		refuse("amount", errAmount)
	}
	if currency := s.cell(record, "currency"); currency != "" && !slices.Contains([]string{"EUR", "EURO", "EUROS", "€"}, strings.ToUpper(currency)) {
		refuse("currency", failure.Misuse(fmt.Sprintf("An amount in %s is no payment.", text.Shorten(currency)), ""))
	}
	if named := s.cell(record, "contract"); named != "" {
		if number, ok := value.ParseContractNumber(named); ok {
			e.Named = &number
		} else {
			refuse("contract", failure.Misuse(fmt.Sprintf("%q is no number of a contract such as 2026-0042.", text.Shorten(named)), ""))
		}
	}
	if counted := s.cell(record, "occurrence"); counted != "" {
		if n, err := strconv.ParseInt(counted, 10, 64); err == nil && n > 0 {
			e.Occurrence = &n
		} else {
			refuse("occurrence", failure.Misuse(fmt.Sprintf("%q is no whole number from 1.", text.Shorten(counted)), ""))
		}
	}
	return e, problems
}

// amount returns what was credited, or below zero debited, and reports whether the record says so.
func (s *statement) amount(record intake.Record) (amount value.Cents, isThere bool, err error) {
	of := func(field string) value.Cents {
		cell := s.cell(record, field)
		if cell == "" {
			return 0
		}
		isThere = true
		cents, errCell := parseSigned(cell)
		if errCell != nil && err == nil {
			err = errCell
		}
		return cents
	}
	if s.columns["credit"] != nil {
		debit, credit := of("debit"), of("credit")
		if debit > 0 { // with a sign or without one
			debit = -debit
		}
		if debit != 0 && credit != 0 && err == nil {
			err = failure.Misuse("It has both a debit and a credit.", "")
		}
		return debit + credit, isThere, err
	}
	amount = of("amount")
	switch side := intake.Folded(s.cell(record, "side")); {
	case s.columns["side"] == nil || !isThere:
	case strings.HasPrefix(side, "d") && amount > 0:
		amount = -amount
	case !strings.HasPrefix(side, "d") && !strings.HasPrefix(side, "c") && err == nil:
		err = failure.Misuse(fmt.Sprintf("%q is neither a debit nor a credit.", text.Shorten(side)), "")
	}
	return amount, isThere, err
}

// entries returns the entries of the file that were credited, which have been read once without a problem.
func (s *statement) entries() iter.Seq2[gen.ContractReconcileStageParams, error] {
	return func(yield func(gen.ContractReconcileStageParams, error) bool) {
		for record, err := range s.Records() {
			if err != nil {
				yield(gen.ContractReconcileStageParams{}, err)
				return
			}
			if e, _ := s.read(record); e.isEntry && e.Amount > 0 && !yield(e.ContractReconcileStageParams, nil) {
				return
			}
		}
	}
}

// parseBooked takes a day as banks write it.
func parseBooked(s string) (value.Date, error) {
	for _, layout := range []string{"02/01/2006", "2006-01-02", "02/01/06", "02-01-2006", "02.01.2006"} {
		if day, err := time.Parse(layout, s); err == nil && len(s) == len(layout) {
			booked := value.Date(day.Format(time.DateOnly))
			return booked, value.CheckDate(booked)
		}
	}
	return "", failure.Misuse(fmt.Sprintf("%q is no day such as 31/12/2026 or 2026-12-31.", text.Shorten(s)), "")
}

// parseSigned takes an amount with a sign, before or behind it.
func parseSigned(s string) (value.Cents, error) {
	number, minus := strings.ReplaceAll(s, "\u2212", "-"), false
	for _, sign := range []string{"-", "+"} {
		rest, isBefore := strings.CutPrefix(number, sign)
		if !isBefore {
			rest, isBefore = strings.CutSuffix(number, sign)
		}
		if isBefore {
			number, minus = strings.TrimSpace(rest), sign == "-"
			break
		}
	}
	cents, err := value.ParseMoney(number)
	if minus {
		cents = -cents
	}
	return cents, err
}
