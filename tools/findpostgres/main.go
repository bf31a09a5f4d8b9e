// Command findpostgres prints nothing if crm finds PostgreSQL's programs on this machine, and otherwise what is missing
// and what to type. It looks where crm itself does, so that ensure-postgres.sh needs no list of its own.
//
// It must never install or start anything. A new place to look in belongs to package localdb.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
)

func main() {
	const home = "/nonexistent" // without a database, any version that crm supports will do
	_, err := localdb.New(home, os.Getenv).Program(context.Background(), "initdb")
	if problem, ok := errors.AsType[*failure.Error](err); ok {
		fmt.Printf("%s\n%s\n", problem.Message, problem.Hint)
	} else if err != nil {
		log.Fatal(err)
	}
}
