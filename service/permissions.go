package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/epicevents/crm/gen"
)

// Scope is how much of a resource a role may use an operation on.
type Scope string

const (
	no  Scope = "no"
	own Scope = "own" // what is in the employee's charge
	all Scope = "all"
)

// permissions is who may do what.
var permissions = map[string][4]Scope{
	//                       none commercial support administrator
	"AuthWhoami":            {all, all, all, all},
	"AuthLogout":            {all, all, all, all},
	"AuthChangePassword":    {all, all, all, all},
	"EmployeeList":          {all, all, all, all},
	"EmployeeCount":         {all, all, all, all},
	"EmployeeDetail":        {all, all, all, all},
	"EmployeeUsernames":     {all, all, all, all},
	"EmployeeAdd":           {no, no, no, all},
	"EmployeeUpdate":        {no, no, no, all},
	"EmployeeSetRole":       {no, no, no, all},
	"EmployeeSetPassword":   {no, no, no, all},
	"EmployeeDelete":        {no, no, no, all},
	"CustomerList":          {all, all, all, all},
	"CustomerCount":         {all, all, all, all},
	"CustomerDetail":        {all, all, all, all},
	"CustomerAdd":           {no, own, no, no},
	"CustomerUpdate":        {no, own, no, no},
	"CustomerSetCommercial": {no, no, no, all},
	"ContractList":          {all, all, all, all},
	"ContractCount":         {all, all, all, all},
	"ContractDetail":        {all, all, all, all},
	"ContractFind":          {all, all, all, all},
	"ContractPayments":      {all, all, all, all},
	"ContractPaymentsCount": {all, all, all, all},
	"ContractAdd":           {no, no, no, all},
	"ContractUpdate":        {no, own, no, all},
	"ContractSign":          {no, own, no, all},
	"ContractAddPayment":    {no, own, no, all},
	"EventList":             {all, all, all, all},
	"EventCount":            {all, all, all, all},
	"EventDetail":           {all, all, all, all},
	"EventAdd":              {no, own, no, no},
	"EventSetSupport":       {no, no, no, all},
	"EventUpdate":           {no, no, own, no},
	"DbPopulate":            {no, no, no, all},
}

// Permission is one line of the table. An operation is named as its command: contract add-payment.
type Permission struct {
	Operation                                string
	None, Commercial, Support, Administrator Scope
}

// Permissions gives the table by operation.
func Permissions() []Permission {
	table := make([]Permission, 0, len(permissions))
	for _, operation := range slices.Sorted(maps.Keys(permissions)) {
		scopes := permissions[operation]
		table = append(table, Permission{commandOf(operation), scopes[0], scopes[1], scopes[2], scopes[3]})
	}
	return table
}

// permit decides with the answer of the session query.
func (s *Session) permit(operation string, row gen.SessionEmployeeRow) (actor, error) {
	if err := checkVersion(row.Version, row.Dirty); err != nil {
		return actor{}, err
	}
	if row.ID == nil {
		return actor{}, errSessionOver
	}
	by := actor{EmployeeView: gen.EmployeeView{
		ID: *row.ID, Username: *row.Username, Fullname: *row.Fullname, Role: *row.Role,
	}}
	s.role = by.Role
	scopes, ok := permissions[operation]
	if !ok {
		panic("service: no permission row for " + operation)
	}
	switch scopes[slices.Index(gen.AllRoleValues(), by.Role)] {
	case all:
	case own:
		by.own = &by.ID
	default:
		var roles []string
		for i, role := range gen.AllRoleValues() {
			if scopes[i] != no {
				roles = append(roles, string(role))
			}
		}
		return actor{}, &Error{Code: PermissionDenied, Message: fmt.Sprintf("%q is for the role %s; %s has the role %s.",
			"crm "+commandOf(operation), strings.Join(roles, " or "), by.Username, by.Role)}
	}
	return by, nil
}

// commandOf spells an operation as its command: ContractAddPayment is contract add-payment.
func commandOf(operation string) string {
	var words []string
	for i, r := range operation {
		upper := r >= 'A' && r <= 'Z'
		if upper && (i == 0 || operation[i-1] >= 'a') {
			words = append(words, "")
		}
		words[len(words)-1] += strings.ToLower(string(r))
	}
	return words[0] + " " + strings.Join(words[1:], "-")
}
