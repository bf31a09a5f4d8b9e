package command

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// terminalRows is how many rows a table on a terminal shows unless --limit says otherwise.
const terminalRows = 50

// Listing is the flags that every list has.
type Listing struct {
	env    *Env
	c      *Command
	sort   *Value[string]
	limit  *Value[int64]
	fields *Value[[]string]
	Count  *bool
	total  *bool                  // nil where there is nothing to add up
	totals map[string]value.Cents // what the rows add up to, once it is known
}

// ListFlags adds the flags of every list: --sort, --limit, --fields, --count.
func ListFlags[T any](c *Command, r render.Resource[T]) *Listing {
	sortable := r.Sortable()
	l := &Listing{env: c.env, c: c}
	by := "by any field but the ids beside a name"
	if r.Orders != nil {
		by = "by " + strings.Join(sortable, " or ")
	}
	l.sort = Flag(c, "sort", "FIELD[:desc]", "order of the rows, "+by, func(s string) (string, error) {
		field, direction, _ := strings.Cut(s, ":")
		if downward := strings.TrimPrefix(s, "-"); downward != s && slices.Contains(sortable, downward) {
			return "", failure.Misuse(fmt.Sprintf("unknown field %q, did you mean %q?", s, downward+":desc"), "")
		}
		if !slices.Contains(sortable, field) {
			return "", cmdline.UnknownValue("field", field, sortable)
		}
		if direction != "" && direction != "asc" && direction != "desc" {
			return "", cmdline.UnknownValue("direction", direction, []string{"asc", "desc"})
		}
		return strings.TrimSuffix(s, ":asc"), nil
	})
	l.limit = limitFlag(c)
	l.fields = FieldsFlag(c, r)
	var orders []string
	for _, name := range sortable {
		orders = append(orders, name, name+":desc")
	}
	l.sort.OneOf(orders...)
	l.Count = c.Switch("count", "only the number of rows; not with --limit")
	c.Excludes("count", "limit")
	return l
}

func limitFlag(c *Command) *Value[int64] {
	return Flag(c, "limit", "N", "at most this many rows; 0 means all", parseLimit)
}

// FeedFlags adds the flags of a list that has one order and no end: --limit, --fields.
func FeedFlags[T any](c *Command, r render.Resource[T]) func(rows func(limit *int64) iter.Seq2[T, error]) error {
	limit, fields := limitFlag(c), FieldsFlag(c, r)
	return func(rows func(limit *int64) iter.Seq2[T, error]) error {
		if limit.Got == 0 {
			limit.Set = false
		}
		return render.List(c.env.OutputOf(fields), r, rows(limit.Pointer()))
	}
}

// ShowsReport adds the flags of a report: --limit, --fields. It returns the function that shows one, in its own order and
// with what its rows add up to where people read it.
func ShowsReport[T any](c *Command, r render.Resource[T]) func(r render.Resource[T], note string, rows iter.Seq2[T, error]) error {
	limit, fields := limitFlag(c), FieldsFlag(c, r)
	c.makesPage = true
	return func(r render.Resource[T], note string, rows iter.Seq2[T, error]) error {
		e := c.env
		if err := e.canShow(); err != nil {
			return err
		}
		o := e.OutputOf(fields)
		o.Note = note
		if o.Most = int(limit.Got); !limit.Set && e.ShortTable() {
			o.Most = terminalRows
		}
		return render.List(o, r, rows)
	}
}

// Totals adds --total to a list with amounts.
func (l *Listing) Totals(c *Command) *Listing {
	l.total = c.Switch("total", "what the rows add up to: a last row in a table, alone in the data formats; not with --limit")
	c.Excludes("total", "limit", "count")
	return l
}

// FieldsFlag adds --fields, which takes the names of the columns of a resource.
func FieldsFlag[T any](c *Command, r render.Resource[T]) *Value[[]string] {
	names := r.Names()
	return fieldNames(c, "fields", "A,B", "only these fields, in this order: "+strings.Join(names, ", "), names)
}

// fieldNames adds a flag that takes some of these names of fields, with commas between them.
func fieldNames(c *Command, name, placeholder, help string, names []string) *Value[[]string] {
	return Names(c, name, placeholder, help, "field", names)
}

// Names adds a flag that takes some of these names of something, with commas between them.
func Names(c *Command, name, placeholder, help, of string, names []string) *Value[[]string] {
	return Flag(c, name, placeholder, help, func(s string) ([]string, error) {
		fields := strings.Split(s, ",")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
			if !slices.Contains(names, fields[i]) {
				return nil, cmdline.UnknownValue(of, fields[i], names)
			}
		}
		return fields, nil
	}).Several().OneOf(names...)
}

// RequireField rejects a --fields that leaves out a value printed only once, such as a new token.
func RequireField(fields *Value[[]string], name string) error {
	if fields.Set && !slices.Contains(fields.Got, name) {
		return failure.Misuse(fmt.Sprintf("--fields leaves out %s, which is not shown again.", name), "")
	}
	return nil
}

// Shows adds the flags of a command that shows one row, and returns the function that shows it.
func Shows[T any](c *Command, r render.Resource[T]) func(row T) error {
	return detailWith(c.env, FieldsFlag(c, r), r)
}

// ShowsSheet is Shows for what is printed and held on paper; looks returns how a row of it looks.
func ShowsSheet[T any](c *Command, r render.Resource[T], looks func(row T) render.Resource[T]) func(row T) error {
	fields, e := FieldsFlag(c, r), c.env
	return func(row T) error {
		if err := e.canShow(); err != nil {
			return err
		}
		return render.Sheet(e.OutputOf(fields), looks(row), row)
	}
}

func detailWith[T any](e *Env, fields *Value[[]string], r render.Resource[T]) func(row T) error {
	return func(row T) error {
		if err := e.canShow(); err != nil {
			return err
		}
		return render.Detail(e.OutputOf(fields), r, row, nil)
	}
}

// canShow refuses to read for nobody: a list or a detail whose stdout was closed. Commands that change something, and
// those whose exit code is an answer, go on, for a program may have started crm with a null device that looks the same.
func (e *Env) canShow() error {
	last := e.CommandName[strings.LastIndexByte(e.CommandName, ' ')+1:]
	reads := slices.Contains([]string{"list", "detail", "payments", "overview", "sheet", "find", "duplicates"}, last) || strings.HasPrefix(e.CommandName, "report ")
	if e.NoOut && reads {
		return &failure.Error{Code: failure.Internal, Message: "The result could not be written: standard output is closed."}
	}
	return nil
}

// ShowsChange is detailOf for a command that changes the row: the columns that are no longer as before stand out.
func ShowsChange[T any](c *Command, r render.Resource[T]) func(change service.Change[T]) error {
	return ShowsChangeWith(c.env, FieldsFlag(c, r), r)
}

func ShowsChangeWith[T any](e *Env, fields *Value[[]string], r render.Resource[T]) func(change service.Change[T]) error {
	return func(change service.Change[T]) error {
		return AfterWrite(render.Detail(e.OutputOf(fields), r, change.Now, change.Before))
	}
}

func parseLimit(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, failure.Misuse(fmt.Sprintf("%q is not a number of rows.", text.Shorten(s)), "")
	}
	return n, nil
}

// Order is the sort parameter of the query.
func (l *Listing) Order() string { return l.sort.Got }

// RowLimit is the limit parameter of the query: NULL for all. A table on a terminal asks for one row more than it shows,
// to know whether there are more.
func (l *Listing) RowLimit() *int64 {
	limit := l.limit.Got
	if !l.limit.Set && l.env.ShortTable() {
		limit = terminalRows + 1
	}
	if limit == 0 {
		return nil
	}
	return &limit
}

// ShortTable reports whether a list is a table on a terminal, which nobody reads to its thousandth row.
func (e *Env) ShortTable() bool { return e.Config.Output == "table" && terminal.Is(e.Out) }

// Output is how this run prints.
func (e *Env) Output() render.Output {
	o := render.Output{
		Format:   e.Config.Output,
		NoHeader: e.Config.NoHeader,
		Excel:    e.Config.CSVStyle == config.CSVExcelFr,
		Zone:     e.Config.Location,
		Out:      e.Out,
		Err:      e.Notices(),
	}
	if o.Width = terminal.Width(e.Out); o.Width > 0 {
		o.ASCII = !e.isUnicode()
		o.Color = !e.Config.NoColor && e.Getenv("NO_COLOR") == "" && e.Getenv("TERM") != "dumb"
		o.Out = e.Paged()
	}
	return o
}

// isUnicode reports whether the terminal shows what is not ASCII: unless the locale says that it does not.
func (e *Env) isUnicode() bool {
	locale := cmp.Or(e.Getenv("LC_ALL"), e.Getenv("LC_CTYPE"), e.Getenv("LANG"))
	charset := strings.ToUpper(strings.ReplaceAll(locale, "-", ""))
	return locale == "" || strings.Contains(charset, "UTF8")
}

// OutputOf is output with the fields that --fields names.
func (e *Env) OutputOf(fields *Value[[]string]) render.Output {
	o := e.Output()
	o.Fields = fields.Got
	return o
}

// Later is the part of a list that a table on a terminal begins with, where it cannot show all.
type Later[T any] struct {
	Rows   iter.Seq2[T, error]
	Count  func(context.Context) (int64, error)
	Before string // what the rows are before that are left out
}

// ShowListFrom is ShowList for rows in the order of time, where a table on a terminal shows the later ones first.
func ShowListFrom[T any](ctx context.Context, l *Listing, r render.Resource[T],
	rows iter.Seq2[T, error], count func(context.Context) (int64, error), later Later[T],
) error {
	e := l.env
	if *l.Count || l.limit.Set || !e.ShortTable() || e.canShow() != nil {
		return ShowList(ctx, l, r, rows, count)
	}
	var all []T
	for row, err := range rows {
		if err != nil {
			return err
		}
		all = append(all, row)
	}
	if len(all) <= terminalRows {
		return ShowList(ctx, l, r, Rows(all), count)
	}
	n, err := count(ctx)
	if err != nil {
		return err
	}
	left, err := later.Count(ctx)
	if err != nil {
		return err
	}
	if left == 0 { // all of it is over, and its beginning is as good as any part
		return ShowList(ctx, l, r, Rows(all), count)
	}
	err = ShowList(ctx, l, r, later.Rows, func(context.Context) (int64, error) { return left, nil })
	if err == nil && n > left {
		e.Notice("%d before %s; --limit 0 shows all", n-left, later.Before)
	}
	return err
}

// ShowSums is ShowList for a list with amounts. sums returns their sums, by the names of the columns, and the number of rows
// as Count.
func ShowSums[T, S any](ctx context.Context, l *Listing, r render.Resource[T],
	rows iter.Seq2[T, error], sums func(context.Context) (S, error),
) error {
	if *l.total {
		sum, err := sums(ctx)
		if err != nil {
			return err
		}
		if o := l.env.Output(); o.Format != "table" && o.Format != "markdown" {
			return render.Detail(o, render.Resource[S]{Name: "total"}, sum, nil)
		}
		l.totals = map[string]value.Cents{}
		for _, c := range columns.Of(reflect.TypeFor[S]()) {
			if c.Type == reflect.TypeFor[value.Cents]() {
				l.totals[c.Name] = value.Cents(*c.In(reflect.ValueOf(&sum).Elem()).(*int64))
			}
		}
	}
	return ShowList(ctx, l, r, rows, func(ctx context.Context) (int64, error) {
		sum, err := sums(ctx)
		return reflect.ValueOf(sum).FieldByName("Count").Int(), err
	})
}

// ShowList prints the rows of a list. count returns their number without fetching them.
func ShowList[T any](ctx context.Context, l *Listing, r render.Resource[T],
	rows iter.Seq2[T, error], count func(context.Context) (int64, error),
) error {
	e := l.env
	if err := e.canShow(); err != nil {
		return err
	}
	if *l.Count {
		n, err := count(ctx)
		if err != nil {
			return err
		}
		return e.showNumber(n)
	}
	o := e.OutputOf(l.fields)
	o.Totals, o.Sort, o.Filters = l.totals, strings.TrimSuffix(l.Order(), ":desc"), l.c.Given()
	shortened := false
	if e.ShortTable() && !l.limit.Set {
		rows = first(rows, terminalRows, &shortened)
	}
	if err := render.List(o, r, rows); err != nil || !shortened {
		return err
	}
	n, err := count(ctx)
	if err != nil {
		return err
	}
	e.Notice("Showing %d of %d; --limit 0 shows all", terminalRows, n)
	return nil
}

// first ends a stream after n rows, and sets more if there were others.
func first[T any](rows iter.Seq2[T, error], n int, more *bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		i := 0
		for row, err := range rows {
			if err == nil && i == n {
				*more = true
				return
			}
			i++
			if !yield(row, err) {
				return
			}
		}
	}
}

// Rows makes a stream of rows that are there already.
func Rows[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// FirstOf makes a stream of rows that are there already, or of the first of them where there is a limit.
func FirstOf[T any](rows []T, limit *int64) iter.Seq2[T, error] {
	if limit != nil {
		rows = rows[:min(*limit, int64(len(rows)))]
	}
	return Rows(rows)
}

// showNumber prints the answer of --count.
func (e *Env) showNumber(n int64) error {
	text := strconv.FormatInt(n, 10) + "\n"
	switch e.Config.Output {
	case "json", "jsonl":
		text = fmt.Sprintf("{\"count\": %d}\n", n)
	case "csv":
		if !e.Config.NoHeader {
			text = "count\n" + text
		}
	}
	_, err := io.WriteString(e.Out, text)
	return err
}

// Unwritten wraps the write error of a command whose change is already committed.
type Unwritten struct{ error }

func (e Unwritten) Unwrap() error { return e.error }

// AfterWrite marks an error of printing as one that comes after the change was committed.
func AfterWrite(err error) error {
	if err == nil {
		return nil
	}
	return Unwritten{err}
}
