-- name: ReminderList :many
-- ReminderList returns the reminders that pass the filters, by the day on which they are due, or in the order of a field.
-- Those about a contract or an event are about its customer too, and those about an event about its contract.
SELECT *
FROM reminder_view
WHERE (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('event_id')::bigint IS NULL OR event_id = sqlc.narg('event_id')::bigint)
  AND (@done::boolean OR done_at IS NULL)
  AND (sqlc.narg('for')::text IS NULL OR "for" = sqlc.narg('for')::text)
  AND (sqlc.narg('for_id')::bigint IS NULL OR for_id = sqlc.narg('for_id')::bigint)
  AND (sqlc.narg('due_from')::date IS NULL OR due_on >= sqlc.narg('due_from')::date)
  AND (sqlc.narg('due_to')::date IS NULL OR due_on <= sqlc.narg('due_to')::date)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
ORDER BY
    CASE WHEN @sort::text = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'for' THEN "for" END,
    CASE WHEN @sort = 'for:desc' THEN "for" END DESC,
    CASE WHEN @sort = 'for_fullname' THEN fold(for_fullname) END,
    CASE WHEN @sort = 'for_fullname:desc' THEN fold(for_fullname) END DESC,
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
    CASE WHEN @sort = 'done_at' THEN done_at END,
    CASE WHEN @sort = 'done_at:desc' THEN done_at END DESC NULLS LAST,
    CASE WHEN @sort = 'updated_at' THEN updated_at END,
    CASE WHEN @sort = 'updated_at:desc' THEN updated_at END DESC,
    CASE WHEN @sort = 'due_on:desc' THEN due_on END DESC,
    due_on,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: ReminderCount :one
-- ReminderCount counts the rows of ReminderList: a test holds their filters equal.
SELECT count(*)
FROM reminder_view
WHERE (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('event_id')::bigint IS NULL OR event_id = sqlc.narg('event_id')::bigint)
  AND (@done::boolean OR done_at IS NULL)
  AND (sqlc.narg('for')::text IS NULL OR "for" = sqlc.narg('for')::text)
  AND (sqlc.narg('for_id')::bigint IS NULL OR for_id = sqlc.narg('for_id')::bigint)
  AND (sqlc.narg('due_from')::date IS NULL OR due_on >= sqlc.narg('due_from')::date)
  AND (sqlc.narg('due_to')::date IS NULL OR due_on <= sqlc.narg('due_to')::date)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz);

-- name: ReminderDetail :one
SELECT *
FROM reminder_view
WHERE id = @id;

-- name: ReminderAdded :one
-- ReminderAdded returns the reminder that this connection added last.
SELECT *
FROM reminder_view
WHERE id = currval(pg_get_serial_sequence('reminder', 'id'));

-- name: ReminderAdd :one
-- ReminderAdd adds a reminder about a customer, a contract or an event, for an employee or for whoever adds it. It is limited
-- to customers of the commercial, and to events that the support runs, with their contracts and customers; no row when it
-- is none of these, or there is no such employee who is active.
INSERT INTO reminder (due_on, for_id, customer_id, contract_id, event_id, text)
SELECT @due_on, employee.id,
       sqlc.narg('customer_id')::bigint,
       sqlc.narg('contract_id')::uuid,
       sqlc.narg('event_id')::bigint,
       @text
FROM customer
JOIN employee ON employee.username = coalesce(sqlc.narg('for')::text, @as_for)
WHERE customer.id = coalesce(
          sqlc.narg('customer_id')::bigint,
          (SELECT contract.customer_id FROM contract WHERE contract.id = sqlc.narg('contract_id')::uuid),
          (SELECT contract.customer_id FROM event JOIN contract ON contract.id = event.contract_id WHERE event.id = sqlc.narg('event_id')::bigint))
  AND employee.active
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

-- name: ReminderDone :one
-- ReminderDone reports whether it was this that ended it: what is done already keeps its time. It is limited to reminders for
-- the employee.
UPDATE reminder
SET done_at = coalesce(done_at, now())
WHERE id = @id
  AND (sqlc.narg('as_for_id')::bigint IS NULL OR for_id = sqlc.narg('as_for_id')::bigint)
RETURNING (done_at = now())::boolean AS changed;

-- name: ReminderDelete :one
-- ReminderDelete is limited to reminders for the employee.
DELETE FROM reminder
WHERE id = @id
  AND (sqlc.narg('as_for_id')::bigint IS NULL OR for_id = sqlc.narg('as_for_id')::bigint)
RETURNING id;
