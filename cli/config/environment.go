package config

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/text"
)

// otherVariables are those that are no flag.
var otherVariables = []string{"CRM_TOKEN", "CRM_TOKEN_FILE", "CRM_PAGER", "CRM_POSTGRES_BIN"}

// Misspelled returns a line for each variable whose name is a slip of the finger away from one that crm reads. Others are
// not crm's affair.
func (c *Config) Misspelled(flags *flag.FlagSet) (lines []string) {
	known := slices.Clone(otherVariables)
	flags.VisitAll(func(f *flag.Flag) {
		if len(f.Name) > 1 {
			known = append(known, Variable(f.Name))
		}
	})
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) || c.Getenv(name) == "" {
			continue
		}
		if meant := text.Suggest(name, known); meant != "" && text.EditDistance([]rune(name), []rune(meant)) <= 2 {
			lines = append(lines, fmt.Sprintf("The variable %s is not read, did you mean %s?", name, meant))
		}
	}
	return lines
}

// Wanted returns in words which values a global flag can have.
func Wanted(f *flag.Flag) string {
	if cmdline.IsSwitch(f) {
		return "true or false"
	}
	if getter, ok := f.Value.(flag.Getter); ok {
		switch getter.Get().(type) {
		case time.Duration:
			return "a time such as 30s or 5m"
		case int:
			return "a whole number"
		}
	}
	return "a text"
}
