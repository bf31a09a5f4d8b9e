-- name: EventList :many
-- EventList returns the events by their start, or in the order of a field; each filter that is NULL lets all pass. An event
-- lies between two times when it takes place there, also in part; the second is not part of the range. What is not over at a
-- time may have no time yet. The join is for the indexes on search, and only there when something is searched: otherwise
-- the planner drops it.
SELECT event_view.*
FROM event_view
LEFT JOIN (
    SELECT event.id AS searched_id
    FROM event
    JOIN contract ON contract.id = event.contract_id
    JOIN customer ON customer.id = contract.customer_id
    WHERE event.search LIKE search_pattern(sqlc.narg('search')::text)
      AND event.search || ' ' || customer.search LIKE ALL (search_patterns(sqlc.narg('search')::text))
    UNION
    SELECT event.id
    FROM customer
    JOIN contract ON contract.customer_id = customer.id
    JOIN event ON event.contract_id = contract.id
    WHERE customer.search LIKE search_pattern(sqlc.narg('search')::text)
      AND event.search || ' ' || customer.search LIKE ALL (search_patterns(sqlc.narg('search')::text))) AS searched ON searched_id = id
WHERE (sqlc.narg('id_begins')::text IS NULL OR starts_with(id::text, sqlc.narg('id_begins')::text))
  AND (@cancelled::boolean OR cancelled_at IS NULL)
  AND (NOT @no_support_assigned::boolean OR support_id IS NULL)
  AND (sqlc.narg('support_id')::bigint IS NULL OR support_id = sqlc.narg('support_id')::bigint)
  AND (sqlc.narg('support')::text IS NULL OR support = sqlc.narg('support')::text)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('from_at')::timestamptz IS NULL AND sqlc.narg('to_at')::timestamptz IS NULL
       OR event_period(start, "end") && CASE
           WHEN sqlc.narg('from_at')::timestamptz > sqlc.narg('to_at')::timestamptz THEN 'empty'
           ELSE tstzrange(sqlc.narg('from_at')::timestamptz, sqlc.narg('to_at')::timestamptz)
       END)
  AND (sqlc.narg('not_over_at')::timestamptz IS NULL OR start IS NULL
       OR event_period(start, "end") && tstzrange(sqlc.narg('not_over_at')::timestamptz, NULL))
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('search')::text IS NULL OR searched_id IS NOT NULL)
ORDER BY
    CASE WHEN @sort::text = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'name' THEN fold(name) END,
    CASE WHEN @sort = 'name:desc' THEN fold(name) END DESC,
    CASE WHEN @sort = 'contract' THEN contract END,
    CASE WHEN @sort = 'contract:desc' THEN contract END DESC,
    CASE WHEN @sort = 'number' THEN number_order(number) END,
    CASE WHEN @sort = 'number:desc' THEN number_order(number) END DESC,
    CASE WHEN @sort = 'customer' THEN fold(customer) END,
    CASE WHEN @sort = 'customer:desc' THEN fold(customer) END DESC,
    CASE WHEN @sort = 'company' THEN fold(company) END,
    CASE WHEN @sort = 'company:desc' THEN fold(company) END DESC NULLS LAST,
    CASE WHEN @sort = 'support' THEN support END,
    CASE WHEN @sort = 'support:desc' THEN support END DESC NULLS LAST,
    CASE WHEN @sort = 'support_fullname' THEN fold(support_fullname) END,
    CASE WHEN @sort = 'support_fullname:desc' THEN fold(support_fullname) END DESC NULLS LAST,
    CASE WHEN @sort = 'commercial' THEN commercial END,
    CASE WHEN @sort = 'commercial:desc' THEN commercial END DESC,
    CASE WHEN @sort = 'commercial_fullname' THEN fold(commercial_fullname) END,
    CASE WHEN @sort = 'commercial_fullname:desc' THEN fold(commercial_fullname) END DESC,
    CASE WHEN @sort = 'start:desc' THEN start END DESC NULLS LAST,
    CASE WHEN @sort = 'end' THEN "end" END,
    CASE WHEN @sort = 'end:desc' THEN "end" END DESC NULLS LAST,
    CASE WHEN @sort = 'attendees' THEN attendees END,
    CASE WHEN @sort = 'attendees:desc' THEN attendees END DESC NULLS LAST,
    CASE WHEN @sort = 'location' THEN fold(location) END,
    CASE WHEN @sort = 'location:desc' THEN fold(location) END DESC NULLS LAST,
    CASE WHEN @sort = 'note' THEN fold(note) END,
    CASE WHEN @sort = 'note:desc' THEN fold(note) END DESC NULLS LAST,
    CASE WHEN @sort = 'cancelled_at' THEN cancelled_at END,
    CASE WHEN @sort = 'cancelled_at:desc' THEN cancelled_at END DESC NULLS LAST,
    CASE WHEN @sort = 'cancel_reason' THEN fold(cancel_reason) END,
    CASE WHEN @sort = 'cancel_reason:desc' THEN fold(cancel_reason) END DESC NULLS LAST,
    CASE WHEN @sort = 'updated_at' THEN updated_at END,
    CASE WHEN @sort = 'updated_at:desc' THEN updated_at END DESC,
    start,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: EventCount :one
-- EventCount counts the rows of EventList: a test holds their filters equal.
SELECT count(*)
FROM event_view
LEFT JOIN (
    SELECT event.id AS searched_id
    FROM event
    JOIN contract ON contract.id = event.contract_id
    JOIN customer ON customer.id = contract.customer_id
    WHERE event.search LIKE search_pattern(sqlc.narg('search')::text)
      AND event.search || ' ' || customer.search LIKE ALL (search_patterns(sqlc.narg('search')::text))
    UNION
    SELECT event.id
    FROM customer
    JOIN contract ON contract.customer_id = customer.id
    JOIN event ON event.contract_id = contract.id
    WHERE customer.search LIKE search_pattern(sqlc.narg('search')::text)
      AND event.search || ' ' || customer.search LIKE ALL (search_patterns(sqlc.narg('search')::text))) AS searched ON searched_id = id
WHERE (sqlc.narg('id_begins')::text IS NULL OR starts_with(id::text, sqlc.narg('id_begins')::text))
  AND (@cancelled::boolean OR cancelled_at IS NULL)
  AND (NOT @no_support_assigned::boolean OR support_id IS NULL)
  AND (sqlc.narg('support_id')::bigint IS NULL OR support_id = sqlc.narg('support_id')::bigint)
  AND (sqlc.narg('support')::text IS NULL OR support = sqlc.narg('support')::text)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('from_at')::timestamptz IS NULL AND sqlc.narg('to_at')::timestamptz IS NULL
       OR event_period(start, "end") && CASE
           WHEN sqlc.narg('from_at')::timestamptz > sqlc.narg('to_at')::timestamptz THEN 'empty'
           ELSE tstzrange(sqlc.narg('from_at')::timestamptz, sqlc.narg('to_at')::timestamptz)
       END)
  AND (sqlc.narg('not_over_at')::timestamptz IS NULL OR start IS NULL
       OR event_period(start, "end") && tstzrange(sqlc.narg('not_over_at')::timestamptz, NULL))
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('search')::text IS NULL OR searched_id IS NOT NULL);

-- name: EventDetail :one
SELECT *
FROM event_view
WHERE id = @id;

-- name: EventAdd :one
-- EventAdd adds an event to a contract of the commercial's customers; no row when it is none of theirs.
INSERT INTO event (name, contract_id, start_at, end_at, attendees, location, note)
SELECT @name,
       contract.id,
       sqlc.narg('start_at'),
       sqlc.narg('end_at'),
       sqlc.narg('attendees'),
       sqlc.narg('location'),
       sqlc.narg('note')
FROM contract
JOIN customer ON customer.id = contract.customer_id
WHERE contract.id = @contract_id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint)
RETURNING id;

-- name: EventAdded :one
-- EventAdded returns the event that this connection added last.
SELECT *
FROM event_view
WHERE id = currval(pg_get_serial_sequence('event', 'id'));

-- name: EventUpdate :one
-- EventUpdate changes the given fields; NULL keeps, and a field named in clear becomes NULL. It is limited to the
-- events that the support runs, and to a row that is as expected. That a clash is meant is so until the time changes.
UPDATE event
SET name      = coalesce(sqlc.narg('name'), name),
    start_at  = CASE WHEN 'start' = ANY (@clear::text[]) THEN NULL ELSE coalesce(sqlc.narg('start_at'), start_at) END,
    end_at    = CASE WHEN 'end' = ANY (@clear) THEN NULL ELSE coalesce(sqlc.narg('end_at'), end_at) END,
    attendees = CASE WHEN 'attendees' = ANY (@clear) THEN NULL ELSE coalesce(sqlc.narg('attendees'), attendees) END,
    location  = CASE WHEN 'location' = ANY (@clear) THEN NULL ELSE coalesce(sqlc.narg('location'), location) END,
    note      = CASE WHEN 'note' = ANY (@clear) THEN NULL ELSE coalesce(sqlc.narg('note'), note) END,
    clash_allowed = coalesce(sqlc.narg('allow_clash')::boolean, false)
        OR clash_allowed
        AND NOT coalesce(@clear && ARRAY ['start', 'end'], false)
        AND coalesce(sqlc.narg('start_at'), start_at) IS NOT DISTINCT FROM start_at
        AND coalesce(sqlc.narg('end_at'), end_at) IS NOT DISTINCT FROM end_at
WHERE id = @id
  AND expects('event', id::text, sqlc.narg('expected')::text)
  AND (sqlc.narg('as_support_id')::bigint IS NULL OR support_id = sqlc.narg('as_support_id')::bigint)
RETURNING id;

-- name: EventSetSupport :one
-- EventSetSupport assigns the event; no row when either of the two does not exist. That a clash is meant is so until another
-- support runs it.
UPDATE event
SET support_id    = employee.id,
    clash_allowed = coalesce(sqlc.narg('allow_clash')::boolean, false) OR event.clash_allowed AND event.support_id = employee.id
FROM employee
WHERE event.id = @id
  AND employee.username = @support
RETURNING event.id;

-- name: EventCancel :one
-- EventCancel reports whether it was this that cancelled: an event that is cancelled already keeps its day and its reason.
-- It is limited to the customers of the commercial.
UPDATE event
SET cancelled_at  = coalesce(event.cancelled_at, now()),
    cancel_reason = coalesce(event.cancel_reason, @reason::text)
FROM contract
JOIN customer ON customer.id = contract.customer_id
WHERE event.id = @id
  AND contract.id = event.contract_id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint)
RETURNING (event.cancelled_at = now())::boolean AS changed;

-- name: EventSheet :one
-- EventSheet returns an event with what is needed of its customer and its contract on the day, and what was noted about it,
-- the oldest first.
SELECT event_view.id,
       event_view.name,
       event_view.start,
       event_view."end",
       event_view.location,
       event_view.attendees,
       event_view.support_id,
       event_view.support,
       event_view.support_fullname,
       event_view.customer_id,
       event_view.customer,
       event_view.company,
       customer.phone AS customer_phone,
       customer.email AS customer_email,
       customer.address AS customer_address,
       event_view.commercial_id,
       event_view.commercial,
       event_view.commercial_fullname,
       event_view.contract,
       event_view.number,
       contract_view.total_amount,
       contract_view.total_due,
       contract_view.due_on,
       contract_view.days_due,
       event_view.note,
       (SELECT string_agg(to_char(note.at, 'YYYY-MM-DD, ') || note.by || ': ' || note.text, E'\n' ORDER BY note.at, note.id)
        FROM note
        WHERE note.event_id = event_view.id)::optional_text AS notes,
       event_view.cancelled_at,
       event_view.cancel_reason
FROM event_view
JOIN contract_view ON contract_view.id = event_view.contract
JOIN customer ON customer.id = event_view.customer_id
WHERE event_view.id = @id;

-- name: EventClashes :many
-- EventClashes returns the clashes that pass the filters, by the start of the event that is meant to clash, or in the order
-- of a field. A clash lies between two times when both events take place there.
SELECT *
FROM event_clash
WHERE (sqlc.narg('support')::text IS NULL OR support = sqlc.narg('support')::text)
  AND (sqlc.narg('from_at')::timestamptz IS NULL AND sqlc.narg('to_at')::timestamptz IS NULL
       OR event_period(start, "end") * event_period(other_start, other_end) && CASE
           WHEN sqlc.narg('from_at')::timestamptz > sqlc.narg('to_at')::timestamptz THEN 'empty'
           ELSE tstzrange(sqlc.narg('from_at')::timestamptz, sqlc.narg('to_at')::timestamptz)
       END)
ORDER BY
    CASE WHEN @sort::text = 'support' THEN support END,
    CASE WHEN @sort = 'support:desc' THEN support END DESC,
    CASE WHEN @sort = 'support_fullname' THEN fold(support_fullname) END,
    CASE WHEN @sort = 'support_fullname:desc' THEN fold(support_fullname) END DESC,
    CASE WHEN @sort = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'name' THEN fold(name) END,
    CASE WHEN @sort = 'name:desc' THEN fold(name) END DESC,
    CASE WHEN @sort = 'start:desc' THEN start END DESC,
    CASE WHEN @sort = 'end' THEN "end" END,
    CASE WHEN @sort = 'end:desc' THEN "end" END DESC NULLS LAST,
    CASE WHEN @sort = 'other_id' THEN other_id END,
    CASE WHEN @sort = 'other_id:desc' THEN other_id END DESC,
    CASE WHEN @sort = 'other' THEN fold(other) END,
    CASE WHEN @sort = 'other:desc' THEN fold(other) END DESC,
    CASE WHEN @sort = 'other_start' THEN other_start END,
    CASE WHEN @sort = 'other_start:desc' THEN other_start END DESC,
    CASE WHEN @sort = 'other_end' THEN other_end END,
    CASE WHEN @sort = 'other_end:desc' THEN other_end END DESC NULLS LAST,
    start,
    id,
    other_id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: EventClashesCount :one
-- EventClashesCount counts the rows of EventClashes: a test holds their filters equal.
SELECT count(*)
FROM event_clash
WHERE (sqlc.narg('support')::text IS NULL OR support = sqlc.narg('support')::text)
  AND (sqlc.narg('from_at')::timestamptz IS NULL AND sqlc.narg('to_at')::timestamptz IS NULL
       OR event_period(start, "end") * event_period(other_start, other_end) && CASE
           WHEN sqlc.narg('from_at')::timestamptz > sqlc.narg('to_at')::timestamptz THEN 'empty'
           ELSE tstzrange(sqlc.narg('from_at')::timestamptz, sqlc.narg('to_at')::timestamptz)
       END);

-- name: EventStaff :many
-- EventStaff returns each support who could run an event: those who are free then first, of these whoever has the fewest
-- events in the seven days around, then by name. Who is not free is so for the first event that they run at the same time.
-- The days are those of the calendar in the zone of the session, from the one on which the event begins to the one on which
-- it ends; around are three before and three after. An event without a start is in nobody's way.
SELECT support.id AS support_id,
       support.username AS support,
       support.fullname AS support_fullname,
       (clash.id IS NULL)::boolean AS free,
       coalesce(event.support_id = support.id, false)::boolean AS assigned,
       near.that_day::bigint AS events_that_day,
       near.around::bigint AS events_around,
       known.events::bigint AS events_of_customer,
       clash.id::optional_id AS other_id,
       clash.name::optional_text AS other,
       clash.start_at AS other_start,
       clash.end_at AS other_end
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN employee AS support ON support.role = 'support' AND support.active
CROSS JOIN LATERAL (
    SELECT tstzrange(date_trunc('day', event.start_at),
                     date_trunc('day', coalesce(event.end_at, event.start_at)) + interval '1 day') AS days,
           tstzrange(date_trunc('day', event.start_at) - interval '3 days',
                     date_trunc('day', coalesce(event.end_at, event.start_at)) + interval '4 days') AS around) AS span
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE event_period(other.start_at, other.end_at) && span.days) AS that_day,
           count(*) AS around
    FROM event AS other
    WHERE other.support_id = support.id
      AND other.id <> event.id
      AND other.cancelled_at IS NULL
      AND event.start_at IS NOT NULL
      AND event_period(other.start_at, other.end_at) && span.around) AS near
CROSS JOIN LATERAL (
    SELECT count(*) AS events
    FROM event AS earlier
    JOIN contract AS bought ON bought.id = earlier.contract_id
    WHERE earlier.support_id = support.id
      AND bought.customer_id = contract.customer_id
      AND earlier.id <> event.id
      AND earlier.cancelled_at IS NULL
      AND earlier.start_at < coalesce(event.start_at, now())) AS known
LEFT JOIN LATERAL (
    SELECT other.id, other.name, other.start_at, other.end_at
    FROM event AS other
    WHERE other.support_id = support.id
      AND other.id <> event.id
      AND other.cancelled_at IS NULL
      AND event_period(other.start_at, other.end_at) && event_period(event.start_at, event.end_at)
    ORDER BY other.start_at, other.id
    LIMIT 1) AS clash ON true
WHERE event.id = @id
ORDER BY clash.id IS NOT NULL, near.around, fold(support.fullname), support.username;

-- name: EventIcs :many
-- EventIcs returns what a calendar says of the events that pass the filters, also of those that are cancelled, by their
-- start. Those without a start, of which a calendar has nothing to say, come last.
SELECT *
FROM event_calendar
WHERE (sqlc.narg('id')::bigint IS NULL OR id = sqlc.narg('id')::bigint)
  AND (sqlc.narg('support_id')::bigint IS NULL OR support_id = sqlc.narg('support_id')::bigint)
  AND (sqlc.narg('support')::text IS NULL OR support = sqlc.narg('support')::text)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('from_at')::timestamptz IS NULL AND sqlc.narg('to_at')::timestamptz IS NULL
       OR event_period(start, "end") && CASE
           WHEN sqlc.narg('from_at')::timestamptz > sqlc.narg('to_at')::timestamptz THEN 'empty'
           ELSE tstzrange(sqlc.narg('from_at')::timestamptz, sqlc.narg('to_at')::timestamptz)
       END)
ORDER BY start, id;
