// Command crm is the customer relationship tool of Epic Events.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/epicevents/crm/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends what does not listen; not at once, for timeout(1) signals a process and then its group.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	// Caught and left alone: writing to a reader who left, as with | head -1, is then an error that Run answers.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	code := cli.Run(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}
