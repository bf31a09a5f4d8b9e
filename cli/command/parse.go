package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// ParseID takes the number of a customer or an event.
func ParseID(s string) (int64, error) {
	id, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || id < 1 {
		return 0, failure.Misuse(fmt.Sprintf("%q is not an id: ids are whole numbers from 1.", text.Shorten(s)), "")
	}
	return id, nil
}

// ParseUUID takes a whole UUID, in any of its spellings: with and without hyphens, in braces, as a URN.
func ParseUUID(s string) (uuid.UUID, error) {
	id, err := value.ParseUUID(strings.TrimSpace(s))
	if err != nil {
		return id, failure.Misuse(fmt.Sprintf("%q is not a UUID such as 5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10.", text.Shorten(s)), "")
	}
	return id, nil
}

// Now is when the command began, in the zone of the configuration: today is one day for all of its flags.
func (e *Env) Now() time.Time {
	if e.now.IsZero() {
		e.now = time.Now()
	}
	return e.now.In(e.Config.Location)
}

func (e *Env) ParseTime(s string) (time.Time, error) { return value.ParseTime(s, e.Now()) }

func (e *Env) ParseUntil(s string) (time.Time, error) { return value.ParseUntil(s, e.Now()) }

func (e *Env) ParseDate(s string) (value.Date, error) { return value.ParseDate(s, e.Now()) }

// ParsePhone takes a telephone number as it is dialled in the zone of the configuration.
func (e *Env) ParsePhone(s string) (value.Phone, error) {
	return value.ParsePhoneIn(s, e.Config.Location)
}

// ParseEnum takes one of the values of a type in the schema, in any case and with hyphens too.
func ParseEnum[T ~string](noun string, values []T) func(string) (T, error) {
	return func(s string) (T, error) {
		typed := T(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "-", "_"))
		if !slices.Contains(values, typed) {
			return "", cmdline.UnknownValue(noun, s, namesOf(values))
		}
		return typed, nil
	}
}

func namesOf[T ~string](values []T) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return names
}

// Enum adds a flag that takes one of the values of a type in the schema, as ParseEnum does. In its help %s stands for all of
// them.
func Enum[T ~string](c *Command, name, placeholder, help string, values []T) *Value[T] {
	names := namesOf(values)
	return Flag(c, name, placeholder, fmt.Sprintf(help, strings.Join(names, ", ")), ParseEnum(strings.ToLower(placeholder), values)).OneOf(names...)
}

// SearchFlag adds --search; where names, for the help, the fields that are searched.
func SearchFlag(c *Command, where string) *Value[string] {
	return Flag(c, "search", "TEXT", "only those with every word of the text in "+where+"; case and accents do not matter", func(s string) (string, error) {
		text, err := Line("search")(s)
		return strings.Join(strings.Fields(text), " "), err
	})
}

// MineOnly is the filter of --mine: the employee's own id, or nil.
func MineOnly(s service.Operations, mine bool) *int64 {
	if !mine {
		return nil
	}
	id := s.EmployeeID()
	return &id
}

// Typed is what was typed into a search; nil where that is nothing.
func Typed(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
