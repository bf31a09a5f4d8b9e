-- What a calendar says of an event.

-- The number of an event is that of its database, and its contract is of it alone: the two name it everywhere, as long as it
-- is the contract under which it was added. A calendar takes what it has under a name for older where the count is higher, so
-- this is how often changed what it says; an event that was deleted and came back was changed.
CREATE VIEW event_calendar AS
SELECT event.id,
       ('event-' || event.id || '@' || coalesce(history.added_under, event.contract_id::text))::text AS uid,
       history.changes AS sequence,
       greatest(event.updated_at, customer.updated_at, support.updated_at)::timestamptz AS updated_at,
       event.name,
       contract.number,
       customer.id         AS customer_id,
       customer.fullname   AS customer,
       customer.company,
       event.support_id,
       support.username    AS support,
       support.fullname    AS support_fullname,
       customer.commercial_id,
       event.start_at      AS start,
       event.end_at        AS "end",
       event.attendees,
       event.location,
       event.note,
       event.cancelled_at,
       event.cancel_reason
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN customer ON customer.id = contract.customer_id
LEFT JOIN employee AS support ON support.id = event.support_id
CROSS JOIN LATERAL (
    SELECT count(*) AS changes,
           (array_agg(change.before ->> 'contract_id' ORDER BY change.id) FILTER (WHERE change.before ? 'contract_id'))[1] AS added_under
    FROM change
    WHERE change.resource = 'event'
      AND change.resource_id = event.id::text
      AND change.before ?| ARRAY ['name', 'contract_id', 'support_id', 'start_at', 'end_at', 'attendees', 'location', 'note',
          'cancelled_at', 'cancel_reason']) AS history;

COMMENT ON VIEW event_calendar IS 'An event as a calendar says it: under a name that stays, and with how often that was changed.';
