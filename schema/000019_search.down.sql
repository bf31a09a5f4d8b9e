DROP INDEX customer_fullname, customer_company, customer_email, event_location, event_location_last, event_name;
ALTER TABLE customer DROP COLUMN search;
ALTER TABLE event DROP COLUMN search;

CREATE OR REPLACE FUNCTION fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    -- Most text is ASCII, and has nothing but its case to fold.
    RETURN CASE
        WHEN octet_length(value) = char_length(value) THEN lower(value COLLATE "C")
        ELSE lower_letters(regexp_replace(normalize(
            translate(
                replace(replace(replace(replace(replace(replace(
                    value, 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae'), 'ß', 'ss'), 'ẞ', 'ss'),
                'øłđØŁĐ‘’ʼ′', 'oldold'''''''''),
            NFKD), '[\u0300-\u036f]', '', 'g'))
    END;

COMMENT ON FUNCTION fold IS
    'Text without case and accents, and with plain apostrophes, for search and for the order of names: Inès gives ines.';

CREATE OR REPLACE FUNCTION search_pattern(query text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '%' || regexp_replace(fold(btrim(query)), '([\\%_])', '\\\1', 'g') || '%';

COMMENT ON FUNCTION search_pattern IS
    'The LIKE pattern of everything that contains the query, whose % and _ stand for themselves.';

DROP FUNCTION search_patterns, search_words, search_text, fold_letters, plain_letters;

ALTER TABLE customer
    ADD COLUMN search text NOT NULL GENERATED ALWAYS AS (fold(fullname || ' ' || company || ' ' || email)) STORED;
ALTER TABLE event
    ADD COLUMN search text NOT NULL GENERATED ALWAYS AS (fold(name || ' ' || coalesce(location, ''))) STORED;

COMMENT ON COLUMN customer.search IS 'Name, company and e-mail without case and accents.';
COMMENT ON COLUMN event.search IS 'Name and location without case and accents.';

CREATE INDEX customer_search ON customer USING gin (search gin_trgm_ops);
CREATE INDEX customer_fullname ON customer (fold(fullname));
CREATE INDEX customer_company ON customer (fold(company));
CREATE INDEX customer_email ON customer (email);
CREATE INDEX event_search ON event USING gin (search gin_trgm_ops);
CREATE INDEX event_location ON event (fold(location), id);
CREATE INDEX event_location_last ON event (fold(location) DESC NULLS LAST, id);
CREATE INDEX event_name ON event (fold(name));
