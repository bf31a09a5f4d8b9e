package cmdline

import (
	"context"
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/ffcli"
)

// parsedLine is what a command line came to after permute and ffcli.
type parsedLine struct {
	Command   string
	Flags     map[string]string // "command --flag" -> value
	Arguments []string
}

// sampleTree resembles crm's tree. ffcli parses a tree once, so each call makes a new one; what runs is written to ran.
func sampleTree(ran *parsedLine) *ffcli.Command {
	type define = func(*flag.FlagSet)
	text := func(names ...string) define {
		return func(fs *flag.FlagSet) {
			for _, name := range names {
				fs.String(name, "", "")
			}
		}
	}
	yesNo := func(names ...string) define {
		return func(fs *flag.FlagSet) {
			for _, name := range names {
				fs.Bool(name, false, "")
			}
		}
	}
	command := func(name string, subcommands []*ffcli.Command, defines ...define) *ffcli.Command {
		fs := flag.NewFlagSet(name, flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		for _, d := range defines {
			d(fs)
		}
		return &ffcli.Command{
			Name: name, FlagSet: fs, Subcommands: subcommands,
			Exec: func(_ context.Context, args []string) error {
				ran.Command, ran.Arguments = name, args
				return nil
			},
		}
	}
	leaf := func(name string, defines ...define) *ffcli.Command { return command(name, nil, defines...) }
	group := func(name string, subcommands ...*ffcli.Command) *ffcli.Command { return command(name, subcommands) }

	list := func(fs *flag.FlagSet) {
		fs.Int("limit", 0, "")
		fs.String("sort", "", "")
		fs.Bool("count", false, "")
		fs.Func("fields", "", func(string) error { return nil })
	}
	global := func(fs *flag.FlagSet) {
		var output string
		fs.StringVar(&output, "output", "table", "")
		fs.StringVar(&output, "o", "table", "")
		fs.Bool("no-color", false, "")
		fs.String("database.url", "", "")
		fs.Func("config", "", func(string) error { return nil })
		fs.String("search", "", "shadowed by contract list")
	}
	root := command("crm", []*ffcli.Command{
		group("auth", leaf("login", text("username")), leaf("whoami")),
		group("customer", leaf("list", list, text("commercial")), leaf("set-commercial", text("customer-id", "commercial-username"))),
		group("contract",
			leaf("list", list, yesNo("not-paid-filter", "not-signed-filter"), text("search")),
			leaf("detail", text("contract-uuid")),
			leaf("add", text("customer-id", "total-amount")),
			leaf("update", text("total-amount")),
			leaf("add-payment", text("contract-uuid", "payment"))),
		group("event", leaf("list", list, yesNo("assigned-to-me")), leaf("add", text("name", "note"))),
		group("employee", leaf("delete", text("username"), yesNo("yes"))),
		leaf("help"),
	}, global)
	root.Options = []ff.Option{ff.WithEnvVarPrefix("CRM_SAMPLE")}
	return root
}

// parseLine runs args through permute, ffcli's Parse and Run.
func parseLine(t *testing.T, args ...string) (parsedLine, error) {
	t.Helper()
	var ran parsedLine
	root := sampleTree(&ran)
	ordered, command, err := Permute(root, args)
	if err != nil {
		return parsedLine{}, err
	}
	if err := root.Parse(ordered); err != nil {
		return parsedLine{}, err
	}
	if err := root.Run(t.Context()); err != nil {
		return parsedLine{}, err
	}
	if ran.Command != command.Name {
		t.Errorf("permute(%q) selected %q, ffcli ran %q", args, command.Name, ran.Command)
	}
	ran.Flags = map[string]string{}
	Walk(root, "", func(c *ffcli.Command, path string) {
		c.FlagSet.Visit(func(f *flag.Flag) { ran.Flags[path+" "+Dashed(f.Name)] = f.Value.String() })
	})
	return ran, nil
}

func TestSampleTree(t *testing.T) {
	t.Parallel()
	for _, problem := range Check(sampleTree(new(parsedLine))) {
		t.Error(problem)
	}
}

func TestPermute(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args string // split at blanks; '' is an empty word
		want string // the ordered line
	}{
		{"nothing", "", ""},
		{"group without a verb", "contract", "contract"},
		{"group with a global flag", "contract -o json", "--output=json contract"},
		{"global flag after the verb", "contract list --no-color", "--no-color contract list"},
		{"global flag between group and verb", "contract --output csv list", "--output=csv contract list"},
		{"flag before its command", "--not-paid-filter contract list", "contract list --not-paid-filter"},
		{"flag with a value before its command", "--limit 5 contract list", "contract list --limit=5"},
		{"value that is the name of a command", "--sort contract contract list", "contract list --sort=contract"},
		{"one dash", "contract list -limit 5", "contract list --limit=5"},
		{"one dash and equals", "contract list -limit=5", "contract list --limit=5"},
		{"equals in the value", "contract list --sort=a=b", "contract list --sort=a=b"},
		{"empty value", "contract list --sort=", "contract list --sort="},
		{"empty value of its own", "contract list --sort ''", "contract list --sort="},
		{"flag after an argument", "contract detail 42 -o json", "--output=json contract detail 42"},
		{"boolean takes a value with equals", "contract list --not-paid-filter=false", "contract list --not-paid-filter=false"},
		{"boolean leaves the next word", "contract list --not-paid-filter false", "contract list --not-paid-filter false"},
		{"given twice, order kept", "contract list --limit 1 --limit 2", "contract list --limit=1 --limit=2"},
		{"alias and long flag, order kept", "-o json contract list --output csv", "--output=json --output=csv contract list"},
		{"command's flag wins over the global one", "--search x contract list", "contract list --search=x"},
		{"global flag where the command has none", "contract detail --search x", "--search=x contract detail"},
		{"flag defined by a function", "--config a contract list --fields b", "--config=a contract list --fields=b"},
		{"value begins with a dash", "event add --name -x", "event add --name=-x"},
		{"value is a flag", "event add --name --note", "event add --name=--note"},
		{"value is --", "event add --name -- --note y", "event add --name=-- --note=y"},
		{"value asks for help", "event add --name -h", "event add --name=-h"},
		{"negative value", "contract add-payment --payment -5", "contract add-payment --payment=-5"},
		{"lone dash", "contract detail -", "contract detail -"},
		{"empty argument", "contract detail ''", "contract detail ''"},
		{"-- not needed", "contract detail -- 42", "contract detail 42"},
		{"-- needed", "contract detail -- -42", "contract detail -- -42"},
		{"-- needed further on", "contract detail 42 -- -5 --limit", "contract detail -- 42 -5 --limit"},
		{"-- after --", "contract detail -- -- x", "contract detail -- -- x"},
		{"-h after --", "contract detail -- -h", "contract detail -- -h"},
		{"-- before the command", "-- contract detail -5", "contract detail -- -5"},
		{"-- at the end", "contract detail --", "contract detail"},
		{"command in upper case", "Contract LIST", "Contract LIST"},
		{"arguments that are names of commands", "help contract list", "help contract list"},
		{"too many arguments are kept", "contract detail a b c", "contract detail a b c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args, want := splitWords(tt.args), splitWords(tt.want)
			ordered, _, err := Permute(sampleTree(new(parsedLine)), args)
			if err != nil {
				t.Fatalf("permute(%q): %v", args, err)
			}
			if !slices.Equal(ordered, want) {
				t.Errorf("permute(%q)\n got %q\nwant %q", args, ordered, want)
			}
			again, _, err := Permute(sampleTree(new(parsedLine)), ordered)
			if err != nil || !slices.Equal(again, ordered) {
				t.Errorf("permute(%q) is not stable: %q, %v", ordered, again, err)
			}
			if _, err := parseLine(t, args...); err != nil {
				t.Errorf("ffcli on %q: %v", ordered, err)
			}
		})
	}
}

func splitWords(line string) []string {
	list := strings.Fields(line)
	for i, word := range list {
		if word == "''" {
			list[i] = ""
		}
	}
	return list
}

// TestPermuteEveryOrder types command lines in every order that keeps the words (commands and arguments) in sequence.
func TestPermuteEveryOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		words  []string
		flags  [][]string
		orders int
		want   parsedLine
	}{
		{
			name:   "list with flags of every kind",
			words:  []string{"contract", "list"},
			flags:  [][]string{{"--limit", "5"}, {"-o", "json"}, {"--not-paid-filter"}, {"-search=x y"}, {"--no-color"}},
			orders: 2520,
			want: parsedLine{"list", map[string]string{
				"crm --output": "json", "crm --no-color": "true",
				"crm contract list --limit": "5", "crm contract list --not-paid-filter": "true", "crm contract list --search": "x y",
			}, []string{}},
		},
		{
			name:   "argument and values that look like something else",
			words:  []string{"contract", "add-payment", "-"},
			flags:  [][]string{{"--payment", "-5"}, {"--contract-uuid", "list"}, {"--database.url=--"}, {"-output", "--help"}},
			orders: 840,
			want: parsedLine{"add-payment", map[string]string{
				"crm --output": "--help", "crm --database.url": "--",
				"crm contract add-payment --payment": "-5", "crm contract add-payment --contract-uuid": "list",
			}, []string{"-"}},
		},
		{
			name:   "two arguments, named as commands",
			words:  []string{"employee", "delete", "delete", "contract"},
			flags:  [][]string{{"--yes=true"}, {"--username", ""}, {"--output=csv"}},
			orders: 210,
			want: parsedLine{"delete", map[string]string{
				"crm --output": "csv", "crm employee delete --yes": "true", "crm employee delete --username": "",
			}, []string{"delete", "contract"}},
		},
		{
			name:   "group alone",
			words:  []string{"contract"},
			flags:  [][]string{{"-o", "csv"}, {"--no-color=false"}},
			orders: 6,
			want:   parsedLine{"contract", map[string]string{"crm --output": "csv", "crm --no-color": "false"}, []string{}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			orders := 0
			everyOrder(nil, tt.words, tt.flags, func(args []string) {
				orders++
				got, err := parseLine(t, args...)
				if err != nil {
					t.Fatalf("%q: %v", args, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Fatalf("%q (-want +got)\n%s", args, diff)
				}
			})
			if orders != tt.orders {
				t.Errorf("tried %d orders, want %d", orders, tt.orders)
			}
		})
	}
}

func everyOrder(line, words []string, flags [][]string, try func([]string)) {
	if len(words) == 0 && len(flags) == 0 {
		try(line)
		return
	}
	if len(words) > 0 {
		everyOrder(append(slices.Clone(line), words[0]), words[1:], flags, try)
	}
	for i, f := range flags {
		everyOrder(append(slices.Clone(line), f...), words, slices.Delete(slices.Clone(flags), i, i+1), try)
	}
}

func TestPermuteLastFlagWins(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"-o json contract list --output csv":        "csv",
		"--output json contract list -o csv":        "csv",
		"contract --output json -o=markdown list":   "markdown",
		"-o a -o b --output=c contract list -o csv": "csv",
	}
	for line, want := range tests {
		got, err := parseLine(t, splitWords(line)...)
		if err != nil || got.Flags["crm --output"] != want {
			t.Errorf("%s: output is %q, want %q (%v)", line, got.Flags["crm --output"], want, err)
		}
	}
}

// The environment is the process's: not parallel.
func TestPermuteAliasOverridesEnvironment(t *testing.T) {
	t.Setenv("CRM_SAMPLE_OUTPUT", "csv")
	for line, want := range map[string]string{"contract list": "csv", "contract list -o json": "json"} {
		got, err := parseLine(t, splitWords(line)...)
		if err != nil || got.Flags["crm --output"] != want {
			t.Errorf("%s: output is %q, want %q (%v)", line, got.Flags["crm --output"], want, err)
		}
	}
}

func TestPermuteHelp(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // line -> the command whose help is asked for
		"-h":                                 "crm",
		"--help":                             "crm",
		"contract -help":                     "contract",
		"-h contract list":                   "list",
		"contract --help list":               "list",
		"contract add-payment -h":            "add-payment",
		"contract add-payment 1 2 3 --help":  "add-payment",
		"contract add --zzz --help":          "add",
		"contract add --help --total-amount": "add",
		"contract lsit --help":               "contract",
		"contract list --help=true":          "list",
		"contract detail -5 --help -- -x":    "detail",
	}
	for line, want := range tests {
		_, command, err := Permute(sampleTree(new(parsedLine)), splitWords(line))
		if !errors.Is(err, flag.ErrHelp) || command.Name != want {
			t.Errorf("%s: got %v for %q, want help for %q", line, err, command.Name, want)
		}
	}
}

// An error must be shown in the format that the same line asks for.
func TestPermuteErrorKeepsGlobalFlags(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"contarct list -o json --no-color",
		"-o json contract list --no-color --zzz",
		"contract list -o json --no-color --limit",
		"contract lsit --limit 5 --help -o json --no-color",
	} {
		ordered, _, err := Permute(sampleTree(new(parsedLine)), splitWords(line))
		if want := []string{"--output=json", "--no-color"}; err == nil || !slices.Equal(ordered, want) {
			t.Errorf("%s: got %q, %v, want %q and an error", line, ordered, err, want)
		}
	}
}

// ffcli makes missing flag sets itself; permute comes before.
func TestPermuteWithoutFlagSets(t *testing.T) {
	t.Parallel()
	list := &ffcli.Command{Name: "list"}
	root := &ffcli.Command{Name: "crm", Subcommands: []*ffcli.Command{list}}
	ordered, command, err := Permute(root, []string{"list", "x"})
	if err != nil || command != list || !slices.Equal(ordered, []string{"list", "x"}) {
		t.Errorf("got %q, %v, %v", ordered, command, err)
	}
	if _, _, err := Permute(root, []string{"list", "--limit", "5"}); err == nil {
		t.Error("accepted a flag that nobody defines")
	}
}

// A name that takes a value in one command only: its meaning before the verb is a guess, and a wrong guess must not
// swallow the next word.
func TestPermuteContradictoryFlags(t *testing.T) {
	t.Parallel()
	tree := func() *ffcli.Command {
		one, two := flag.NewFlagSet("one", flag.ContinueOnError), flag.NewFlagSet("two", flag.ContinueOnError)
		one.Bool("full", false, "")
		two.String("full", "", "")
		return &ffcli.Command{Name: "crm", Subcommands: []*ffcli.Command{{Name: "one", FlagSet: one}, {Name: "two", FlagSet: two}}}
	}
	for line, want := range map[string]string{
		"two --full x y": "two --full=x y",
		"one --full x y": "one --full x y",
		"--full=x two y": "two --full=x y",
	} {
		if got, _, err := Permute(tree(), splitWords(line)); err != nil || !slices.Equal(got, splitWords(want)) {
			t.Errorf("%s: got %q, %v, want %s", line, got, err, want)
		}
	}
	if got, _, err := Permute(tree(), splitWords("--full two y")); err == nil {
		t.Errorf("--full two y: got %q, want an error", got)
	}
}
