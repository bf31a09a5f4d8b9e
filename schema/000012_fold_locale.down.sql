DROP INDEX customer_fullname, customer_company, event_location, event_location_last, event_name;

CREATE OR REPLACE FUNCTION fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    -- Letters that have no decomposition are spelled out first, both cases, for locales that only know a to z.
    RETURN lower(regexp_replace(normalize(
        translate(
            replace(replace(replace(replace(replace(replace(
                value, 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae'), 'ß', 'ss'), 'ẞ', 'ss'),
            'øłđØŁĐ‘’ʼ′', 'oldold'''''''''),
        NFKD), '[\u0300-\u036f]', '', 'g'));

DROP FUNCTION lower_letters;

UPDATE customer
SET fullname = fullname
WHERE octet_length(search) <> char_length(search);

UPDATE event
SET name = name
WHERE octet_length(search) <> char_length(search);

CREATE INDEX customer_fullname ON customer (fold(fullname));
CREATE INDEX customer_company ON customer (fold(company));
CREATE INDEX event_location ON event (fold(location), id);
CREATE INDEX event_location_last ON event (fold(location) DESC NULLS LAST, id);
CREATE INDEX event_name ON event (fold(name));
