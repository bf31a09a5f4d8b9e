DROP VIEW event_view;
DROP INDEX event_updated_at, event_period, event_no_support, event_support_id, event_start_at;
CREATE INDEX event_support_id ON event (support_id, id);
CREATE INDEX event_no_support ON event (id) WHERE support_id IS NULL;
CREATE INDEX event_start_at ON event (start_at);
DROP TRIGGER event_touch ON event;
DROP FUNCTION event_touch;
ALTER TABLE event DROP COLUMN updated_at;
DROP FUNCTION event_period;

CREATE VIEW event_view AS
SELECT event.id,
       event.name,
       event.contract_id   AS contract,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       event.support_id,
       support.username    AS support,
       customer.commercial_id,
       commercial.username AS commercial,
       event.start_at      AS start,
       event.end_at        AS "end",
       event.attendees,
       event.location,
       event.note
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id
LEFT JOIN employee AS support ON support.id = event.support_id;

COMMENT ON VIEW event_view IS 'An event with its customer, its commercial and the support who runs it, if any.';
