-- A support runs one event at a time, unless it is said that a clash is meant.

ALTER TABLE event ADD COLUMN clash_allowed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN event.clash_allowed IS 'Whether it is meant that its support runs another event at the same time.';

-- What clashes already stays as it is: of two events the one that was added later is exempt.
UPDATE event
SET clash_allowed = true
FROM event AS earlier
WHERE earlier.support_id = event.support_id
  AND earlier.id < event.id
  AND earlier.cancelled_at IS NULL
  AND event.cancelled_at IS NULL
  AND event_period(earlier.start_at, earlier.end_at) && event_period(event.start_at, event.end_at);

-- A range of one id compares as the id does. So this needs no extension (btree_gist), which not every owner of a database
-- may create. An event without an end takes the instant of its start, as in lists; one without a start never clashes.
ALTER TABLE event
    ADD CONSTRAINT event_no_clash EXCLUDE USING gist (
        int8range(support_id, support_id, '[]') WITH &&,
        event_period(start_at, end_at) WITH &&)
        WHERE (support_id IS NOT NULL AND cancelled_at IS NULL AND NOT clash_allowed);
COMMENT ON CONSTRAINT event_no_clash ON event IS 'A support runs one event at a time (crm event clashes).';

CREATE INDEX event_clash_allowed ON event (start_at, id) WHERE clash_allowed;

-- The constraint says that it was broken; this says by which event, before it is. It knows those that are exempt too: that
-- one clash is meant does not mean another one. What was changed along with it in this transaction comes with it, as in a
-- handover or where that is undone.
CREATE FUNCTION event_clashes() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    other   text;
    message text;
BEGIN
    EXECUTE format('
        SELECT format(''event %%s, "%%s", %%s'', id, name, %1$I.event_time(start_at, end_at)), %1$I.trigger_message($1, $2)
        FROM %1$I.event
        WHERE support_id = $3
          AND id <> $4
          AND cancelled_at IS NULL
          AND %1$I.event_period(start_at, end_at) && %1$I.event_period($5, $6)
          AND NOT (clash_allowed AND updated_at = now())
        ORDER BY start_at, id
        LIMIT 1', TG_TABLE_SCHEMA)
    INTO other, message USING TG_RELID, TG_NAME, NEW.support_id, NEW.id, NEW.start_at, NEW.end_at;
    IF other IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = format(message, NEW.id, NEW.name, other);
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION event_clashes() IS 'Refuses an event while its support runs another, and names that.';

CREATE FUNCTION event_time(start_at timestamptz, end_at timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(start_at, 'YYYY-MM-DD HH24:MI') || CASE
        WHEN end_at::date = start_at::date THEN to_char(end_at, ' - HH24:MI')
        WHEN end_at IS NOT NULL THEN to_char(end_at, ' - YYYY-MM-DD HH24:MI')
        ELSE ''
    END;

COMMENT ON FUNCTION event_time(timestamptz, timestamptz) IS
    'When an event takes place, as people read it, in the zone of the session: 2026-06-20 11:00 - 23:30.';

CREATE TRIGGER event_clashes_added
    BEFORE INSERT ON event
    FOR EACH ROW
    WHEN (NEW.support_id IS NOT NULL AND NEW.cancelled_at IS NULL AND NEW.start_at IS NOT NULL AND NOT NEW.clash_allowed)
EXECUTE FUNCTION event_clashes();
CREATE TRIGGER event_clashes
    BEFORE UPDATE OF support_id, start_at, end_at, cancelled_at, clash_allowed ON event
    FOR EACH ROW
    WHEN (NEW.support_id IS NOT NULL AND NEW.cancelled_at IS NULL AND NEW.start_at IS NOT NULL AND NOT NEW.clash_allowed
        AND (OLD.support_id, OLD.start_at, OLD.end_at, OLD.cancelled_at, OLD.clash_allowed)
            IS DISTINCT FROM (NEW.support_id, NEW.start_at, NEW.end_at, NEW.cancelled_at, NEW.clash_allowed))
EXECUTE FUNCTION event_clashes();
COMMENT ON TRIGGER event_clashes_added ON event IS 'The support of event %s, "%s", runs another one then: %s.';
COMMENT ON TRIGGER event_clashes ON event IS 'The support of event %s, "%s", runs another one then: %s.';

-- Of two that clash one at least is exempt. If both are, the pair is listed by the one that was added later.
CREATE VIEW event_clash AS
SELECT event.support_id,
       support.username AS support,
       support.fullname AS support_fullname,
       event.id,
       event.name,
       event.start_at   AS start,
       event.end_at     AS "end",
       other.id         AS other_id,
       other.name       AS other,
       other.start_at   AS other_start,
       other.end_at     AS other_end
FROM event
JOIN event AS other ON other.support_id = event.support_id
    AND event_period(other.start_at, other.end_at) && event_period(event.start_at, event.end_at)
    AND (other.id < event.id OR other.id > event.id AND NOT other.clash_allowed)
JOIN employee AS support ON support.id = event.support_id
WHERE event.clash_allowed
  AND event.cancelled_at IS NULL
  AND other.cancelled_at IS NULL;

COMMENT ON VIEW event_clash IS 'An event that is meant to clash, with one that its support runs at the same time.';
