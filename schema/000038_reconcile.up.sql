-- What a bank says came in is matched with what contracts owe. The lines of a statement wait in a table of their own, as rows
-- do that come in, and one query decides all of them.

CREATE DOMAIN optional_uuid AS uuid;
COMMENT ON DOMAIN optional_uuid IS 'An id of a contract or a payment that may be absent.';

CREATE TYPE statement_outcome AS ENUM ('matched', 'recorded', 'undecided');
COMMENT ON TYPE statement_outcome IS
    'What became of a line of a statement: it is a payment now, it was one already, or somebody has to decide.';

CREATE UNLOGGED TABLE statement_line (
    line       bigint NOT NULL,
    booked_on  date   NOT NULL,
    amount     bigint NOT NULL,
    label      text   NOT NULL,
    occurrence bigint,
    named      text,
    CONSTRAINT statement_line_credit CHECK (amount > 0),
    CONSTRAINT statement_line_occurrence_positive CHECK (occurrence > 0),
    CONSTRAINT statement_line_label_line CHECK (char_length(label) <= 4000 AND label !~ '[\u0001-\u001f\u007f-\u009f]')
);

COMMENT ON TABLE statement_line IS 'Lines of a statement of the bank that are on their way in: what was credited.';
COMMENT ON COLUMN statement_line.line IS 'Where it stands in the file.';
COMMENT ON COLUMN statement_line.booked_on IS 'The day on which the bank booked it.';
COMMENT ON COLUMN statement_line.amount IS 'What was credited, in euro cents.';
COMMENT ON COLUMN statement_line.label IS 'All that the bank says of it.';
COMMENT ON COLUMN statement_line.occurrence IS
    'Which of the lines of that day, amount and label it is; NULL counts them. What is left of a file says it, in which the others no longer stand.';
COMMENT ON COLUMN statement_line.named IS 'Number of the contract, if somebody wrote it there by hand.';
COMMENT ON CONSTRAINT statement_line_credit ON statement_line IS 'Only what was credited can be a payment.';
COMMENT ON CONSTRAINT statement_line_occurrence_positive ON statement_line IS 'Equal lines of a statement are counted from 1.';
COMMENT ON CONSTRAINT statement_line_label_line ON statement_line IS 'A label is one line of at most 4000 characters, without control characters.';

CREATE FUNCTION statement_words(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN btrim(regexp_replace(fold(value), '[][ !"#$%&''()*+,./:;<=>?@\\^_{|}~-]+', ' ', 'g'));

COMMENT ON FUNCTION statement_words IS 'The words of a name or a label, without what a bank leaves out of them.';

-- A payment of the bank has a reference made of its line, so that the line is known again, in another statement too. Equal
-- lines of one day differ by which of them they are.
CREATE FUNCTION statement_reference(booked_on date, amount bigint, label text, occurrence bigint) RETURNS text
    LANGUAGE sql STABLE STRICT
    RETURN 'bank-' || left(encode(sha256(convert_to(concat_ws(' ', to_char(booked_on, 'YYYY-MM-DD'), amount, occurrence, label), 'UTF8')), 'hex'), 20);

COMMENT ON FUNCTION statement_reference IS 'The reference of the payment that a line of a statement is.';

-- Matched is what leaves no doubt. The number as crm writes it decides alone. Written with a space, or with nothing in it, as
-- a bank does, it may as well be a day or a reference of somebody else's, and wants the amount or the company to agree. Who
-- owes exactly this amount is found by their company last, when the dues are known of all that was named.
--
-- A second run decides as the first did: what is matched by an amount closes its contract, and which contracts may be meant
-- depends on the company and the amount alone.
CREATE FUNCTION statement_decided()
    RETURNS TABLE (line bigint, reference text, outcome statement_outcome, contract_id uuid, why text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH counted AS MATERIALIZED (
        SELECT statement_line.*,
               coalesce(occurrence, row_number() OVER (PARTITION BY booked_on, amount, label ORDER BY line)) AS counted
        FROM statement_line),
    entry AS MATERIALIZED (
        SELECT counted.line, counted.booked_on, counted.amount, counted.label, counted.named, made.reference,
               statement_words(counted.label) AS words,
               min(counted.line) OVER (PARTITION BY made.reference) AS first_line
        FROM counted
        CROSS JOIN LATERAL (SELECT statement_reference(booked_on, amount, label, counted) AS reference) AS made),
    -- What was recorded of it before. What was voided by somebody is not recorded again; what an undo took back is.
    before AS MATERIALIZED (
        SELECT payment.reference,
               min(payment.contract_id::text) FILTER (WHERE payment.voided_at IS NULL)::uuid AS contract_id,
               min(contract.number || ': ' || payment.void_reason) FILTER (WHERE payment.void_reason NOT LIKE 'undo of batch %') AS voided
        FROM payment
        JOIN contract ON contract.id = payment.contract_id
        WHERE payment.reference IN (SELECT entry.reference FROM entry)
        GROUP BY payment.reference),
    company AS MATERIALIZED (
        SELECT customer.id AS customer_id, statement_words(customer.company) AS name
        FROM customer
        WHERE customer.company IS NOT NULL),
    -- Whole names of companies, by their first word; one that is a part of another that is named is not meant.
    word AS MATERIALIZED (
        SELECT DISTINCT entry.line, entry.words, first.word
        FROM entry
        CROSS JOIN LATERAL unnest(string_to_array(entry.words, ' ')) AS first (word)),
    named_company AS MATERIALIZED (
        SELECT DISTINCT word.line, company.name
        FROM (SELECT DISTINCT company.name FROM company WHERE char_length(company.name) >= 3) AS company
        JOIN word ON word.word = split_part(company.name, ' ', 1)
        WHERE strpos(' ' || word.words || ' ', ' ' || company.name || ' ') > 0),
    companies AS MATERIALIZED (
        SELECT named_company.line, count(*) AS companies, min(named_company.name) AS name
        FROM named_company
        WHERE NOT EXISTS (
            SELECT FROM named_company AS longer
            WHERE longer.line = named_company.line
              AND longer.name <> named_company.name
              AND strpos(' ' || longer.name || ' ', ' ' || named_company.name || ' ') > 0)
        GROUP BY named_company.line),
    written AS MATERIALIZED (
        SELECT entry.line, written.part[1] || '-' || written.part[2] AS number
        FROM entry
        CROSS JOIN LATERAL regexp_matches(fold(entry.label), '(?<![0-9])(?<![0-9][-/. ])((?:19|20|21)[0-9]{2})[ /._]?([0-9]{4})(?![0-9a-z])(?![-/. ][0-9])', 'g') AS written (part)),
    loose AS MATERIALIZED (
        SELECT written.line, array_agg(DISTINCT contract.number ORDER BY contract.number) AS numbers
        FROM written
        JOIN contract ON contract.number = written.number
        GROUP BY written.line),
    number AS MATERIALIZED (
        SELECT entry.line,
               CASE
                   WHEN entry.named IS NOT NULL THEN ARRAY [entry.named]
                   ELSE ARRAY(
                       SELECT DISTINCT written.part[1]
                       FROM regexp_matches(fold(entry.label), '(?<![0-9])(?<![0-9][-/.])((?:19|20|21)[0-9]{2}-[0-9]{4,9})(?![0-9])(?![-/.][0-9])', 'g') AS written (part)
                       ORDER BY written.part[1])
               END AS numbers,
               coalesce(loose.numbers, '{}') AS loose
        FROM entry
        LEFT JOIN loose ON loose.line = entry.line),
    candidate AS MATERIALIZED (
        SELECT entry.*,
               number.numbers,
               before.contract_id AS recorded_id,
               CASE WHEN entry.named IS NULL THEN before.voided END AS voided,
               coalesce(companies.companies, 0) AS companies,
               companies.name,
               CASE WHEN cardinality(number.loose) = 1 AND number.numbers = '{}' THEN number.loose[1] END AS loose,
               CASE
                   WHEN cardinality(number.numbers) = 1 THEN number.numbers[1]
                   WHEN number.numbers = '{}' AND cardinality(number.loose) = 1
                       AND substr(number.loose[1], 6) !~ '^(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$'
                       AND companies.companies = 1
                       AND EXISTS (
                           SELECT FROM contract JOIN company USING (customer_id)
                           WHERE contract.number = number.loose[1] AND company.name = companies.name)
                       THEN number.loose[1]
               END AS number,
               before.contract_id IS NULL AND entry.first_line = entry.line AND entry.booked_on <= current_date
                   AND (before.voided IS NULL OR entry.named IS NOT NULL) AS is_free
        FROM entry
        JOIN number ON number.line = entry.line
        LEFT JOIN companies ON companies.line = entry.line
        LEFT JOIN before ON before.reference = entry.reference),
    -- By its number, one line after the other, as long as all of them are not more than what is due.
    numbered AS MATERIALIZED (
        SELECT candidate.line,
               candidate.amount,
               contract.id AS contract_id,
               contract.cancelled_at,
               contract.total_amount - contract.paid_amount AS due_amount,
               sum(candidate.amount) OVER (PARTITION BY contract.id ORDER BY candidate.booked_on, candidate.line) AS running_amount
        FROM candidate
        JOIN contract ON contract.number = candidate.number
        WHERE candidate.is_free),
    by_number AS MATERIALIZED (
        SELECT numbered.*
        FROM numbered
        WHERE cancelled_at IS NULL
          AND running_amount <= due_amount),
    owing AS MATERIALIZED (
        SELECT contract.id, contract.number, contract.customer_id, contract.total_amount - contract.paid_amount - coalesce(taken.amount, 0) AS due_amount
        FROM contract
        LEFT JOIN (SELECT by_number.contract_id, sum(by_number.amount) AS amount FROM by_number GROUP BY by_number.contract_id) AS taken
            ON taken.contract_id = contract.id
        WHERE contract.status IN ('signed', 'part_paid')
          AND contract.total_amount - contract.paid_amount - coalesce(taken.amount, 0) > 0),
    -- By a number that a bank wrote, and exactly what its contract owes.
    by_loose AS MATERIALIZED (
        SELECT DISTINCT ON (owing.id) candidate.line, owing.id AS contract_id
        FROM candidate
        JOIN owing ON owing.number = candidate.loose AND owing.due_amount = candidate.amount
        WHERE candidate.is_free
          AND candidate.number IS NULL
        ORDER BY owing.id, candidate.booked_on, candidate.line),
    -- By the company and exactly what one of its contracts owes.
    owed AS MATERIALIZED (
        SELECT candidate.line,
               min(owing.id::text)::uuid AS contract_id,
               string_agg(owing.number, ', ' ORDER BY number_order(owing.number)) AS numbers,
               count(*) AS contracts,
               row_number() OVER (PARTITION BY min(owing.id::text) ORDER BY min(candidate.booked_on), candidate.line) AS turn
        FROM candidate
        JOIN company ON company.name = candidate.name
        JOIN owing ON owing.customer_id = company.customer_id AND owing.due_amount = candidate.amount
        WHERE candidate.is_free
          AND candidate.companies = 1
          AND candidate.number IS NULL
          AND candidate.numbers = '{}'
          AND candidate.line NOT IN (SELECT by_loose.line FROM by_loose)
          AND owing.id NOT IN (SELECT by_loose.contract_id FROM by_loose)
        GROUP BY candidate.line)
    SELECT candidate.line,
           candidate.reference,
           CASE
               WHEN decided.contract_id IS NOT NULL THEN 'matched'::statement_outcome
               WHEN candidate.recorded_id IS NOT NULL AND candidate.first_line = candidate.line THEN 'recorded'::statement_outcome
               ELSE 'undecided'::statement_outcome
           END,
           CASE WHEN candidate.first_line = candidate.line THEN coalesce(decided.contract_id, candidate.recorded_id) END,
           CASE
               WHEN candidate.first_line < candidate.line THEN format('It is line %s once more.', candidate.first_line)
               WHEN candidate.recorded_id IS NOT NULL THEN 'It is recorded already.'
               WHEN by_number.line IS NOT NULL AND candidate.named IS NOT NULL THEN 'The file names the contract.'
               WHEN by_number.line IS NOT NULL AND cardinality(candidate.numbers) = 0 THEN 'The label has the number and the company.'
               WHEN by_number.line IS NOT NULL THEN 'The label has the number.'
               WHEN by_loose.line IS NOT NULL THEN 'The label has the number, and that is what is due.'
               WHEN decided.contract_id IS NOT NULL THEN 'The label has the company, and that is what is due.'
               WHEN candidate.booked_on > current_date THEN 'It is in the future.'
               WHEN candidate.voided IS NOT NULL THEN format('Its payment was voided, of %s', candidate.voided)
               WHEN cardinality(candidate.numbers) > 1 THEN format('The label has several numbers: %s.', array_to_string(candidate.numbers, ', '))
               WHEN candidate.number IS NOT NULL AND numbered.line IS NULL THEN format('There is no contract %s.', candidate.number)
               WHEN numbered.cancelled_at IS NOT NULL THEN format('Contract %s is cancelled.', candidate.number)
               WHEN numbered.due_amount = 0 THEN format('Contract %s is paid.', candidate.number)
               WHEN numbered.amount > numbered.due_amount THEN
                   format('It is more than what is due of %s: %s.', candidate.number, euros(numbered.due_amount))
               WHEN numbered.line IS NOT NULL THEN
                   format('With other lines of %s it is more than what is due of it: %s.', candidate.number, euros(numbered.due_amount))
               WHEN candidate.companies > 1 THEN 'The label has several companies.'
               WHEN owed.contracts > 1 THEN format('Several contracts of that company owe this: %s.', owed.numbers)
               WHEN owed.contracts = 1 THEN format('Another line pays what is due of %s.', owed.numbers)
               WHEN candidate.loose IS NOT NULL THEN format('It may be meant for %s, of which another amount is due.', candidate.loose)
               WHEN candidate.companies = 1 THEN 'No contract of that company owes just this.'
               ELSE 'The label has no number of a contract and no company.'
           END
    FROM candidate
    LEFT JOIN numbered ON numbered.line = candidate.line
    LEFT JOIN by_number ON by_number.line = candidate.line
    LEFT JOIN by_loose ON by_loose.line = candidate.line
    LEFT JOIN owed ON owed.line = candidate.line
    CROSS JOIN LATERAL (
        SELECT coalesce(by_number.contract_id, by_loose.contract_id, CASE WHEN owed.contracts = 1 AND owed.turn = 1 THEN owed.contract_id END) AS contract_id) AS decided;
END;

COMMENT ON FUNCTION statement_decided() IS 'Which contract each line of a statement pays, or why that is not certain.';

-- With the rights of the owner, and one after the other: of two who bring the same statement, the second finds the payments of
-- the first. The contracts are locked, in the order of their ids, before what is due of them is counted on.
CREATE FUNCTION reconcile_statement(actor text, actor_id bigint)
    RETURNS TABLE (line bigint, date date, amount bigint, label text, occurrence bigint, outcome statement_outcome, contract uuid, number text,
                   customer_id bigint, customer text, company text, reference text, why text)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock(hashtext('reconcile_statement'));
    SELECT contract.id
    FROM contract
    WHERE contract.id IN (SELECT decided.contract_id FROM statement_decided() AS decided WHERE decided.outcome = 'matched')
    ORDER BY contract.id
    FOR NO KEY UPDATE;
    WITH decided AS MATERIALIZED (
        SELECT * FROM statement_decided()),
    written AS (
        INSERT INTO payment (id, contract_id, amount, received_on, method, reference, recorded_by, recorded_by_id)
        SELECT gen_random_uuid(), decided.contract_id, statement_line.amount, statement_line.booked_on, 'transfer', decided.reference, actor, actor_id
        FROM decided
        JOIN statement_line ON statement_line.line = decided.line
        WHERE decided.outcome = 'matched'
        ORDER BY statement_line.booked_on, statement_line.line),
    removed AS (
        DELETE FROM statement_line)
    SELECT statement_line.line,
           statement_line.booked_on,
           statement_line.amount,
           statement_line.label,
           coalesce(statement_line.occurrence, row_number() OVER (PARTITION BY booked_on, amount, label ORDER BY statement_line.line)),
           decided.outcome,
           contract.id,
           contract.number,
           customer.id,
           customer.fullname,
           customer.company,
           CASE WHEN decided.outcome <> 'undecided' THEN decided.reference END,
           decided.why
    FROM decided
    JOIN statement_line ON statement_line.line = decided.line
    LEFT JOIN contract ON contract.id = decided.contract_id
    LEFT JOIN customer ON customer.id = contract.customer_id
    ORDER BY statement_line.line;
END;

COMMENT ON FUNCTION reconcile_statement(text, bigint) IS
    'Records as payments what the lines of a statement certainly are, takes the lines away, and returns what became of each.';

REVOKE EXECUTE ON FUNCTION statement_words(text), statement_reference(date, bigint, text, bigint), statement_decided(), reconcile_statement(text, bigint) FROM PUBLIC;
