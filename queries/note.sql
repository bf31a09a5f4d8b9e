-- name: NoteList :many
-- NoteList returns the notes that pass the filters, by the time at which they were written, or in the order of a field. Those about a contract or
-- an event are about its customer too, and those about an event about its contract.
SELECT *
FROM note_view
WHERE (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('event_id')::bigint IS NULL OR event_id = sqlc.narg('event_id')::bigint)
  AND (sqlc.narg('by')::text IS NULL OR by = sqlc.narg('by')::text)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR at >= sqlc.narg('changed_since')::timestamptz)
ORDER BY
    CASE WHEN @sort::text = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'by' THEN by END,
    CASE WHEN @sort = 'by:desc' THEN by END DESC,
    CASE WHEN @sort = 'customer' THEN fold(customer) END,
    CASE WHEN @sort = 'customer:desc' THEN fold(customer) END DESC,
    CASE WHEN @sort = 'contract' THEN contract END,
    CASE WHEN @sort = 'contract:desc' THEN contract END DESC NULLS LAST,
    CASE WHEN @sort = 'number' THEN number_order(number) END,
    CASE WHEN @sort = 'number:desc' THEN number_order(number) END DESC NULLS LAST,
    CASE WHEN @sort = 'event_id' THEN event_id END,
    CASE WHEN @sort = 'event_id:desc' THEN event_id END DESC NULLS LAST,
    CASE WHEN @sort = 'event' THEN fold(event) END,
    CASE WHEN @sort = 'event:desc' THEN fold(event) END DESC NULLS LAST,
    CASE WHEN @sort = 'text' THEN fold(text) END,
    CASE WHEN @sort = 'text:desc' THEN fold(text) END DESC,
    CASE WHEN @sort = 'at:desc' THEN at END DESC,
    at,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: NoteCount :one
-- NoteCount counts the rows of NoteList: a test holds their filters equal.
SELECT count(*)
FROM note_view
WHERE (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('event_id')::bigint IS NULL OR event_id = sqlc.narg('event_id')::bigint)
  AND (sqlc.narg('by')::text IS NULL OR by = sqlc.narg('by')::text)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR at >= sqlc.narg('changed_since')::timestamptz);

-- name: NoteDetail :one
SELECT *
FROM note_view
WHERE id = @id;

-- name: NoteAdded :one
-- NoteAdded returns the note that this connection added last.
SELECT *
FROM note_view
WHERE id = currval(pg_get_serial_sequence('note', 'id'));

-- name: NoteAdd :one
-- NoteAdd adds a note about a customer, a contract or an event. It is limited to customers of the commercial, and to events
-- that the support runs, with their contracts and customers; no row when it is none of these.
INSERT INTO note (by, by_id, customer_id, contract_id, event_id, text)
SELECT @as_by, @as_by_id,
       sqlc.narg('customer_id')::bigint,
       sqlc.narg('contract_id')::uuid,
       sqlc.narg('event_id')::bigint,
       @text
FROM customer
WHERE customer.id = coalesce(
          sqlc.narg('customer_id')::bigint,
          (SELECT contract.customer_id FROM contract WHERE contract.id = sqlc.narg('contract_id')::uuid),
          (SELECT contract.customer_id FROM event JOIN contract ON contract.id = event.contract_id WHERE event.id = sqlc.narg('event_id')::bigint))
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint)
  AND (sqlc.narg('as_support_id')::bigint IS NULL OR EXISTS (
          SELECT
          FROM event
          JOIN contract ON contract.id = event.contract_id
          WHERE contract.customer_id = customer.id
            AND event.support_id = sqlc.narg('as_support_id')::bigint
            AND (sqlc.narg('contract_id')::uuid IS NULL OR event.contract_id = sqlc.narg('contract_id')::uuid)
            AND (sqlc.narg('event_id')::bigint IS NULL OR event.id = sqlc.narg('event_id')::bigint)))
RETURNING id;
