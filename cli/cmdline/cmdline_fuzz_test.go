package cmdline

import (
	"errors"
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/epicevents/crm/internal/failure"
)

// FuzzPermute picks words from those of the tree and from a text cut at "|".
func FuzzPermute(f *testing.F) {
	known := []string{
		"contract", "event", "list", "detail", "add-payment", "add", "help", "--", "-", "-h", "-5", "42", "",
		"--limit", "--limit=5", "-o", "-o=json", "--output", "--payment", "--name", "--search", "--no-color", "--not-paid-filter",
	}
	f.Add([]byte{0, 2, 13, 11, 15}, "")
	f.Add([]byte{4, 0, 11, 7, 10, 7}, "")
	f.Add([]byte{23, 24, 25, 26, 27}, "--zzz|5|contarct|---x|--=")
	f.Add([]byte{23, 24, 25}, "Contract|LI\u017fT|-\xff")
	f.Fuzz(func(t *testing.T, picks []byte, text string) {
		vocabulary := append(slices.Clone(known), strings.Split(text, "|")...)
		args := make([]string, len(picks))
		for i, pick := range picks {
			args[i] = vocabulary[int(pick)%len(vocabulary)]
		}
		var ran parsedLine
		root := sampleTree(&ran)
		ordered, command, err := Permute(root, args)
		if command == nil {
			t.Fatalf("%q selects no command", args)
		}
		if err != nil {
			var usage *failure.Error
			switch {
			case errors.Is(err, flag.ErrHelp):
			case !errors.As(err, &usage) || usage.Code != failure.Usage:
				t.Fatalf("%q: unexpected %v", args, err)
			case usage.Hint == "" || strings.ContainsAny(usage.Message+usage.Hint, "\n\r\x1b\x00") || utf8.RuneCountInString(usage.Message) > 400:
				t.Fatalf("%q: unfit for a terminal: %q, %q", args, usage.Message, usage.Hint)
			}
			return
		}
		requireSurvival(t, args, ordered)

		if err := root.Parse(ordered); err != nil {
			if !strings.Contains(err.Error(), "invalid value") && !strings.Contains(err.Error(), "invalid boolean value") {
				t.Fatalf("%q became %q, which ffcli refuses: %v", args, ordered, err)
			}
			return
		}
		if err := root.Run(t.Context()); err != nil || ran.Command != command.Name {
			t.Fatalf("%q selects %q, ffcli ran %q (%v)", args, command.Name, ran.Command, err)
		}
		if len(command.Subcommands) > 0 && len(ran.Arguments) > 0 {
			t.Fatalf("%q: the group %q got arguments %q", args, ran.Command, ran.Arguments)
		}
		if again, _, err := Permute(sampleTree(new(parsedLine)), ordered); err != nil || !slices.Equal(again, ordered) {
			t.Fatalf("%q is not stable: %q, %v", ordered, again, err)
		}
	})
}

// requireSurvival compares all bytes but "-" and "=", which permute may add or drop, and allows -o to become --output.
func requireSurvival(t *testing.T, args, ordered []string) {
	t.Helper()
	count := func(list []string) map[rune]int {
		counts := map[rune]int{}
		for _, b := range []byte(strings.NewReplacer("-", "", "=", "").Replace(strings.Join(list, ""))) {
			counts[rune(b)]++
		}
		return counts
	}
	before, after := count(args), count(ordered)
	aliases := after['p'] - before['p']
	for _, letter := range "utput" {
		before[letter] += aliases
	}
	if aliases < 0 || !maps.Equal(dropZero(before), dropZero(after)) {
		t.Fatalf("%q became %q: something was swallowed or made up", args, ordered)
	}
}

func dropZero(counts map[rune]int) map[rune]int {
	maps.DeleteFunc(counts, func(_ rune, n int) bool { return n == 0 })
	return counts
}
