package phone

import (
	_ "embed"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// plans has a heading for each country and below it a line for each thing there is to know.
//
//go:embed plans.txt
var plans string

// codeMark begins a heading, which is the code of the country and its region: @33 FR.
const codeMark = "@"

// plan is the numbers of one country.
type plan struct {
	abroad    string // before the code of another country, a pattern
	leading   string // how the numbers of this country begin among those of the same code, a pattern
	prefix    string // dialled within the country only, a pattern
	transform string // what becomes of the prefix; empty: nothing
	general   kind   // what all numbers have in common
	kinds     []kind // the numbers there are
	local     []int  // lengths of what can only be dialled nearby
	formats   []format
}

// kind is a group of numbers such as those of mobile phones.
type kind struct {
	lengths []int // none: as in general
	pattern string
}

// format is how people write a number that begins with leading: its groups in the pattern, put into the format.
type format struct{ leading, pattern, format string }

func (k kind) matches(national string) bool { return whole(k.pattern, national) }

func (k kind) has(national string) bool {
	return (len(k.lengths) == 0 || slices.Contains(k.lengths, len(national))) && k.matches(national)
}

func (p *plan) has(national string) bool {
	return p.general.has(national) && slices.ContainsFunc(p.kinds, func(k kind) bool { return k.has(national) })
}

// cutAbroad removes the prefix for abroad. No code of a country begins with 0.
func (p *plan) cutAbroad(digits string) (rest string, found bool) {
	if p == nil {
		return "", false
	}
	rest = digits[len(pattern("^(?:"+p.abroad+")").FindString(digits)):]
	return rest, rest != digits && !strings.HasPrefix(rest, "0")
}

// stripPrefix removes what is dialled within the country only, unless that makes a good number a bad one.
func (p *plan) stripPrefix(national string) string {
	if p.prefix == "" || national == "" {
		return national
	}
	prefix := pattern("^(?:" + p.prefix + ")")
	groups := prefix.FindStringSubmatchIndex(national)
	if groups == nil {
		return national
	}
	stripped := national[groups[1]:]
	if p.transform != "" && groups[len(groups)-1] >= 0 {
		stripped = prefix.ReplaceAllString(national, p.transform)
	}
	if p.general.matches(national) && !p.general.matches(stripped) {
		return national
	}
	return stripped
}

func whole(expression, s string) bool  { return pattern("^(?:" + expression + ")$").MatchString(s) }
func starts(expression, s string) bool { return pattern("^(?:" + expression + ")").MatchString(s) }

var patterns, parsed sync.Map

func pattern(expression string) *regexp.Regexp {
	if known, ok := patterns.Load(expression); ok {
		return known.(*regexp.Regexp)
	}
	compiled := regexp.MustCompile(expression)
	patterns.Store(expression, compiled)
	return compiled
}

// plansOf returns the plans of a code, that of the largest country first; none if there is no such code.
func plansOf(code string) []*plan {
	if known, ok := parsed.Load(code); ok {
		return known.([]*plan)
	}
	var countries []*plan
	heading := "\n" + codeMark + code + " "
	for at := strings.Index(plans, heading); at >= 0; {
		body, _, _ := strings.Cut(plans[at+len(heading):], "\n"+codeMark)
		countries = append(countries, parsePlan(body))
		if at += len(heading) + len(body); !strings.HasPrefix(plans[at:], heading) {
			break
		}
	}
	parsed.Store(code, countries)
	return countries
}

func parsePlan(body string) *plan {
	p := &plan{}
	for line := range strings.Lines(body) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		switch name {
		case "abroad":
			p.abroad = value
		case "leading":
			p.leading = value
		case "prefix":
			p.prefix = value
		case "transform":
			p.transform = value
		case "general":
			p.general = parseKind(value)
		case "kind":
			p.kinds = append(p.kinds, parseKind(value))
		case "local":
			p.local = parseLengths(value)
		case "format":
			parts := strings.Split(value, "\t")
			p.formats = append(p.formats, format{parts[0], parts[1], parts[2]})
		}
	}
	return p
}

func parseKind(value string) kind {
	lengths, expression, _ := strings.Cut(value, "\t")
	return kind{parseLengths(lengths), expression}
}

func parseLengths(value string) (lengths []int) {
	for field := range strings.FieldsSeq(value) {
		n, err := strconv.Atoi(field)
		if err != nil {
			panic("plans.txt has a length that is no number: " + field)
		}
		lengths = append(lengths, n)
	}
	return lengths
}
