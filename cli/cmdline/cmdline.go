// Package cmdline reads the line that was typed against a tree of commands: it decides what is a command, a flag, a value
// or an argument, in whichever order they stand, and names what the user most likely meant by what it does not know.
//
// Permute puts a line into the order that ffcli wants; Read reads an unfinished one for completion. The
// package knows only the tree: no setting, no terminal, no command of its own.
package cmdline

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

// NoValue is the error of a line that ends with a flag whose value is not there.
type NoValue struct {
	Flag  string
	error *failure.Error
}

func (e NoValue) Error() string { return e.error.Error() }
func (e NoValue) Unwrap() error { return e.error }

// Permute puts args into the order that ffcli understands: global flags, command path, the command's flags, "--" only
// when needed, arguments. It is the one place that decides what is a command, a flag, a value or an argument.
//
// The command is the selected leaf, or the group when its verb is missing. The error is a *failure.Error, NoValue, or flag.ErrHelp
// when the help of command is asked for, whatever else is wrong. With an error, ordered holds the global flags alone:
// parsing them tells how the error is to be shown.
func Permute(root *ffcli.Command, args []string) (ordered []string, command *ffcli.Command, err error) {
	line := Read(root, args)
	command = line.Command()

	given := map[*ffcli.Command][]string{}
	for _, f := range line.Flags {
		owner, defined := line.Lookup(f.Name)
		switch {
		case defined != nil && (f.HasValue || IsSwitch(defined)):
			given[owner] = append(given[owner], f.Normal(owner.FlagSet, defined))
		case err != nil: // the first error is told
		case defined == nil:
			err = line.unknownFlag(f)
		default:
			err = NoValue{f.Name, failure.Misuse("flag "+Dashed(f.Name)+" needs a value", line.Name()+" --help")}
		}
	}
	switch {
	case line.help:
		err = flag.ErrHelp
	case line.pasted != "":
		err = line.typographic()
	case len(command.Subcommands) > 0 && len(line.Arguments) > 0 && !line.guessed:
		err = line.Unknown()
	}
	if err != nil {
		return given[root], command, err
	}

	for i, c := range line.Path {
		if i > 0 {
			ordered = append(ordered, line.words[i-1])
		}
		ordered = append(ordered, given[c]...)
	}
	if slices.ContainsFunc(line.Arguments, StartsFlag) {
		ordered = append(ordered, "--")
	}
	return append(ordered, line.Arguments...), command, nil
}

// Line is what the user typed, sorted by kind.
type Line struct {
	Path      []*ffcli.Command // from the root to the selected command
	words     []string         // the words that selected path[1:]
	Flags     []Given
	Arguments []string // for a group, they begin with a word that is none of its commands
	help      bool
	pasted    string // a word with a typographic dash before the name of a flag
	guessed   bool   // a word was taken for the value of a flag that no command has
}

type Given struct {
	typed    string // with its dashes, without its value
	Name     string
	value    string
	HasValue bool
}

func Read(root *ffcli.Command, args []string) *Line {
	line := &Line{Path: []*ffcli.Command{root}}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			for _, word := range args {
				line.addWord(word)
			}
			return line
		case StartsFlag(arg):
			args = line.addFlag(arg, args)
		default:
			if line.pasted == "" && line.Guess(afterDash(arg)) != nil {
				line.pasted = arg
			}
			line.addWord(arg)
		}
	}
	return line
}

func (l *Line) addWord(word string) {
	if len(l.Arguments) == 0 {
		if word == "help" && len(l.Path) > 1 && len(l.Command().Subcommands) > 0 {
			l.help = true // crm contract help
			return
		}
		if c := Find(l.Command(), word); c != nil {
			l.Path, l.words = append(l.Path, c), append(l.words, word)
			return
		}
	}
	l.Arguments = append(l.Arguments, word)
}

// addFlag takes the flag's value from rest if the flag needs one, and returns what remains.
func (l *Line) addFlag(arg string, rest []string) []string {
	f := splitFlag(arg)
	switch {
	case f.Name == "h" || f.Name == "help":
		l.help = true
		return rest
	case f.Name == "version" && len(l.Path) == 1:
		l.addWord(f.Name)
		return rest
	case l.attached(arg):
		f = Given{arg[:2], arg[1:2], arg[2:], true}
	}

	takesValue := false
	if defined := l.Guess(f.Name); defined != nil {
		takesValue = !IsSwitch(defined)
	} else if len(rest) > 0 {
		// "crm --limt 5 contract list" is told about --limt, not about a command 5.
		group := l.Command()
		takesValue = !f.HasValue && len(group.Subcommands) > 0 && !StartsFlag(rest[0]) && Find(group, rest[0]) == nil
		l.guessed = l.guessed || takesValue
	}
	if takesValue && !f.HasValue && len(rest) > 0 {
		f.value, f.HasValue = rest[0], true
		rest = rest[1:]
	}
	l.Flags = append(l.Flags, f)
	return rest
}

// attachable is the value of a flag that may follow the flag's one letter without a space, as in -ojson.
type attachable interface{ Attaches(value string) bool }

// attached reports whether a word is a global flag of one letter and its value.
func (l *Line) attached(word string) bool {
	if len(word) < 3 || word[1] == '-' || l.Path[0].FlagSet == nil {
		return false
	}
	f := l.Path[0].FlagSet.Lookup(word[1:2])
	if f == nil {
		return false
	}
	value, ok := f.Value.(attachable)
	return ok && value.Attaches(word[2:])
}

func (l *Line) Command() *ffcli.Command { return l.Path[len(l.Path)-1] }

// Name is what to type for the selected command: "crm contract list".
func (l *Line) Name() string {
	names := make([]string, len(l.Path))
	for i, c := range l.Path {
		names[i] = c.Name
	}
	return strings.Join(names, " ")
}

// Lookup finds a flag of the selected command, else a global one.
func (l *Line) Lookup(name string) (owner *ffcli.Command, defined *flag.Flag) {
	for _, c := range []*ffcli.Command{l.Command(), l.Path[0]} { // not those of a command between them, which may have its own
		if fs := c.FlagSet; fs != nil {
			if defined := fs.Lookup(name); defined != nil {
				return c, defined
			}
		}
	}
	return nil, nil
}

// Guess is lookup for a flag that may stand before its command: if need be it looks at every command, which is safe
// as long as a name takes a value everywhere or nowhere.
func (l *Line) Guess(name string) *flag.Flag {
	_, defined := l.Lookup(name)
	Walk(l.Path[0], "", func(c *ffcli.Command, _ string) {
		if defined == nil && c.FlagSet != nil {
			defined = c.FlagSet.Lookup(name)
		}
	})
	return defined
}

// typographic refuses a flag whose dash is that of a text, as it comes from a web page or a mail.
func (l *Line) typographic() *failure.Error {
	return failure.Misuse(fmt.Sprintf("%q begins with a typographic dash, did you mean %s?", text.Shorten(l.pasted), Dashed(afterDash(l.pasted))),
		l.Name()+" --help")
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

func splitFlag(arg string) Given {
	name := strings.TrimPrefix(arg[1:], "-")
	dashes := arg[:len(arg)-len(name)]
	if i := strings.IndexByte(name, '='); i > 0 {
		return Given{dashes + name[:i], name[:i], name[i+1:], true}
	}
	return Given{typed: arg, Name: name}
}

// Normal spells the flag in one token, and a one-letter alias as the long flag with the same variable: ff asks by name
// whether a flag was given, so the environment's "output" would override an explicit "-o".
func (f Given) Normal(flags *flag.FlagSet, defined *flag.Flag) string {
	name := f.Name
	if len(name) == 1 && reflect.ValueOf(defined.Value).Comparable() {
		flags.VisitAll(func(other *flag.Flag) {
			if len(other.Name) > len(name) && reflect.ValueOf(other.Value).Comparable() && other.Value == defined.Value {
				name = other.Name
			}
		})
	}
	if f.HasValue {
		return "--" + name + "=" + f.value
	}
	return "--" + name
}

// unknownFlag suggests a flag of the command, else one of another command of the same resource.
func (l *Line) unknownFlag(f Given) *failure.Error {
	message := fmt.Sprintf("unknown flag %s for %q", shownFlag(f.typed), l.Name())
	if f.typed[1] >= '0' && f.typed[1] <= '9' {
		value := shownFlag(f.typed)
		return failure.Misuse(message, fmt.Sprintf("write --FLAG=%s for the value of a flag, or -- %s for an argument", value, value))
	}

	own := append(flagNames(l.Path[0]), flagNames(l.Command())...)
	near := text.Suggest(f.Name, own)
	if near == "" { // --amount for --total-amount
		near = onlyWith(own, f.Name)
	}
	short, rest := f.Name[:1], f.Name[1:]
	switch _, defined := l.Lookup(short); {
	case near != "":
		message += ", did you mean " + Dashed(near) + "?"
	case defined != nil && !IsSwitch(defined) && f.typed[1] != '-' && !f.HasValue:
		message += fmt.Sprintf(", did you mean %q?", "-"+short+" "+text.Shorten(rest))
	case len(l.Path) > 1:
		if command := relativeWith(l.Path[0].Name, l.Path[1], f.Name); command != "" {
			message += fmt.Sprintf(", did you mean %q?", command+" "+Dashed(f.Name))
		}
	}
	return failure.Misuse(message, l.Name()+" --help")
}

// onlyWith returns the name that has this as one of its words, if it is the only one.
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

// relativeWith returns the first command of a resource that has this very flag.
func relativeWith(program string, resource *ffcli.Command, flag string) (command string) {
	Walk(resource, program+" ", func(c *ffcli.Command, path string) {
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

func (l *Line) Unknown() *failure.Error {
	group, typed := l.Command(), l.Arguments[0]
	message := fmt.Sprintf("unknown command %q", text.Shorten(typed))
	meant := ""
	if c := findVerb(group, typed); c != nil {
		meant = c.Name
	} else if swapped := swappedWords(group, l.Arguments); swapped != "" {
		meant = l.Name() + " " + swapped
	} else {
		meant = text.Suggest(typed, Names(group.Subcommands))
	}
	switch {
	case meant != "":
		message += fmt.Sprintf(", did you mean %q?", meant)
	case len(l.Path) > 1:
		message += fmt.Sprintf("; %q has %s", l.Name(), strings.Join(Names(group.Subcommands), ", "))
	}
	return failure.Misuse(message, l.Name()+" --help")
}

// swappedWords answers "list contract" with "contract list", and a verb that only one resource has ("login") with both
// words ("auth login").
func swappedWords(group *ffcli.Command, words []string) string {
	if len(words) > 1 {
		resource := Find(group, text.Suggest(words[1], Names(group.Subcommands)))
		if resource != nil {
			if verb := findVerb(resource, words[0]); verb != nil {
				return resource.Name + " " + verb.Name
			}
		}
	}
	var found []string
	for _, resource := range group.Subcommands {
		if verb := Find(resource, words[0]); verb != nil {
			found = append(found, resource.Name+" "+verb.Name)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return ""
}

// Find compares names as ffcli does.
func Find(group *ffcli.Command, name string) *ffcli.Command {
	for _, c := range group.Subcommands {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

func findVerb(group *ffcli.Command, typed string) *ffcli.Command {
	if c := Find(group, typed); c != nil {
		return c
	}
	if verb, ok := verbSynonyms[strings.ToLower(typed)]; ok {
		return Find(group, verb)
	}
	return nil
}

// Walk visits c and all commands below it, with what to type for each.
func Walk(c *ffcli.Command, prefix string, visit func(c *ffcli.Command, path string)) {
	visit(c, prefix+c.Name)
	for _, sub := range c.Subcommands {
		Walk(sub, prefix+c.Name+" ", visit)
	}
}

// Path is what to type for a command: crm contract list.
func Path(root, command *ffcli.Command) string {
	found := root.Name
	Walk(root, "", func(c *ffcli.Command, path string) {
		if c == command {
			found = path
		}
	})
	return found
}

func Names(commands []*ffcli.Command) []string {
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

func IsSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// StartsFlag is false for a lone "-", which usually means standard input.
func StartsFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

func Dashed(name string) string {
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

// NewFlagSet returns a set whose errors are only returned.
func NewFlagSet() *flag.FlagSet {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// UnknownValue refuses a word that is not one of a few.
func UnknownValue(what, typed string, known []string) error {
	message := fmt.Sprintf("unknown %s %q", what, text.Shorten(typed))
	if meant := text.Suggest(typed, known); meant != "" {
		message += fmt.Sprintf(", did you mean %q?", meant)
	}
	return failure.Misuse(message, "one of "+strings.Join(known, ", "))
}
