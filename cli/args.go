package cli

import (
	"flag"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
)

// permute puts args into the order that ffcli understands: global flags, command path, the command's flags, "--" only
// when needed, arguments. It is the one place that decides what is a command, a flag, a value or an argument.
//
// The command is the selected leaf, or the group when its verb is missing. The error is a *failure.Error, or flag.ErrHelp
// when the help of command is asked for, whatever else is wrong. With an error, ordered holds the global flags alone:
// parsing them tells how the error is to be shown.
func permute(root *ffcli.Command, args []string) (ordered []string, command *ffcli.Command, err error) {
	line := readLine(root, args)
	command = line.command()

	given := map[*ffcli.Command][]string{}
	for _, f := range line.flags {
		owner, defined := line.lookup(f.name)
		switch {
		case defined != nil && (f.hasValue || isBoolFlag(defined)):
			given[owner] = append(given[owner], f.normal(owner.FlagSet, defined))
		case err != nil: // the first error is told
		case defined == nil:
			err = line.unknownFlag(f)
		default:
			err = failure.Misuse("flag "+dashed(f.name)+" needs a value", line.name()+" --help")
		}
	}
	switch {
	case line.help:
		err = flag.ErrHelp
	case line.pasted != "":
		err = line.typographic()
	case len(command.Subcommands) > 0 && len(line.arguments) > 0 && !line.guessed:
		err = line.unknownCommand()
	}
	if err != nil {
		return given[root], command, err
	}

	for i, c := range line.path {
		if i > 0 {
			ordered = append(ordered, line.words[i-1])
		}
		ordered = append(ordered, given[c]...)
	}
	if slices.ContainsFunc(line.arguments, startsFlag) {
		ordered = append(ordered, "--")
	}
	return append(ordered, line.arguments...), command, nil
}

// commandLine is what the user typed, sorted by kind.
type commandLine struct {
	path      []*ffcli.Command // from the root to the selected command
	words     []string         // the words that selected path[1:]
	flags     []givenFlag
	arguments []string // for a group, they begin with a word that is none of its commands
	help      bool
	pasted    string // a word with a typographic dash before the name of a flag
	guessed   bool   // a word was taken for the value of a flag that no command has
}

type givenFlag struct {
	typed    string // with its dashes, without its value
	name     string
	value    string
	hasValue bool
}

func readLine(root *ffcli.Command, args []string) *commandLine {
	line := &commandLine{path: []*ffcli.Command{root}}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			for _, word := range args {
				line.addWord(word)
			}
			return line
		case startsFlag(arg):
			args = line.addFlag(arg, args)
		default:
			if line.pasted == "" && line.guess(afterDash(arg)) != nil {
				line.pasted = arg
			}
			line.addWord(arg)
		}
	}
	return line
}

func (l *commandLine) addWord(word string) {
	if len(l.arguments) == 0 {
		if word == "help" && len(l.path) > 1 && len(l.command().Subcommands) > 0 {
			l.help = true // crm contract help
			return
		}
		if c := findCommand(l.command(), word); c != nil {
			l.path, l.words = append(l.path, c), append(l.words, word)
			return
		}
	}
	l.arguments = append(l.arguments, word)
}

// addFlag takes the flag's value from rest if the flag needs one, and returns what remains.
func (l *commandLine) addFlag(arg string, rest []string) []string {
	f := splitFlag(arg)
	switch {
	case f.name == "h" || f.name == "help":
		l.help = true
		return rest
	case f.name == "version" && len(l.path) == 1:
		l.addWord(f.name)
		return rest
	case l.attached(arg):
		f = givenFlag{arg[:2], arg[1:2], arg[2:], true}
	}

	takesValue := false
	if defined := l.guess(f.name); defined != nil {
		takesValue = !isBoolFlag(defined)
	} else if len(rest) > 0 {
		// "crm --limt 5 contract list" is told about --limt, not about a command 5.
		group := l.command()
		takesValue = !f.hasValue && len(group.Subcommands) > 0 && !startsFlag(rest[0]) && findCommand(group, rest[0]) == nil
		l.guessed = l.guessed || takesValue
	}
	if takesValue && !f.hasValue && len(rest) > 0 {
		f.value, f.hasValue = rest[0], true
		rest = rest[1:]
	}
	l.flags = append(l.flags, f)
	return rest
}

// attachable is the value of a flag that may follow the flag's one letter without a space, as in -ojson.
type attachable interface{ Attaches(value string) bool }

// attached reports whether a word is a global flag of one letter and its value.
func (l *commandLine) attached(word string) bool {
	if len(word) < 3 || word[1] == '-' || l.path[0].FlagSet == nil {
		return false
	}
	f := l.path[0].FlagSet.Lookup(word[1:2])
	if f == nil {
		return false
	}
	value, ok := f.Value.(attachable)
	return ok && value.Attaches(word[2:])
}

func (l *commandLine) command() *ffcli.Command { return l.path[len(l.path)-1] }

// name is what to type for the selected command: "crm contract list".
func (l *commandLine) name() string {
	names := make([]string, len(l.path))
	for i, c := range l.path {
		names[i] = c.Name
	}
	return strings.Join(names, " ")
}

// lookup finds a flag of the selected command, else a global one.
func (l *commandLine) lookup(name string) (owner *ffcli.Command, defined *flag.Flag) {
	for i := len(l.path) - 1; i >= 0; i-- {
		if fs := l.path[i].FlagSet; fs != nil {
			if defined := fs.Lookup(name); defined != nil {
				return l.path[i], defined
			}
		}
	}
	return nil, nil
}

// guess is lookup for a flag that may stand before its command: if need be it looks at every command, which is safe
// as long as a name takes a value everywhere or nowhere.
func (l *commandLine) guess(name string) *flag.Flag {
	_, defined := l.lookup(name)
	walkCommands(l.path[0], "", func(c *ffcli.Command, _ string) {
		if defined == nil && c.FlagSet != nil {
			defined = c.FlagSet.Lookup(name)
		}
	})
	return defined
}

// typographic refuses a flag whose dash is that of a text, as it comes from a web page or a mail.
func (l *commandLine) typographic() *failure.Error {
	return failure.Misuse(fmt.Sprintf("%q begins with a typographic dash, did you mean %s?", text.Shorten(l.pasted), dashed(afterDash(l.pasted))),
		l.name()+" --help")
}

// afterDash is the name of a flag behind a dash that is none of the keyboard's, or "".
func afterDash(word string) string {
	text := strings.TrimLeft(word, "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
	if text == word {
		return ""
	}
	name, _, _ := strings.Cut(text, "=")
	return name
}

func splitFlag(arg string) givenFlag {
	name := strings.TrimPrefix(arg[1:], "-")
	dashes := arg[:len(arg)-len(name)]
	if i := strings.IndexByte(name, '='); i > 0 {
		return givenFlag{dashes + name[:i], name[:i], name[i+1:], true}
	}
	return givenFlag{typed: arg, name: name}
}

// normal spells the flag in one token, and a one-letter alias as the long flag with the same variable: ff asks by name
// whether a flag was given, so the environment's "output" would override an explicit "-o".
func (f givenFlag) normal(flags *flag.FlagSet, defined *flag.Flag) string {
	name := f.name
	if len(name) == 1 && reflect.ValueOf(defined.Value).Comparable() {
		flags.VisitAll(func(other *flag.Flag) {
			if len(other.Name) > len(name) && reflect.ValueOf(other.Value).Comparable() && other.Value == defined.Value {
				name = other.Name
			}
		})
	}
	if f.hasValue {
		return "--" + name + "=" + f.value
	}
	return "--" + name
}

// unknownFlag suggests a flag of the command, else one of another command of the same resource.
func (l *commandLine) unknownFlag(f givenFlag) *failure.Error {
	message := fmt.Sprintf("unknown flag %s for %q", shownFlag(f.typed), l.name())
	if f.typed[1] >= '0' && f.typed[1] <= '9' {
		value := shownFlag(f.typed)
		return failure.Misuse(message, fmt.Sprintf("write --FLAG=%s for the value of a flag, or -- %s for an argument", value, value))
	}

	var own []string
	for _, c := range l.path {
		own = append(own, flagNames(c)...)
	}
	near := text.Suggest(f.name, own)
	if near == "" { // --amount for --total-amount
		near = onlyWith(own, f.name)
	}
	short, rest := f.name[:1], f.name[1:]
	switch _, defined := l.lookup(short); {
	case near != "":
		message += ", did you mean " + dashed(near) + "?"
	case defined != nil && !isBoolFlag(defined) && f.typed[1] != '-' && !f.hasValue:
		message += fmt.Sprintf(", did you mean %q?", "-"+short+" "+text.Shorten(rest))
	case len(l.path) > 1:
		if command := relativeWith(l.path[0].Name, l.path[1], f.name); command != "" {
			message += fmt.Sprintf(", did you mean %q?", command+" "+dashed(f.name))
		}
	}
	return failure.Misuse(message, l.name()+" --help")
}

// onlyWith gives the name that has this as one of its words, if it is the only one.
func onlyWith(names []string, word string) (only string) {
	for _, name := range names {
		if slices.Contains(strings.Split(name, "-"), word) {
			if only != "" {
				return ""
			}
			only = name
		}
	}
	return only
}

// relativeWith gives the first command of a resource that has this very flag.
func relativeWith(program string, resource *ffcli.Command, flag string) (command string) {
	walkCommands(resource, program+" ", func(c *ffcli.Command, path string) {
		if command == "" && slices.Contains(flagNames(c), flag) {
			command = path
		}
	})
	return command
}

// verbSynonyms are the verbs of other tools; they are suggested, never run.
var verbSynonyms = map[string]string{
	"ls": "list", "all": "list", "index": "list",
	"show": "detail", "get": "detail", "view": "detail", "describe": "detail", "info": "detail",
	"create": "add", "new": "add", "insert": "add",
	"edit": "update", "modify": "update", "change": "update",
	"rm": "delete", "remove": "delete", "del": "delete",
}

func (l *commandLine) unknownCommand() *failure.Error {
	group, typed := l.command(), l.arguments[0]
	message := fmt.Sprintf("unknown command %q", text.Shorten(typed))
	meant := ""
	if c := findVerb(group, typed); c != nil {
		meant = c.Name
	} else if swapped := swappedWords(group, l.arguments); swapped != "" {
		meant = l.name() + " " + swapped
	} else {
		meant = text.Suggest(typed, commandNames(group.Subcommands))
	}
	switch {
	case meant != "":
		message += fmt.Sprintf(", did you mean %q?", meant)
	case len(l.path) > 1:
		message += fmt.Sprintf("; %q has %s", l.name(), strings.Join(commandNames(group.Subcommands), ", "))
	}
	return failure.Misuse(message, l.name()+" --help")
}

// swappedWords answers "list contract" with "contract list", and a verb that only one resource has ("login") with both
// words ("auth login").
func swappedWords(group *ffcli.Command, words []string) string {
	if len(words) > 1 {
		resource := findCommand(group, text.Suggest(words[1], commandNames(group.Subcommands)))
		if resource != nil {
			if verb := findVerb(resource, words[0]); verb != nil {
				return resource.Name + " " + verb.Name
			}
		}
	}
	var found []string
	for _, resource := range group.Subcommands {
		if verb := findCommand(resource, words[0]); verb != nil {
			found = append(found, resource.Name+" "+verb.Name)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return ""
}

// findCommand compares names as ffcli does.
func findCommand(group *ffcli.Command, name string) *ffcli.Command {
	for _, c := range group.Subcommands {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

func findVerb(group *ffcli.Command, typed string) *ffcli.Command {
	if c := findCommand(group, typed); c != nil {
		return c
	}
	if verb, ok := verbSynonyms[strings.ToLower(typed)]; ok {
		return findCommand(group, verb)
	}
	return nil
}

// walkCommands visits c and all commands below it, with what to type for each.
func walkCommands(c *ffcli.Command, prefix string, visit func(c *ffcli.Command, path string)) {
	visit(c, prefix+c.Name)
	for _, sub := range c.Subcommands {
		walkCommands(sub, prefix+c.Name+" ", visit)
	}
}

// path is what to type for a command: crm contract list.
func path(root, command *ffcli.Command) string {
	found := root.Name
	walkCommands(root, "", func(c *ffcli.Command, path string) {
		if c == command {
			found = path
		}
	})
	return found
}

func commandNames(commands []*ffcli.Command) []string {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.Name
	}
	return names
}

func flagNames(c *ffcli.Command) (names []string) {
	if c.FlagSet != nil {
		c.FlagSet.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	}
	return names
}

func isBoolFlag(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// startsFlag is false for a lone "-", which usually means standard input.
func startsFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// shownFlag quotes what does not look like a flag, so that it cannot harm the terminal or the sentence.
func shownFlag(typed string) string {
	shown := text.Shorten(typed)
	if regexp.MustCompile(`^--?[\pL\pN][\pL\pN._-]*$`).MatchString(typed) {
		return shown
	}
	return fmt.Sprintf("%q", shown)
}

// newFlagSet returns a set whose errors are only returned.
func newFlagSet() *flag.FlagSet {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}
