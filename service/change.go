package service

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// History returns what changed and passes the filters, newest first.
func (s *Session) History(ctx context.Context, p gen.HistoryParams) iter.Seq2[gen.ChangeView, error] {
	return stream[gen.ChangeView](ctx, s, "History", gen.History, p)
}

// HistoryCount returns the number of rows of the history, whatever the limit.
func (s *Session) HistoryCount(ctx context.Context, p gen.HistoryParams) (int64, error) {
	return count(ctx, s, "HistoryCount", (*gen.Queries).HistoryCount, gen.HistoryCountParams{
		Resource:   p.Resource,
		ContractID: p.ContractID,
		ResourceID: p.ResourceID,
		Since:      p.Since,
		By:         p.By,
		Command:    p.Command,
		Batch:      p.Batch,
	})
}

// ChangeFind returns the batch that an id, or the beginning of one, means. Usage, naming the candidates, if it may mean several.
func (s *Session) ChangeFind(ctx context.Context, typed string) (uuid.UUID, error) {
	typed = strings.TrimSpace(typed)
	first, last, err := value.ParseUUIDPrefix("Batch", typed)
	if err != nil {
		return first, err
	}
	var batches []uuid.UUID
	if _, err := s.allow(ctx, "ChangeFind", queryOne(ctx, (*gen.Queries).ChangeBatches, gen.ChangeBatchesParams{FirstID: first, LastID: last}, &batches)); err != nil {
		return first, err
	}
	if len(batches) == 0 {
		return first, noBatch(typed)
	}
	return oneOf(typed, batches)
}

// oneOf returns the only one of the ids that the beginning of one may mean.
func oneOf(typed string, ids []uuid.UUID) (uuid.UUID, error) {
	if len(ids) == 1 {
		return ids[0], nil
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return uuid.Nil, &failure.Error{Code: failure.Usage, Message: fmt.Sprintf("%s may be any of %s.", typed, strings.Join(texts, ", "))}
}

// ChangesParams say after which cursor a reader goes on, from the first change where that is empty, and how many lines it
// takes at most.
type ChangesParams struct {
	After    string `json:"after"`
	RowLimit *int64 `json:"row_limit"`
}

// Changes returns what changed, in the order in which it was committed: each line once for a reader who goes on after the
// cursor of the last that it has, however often it stops. Conflict if the cursor is of another server, or of a time before
// a backup was put back.
func (s *Session) Changes(ctx context.Context, p ChangesParams) iter.Seq2[gen.ChangesRow, error] {
	refuse := func(err error) iter.Seq2[gen.ChangesRow, error] {
		return func(yield func(gen.ChangesRow, error) bool) { yield(gen.ChangesRow{}, err) }
	}
	params := gen.ChangesParams{AfterXid: "0", RowLimit: p.RowLimit}
	var from gen.ChangeFromParams
	if p.After != "" {
		after, ok := parseCursor(p.After)
		if !ok {
			return refuse(failure.Misuse(fmt.Sprintf("%q is not a cursor, which is what crm changes prints with each line.", p.After), "crm changes"))
		}
		params.AfterXid, params.AfterID, params.AfterPosition = after.xid, after.id, after.position
		from = gen.ChangeFromParams{Xid: &after.xid, ID: &after.id, Batch: &after.batch}
	}
	var row gen.ChangeFromRow
	if _, err := s.allow(ctx, "Changes", queryOne(ctx, (*gen.Queries).ChangeFrom, from, &row)); err != nil {
		return refuse(err)
	}
	switch {
	case !row.Ours:
		return refuse(&failure.Error{Code: failure.Conflict, Message: "The history was copied here from another server, whose order of commits means nothing here.",
			Hint: "crm db backup, then crm db restore of that file, gives it an order"})
	case !row.Known:
		return refuse(&failure.Error{Code: failure.Conflict, Message: "This cursor is of another server, or of before a backup was put back.",
			Hint: "crm changes without --after begins at the first change"})
	}
	return stream[gen.ChangesRow](ctx, s, "Changes", gen.Changes, params)
}

// cursor is where a reader of changes stopped: at a line of a change, which has its batch so that no other is taken for it.
type cursor struct {
	xid          string
	id, position int64
	batch        string
}

func parseCursor(s string) (c cursor, ok bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 4 || len(parts[3]) != 8 || strings.Trim(parts[3], "0123456789abcdef") != "" {
		return c, false
	}
	xid, errXid := strconv.ParseUint(parts[0], 10, 64)
	id, errID := strconv.ParseInt(parts[1], 10, 64)
	position, errPosition := strconv.ParseInt(parts[2], 10, 64)
	if errXid != nil || errID != nil || errPosition != nil {
		return c, false
	}
	return cursor{strconv.FormatUint(xid, 10), id, position, parts[3]}, true
}

// Undo takes back what a batch changed, and returns what became of each row: what is no longer as the batch left it is kept,
// and so is what a rule keeps. With p.DryRun nothing is done. Conflict if the batch was undone already.
func (s *Session) Undo(ctx context.Context, p gen.UndoParams) (rows []gen.UndoRow, err error) {
	by, err := s.allow(ctx, "Undo")
	if err != nil {
		return nil, err
	}
	if err := s.write(ctx, by, queryOne(ctx, (*gen.Queries).Undo, p, &rows)); err != nil {
		err = s.translate(ctx, err)
		if problem := failure.Of(err); problem.Hint == tooSlowHint {
			problem.Hint = "try again in a moment; a batch of very many rows needs more time (crm undo --database.timeout 5m)"
			err = problem
		}
		return nil, err
	}
	if len(rows) == 0 {
		return nil, noBatch(p.Batch.String())
	}
	return rows, nil
}

func noBatch(named string) error { return notFound("crm history", "There is no batch %s.", named) }
