-- One rule for what is searched, in lists, in what a question offers and in completion: every word has to occur, in any
-- order, whatever its case, accents, dashes and spaces, and a telephone number is found by its digits.

-- Made anew below: sessions that are open remember the expression of an index, with the old function in it.
DROP INDEX customer_fullname, customer_company, customer_email, event_location, event_location_last, event_name;
ALTER TABLE customer DROP COLUMN search;
ALTER TABLE event DROP COLUMN search;

-- In the language that reads its lists once in a session. It calls nothing of crm's, which ANALYZE and REINDEX would not
-- find: from PostgreSQL 17 on they search no schema but the system's.
CREATE FUNCTION plain_letters(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
DECLARE
    -- What cannot be seen, by Unicode's class: it goes first, for a decomposition makes spaces of some.
    ignorable CONSTANT text := '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164'
        || '\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]';
    dash      CONSTANT text := '[\u058a\u05be\u1400\u1806\u2010-\u2015\u2053\u207b\u208b\u2212\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d'
        || '\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010d6e\U00010ead]';
    -- The blocks of the accents that a decomposed letter has beside it.
    accent    CONSTANT text := '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]';
    space     CONSTANT text := '[\t\n \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000]+';
BEGIN
    value := regexp_replace(value, ignorable, '', 'g');
    value := regexp_replace(value, dash, '-', 'g');
    value := translate(value, '‘’‛ʼ′´`', repeat('''', 7));
    value := regexp_replace(normalize(value, NFKD), accent, '', 'g');
    RETURN regexp_replace(value, space, ' ', 'g');
END
$$;

COMMENT ON FUNCTION plain_letters IS
    'Text without accents, what cannot be seen and more than one space, and with plain dashes and apostrophes.';

CREATE FUNCTION fold_letters(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    -- Letters that have no decomposition are spelled as people type them.
    RETURN replace(replace(replace(replace(
        translate(lower_letters(plain_letters(value)), 'ðđħıłøŧςŋƀɓɖɗƒɠɨƙɲɵƥʈʋⱥȼɇɉɍɏⱦ', 'ddhilotσnbbddfgiknoptvacejryt'),
        'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'), 'þ', 'th');

COMMENT ON FUNCTION fold_letters IS
    'What fold makes of text that is not all ASCII.';

CREATE OR REPLACE FUNCTION fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    -- Most text is ASCII, and has nothing to fold but its case and its spaces.
    RETURN CASE
        WHEN octet_length(value) <> char_length(value) THEN fold_letters(value)
        WHEN value ~ '[\t\n`]|  ' THEN regexp_replace(translate(lower(value COLLATE "C"), '`', ''''), '[\t\n ]+', ' ', 'g')
        ELSE lower(value COLLATE "C")
    END;

COMMENT ON FUNCTION fold IS
    'Text without case, accents, what cannot be seen and more than one space, and with plain letters, dashes and apostrophes, for search and for the order of names: Inès gives ines.';

CREATE FUNCTION search_text(value text, phone text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- Digits with something between them stand there without it too, as they may be looked for.
    RETURN fold(value)
        || CASE
               WHEN value ~ '[0-9][ ./()-]+[0-9]' THEN ' ' || regexp_replace(fold(value), '([0-9])[ ./()-]+(?=[0-9])', '\1', 'g')
               ELSE ''
           END
        || coalesce(' ' || substr(phone, 2), '');

COMMENT ON FUNCTION search_text IS
    'What a search looks in: the text folded, and the digits of a telephone number in its international form.';

CREATE FUNCTION search_words(query text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(
        -- Without the zeros that a telephone number loses in its international form.
        SELECT regexp_replace(word, '^(\+|00?)(?=[1-9][0-9]{2})', '')
        FROM unnest(string_to_array(
            CASE
                WHEN query ~ '^[ +(]*([0-9][ \u00a0\u202f./()-]*){4,}$' THEN regexp_replace(replace(query, '(0)', ''), '[^0-9]', '', 'g')
                ELSE fold(query)
            END, ' ')) AS word
        WHERE word <> '');

COMMENT ON FUNCTION search_words IS
    'The words of a query, folded, each of which has to occur in what is found; four digits and more, with what may stand between those of a telephone number, are one word.';

CREATE FUNCTION search_patterns(query text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(
        SELECT '%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'
        FROM unnest(search_words(query)) AS word);

COMMENT ON FUNCTION search_patterns IS
    'The LIKE pattern of each word of a query, whose % and _ stand for themselves.';

CREATE OR REPLACE FUNCTION search_pattern(query text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN coalesce((
        SELECT pattern
        FROM unnest(search_patterns(query)) AS pattern
        ORDER BY char_length(pattern) DESC
        LIMIT 1), '%');

COMMENT ON FUNCTION search_pattern IS
    'The longest of search_patterns: by it an index finds the rows in which all of them are looked for.';

ALTER TABLE customer
    ADD COLUMN search text NOT NULL
        GENERATED ALWAYS AS (search_text(fullname || coalesce(' ' || company, '') || coalesce(' ' || email, ''), phone)) STORED;
ALTER TABLE event
    ADD COLUMN search text NOT NULL
        GENERATED ALWAYS AS (search_text(name || coalesce(' ' || location, ''), NULL)) STORED;

COMMENT ON COLUMN customer.search IS 'Name, company and e-mail folded, and the digits of the telephone number.';
COMMENT ON COLUMN event.search IS 'Name and location folded.';

CREATE INDEX customer_search ON customer USING gin (search gin_trgm_ops);
CREATE INDEX customer_fullname ON customer (fold(fullname));
CREATE INDEX customer_company ON customer (fold(company));
CREATE INDEX customer_email ON customer (fold(email));
CREATE INDEX event_search ON event USING gin (search gin_trgm_ops);
CREATE INDEX event_location ON event (fold(location), id);
CREATE INDEX event_location_last ON event (fold(location) DESC NULLS LAST, id);
CREATE INDEX event_name ON event (fold(name));
