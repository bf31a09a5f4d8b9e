// Package cli is the commands of crm, a file a noun; Run, which runs one command line; and what a script sees of an error.
// What commands are made of is in the packages below it.
//
// A command declares its values and flags, calls one method of the service, and shows what it returns. It never formats,
// exits, opens a database or decides who may do what. Everything a command needs comes from the Env that app embeds, so
// that tests run whole command lines in one process.
//
// To add a command, write a method that returns it beside the others of its resource, and list it in that file's group;
// tests then ask for its help, its examples and a story.
package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/getsentry/sentry-go"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/manual"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
	"github.com/epicevents/crm/service"
)

// IO is what a run of crm reads and writes. Where In and Err are terminals, missing values are asked for.
type IO = terminal.IO

// app is one run of crm.
type app struct {
	*command.Env
}

func newApp(t *terminal.Terminal) *app {
	settings := &config.Config{Getenv: t.Getenv}
	return &app{&command.Env{Terminal: t, Backend: backend.New(settings, t), Config: settings}}
}

func (a *app) manual() manual.Manual { return manual.Manual{Env: a.Env} }

// exitCodes is what a script sees of an error.
var exitCodes = map[failure.Code]int{
	failure.Internal:         1,
	failure.Usage:            2,
	failure.Unauthenticated:  3,
	failure.PermissionDenied: 4,
	failure.NotFound:         5,
	failure.Conflict:         6,
	failure.Unavailable:      7,
	exitFindings:             8,
	interrupted:              130,
}

// interrupted is the code of a command that the user ended.
const interrupted failure.Code = "interrupted"

// Run runs one command line, without the program's name, and returns the exit code.
func Run(ctx context.Context, args []string, streams terminal.IO) int {
	a := newApp(terminal.New(ctx, streams))
	a.Args, a.Config.Named = args, files.NewNamed(ctx)
	defer a.Backend.Close()
	if len(args) > 0 && args[0] == completeCommand {
		a.complete(ctx, args[1:])
		return 0
	}
	stack, err := a.caught(func() error { return a.run(ctx, args) })
	err = errors.Join(err, a.ClosePager())
	if err == nil || errors.Is(err, flag.ErrHelp) {
		a.ShowHeldNotices()
		return 0
	}
	if readerLeft(err) {
		return 0
	}
	problem := describe(ctx, err)
	if problem.Code != failure.Internal {
		a.printError(problem, "")
		return exitCodes[problem.Code]
	}
	request := newRequest()
	if problem.IsUnforeseen() {
		a.printError(problem, request)
	} else { // its words say what to do: nobody has to look a report up
		a.printError(problem, "")
	}
	if stack == nil {
		stack = cmp.Or(stackOf(problem), ours(sentry.NewStacktrace()))
	}
	a.report(a.CommandName, request, problem, stack)
	return exitCodes[problem.Code]
}

// readerLeft reports whether who reads the result has had enough, as with | head -1. The pipe that broke must be that one: a
// connection to the database breaks in the same way, and then what was asked for may not have been done.
func readerLeft(err error) bool {
	_, failed := errors.AsType[*failure.Error](err)
	return errors.Is(err, syscall.EPIPE) && !failed
}

func (a *app) run(ctx context.Context, args []string) error {
	a.Root = a.newRootFor(args)
	ordered, command, err := cmdline.Permute(a.Root, args)
	if err != nil || a.IsGroup(command) {
		a.Root = a.newRoot()
		ordered, command, err = cmdline.Permute(a.Root, args)
	}
	if lacking, ok := errors.AsType[cmdline.NoValue](err); ok && a.Interactive() && a.Commands[command].Has(lacking.Flag) {
		a.AskFor = lacking.Flag // a person is asked for what stands last and has no value
		ordered, command, err = cmdline.Permute(a.Root, args[:len(args)-1])
	}
	a.CommandName = cmdline.Path(a.Root, command)
	if configErr := a.configure(ordered); err == nil {
		err = configErr
	}
	if err == nil && a.Commands[command].UsesSettings() {
		err = a.Config.Invalid
	}
	if err == nil && a.IsRemote() && a.Commands[command].IsForHost() {
		err = backend.ErrForHost
	}
	if errors.Is(err, flag.ErrHelp) {
		return a.manual().PrintHelp(a.Out, command)
	}
	if err == nil {
		err = a.checkFormat()
	}
	if err != nil {
		return err
	}
	for _, line := range a.Config.Misspelled(a.Root.FlagSet) {
		a.Notice("%s", line)
	}
	if a.Commands[command].UsesSettings() {
		a.NoticeReadable()
	}
	if a.IsGroup(command) {
		return a.manual().PrintHelp(a.Out, command)
	}
	if err := a.Root.Parse(ordered); err != nil {
		return a.flagError(err)
	}
	err = a.Root.Run(ctx)
	if variable := a.TokenVariable(); variable != "" && service.NeedsLogin(err) {
		return &failure.Error{Code: failure.Unauthenticated, Err: err,
			Message: fmt.Sprintf("The token in %s is not good: it is over, was revoked, or is not a token.", variable),
			Hint:    "unset it, or give it a token that crm auth token create made"}
	}
	if service.NeedsLogin(err) && a.Interactive() && a.Commands[command].MayAskLogin() {
		if err := a.login(ctx, err); err != nil {
			return err
		}
		err = a.Root.Run(ctx)
	}
	return err
}

// configure loads the configuration. Wrong flags are its error; what else is wrong is in Config.Invalid.
func (a *app) configure(args []string) error {
	err := a.Config.Load(a.Root.FlagSet, args)
	a.NoColor, a.HoldNotices = a.Config.NoColor, a.JSONErrors()
	for _, line := range a.Config.Notices {
		a.Notice("%s", line)
	}
	if err != nil {
		return a.flagError(err)
	}
	return nil
}

// checkFormat refuses flags about csv beside another format. In the environment they may stand for the times when it is
// csv.
func (a *app) checkFormat() error {
	for _, name := range []string{"csv-style", "no-header"} {
		if a.Config.Output != "csv" && a.Config.Source[name] == cmdline.Dashed(name) {
			return failure.Misuse(fmt.Sprintf("%s needs -o csv.", cmdline.Dashed(name)), "")
		}
	}
	return nil
}

// resource is a command below crm, or a group of them, that is built only when it is wanted.
type resource struct {
	name  string
	build func() *ffcli.Command
	all   bool // it looks at the commands of all others
}

func (a *app) resources() []resource {
	return []resource{
		{name: "auth", build: a.authCommands, all: true},
		{name: "employee", build: a.employeeCommands},
		{name: "customer", build: a.customerCommands},
		{name: "contract", build: a.contractCommands},
		{name: "payment", build: a.paymentCommands},
		{name: "event", build: a.eventCommands},
		{name: "note", build: a.noteCommands},
		{name: "reminder", build: a.reminderCommands},
		{name: "report", build: a.reportCommands},
		{name: "today", build: a.todayCommand},
		{name: "find", build: a.findCommand},
		{name: "history", build: a.historyCommand},
		{name: "changes", build: a.changesCommand},
		{name: "undo", build: a.undoCommand},
		{name: "check", build: a.checkCommand},
		{name: "db", build: a.dbCommands},
		{name: "serve", build: a.serveCommand},
		{name: "config", build: a.configCommands},
		{name: "doctor", build: a.doctorCommand},
		{name: "schema", build: a.schemaCommand},
		{name: "completion", build: a.manual().CompletionCommand},
		{name: "help", build: func() *ffcli.Command { return a.manual().HelpCommand(Version) }, all: true},
		{name: "version", build: a.versionCommand},
	}
}

// newRoot builds the tree of all commands.
func (a *app) newRoot() *ffcli.Command { return a.rootOf(a.resources()) }

// newRootFor builds of the tree what args may name, for to build all of it takes a quarter of the start. Whoever finds no
// command there looks into the whole: to say what was meant, all names are needed.
func (a *app) newRootFor(args []string) *ffcli.Command {
	var named []resource
	for _, r := range a.resources() {
		if !slices.ContainsFunc(args, func(arg string) bool { return strings.EqualFold(arg, r.name) }) {
			continue
		}
		if r.all {
			return a.newRoot()
		}
		named = append(named, r)
	}
	return a.rootOf(named)
}

func (a *app) rootOf(resources []resource) *ffcli.Command {
	flags := cmdline.NewFlagSet()
	a.Config.Define(flags)
	a.Commands = map[*ffcli.Command]*command.Command{}
	root := &ffcli.Command{
		Name:       "crm",
		ShortUsage: "crm [global flags] <resource> <verb> [flags] [arguments]",
		ShortHelp:  "employees, customers, contracts and events of Epic Events",
		FlagSet:    flags,
		Exec:       command.NoVerb,
	}
	for _, r := range resources {
		root.Subcommands = append(root.Subcommands, r.build())
	}
	return root
}

// flagError makes the flag package's words into ours.
func (a *app) flagError(err error) error {
	if _, ok := errors.AsType[*failure.Error](err); ok {
		return err
	}
	message := strings.NewReplacer("error parsing commandline arguments: ", "", " -", " --", "\n", " ").Replace(err.Error())
	badFlagValue := regexp.MustCompile(`invalid (?:boolean )?value (".*") for (?:flag )?-([^ :]+)`)
	if bad := badFlagValue.FindStringSubmatch(err.Error()); bad != nil {
		want := "true or false" // all that a command's own flag can refuse here
		if f := a.Root.FlagSet.Lookup(bad[2]); f != nil {
			want = config.Wanted(f)
		}
		message = fmt.Sprintf("%s cannot be %s: it wants %s", cmdline.Dashed(bad[2]), text.Shorten(bad[1]), want)
	}
	return failure.Misuse(message, "")
}

// describe makes any error into one with a code, a sentence for the user and a hint.
func describe(ctx context.Context, err error) *failure.Error {
	problem := *classify(ctx, err)
	problem.Message = text.Sentence(problem.Message)
	return &problem
}

func classify(ctx context.Context, err error) *failure.Error {
	if problem, ok := errors.AsType[*failure.Error](err); ok {
		return problem
	}
	if errors.Is(err, terminal.ErrDeclined) {
		return &failure.Error{Code: interrupted, Message: "You answered no; nothing was changed."}
	}
	if errors.Is(err, terminal.ErrAborted) || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return &failure.Error{Code: interrupted, Message: "Interrupted.", Err: err}
	}
	_, done := errors.AsType[command.Unwritten](err)
	if full := errors.Is(err, syscall.ENOSPC); done || full {
		message := "The result could not be written"
		if done {
			message = "It was done, but the result could not be written"
		}
		if full {
			message += ": the disk is full"
		}
		return &failure.Error{Code: failure.Internal, Message: message + ".", Err: err}
	}
	return failure.Unforeseen(err)
}

// printError writes an error for people, or as JSON where the result would have been JSON. An unexpected one has the name
// under which it is reported.
func (a *app) printError(problem *failure.Error, request string) {
	if a.JSONErrors() {
		_ = problem.WriteJSON(a.Err, request)
		return
	}
	line := "crm: " + problem.Message
	if request != "" {
		line += " (request " + request + ")"
	}
	a.Tell(line)
	switch {
	case strings.HasPrefix(problem.Hint, "crm "): // to be copied, so not broken
		fmt.Fprintln(a.Err, "hint: "+text.Escape(problem.Hint))
	case problem.Hint != "":
		a.Tell("hint: " + problem.Hint)
	}
}
