-- name: History :many
-- History returns what changed, newest first, one line for each field; each filter that is NULL lets all pass. Of a contract
-- it returns what changed of its payments and events too.
SELECT id, at, by, by_id, command, batch, reason, resource, resource_id, name, field, before, after
FROM change_line
WHERE (sqlc.narg('resource')::text IS NULL
       OR resource = sqlc.narg('resource')::text
       OR (sqlc.narg('contract_id')::uuid IS NOT NULL AND resource IN ('payment', 'event')))
  AND (sqlc.narg('resource_id')::text IS NULL OR resource_id = ANY (
          history_ids(sqlc.narg('resource_id'), sqlc.narg('contract_id'))))
  AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
  AND (sqlc.narg('by')::text IS NULL OR by = sqlc.narg('by')::text)
  AND (sqlc.narg('command')::text IS NULL OR command = sqlc.narg('command')::text)
  AND (sqlc.narg('batch')::uuid IS NULL OR batch = sqlc.narg('batch')::uuid)
ORDER BY
    CASE WHEN @sort::text = 'at' THEN at END,
    CASE WHEN @sort = 'at' THEN id END,
    at DESC,
    id DESC,
    position
LIMIT sqlc.narg('row_limit')::bigint;

-- name: HistoryCount :one
-- HistoryCount counts the rows of History: a test holds their filters equal.
SELECT count(*)
FROM change_line
WHERE (sqlc.narg('resource')::text IS NULL
       OR resource = sqlc.narg('resource')::text
       OR (sqlc.narg('contract_id')::uuid IS NOT NULL AND resource IN ('payment', 'event')))
  AND (sqlc.narg('resource_id')::text IS NULL OR resource_id = ANY (
          history_ids(sqlc.narg('resource_id'), sqlc.narg('contract_id'))))
  AND (sqlc.narg('since')::timestamptz IS NULL OR at >= sqlc.narg('since')::timestamptz)
  AND (sqlc.narg('by')::text IS NULL OR by = sqlc.narg('by')::text)
  AND (sqlc.narg('command')::text IS NULL OR command = sqlc.narg('command')::text)
  AND (sqlc.narg('batch')::uuid IS NULL OR batch = sqlc.narg('batch')::uuid);

-- name: ChangeFrom :one
-- ChangeFrom reports whether a reader who has seen a change can go on after it, and whether the changes are of this server:
-- rows that were copied from another one by hand have transactions of that, whose order means nothing here.
SELECT (sqlc.narg('batch')::text IS NULL OR EXISTS (
           SELECT
           FROM change_line
           WHERE id = sqlc.narg('id')::bigint
             AND xid = sqlc.narg('xid')::text::xid8
             AND left(batch::text, 8) = sqlc.narg('batch')::text))::boolean AS known,
       (SELECT coalesce(max(xid) < pg_snapshot_xmax(pg_current_snapshot()), true) FROM change_line)::boolean AS ours;

-- name: Changes :many
-- Changes returns what changed, in the order of commits, one line for each field, each with the cursor after which a reader
-- goes on. A transaction that is still under way may commit among those that began after it, so that nothing is returned
-- that began after the oldest of them.
SELECT concat_ws('-', xid, id, position, left(batch::text, 8))::text AS cursor,
       id,
       at,
       by,
       by_id,
       command,
       batch,
       reason,
       resource,
       resource_id,
       name,
       field,
       before,
       after
FROM change_line
WHERE (xid, id) >= ((@after_xid::text)::xid8, @after_id::bigint)
  AND (xid, id, position) > ((@after_xid::text)::xid8, @after_id::bigint, @after_position::bigint)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id, position
LIMIT sqlc.narg('row_limit')::bigint;

-- name: ChangeBatches :many
-- ChangeBatches returns the batches whose ids lie from one to another, which a shortened id may mean.
SELECT DISTINCT batch
FROM change_view
WHERE batch BETWEEN @first_id::uuid AND @last_id::uuid
ORDER BY batch
LIMIT 10;

-- name: Undo :many
-- Undo takes back what a batch changed, or says what that would do; what is kept comes first, with the reason.
SELECT row.resource::text AS resource,
       row.resource_id::text AS resource_id,
       coalesce(row.name, '')::text AS name,
       row.undone::boolean AS undone,
       coalesce(row.reason, '')::text AS reason
FROM undo_batch(@batch, @dry_run) AS row
ORDER BY undone, resource, resource_id;
