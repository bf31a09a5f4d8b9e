DROP VIEW event_clash;
DROP TRIGGER event_clashes ON event;
DROP TRIGGER event_clashes_added ON event;
DROP FUNCTION event_clashes();
DROP FUNCTION event_time(timestamptz, timestamptz);
ALTER TABLE event
    DROP CONSTRAINT event_no_clash,
    DROP COLUMN clash_allowed;
