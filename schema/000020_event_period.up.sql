-- Events come by the time at which they take place, which is what they are looked for by, and say when they were changed.

CREATE FUNCTION event_period(start_at timestamptz, end_at timestamptz) RETURNS tstzrange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN end_at > start_at THEN tstzrange(start_at, end_at)
        WHEN start_at IS NOT NULL THEN tstzrange(start_at, start_at, '[]')
    END;

COMMENT ON FUNCTION event_period IS
    'When an event takes place: from its start until before its end, at its start where it has no end or the same, never where it has no start.';

ALTER TABLE event ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN event.updated_at IS 'When the event was last changed.';

CREATE FUNCTION event_touch() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION event_touch IS 'Keeps updated_at of an event.';

CREATE TRIGGER event_touch
    BEFORE UPDATE ON event
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at) -- a program that sets it itself brings it from elsewhere
EXECUTE FUNCTION event_touch();

COMMENT ON TRIGGER event_touch ON event IS 'An event says when it was last changed.';

DROP INDEX event_start_at, event_support_id, event_no_support;
CREATE INDEX event_start_at ON event (start_at, id);
CREATE INDEX event_support_id ON event (support_id, start_at, id);
CREATE INDEX event_no_support ON event (start_at, id) WHERE support_id IS NULL;
CREATE INDEX event_period ON event USING gist (event_period(start_at, end_at));
CREATE INDEX event_updated_at ON event (updated_at);

DROP VIEW event_view;
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
       event.note,
       event.updated_at
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id
LEFT JOIN employee AS support ON support.id = event.support_id;

COMMENT ON VIEW event_view IS 'An event with its customer, its commercial and the support who runs it, if any.';
