// Command man writes crm's manual pages into a folder: go run ./tools/man FOLDER
//
// It must know nothing of the commands; what a page says comes from their help, and how it is laid out from cli.Man.
// A new command needs nothing here.
package main

import (
	"log"
	"os"

	"github.com/epicevents/crm/cli"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: man FOLDER")
	}
	if err := os.MkdirAll(os.Args[1], 0o755); err != nil {
		log.Fatal(err)
	}
	if err := cli.Man(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
