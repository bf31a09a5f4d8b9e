-- Text rules and search, shared by every table.

-- Trigram indexes serve "contains" searches. The extension is trusted: the database's owner may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The characters are listed, for what \s means depends on the locale of the database: spaces of every width, and those
-- that leave no trace, such as the zero-width ones and the fillers of Hangul and Braille.
CREATE FUNCTION is_blank(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN value !~ ('[^\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f'
        || '\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]');

COMMENT ON FUNCTION is_blank IS
    'Nothing of it can be seen.';

CREATE FUNCTION is_line(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NOT is_blank(value)
       AND value !~ '^[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]'
       AND value !~ '[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$'
       AND char_length(value) <= 255
       AND value !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]';

COMMENT ON FUNCTION is_line IS
    'One line of text such as a name: not blank, no spaces around it, at most 255 characters, no control characters.';

CREATE FUNCTION is_note(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NOT is_blank(value)
       AND char_length(value) <= 10000
       AND value !~ '[\u0001-\u0009\u000b-\u001f\u007f-\u009f]';

COMMENT ON FUNCTION is_note IS
    'Text of several lines: not blank, at most 10 000 characters, no control characters but the newline.';

CREATE FUNCTION fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    -- Letters that have no decomposition are spelled out first, both cases, for locales that only know a to z.
    RETURN lower(regexp_replace(normalize(
        translate(
            replace(replace(replace(replace(replace(replace(
                value, 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae'), 'ß', 'ss'), 'ẞ', 'ss'),
            'øłđØŁĐ', 'oldold'),
        NFKD), '[\u0300-\u036f]', '', 'g'));

COMMENT ON FUNCTION fold IS
    'Text without case and accents, for search and for the order of names: Inès gives ines.';

CREATE FUNCTION search_pattern(query text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '%' || regexp_replace(fold(btrim(query)), '([\\%_])', '\\\1', 'g') || '%';

COMMENT ON FUNCTION search_pattern IS
    'The LIKE pattern of everything that contains the query, whose % and _ stand for themselves.';

CREATE FUNCTION trigger_message(relation oid, trigger_name name) RETURNS text
    LANGUAGE sql STABLE STRICT
    RETURN (
        SELECT obj_description(oid, 'pg_trigger')
        FROM pg_trigger
        WHERE tgrelid = relation
          AND tgname = trigger_name
    );

COMMENT ON FUNCTION trigger_message IS
    'The message of a rule that a trigger holds: the comment on the trigger. Triggers raise it with code 23000.';

-- golang-migrate makes this table before the first migration; declared here so that queries can read it.
CREATE TABLE IF NOT EXISTS schema_migrations (
    version bigint NOT NULL PRIMARY KEY,
    dirty   boolean NOT NULL
);

COMMENT ON TABLE schema_migrations IS 'The one row says which migration this database stands at.';
COMMENT ON COLUMN schema_migrations.version IS 'Number of the last migration.';
COMMENT ON COLUMN schema_migrations.dirty IS 'True while a migration runs, and after one that failed.';
COMMENT ON CONSTRAINT schema_migrations_pkey ON schema_migrations IS 'The schema has one version.';
