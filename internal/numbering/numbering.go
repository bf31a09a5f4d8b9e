// Package numbering knows the telephone numbers of all countries: which exist, and how people write them.
//
// What it knows stands in plans.txt, which a test takes from nyaruka/phonenumbers, the Go port of Google's
// libphonenumber. That library itself is not part of crm: it reads the plans of the whole world and compiles its patterns
// when a program starts, which was more than half of the time of a command. Here a plan is read when a number needs it.
// The tests hold the two against each other, number by number.
//
// It must never know what a phone field of crm accepts, and plans.txt is never edited: for newer plans update the library
// and run go test ./internal/numbering -update.
package numbering

import (
	_ "embed"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed plans.txt
var plans string

// Number is a number that may be dialled from anywhere.
type Number struct {
	code     string // of the country
	national string // what follows the code
}

// E164 is the number as programs write it: +33123456789.
func (n Number) E164() string { return "+" + n.code + n.national }

// Parse reads digits as they are dialled: after a plus sign or the prefix for abroad with the code of a country, else as
// a number of home, the code of the country one dials from; empty for nowhere. It says whether that may be a number.
func Parse(dialled, home string) (Number, bool) {
	var from *plan
	if home != "" {
		from = plansOf(home)[0]
	}
	if digits, ok := strings.CutPrefix(dialled, "+"); ok {
		number, ok := international(digits)
		if rest, abroad := from.cutAbroad(digits); !ok && abroad { // both a plus and a prefix
			return international(rest)
		}
		return number, ok
	}
	if digits, ok := from.cutAbroad(dialled); ok {
		return international(digits)
	}
	if from == nil {
		return Number{}, false
	}
	national := dialled
	if rest, ok := strings.CutPrefix(dialled, home); ok { // with the own code, but without a plus sign
		rest = from.stripPrefix(rest)
		if !from.general.matches(dialled) && from.general.matches(rest) || len(dialled) > slices.Max(from.general.lengths) {
			national = rest
		}
	}
	return newNumber(home, national)
}

// international reads a number that begins with the code of a country.
func international(digits string) (Number, bool) {
	if len(digits) <= nationalMin {
		return Number{}, false
	}
	const longestCode = 3
	for i := 1; i <= longestCode; i++ {
		if plansOf(digits[:i]) != nil {
			return newNumber(digits[:i], digits[i:])
		}
	}
	return Number{}, false
}

// Every plan of the world lies between these.
const nationalMin, nationalMax = 2, 17

func newNumber(code, national string) (Number, bool) {
	if len(national) < nationalMin {
		return Number{}, false
	}
	main := plansOf(code)[0]
	stripped := main.stripPrefix(national)
	if !slices.Contains(main.local, len(stripped)) && (slices.Contains(main.general.lengths, len(stripped)) || len(stripped) > slices.Max(main.general.lengths)) {
		national = stripped
	}
	return Number{code, national}, len(national) >= nationalMin && len(national) <= nationalMax
}

// Exists says whether the number has a place in a plan of its country. Several countries may share a code.
func (n Number) Exists() bool {
	list := plansOf(n.code)
	for _, p := range list {
		if len(list) > 1 && p.leading != "" {
			if starts(p.leading, n.national) {
				return p.has(n.national)
			}
			continue
		}
		if p.has(n.national) {
			return true
		}
	}
	return false
}

// International is the number as people write it: +33 1 23 45 67 89.
func (n Number) International() string {
	national := n.national
	for _, f := range plansOf(n.code)[0].formats {
		if starts(f.leading, national) && whole(f.pattern, national) {
			national = pattern(f.pattern).ReplaceAllString(national, f.format)
			break
		}
	}
	return "+" + n.code + " " + national
}

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
func (p *plan) cutAbroad(digits string) (string, bool) {
	if p == nil {
		return "", false
	}
	found := pattern("^(?:" + p.abroad + ")").FindString(digits)
	rest := digits[len(found):]
	return rest, found != "" && !strings.HasPrefix(rest, "0")
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

// plansOf gives the plans of a code, that of the largest country first; none if there is no such code.
func plansOf(code string) []*plan {
	if known, ok := parsed.Load(code); ok {
		return known.([]*plan)
	}
	var list []*plan
	heading := "\n" + codeMark + code + " "
	for at := strings.Index(plans, heading); at >= 0; {
		rest := plans[at+len(heading):]
		body, _, _ := strings.Cut(rest, "\n"+codeMark)
		list = append(list, parsePlan(body))
		if at += len(heading) + len(body); !strings.HasPrefix(plans[at:], heading) {
			break
		}
	}
	parsed.Store(code, list)
	return list
}

// codeMark begins the plan of a country: its code and its region, then a line for each thing there is to know.
const codeMark = "@"

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

func parseLengths(list string) (lengths []int) {
	for length := range strings.FieldsSeq(list) {
		n, _ := strconv.Atoi(length)
		lengths = append(lengths, n)
	}
	return lengths
}
