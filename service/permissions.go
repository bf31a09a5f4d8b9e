package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// Scope is how much of a resource a role may use an operation on.
type Scope string

const (
	no  Scope = "no"
	own Scope = "own" // what is in the employee's charge
	all Scope = "all"
)

// Access is what kind of session an operation needs.
type Access string

const (
	read  Access = "read"  // any, also a read-only token
	write Access = "write" // a login, or a token that may write
	// A login: nobody gets more out of a token than it says, so that whatever makes an account, or changes who can log in
	// to it and what they then may, is not for a token.
	login Access = "login"
)

type permission struct {
	needs                                    Access
	again                                    retry // whether it may be sent a second time
	none, commercial, support, administrator Scope
}

// byRole returns the scopes in the order of gen.AllRoleValues.
func (p permission) byRole() [4]Scope {
	return [4]Scope{p.none, p.commercial, p.support, p.administrator}
}

// permissions is who may do what.
var permissions = map[string]permission{
	//                       needs, again, none, commercial, support, administrator
	"AuthWhoami":              {read, readOnly, all, all, all, all},
	"AuthLogout":              {login, idempotent, all, all, all, all},
	"AuthChangePassword":      {login, notIdempotent, all, all, all, all},
	"AuthSessions":            {read, readOnly, own, own, own, all},
	"AuthSessionsCount":       {read, readOnly, own, own, own, all},
	"AuthSessionsRevoke":      {login, idempotent, own, own, own, all},
	"AuthTokenList":           {read, readOnly, own, own, own, all},
	"AuthTokenListCount":      {read, readOnly, own, own, own, all},
	"AuthTokenCreate":         {login, notIdempotent, all, all, all, all},
	"AuthTokenRevoke":         {login, notIdempotent, own, own, own, all},
	"EmployeeList":            {read, readOnly, all, all, all, all},
	"EmployeeCount":           {read, readOnly, all, all, all, all},
	"EmployeeDetail":          {read, readOnly, all, all, all, all},
	"EmployeeFind":            {read, readOnly, all, all, all, all},
	"EmployeeUsernames":       {read, readOnly, all, all, all, all},
	"EmployeeAdd":             {login, notIdempotent, no, no, no, all},
	"EmployeeUpdate":          {login, idempotent, no, no, no, all},
	"EmployeeSetRole":         {login, idempotent, no, no, no, all},
	"EmployeeSetPassword":     {login, idempotent, no, no, no, all},
	"EmployeeUnlock":          {login, idempotent, no, no, no, all},
	"EmployeeDeactivate":      {login, idempotent, no, no, no, all},
	"EmployeeReactivate":      {login, idempotent, no, no, no, all},
	"EmployeeHandover":        {login, idempotent, no, no, no, all},
	"EmployeeImport":          {login, notIdempotent, no, no, no, all},
	"EmployeeDelete":          {write, notIdempotent, no, no, no, all},
	"CustomerList":            {read, readOnly, all, all, all, all},
	"CustomerCount":           {read, readOnly, all, all, all, all},
	"CustomerDetail":          {read, readOnly, all, all, all, all},
	"CustomerOverview":        {read, readOnly, all, all, all, all},
	"CustomerAdd":             {write, notIdempotent, no, all, no, no},
	"CustomerUpdate":          {write, idempotent, no, own, no, no},
	"CustomerSetCommercial":   {write, idempotent, no, no, no, all},
	"CustomerArchive":         {write, idempotent, no, own, no, all},
	"CustomerRestore":         {write, idempotent, no, own, no, all},
	"CustomerDuplicates":      {read, readOnly, all, all, all, all},
	"CustomerDuplicatesCount": {read, readOnly, all, all, all, all},
	"CustomerMerge":           {write, notIdempotent, no, own, no, all},
	"CustomerImport":          {write, notIdempotent, no, own, no, all},
	"ContractList":            {read, readOnly, all, all, all, all},
	"ContractCount":           {read, readOnly, all, all, all, all},
	"ContractDetail":          {read, readOnly, all, all, all, all},
	"ContractOverview":        {read, readOnly, all, all, all, all},
	"ContractFind":            {read, readOnly, all, all, all, all},
	"ContractAdd":             {write, notIdempotent, no, no, no, all},
	"ContractUpdate":          {write, idempotent, no, own, no, all},
	"ContractSign":            {write, idempotent, no, own, no, all},
	"ContractAddPayment":      {write, idempotent, no, own, no, all},
	"ContractUnsign":          {write, idempotent, no, no, no, all},
	"ContractCancel":          {write, idempotent, no, own, no, all},
	"ContractImport":          {write, notIdempotent, no, no, no, all},
	"ContractReconcile":       {write, idempotent, no, no, no, all},
	"PaymentList":             {read, readOnly, all, all, all, all},
	"PaymentCount":            {read, readOnly, all, all, all, all},
	"PaymentDetail":           {read, readOnly, all, all, all, all},
	"PaymentFind":             {read, readOnly, all, all, all, all},
	"PaymentVoid":             {write, idempotent, no, own, no, all},
	"PaymentImport":           {write, notIdempotent, no, no, no, all},
	"EventList":               {read, readOnly, all, all, all, all},
	"EventCount":              {read, readOnly, all, all, all, all},
	"EventDetail":             {read, readOnly, all, all, all, all},
	"EventSheet":              {read, readOnly, all, all, all, all},
	"EventClashes":            {read, readOnly, all, all, all, all},
	"EventClashesCount":       {read, readOnly, all, all, all, all},
	"EventStaff":              {read, readOnly, no, no, no, all},
	"EventIcs":                {read, readOnly, all, all, all, all},
	"EventAdd":                {write, notIdempotent, no, own, no, no},
	"EventSetSupport":         {write, idempotent, no, no, no, all},
	"EventCancel":             {write, idempotent, no, own, no, all},
	"EventUpdate":             {write, idempotent, no, no, own, no},
	"EventImport":             {write, notIdempotent, no, no, no, all},
	"NoteList":                {read, readOnly, all, all, all, all},
	"NoteCount":               {read, readOnly, all, all, all, all},
	"NoteDetail":              {read, readOnly, all, all, all, all},
	"NoteAdd":                 {write, notIdempotent, no, own, own, all},
	"ReminderList":            {read, readOnly, all, all, all, all},
	"ReminderCount":           {read, readOnly, all, all, all, all},
	"ReminderDetail":          {read, readOnly, all, all, all, all},
	"ReminderAdd":             {write, notIdempotent, no, own, own, all},
	"ReminderDone":            {write, idempotent, no, own, own, all},
	"ReminderDelete":          {write, notIdempotent, no, own, own, all},
	"History":                 {read, readOnly, all, all, all, all},
	"HistoryCount":            {read, readOnly, all, all, all, all},
	"Find":                    {read, readOnly, all, all, all, all},
	"FindCount":               {read, readOnly, all, all, all, all},
	"ChangeFind":              {read, readOnly, all, all, all, all},
	"Changes":                 {read, readOnly, all, all, all, all},
	"ReportReceivables":       {read, readOnly, all, all, all, all},
	"ReportRevenue":           {read, readOnly, all, all, all, all},
	"ReportReceipts":          {read, readOnly, all, all, all, all},
	"ReportWorkload":          {read, readOnly, all, all, all, all},
	"ReportPipeline":          {read, readOnly, all, all, all, all},
	"Today":                   {read, readOnly, own, own, own, all},
	"TodayCount":              {read, readOnly, own, own, own, all},
	"Undo":                    {login, notIdempotent, no, no, no, all},
	"Check":                   {read, readOnly, all, all, all, all},
	"DbPopulate":              {login, notIdempotent, no, no, no, all},
}

// beforeNewPassword is what is allowed with a one-time password.
var beforeNewPassword = []string{"AuthWhoami", "AuthLogout", "AuthChangePassword"}

// Permission is one line of the table. An operation is named as its command: contract add-payment.
type Permission struct {
	Operation     string `json:"operation"`
	None          Scope  `json:"none"`
	Commercial    Scope  `json:"commercial"`
	Support       Scope  `json:"support"`
	Administrator Scope  `json:"administrator"`
}

// Permissions returns the table by operation.
func Permissions() []Permission {
	table := make([]Permission, 0, len(permissions))
	for _, operation := range slices.Sorted(maps.Keys(permissions)) {
		scopes := permissions[operation].byRole()
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
		return actor{}, s.over(nil)
	}
	by := actor{Person: Person{ID: *row.ID, Username: *row.Username, Fullname: *row.Fullname, Role: *row.Role}, command: commandOf(operation), again: permissions[operation].again}
	s.role = by.Role
	permission, ok := permissions[operation]
	if !ok {
		panic("service: no permission row for " + operation)
	}
	command := "crm " + commandOf(operation)
	switch {
	case row.PasswordOneTime && !slices.Contains(beforeNewPassword, operation):
		return actor{}, &failure.Error{Code: failure.PermissionDenied, Message: "Your password is good until you choose your own: do that first.",
			Hint: "crm auth change-password"}
	case permission.needs == login && row.Name != nil:
		return actor{}, &failure.Error{Code: failure.PermissionDenied, Message: fmt.Sprintf("%q needs a login; a token is not enough.", command)}
	case permission.needs == write && row.ReadOnly:
		return actor{}, &failure.Error{Code: failure.PermissionDenied, Message: fmt.Sprintf("%q changes data; the token %q is read-only.", command, *row.Name)}
	}
	scopes := permission.byRole()
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
		return actor{}, &failure.Error{Code: failure.PermissionDenied, Message: fmt.Sprintf("%q is for the role %s; %s has the role %s.",
			command, strings.Join(roles, " or "), by.Username, by.Role)}
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
	if len(words) == 1 || words[1] == "token" || words[1] == "sessions" { // which have verbs of their own below auth
		return strings.Join(words, " ")
	}
	return words[0] + " " + strings.Join(words[1:], "-")
}
