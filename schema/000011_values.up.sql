-- What was refused at the command line only, and stored when it came another way: text that shows as another or has two
-- spellings, years of a slip of the finger, and more guests than there are.

-- Rows that are there are mended first, for each of these rules is checked anew whenever a row changes or is restored.
-- Text is put in normal form C and loses the characters that reorder it, which changes how it was shown and nothing of
-- what was written.
DO
$$
DECLARE
    kept record;
BEGIN
    FOR kept IN
        SELECT *
        FROM (VALUES
            ('employee', 'fullname', 255),
            ('customer', 'fullname', 255),
            ('customer', 'company', 255),
            ('customer', 'email', 255),
            ('payment', 'recorded_by', 255),
            ('event', 'name', 255),
            ('event', 'location', 255),
            ('event', 'note', 10000)) AS kept (in_table, in_column, longest)
    LOOP
        EXECUTE format(
            'UPDATE %1$I
             SET %2$I = btrim(left(normalize(regexp_replace(%2$I, $1, '''', ''g''), NFC), %3$s), $2)
             WHERE %2$I IS NOT NFC NORMALIZED
                OR %2$I ~ $1', kept.in_table, kept.in_column, kept.longest)
        USING '[\u202a-\u202e\u2066-\u2069]', E' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000';
    END LOOP;
END
$$;

-- A token of such a name ends: with its name mended it might have that of another.
DELETE FROM session
WHERE name IS NOT NFC NORMALIZED
   OR name ~ '[\u202a-\u202e\u2066-\u2069]';

-- What an event cannot have goes to its note, where somebody sees what was meant.
UPDATE event
SET note      = left(concat_ws(E'\n', note,
                    'Start: ' || CASE WHEN NOT extract(year FROM start_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201 THEN start_at END,
                    'End: ' || CASE WHEN NOT extract(year FROM end_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201 THEN end_at END,
                    'Attendees: ' || CASE WHEN attendees > 1000000 THEN attendees END), 10000),
    start_at  = CASE WHEN extract(year FROM start_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201 THEN start_at END,
    end_at    = CASE WHEN extract(year FROM end_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201 THEN end_at END,
    attendees = CASE WHEN attendees <= 1000000 THEN attendees END
WHERE NOT extract(year FROM start_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201
   OR NOT extract(year FROM end_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201
   OR attendees > 1000000;

-- Refused are the embeddings, overrides and isolates, which reorder what is around them. The joiners and the three marks
-- that only place their neighbours stand in real names.
CREATE OR REPLACE FUNCTION is_line(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NOT is_blank(value)
       AND value !~ '^[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]'
       AND value !~ '[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$'
       AND char_length(value) <= 255
       AND value !~ '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]'
       AND value IS NFC NORMALIZED;

COMMENT ON FUNCTION is_line IS
    'One line of text such as a name: not blank, no spaces around it, at most 255 characters, no control characters and none that reorder it, in normal form C.';

CREATE OR REPLACE FUNCTION is_note(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NOT is_blank(value)
       AND char_length(value) <= 10000
       AND value !~ '[\u0001-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]'
       AND value IS NFC NORMALIZED;

COMMENT ON FUNCTION is_note IS
    'Text of several lines: not blank, at most 10 000 characters, no control characters but the newline and none that reorder it, in normal form C.';

-- A year more on both sides, for the zones.
ALTER TABLE event
    ADD CONSTRAINT event_start_year CHECK (extract(year FROM start_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201),
    ADD CONSTRAINT event_end_year CHECK (extract(year FROM end_at AT TIME ZONE 'UTC') BETWEEN 1899 AND 2201),
    ADD CONSTRAINT event_attendees_most CHECK (attendees <= 1000000);

COMMENT ON CONSTRAINT event_start_year ON event IS 'An event starts between the years 1900 and 2200.';
COMMENT ON CONSTRAINT event_end_year ON event IS 'An event ends between the years 1900 and 2200.';
COMMENT ON CONSTRAINT event_attendees_most ON event IS 'An event has at most 1 000 000 attendees.';

COMMENT ON CONSTRAINT employee_fullname_line ON employee IS
    'A full name is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT customer_fullname_line ON customer IS
    'A full name is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT customer_company_line ON customer IS
    'A company name is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT event_name_line ON event IS
    'An event name is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT event_location_line ON event IS
    'A location is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT event_note_text ON event IS
    'A note has 1 to 10 000 characters in Unicode normal form C, without control characters but the newline.';
COMMENT ON CONSTRAINT session_name_line ON session IS
    'The name of a token is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
