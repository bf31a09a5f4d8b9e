// Command crm is the customer relationship tool of Epic Events.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/epicevents/crm/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends what does not listen
	// Caught and left alone: writing to a reader who left, as with | head -1, is then an error that Run answers.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	code := cli.Run(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}
