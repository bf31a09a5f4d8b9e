// Command testserver says which PostgreSQL the tests will use, as package dbtest chooses it. It starts none.
package main

import (
	"fmt"

	"github.com/epicevents/crm/internal/dbtest"
)

func main() { fmt.Println(dbtest.Chosen()) }
