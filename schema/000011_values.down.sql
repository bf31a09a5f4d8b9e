ALTER TABLE event
    DROP CONSTRAINT event_start_year,
    DROP CONSTRAINT event_end_year,
    DROP CONSTRAINT event_attendees_most;

CREATE OR REPLACE FUNCTION is_line(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NOT is_blank(value)
       AND value !~ '^[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]'
       AND value !~ '[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$'
       AND char_length(value) <= 255
       AND value !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]';

COMMENT ON FUNCTION is_line IS
    'One line of text such as a name: not blank, no spaces around it, at most 255 characters, no control characters.';

CREATE OR REPLACE FUNCTION is_note(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NOT is_blank(value)
       AND char_length(value) <= 10000
       AND value !~ '[\u0001-\u0009\u000b-\u001f\u007f-\u009f]';

COMMENT ON FUNCTION is_note IS
    'Text of several lines: not blank, at most 10 000 characters, no control characters but the newline.';

COMMENT ON CONSTRAINT employee_fullname_line ON employee IS
    'A full name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT customer_fullname_line ON customer IS
    'A full name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT customer_company_line ON customer IS
    'A company name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT event_name_line ON event IS
    'An event name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT event_location_line ON event IS
    'A location is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT event_note_text ON event IS
    'A note has 1 to 10 000 characters, without control characters but the newline.';
COMMENT ON CONSTRAINT session_name_line ON session IS
    'The name of a token is one line of 1 to 255 characters, without control characters.';
