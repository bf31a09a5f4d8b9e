// Package remote is the operations of package service over HTTP: both ends of one wire, because they share its format.
// Server answers in the name of whoever shows a token, beside the database; Client has the same methods as a Session, on
// a machine that holds neither the database's URL nor the key that signs tokens.
//
// An operation is POST /v1/ContractList with its parameters as an object of JSON. One result is a value of JSON; rows
// are a line of JSON each: the names of the columns, an array for each row, and at last how many rows there were, or the
// error that ended them. What is refused before the first row is {"error": ...}, and the client goes by that and not by
// the status. Nothing here knows what an operation does, who may do it, or how it is shown.
//
// To add an operation, add it to package service and run make gen: tools/remote writes operations.go, shape.txt and
// openapi.json from the table of permissions.
package remote

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/epicevents/crm/internal/failure"
)

// Headers of the wire, beside those of HTTP.
const (
	headerProtocol = "Crm-Protocol"
	headerVersion  = "Crm-Version"    // of the server's program
	headerSchema   = "Crm-Schema"     // of the server's database, where that is asked for
	headerTimeout  = "Crm-Timeout"    // what is left of the client's limit, as 9.8s
	headerRequest  = "Crm-Request-Id" // under which the server's log has it
	headerRole     = "Crm-Role"       // of the employee, as of this operation
)

const (
	typeOne  = "application/json"
	typeRows = "application/x-ndjson"
)

const prefix = "/v1/"

// readyPath is where a server says whether it can answer, and of which versions it is. It is no operation.
const readyPath = "/readyz"

// loginName is the only thing that needs no session. It is no operation, so it is not generated.
const loginName = "Login"

type loginRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// statuses are for whoever reads HTTP and not crm.
var statuses = map[failure.Code]int{
	failure.Usage:            http.StatusBadRequest,
	failure.Unauthenticated:  http.StatusUnauthorized,
	failure.PermissionDenied: http.StatusForbidden,
	failure.NotFound:         http.StatusNotFound,
	failure.Conflict:         http.StatusConflict,
	failure.Internal:         http.StatusInternalServerError,
	failure.Unavailable:      http.StatusServiceUnavailable,
}

// refusal is an error on the wire. Its cause stays where it happened.
type refusal struct {
	Code    failure.Code   `json:"code"`
	Reason  failure.Reason `json:"reason,omitempty"`
	Message string         `json:"message"`
	Hint    string         `json:"hint,omitempty"`
}

// ending is the last line of rows, or an answer that is an error.
type ending struct {
	Rows  *int64   `json:"rows,omitempty"`
	Error *refusal `json:"error,omitempty"`
}

func (r *refusal) failure() *failure.Error {
	code := r.Code
	if statuses[code] == 0 { // of a newer server
		code = failure.Internal
	}
	return &failure.Error{Code: code, Reason: r.Reason, Message: r.Message, Hint: r.Hint}
}

// appendLine appends a value as a line of JSON, in which < and > stand for themselves.
func appendLine(line []byte, value any) ([]byte, error) {
	line, err := appendJSON(line, value)
	return append(line, '\n'), err
}

// unfit is the error of two ends that do not understand each other.
func unfit(format string, values ...any) *failure.Error {
	return &failure.Error{Code: failure.Unavailable, Message: fmt.Sprintf(format, values...), Hint: "install the crm that the server has"}
}

// isNull reports whether a value of JSON is null.
func isNull(value json.RawMessage) bool { return string(value) == "null" }
