-- name: Find :many
-- Find returns what a text fits: customers, events and notes that have all of its words, and the contract whose number or id it
-- is. At is when an event starts, and when a contract was signed or else drawn up. A kind more is a SELECT more, with a
-- condition that an index serves.
SELECT found.resource::text AS resource,
       found.id::text AS id,
       found.what::text AS what,
       found.detail::text AS detail,
       found.at
FROM (
    SELECT 3 AS place,
           'event' AS resource,
           event.id AS position,
           event.id::text AS id,
           event.name AS what,
           concat_ws(', ', CASE WHEN event.cancelled_at IS NOT NULL THEN 'cancelled' END, event.location, customer.fullname) AS detail,
           event.start_at AS at -- first, for it may be NULL and sqlc asks the first
    FROM event
    JOIN contract ON contract.id = event.contract_id
    JOIN customer ON customer.id = contract.customer_id
    WHERE event.search LIKE search_pattern(@text::text)
      AND (cardinality(search_patterns(@text::text)) = 1 OR event.search LIKE ALL (search_patterns(@text::text)))
    UNION ALL
    SELECT 1,
           'customer',
           customer.id,
           customer.id::text,
           customer.fullname,
           concat_ws(', ', CASE WHEN customer.archived_at IS NOT NULL THEN 'archived' END, customer.company, customer.email, customer.phone),
           NULL
    FROM customer
    WHERE customer.search LIKE search_pattern(@text::text)
      AND (cardinality(search_patterns(@text::text)) = 1 OR customer.search LIKE ALL (search_patterns(@text::text)))
    UNION ALL
    SELECT 2,
           'contract',
           row_number() OVER (ORDER BY contract.created_at, contract.id),
           contract.number,
           concat_ws(', ', customer.fullname, customer.company),
           concat_ws(', ', euros(contract.total_amount), replace(contract.status::text, '_', ' ')),
           coalesce(contract.signed_at, contract.created_at)
    FROM contract
    JOIN customer ON customer.id = contract.customer_id
    WHERE contract.number = sqlc.narg('number')::text
       OR contract.id BETWEEN sqlc.narg('first_id')::uuid AND sqlc.narg('last_id')::uuid
    UNION ALL
    SELECT 4,
           'note',
           -note.id,
           note.id::text,
           note.text,
           concat_ws(', ', note_view.customer, note_view.number, note_view.event, note.by),
           note.at
    FROM note
    JOIN note_view ON note_view.id = note.id
    WHERE note.search LIKE search_pattern(@text::text)
      AND note.search LIKE ALL (search_patterns(@text::text))) AS found
ORDER BY
    CASE WHEN @sort::text = 'resource' THEN resource END,
    CASE WHEN @sort = 'resource:desc' THEN resource END DESC,
    CASE WHEN @sort = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'what' THEN fold(what) END,
    CASE WHEN @sort = 'what:desc' THEN fold(what) END DESC,
    CASE WHEN @sort = 'detail' THEN fold(detail) END,
    CASE WHEN @sort = 'detail:desc' THEN fold(detail) END DESC,
    CASE WHEN @sort = 'at' THEN at END,
    CASE WHEN @sort = 'at:desc' THEN at END DESC NULLS LAST,
    place,
    position
LIMIT sqlc.narg('row_limit')::bigint;

-- name: FindCount :one
-- FindCount counts the rows of Find: a test holds their filters equal.
SELECT count(*)
FROM (
    SELECT 3 AS place,
           'event' AS resource,
           event.id AS position,
           event.id::text AS id,
           event.name AS what,
           concat_ws(', ', CASE WHEN event.cancelled_at IS NOT NULL THEN 'cancelled' END, event.location, customer.fullname) AS detail,
           event.start_at AS at -- first, for it may be NULL and sqlc asks the first
    FROM event
    JOIN contract ON contract.id = event.contract_id
    JOIN customer ON customer.id = contract.customer_id
    WHERE event.search LIKE search_pattern(@text::text)
      AND (cardinality(search_patterns(@text::text)) = 1 OR event.search LIKE ALL (search_patterns(@text::text)))
    UNION ALL
    SELECT 1,
           'customer',
           customer.id,
           customer.id::text,
           customer.fullname,
           concat_ws(', ', CASE WHEN customer.archived_at IS NOT NULL THEN 'archived' END, customer.company, customer.email, customer.phone),
           NULL
    FROM customer
    WHERE customer.search LIKE search_pattern(@text::text)
      AND (cardinality(search_patterns(@text::text)) = 1 OR customer.search LIKE ALL (search_patterns(@text::text)))
    UNION ALL
    SELECT 2,
           'contract',
           row_number() OVER (ORDER BY contract.created_at, contract.id),
           contract.number,
           concat_ws(', ', customer.fullname, customer.company),
           concat_ws(', ', euros(contract.total_amount), replace(contract.status::text, '_', ' ')),
           coalesce(contract.signed_at, contract.created_at)
    FROM contract
    JOIN customer ON customer.id = contract.customer_id
    WHERE contract.number = sqlc.narg('number')::text
       OR contract.id BETWEEN sqlc.narg('first_id')::uuid AND sqlc.narg('last_id')::uuid
    UNION ALL
    SELECT 4,
           'note',
           -note.id,
           note.id::text,
           note.text,
           concat_ws(', ', note_view.customer, note_view.number, note_view.event, note.by),
           note.at
    FROM note
    JOIN note_view ON note_view.id = note.id
    WHERE note.search LIKE search_pattern(@text::text)
      AND note.search LIKE ALL (search_patterns(@text::text))) AS found;
