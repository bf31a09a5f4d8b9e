package text

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	resources := []string{"auth", "employee", "customer", "contract", "event", "db", "completion", "version", "help"}
	verbs := []string{"list", "detail", "add", "add-payment", "update", "sign", "payments"}
	flags := []string{"not-signed-filter", "not-paid-filter", "mine", "limit", "o", "output", "customer-id"}

	tests := []struct {
		name       string
		typed      string
		candidates []string
		want       string
	}{
		{"swapped letters", "contarct", resources, "contract"},
		{"missing letter", "contrat", resources, "contract"},
		{"added letter", "evennt", resources, "event"},
		{"wrong letter", "ivent", resources, "event"},
		{"plural", "contracts", resources, "contract"},
		{"upper case", "CONTARCT", resources, "contract"},
		{"candidate in upper case", "contarct", []string{"Contract"}, "Contract"},
		{"the same word", "event", resources, "event"},
		{"several slips in a long word", "not-payed-filter", flags, "not-paid-filter"},
		{"beginning", "not-p", flags, "not-paid-filter"},
		{"beginning of one letter is no beginning", "l", flags, ""},
		{"of two beginnings the nearer", "add-", verbs, "add"},
		{"of two beginnings the shorter", "co", resources, "contract"},
		{"equally near, first of the alphabet", "cat", []string{"rat", "bat", "hat"}, "bat"},
		{"two letters, one slip", "bd", resources, "db"},
		{"two letters, nothing alike", "xy", resources, ""},
		{"one letter is never near another", "x", flags, ""},
		{"too far", "invoice", resources, ""},
		{"just within a third", "abcdxx", []string{"abcdef"}, "abcdef"},
		{"just beyond a third", "abcxxx", []string{"abcdef"}, ""},
		{"accents", "helene", []string{"hélène"}, "hélène"},
		{"nothing typed", "", resources, ""},
		{"no candidates", "event", nil, ""},
		{"invalid UTF-8", "\xff\xfe", resources, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Suggest(tt.typed, tt.candidates); got != tt.want {
				t.Errorf("suggest(%q) = %q, want %q", tt.typed, got, tt.want)
			}
			backwards := slices.Clone(tt.candidates)
			slices.Reverse(backwards)
			if got := Suggest(tt.typed, backwards); got != tt.want {
				t.Errorf("suggest(%q) = %q with the candidates reversed, want %q", tt.typed, got, tt.want)
			}
		})
	}
}

func TestSuggestForPastedText(t *testing.T) {
	t.Parallel()
	start := time.Now()
	if got := Suggest(strings.Repeat("contract", 1<<17), []string{"contract", "event"}); got != "" {
		t.Errorf("suggested %q for a megabyte of text", got)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "abc", 0},
		{"abc", "abd", 1},
		{"abc", "abcd", 1},
		{"abc", "acb", 1},
		{"abcd", "badc", 2},
		{"kitten", "sitting", 3},
		{"hélène", "helene", 2},
	}
	for _, tt := range tests {
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := EditDistance([]rune(pair[0]), []rune(pair[1])); got != tt.want {
				t.Errorf("editDistance(%q, %q) = %d, want %d", pair[0], pair[1], got, tt.want)
			}
		}
	}
}
