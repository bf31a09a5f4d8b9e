package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/intake"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/files"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// importField is a column that a resource takes in.
type importField[P any] struct {
	name   string
	set    func(row *P, cell string) error
	clears bool                                             // the cell #N/A empties the field
	kept   bool                                             // only --keep-ids takes it: what crm gives itself otherwise
	needed bool                                             // by a new row
	key    bool                                             // a row may be known by it to be there
	sure   bool                                             // and is, unless --match says otherwise
	other  func(from *program, cell string) (string, error) // makes of another program's cell what it would be here; may be nil
}

// importing is how a resource comes in: its fields, and what is known of a row.
type importing[P any] struct {
	resource string
	fields   []importField[P]
	programs []program // whose exports can be taken
	row      func(row *P) (line *int64, bad *bool, empties *[]string)
	do       func(service.Operations) func(context.Context, service.ImportParams, iter.Seq2[P, error]) (service.ImportResult, error)
}

// field takes a cell as the flag of its name takes a text.
func field[P, T any](name string, parse func(string) (T, error), at func(*P) **T) importField[P] {
	return importField[P]{name: name, set: func(row *P, cell string) error {
		got, err := parse(cell)
		if err != nil {
			return err
		}
		*at(row) = &got
		return nil
	}}
}

func (f importField[P]) emptied() importField[P] { f.clears = true; return f }

func (f importField[P]) onlyKept() importField[P] { f.kept = true; return f }

func (f importField[P]) isNeeded() importField[P] { f.needed = true; return f }

func (f importField[P]) isKey() importField[P] { f.key = true; return f }

func (f importField[P]) isSureKey() importField[P] { f.key, f.sure = true, true; return f }

func (f importField[P]) elsewhere(other func(*program, string) (string, error)) importField[P] {
	f.other = other
	return f
}

// keys are the fields by which a row may be known to be there.
func (i importing[P]) keys() (names []string) {
	for _, field := range i.fields {
		if field.key {
			names = append(names, field.name)
		}
	}
	return names
}

// imported is what import shows.
type imported struct {
	Added     int64      `json:"added"`
	Updated   int64      `json:"updated"`
	Unchanged int64      `json:"unchanged"`
	Skipped   int64      `json:"skipped"`
	Refused   int64      `json:"refused"`
	DryRun    bool       `json:"dry_run"`
	Batch     *uuid.UUID `json:"batch"`
}

var importedRows = render.Resource[imported]{
	Name: "import", Title: "Imported", Hue: render.Green,
}

// emptyCell is what empties a field; a cell without anything keeps it.
const emptyCell = "#N/A"

// importFlags are the flags that every import has.
type importFlags struct {
	file            *command.Value[string]
	labels          *command.Value[map[string]string]
	from            *command.Value[*program] // nil where no program's exports are known
	match           *command.Value[string]
	onMatch         *command.Value[gen.ImportOnMatch]
	rejects         *command.Value[string]
	keepIDs, dryRun *bool
}

// imports completes an import. The commercial is in charge of customers whose rows name nobody; nil for what has none.
func imports[P any](a *app, c *command.Command, each importing[P], commercial *command.Value[string]) func(ctx context.Context, s service.Operations) error {
	f := importFlags{file: command.Flag(c, "file", "FILE", "the file, of CSV or JSON lines; - is standard input", command.AsTyped).AsArgument()}
	names := make([]string, len(each.fields))
	for i, field := range each.fields {
		names[i] = field.name
	}
	f.labels = command.Flag(c, "map", "LABEL=FIELD,...", "columns of other names, A+B=FIELD for several that make one, A++B with a comma between, A|B for the first that has something: "+strings.Join(names, ", "), func(s string) (map[string]string, error) {
		return parseLabels(s, names)
	})
	if each.programs != nil {
		f.from = programFlag(c, each.programs)
	}
	keys := each.keys()
	f.match = command.Flag(c, "match", "FIELD", "by which a row is known to be there already: "+strings.Join(keys, ", "), command.ParseEnum("field", keys)).
		OneOf(keys...)
	f.onMatch = command.Enum(c, "on-match", "WHAT", "what is done with a row that is there and differs: %s", gen.AllImportOnMatchValues())
	f.rejects = command.Flag(c, "rejects", "FILE", "take the good rows in, and write the others to this file with their reasons; exit 8 if there are any", parseFile)
	f.keepIDs = c.Switch("keep-ids", "new rows keep their ids, numbers and times: for moving house")
	f.dryRun = c.Switch("dry-run", "only say what would become of each row")
	show := command.Shows(c, importedRows)
	return func(ctx context.Context, s service.Operations) error {
		if _, err := c.May(ctx); err != nil {
			return err
		}
		source, err := intake.Open(f.file.Got, a.In)
		if err != nil {
			return err
		}
		defer source.Close()
		in, err := newIntaking(each, f, source)
		if err != nil {
			return err
		}
		rejects, err := openRejects(f.rejects)
		if err != nil {
			return err
		}
		defer rejects.close()
		in.tell(a)
		p := service.ImportParams{OnMatch: gen.ImportOnMatchFail, KeepIDs: *f.keepIDs, Partly: f.rejects.Set, DryRun: *f.dryRun}
		if in.key != "" {
			p.Key = new(gen.ImportKey(in.key))
		}
		if f.onMatch.Set {
			p.OnMatch = f.onMatch.Got
		}
		if commercial != nil {
			p.Commercial = commercial.Pointer()
		}
		progress := a.watchedProgress("Importing " + source.Name)
		result, err := each.do(s)(ctx, p, in.rows(progress))
		progress.end()
		if err != nil {
			return untouched(err)
		}
		return in.finish(a, f, result, rejects, show)
	}
}

// untouched says of an interruption that nothing was written. Where that is not known, the error is another one.
func untouched(err error) error {
	if _, told := errors.AsType[*failure.Error](err); told || !errors.Is(err, context.Canceled) {
		return err
	}
	return &failure.Error{Code: interrupted, Message: "Interrupted; nothing was written.", Err: err}
}

// parseLabels takes LABEL=FIELD pairs; one without a field leaves the column out.
func parseLabels(s string, fields []string) (map[string]string, error) {
	labels := map[string]string{}
	for pair := range strings.SplitSeq(s, ",") {
		label, field, ok := strings.Cut(pair, "=")
		if label = intake.Label(label); !ok || label == "" {
			return nil, failure.Misuse(fmt.Sprintf("%q is not LABEL=FIELD.", text.Shorten(pair)), "--map Nom=fullname,Société=company")
		}
		if field = strings.TrimSpace(field); field != "" && !slices.Contains(fields, field) {
			return nil, cmdline.UnknownValue("field", field, fields)
		}
		labels[strings.ToLower(label)] = field
	}
	return labels, nil
}

// reasonOf is what is wrong with a cell, in which nobody gave a flag.
func reasonOf(err error) string {
	return text.Sentence(strings.TrimPrefix(failure.Of(err).Message, "--"))
}

// finish says what became of the rows, and why some were refused.
func (in *intaking[P]) finish(a *app, f importFlags, result service.ImportResult, rejects *rejected, show func(imported) error) error {
	for _, refusal := range result.Refusals {
		in.problems[refusal.Line] = append(in.problems[refusal.Line], problem{refusal.Field, refusal.Reason})
	}
	all := result.Added + result.Updated + result.Unchanged + result.Skipped + result.Refused
	written := func(err error) error {
		if result.Written {
			return command.AfterWrite(err)
		}
		return err
	}
	message := refusedOf(result.Refused, all) + "."
	if result.Refused > 0 && f.rejects.Set && !*f.dryRun { // first, for the others are committed: nothing else may be in the way
		if err := in.reject(rejects, f.rejects.Got); err != nil {
			return written(err)
		}
		message = refusedOf(result.Refused, all) + "; see " + f.rejects.Got + "."
	}
	if result.Refused > 0 {
		for _, line := range slices.Sorted(maps.Keys(in.problems)) {
			for _, p := range in.problems[line] {
				if err := p.tell(a, line); err != nil {
					return written(err)
				}
			}
		}
	}
	if result.Refused > 0 && !f.rejects.Set && !*f.dryRun {
		return &failure.Error{Code: failure.Conflict, Message: refusedOf(result.Refused, all) + "; nothing was imported.",
			Hint: "--rejects FILE takes the good ones in, and writes the others to a file"}
	}
	if in.below > 0 {
		a.Notice("Not taken: %s below the rows.", text.Count(in.below, "line"))
	}
	err := show(imported{result.Added, result.Updated, result.Unchanged, result.Skipped, result.Refused, *f.dryRun, result.Batch})
	if err != nil {
		return written(err)
	}
	switch {
	case *f.dryRun:
		a.Notice("Nothing was changed.")
	case result.Batch != nil:
		a.Notice("crm undo %s takes it back.", result.Batch.String()[:8])
	}
	if result.Refused == 0 {
		return nil
	}
	return &failure.Error{Code: exitFindings, Message: message}
}

// refusedOf says how many rows are refused.
func refusedOf(n, all int64) string {
	are := "are"
	if n == 1 {
		are = "is"
	}
	return fmt.Sprintf("%d of %s %s refused", n, text.Count(int(all), "row"), are)
}

// tell says what is wrong, to a program as an object.
func (p problem) tell(a *app, line int64) error {
	if !a.JSONErrors() {
		a.Tell(fmt.Sprintf("line %d: %s", line, p))
		return nil
	}
	encoder := json.NewEncoder(a.Err)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(service.ImportRefusal{Line: line, Field: p.field, Reason: p.reason})
}

func (p problem) String() string {
	if p.field == "" || strings.HasPrefix(p.reason, p.field+" ") {
		return p.reason
	}
	return p.field + ": " + p.reason
}

// reject writes the refused records.
func (in *intaking[P]) reject(r *rejected, name string) error {
	return r.write(name, in.source, nil, func(record intake.Record) (reason string, added []string) {
		var reasons []string
		for _, p := range in.problems[record.Line] {
			reasons = append(reasons, p.String())
		}
		return strings.Join(reasons, " "), nil
	})
}

// rejected is the file of the refused rows, before there are any.
type rejected struct{ *files.Partial }

// openRejects begins the file before anything is imported, so that what is in its way is known.
func openRejects(file *command.Value[string]) (*rejected, error) {
	if !file.Set {
		return &rejected{}, nil
	}
	if _, err := os.Lstat(file.Got); err == nil {
		return nil, failure.Misuse(fmt.Sprintf("The file %s exists already.", file.Got), "")
	}
	partial, err := files.Create(filepath.Dir(file.Got), "rejects")
	if err != nil {
		return nil, fileError(file.Got, err)
	}
	return &rejected{partial}, nil
}

// write writes those records of a source that there is a reason for, with columns that are added to them, under a name.
func (r *rejected) write(name string, source *intake.Source, added []string, of func(intake.Record) (reason string, added []string)) error {
	out := bufio.NewWriter(r.Partial)
	rejects, err := intake.NewRejects(out, source, added...)
	if err != nil {
		return fileError(name, err)
	}
	for record, err := range source.Records() {
		if err != nil {
			return err
		}
		reason, values := of(record)
		if reason == "" {
			continue
		}
		if err := rejects.Add(record, reason, values...); err != nil {
			return fileError(name, err)
		}
	}
	if err := errors.Join(rejects.Close(), out.Flush()); err != nil {
		return fileError(name, err)
	}
	if err := r.Replace(name); err != nil {
		return fileError(name, err)
	}
	return nil
}

func (r *rejected) close() {
	if r.Partial != nil {
		_ = r.Partial.Close()
	}
}

// parseBoolean takes what crm and spreadsheets write for a truth value.
func parseBoolean(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "vrai", "yes", "oui", "1", "t", "y", "o":
		return true, nil
	case "false", "faux", "no", "non", "0", "f", "n":
		return false, nil
	}
	return false, failure.Misuse(fmt.Sprintf("%q is neither true nor false.", text.Shorten(s)), "")
}

// contractField takes a contract by its id or its number.
func contractField[P any](name string, id func(*P) **uuid.UUID, number func(*P) **string) importField[P] {
	return importField[P]{name: name, set: func(row *P, cell string) error {
		if typed, ok := value.ParseContractNumber(cell); ok {
			*number(row) = &typed
			return nil
		}
		got, err := command.ParseUUID(cell)
		if err != nil {
			return failure.Misuse(fmt.Sprintf("%q is neither the number of a contract nor its whole id.", text.Shorten(cell)), "")
		}
		*id(row) = &got
		return nil
	}}
}
