DROP VIEW customer_account;
DROP FUNCTION euros(bigint);

ALTER TABLE event DROP COLUMN search;
ALTER TABLE event
    ADD COLUMN search text NOT NULL
        GENERATED ALWAYS AS (search_text(name || coalesce(' ' || location, ''), NULL)) STORED;

COMMENT ON COLUMN event.search IS 'Name and location folded.';

CREATE INDEX event_search ON event USING gin (search gin_trgm_ops);
