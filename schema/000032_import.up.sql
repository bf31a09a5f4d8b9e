-- Rows that come in from elsewhere. They are copied as they are into a table of their own, and from there into that of
-- their resource by one statement for many of them, so that every rule of the schema holds for them as for all others.
--
-- The tables are empty whenever no import is on its way: what a transaction puts there nobody else sees, and it takes it
-- away again before it commits. They are no temporary tables, because the role of a server may make nothing.

-- What the owner's functions do here is done without a search path, and so are the triggers of the tables.
CREATE OR REPLACE FUNCTION refuse_name() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    message text;
BEGIN
    EXECUTE format('SELECT %I.trigger_message($1, $2)', TG_TABLE_SCHEMA) INTO message USING TG_RELID, TG_NAME;
    RAISE EXCEPTION USING
        ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = message;
END
$$;

CREATE OR REPLACE FUNCTION employee_password_one_time() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    IF TG_OP = 'UPDATE' OR NEW.password_one_time_until IS NULL OR NOT NEW.password_one_time THEN -- else it is a copy
        NEW.password_one_time_until = CASE WHEN NEW.password_one_time THEN now() + interval '7 days' END;
    END IF;
    RETURN NEW;
END
$$;

CREATE TYPE import_key AS ENUM ('id', 'number', 'username', 'email', 'phone');
COMMENT ON TYPE import_key IS 'The field by which a row that comes in is known to be there already.';

CREATE TYPE import_on_match AS ENUM ('fail', 'skip', 'update');
COMMENT ON TYPE import_on_match IS 'What is done with a row that is there already, and differs.';

CREATE TYPE import_options AS (
    key           import_key,
    on_match      import_on_match,
    keep_ids      boolean,
    commercial    text,   -- in charge of a customer whose row names nobody
    actor         text,   -- the username of who imports
    actor_id      bigint,
    own           boolean, -- whether they may import only what is in their own charge
    password_hash text
);
COMMENT ON TYPE import_options IS 'How rows are taken in, and by whom.';

CREATE TYPE import_count AS (added bigint, updated bigint, unchanged bigint, skipped bigint);
COMMENT ON TYPE import_count IS 'What became of rows.';

CREATE UNLOGGED TABLE customer_import (
    line        bigint  NOT NULL,
    bad         boolean NOT NULL,
    empties     text[],
    id          bigint,
    fullname    text,
    company     text,
    commercial  text,
    email       text,
    phone       text,
    address     text,
    archived_at timestamptz,
    created_at  timestamptz
);

CREATE UNLOGGED TABLE contract_import (
    line          bigint  NOT NULL,
    bad           boolean NOT NULL,
    empties       text[],
    id            uuid,
    number        text,
    customer_id   bigint,
    total_amount  bigint,
    due_on        date,
    signed        boolean,
    signed_at     timestamptz,
    sold_by       text,
    cancelled_at  timestamptz,
    cancel_reason text,
    created_at    timestamptz
);

CREATE UNLOGGED TABLE payment_import (
    line        bigint  NOT NULL,
    bad         boolean NOT NULL,
    id          uuid,
    contract_id uuid,
    number      text,
    amount      bigint,
    received_on date,
    method      payment_method,
    reference   text,
    recorded_by text,
    recorded_at timestamptz,
    voided_at   timestamptz,
    voided_by   text,
    void_reason text
);

CREATE UNLOGGED TABLE event_import (
    line          bigint  NOT NULL,
    bad           boolean NOT NULL,
    empties       text[],
    id            bigint,
    name          text,
    contract_id   uuid,
    number        text,
    support       text,
    start_at      timestamptz,
    end_at        timestamptz,
    attendees     integer,
    location      text,
    note          text,
    cancelled_at  timestamptz,
    cancel_reason text,
    clash_allowed boolean
);

CREATE UNLOGGED TABLE employee_import (
    line     bigint  NOT NULL,
    bad      boolean NOT NULL,
    id       bigint,
    username text,
    fullname text,
    role     role,
    active   boolean
);

-- Not unique, or two imports would wait for each other.
CREATE INDEX customer_import_line ON customer_import (line);
CREATE INDEX contract_import_line ON contract_import (line);
CREATE INDEX payment_import_line ON payment_import (line);
CREATE INDEX event_import_line ON event_import (line);
CREATE INDEX employee_import_line ON employee_import (line);

COMMENT ON TABLE customer_import IS 'Customers that are on their way in. NULL keeps what is there.';
COMMENT ON TABLE contract_import IS 'Contracts that are on their way in. NULL keeps what is there.';
COMMENT ON TABLE payment_import IS 'Payments that are on their way in.';
COMMENT ON TABLE event_import IS 'Events that are on their way in. NULL keeps what is there.';
COMMENT ON TABLE employee_import IS 'Employees who are on their way in. NULL keeps what is there.';

DO
$$
DECLARE
    of_import name;
    of_column name;
BEGIN
    FOR of_import, of_column IN
        SELECT pg_class.relname, pg_attribute.attname
        FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
        WHERE pg_class.oid IN ('customer_import'::regclass, 'contract_import'::regclass, 'payment_import'::regclass,
                               'event_import'::regclass, 'employee_import'::regclass)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', of_import, of_column, CASE of_column
            WHEN 'line' THEN 'Where the row begins in what it came from.'
            WHEN 'bad' THEN 'Whether it is refused, and not written.'
            WHEN 'empties' THEN 'Names of the fields that it empties.'
            WHEN 'number' THEN 'Number of the contract.'
            ELSE 'As that of the resource.'
        END);
    END LOOP;
END
$$;

-- What each resource makes of its rows: `_import_given` finds what is there already and what would change, `_import_refused`
-- says what is wrong that no rule of the table says, and `_import_write` writes those of some lines.

CREATE FUNCTION customer_import_given(options import_options)
    RETURNS TABLE (staged customer_import, key_value text, matches bigint, matched bigint, changes text[], commercial text, commercial_id bigint, in_charge text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT staged,
           CASE options.key WHEN 'id' THEN staged.id::text WHEN 'email' THEN fold(staged.email) WHEN 'phone' THEN staged.phone END,
           found.matches,
           found.id,
           CASE WHEN customer.id IS NULL THEN '{}' ELSE array_remove(ARRAY [
               CASE WHEN staged.fullname <> customer.fullname THEN 'fullname' END,
               CASE WHEN staged.company IS DISTINCT FROM customer.company AND (staged.company IS NOT NULL OR 'company' = ANY (staged.empties)) THEN 'company' END,
               CASE WHEN staged.commercial <> in_charge.username THEN 'commercial' END,
               CASE WHEN staged.email IS DISTINCT FROM customer.email AND (staged.email IS NOT NULL OR 'email' = ANY (staged.empties)) THEN 'email' END,
               CASE WHEN staged.phone IS DISTINCT FROM customer.phone AND (staged.phone IS NOT NULL OR 'phone' = ANY (staged.empties)) THEN 'phone' END,
               CASE WHEN staged.address IS DISTINCT FROM customer.address AND (staged.address IS NOT NULL OR 'address' = ANY (staged.empties)) THEN 'address' END
           ], NULL) END,
           coalesce(staged.commercial, options.commercial),
           commercial.id,
           in_charge.username
    FROM customer_import AS staged
    LEFT JOIN employee AS commercial ON commercial.username = coalesce(staged.commercial, options.commercial)
    CROSS JOIN LATERAL (
        SELECT count(*) AS matches, min(same.id) AS id
        FROM (
            SELECT customer.id FROM customer WHERE options.key = 'id' AND customer.id = staged.id
            UNION ALL
            SELECT customer.id FROM customer WHERE options.key = 'email' AND fold(customer.email) = fold(staged.email)
            UNION ALL
            SELECT customer.id FROM customer WHERE options.key = 'phone' AND customer.phone = staged.phone) AS same) AS found
    LEFT JOIN customer ON customer.id = found.id
    LEFT JOIN employee AS in_charge ON in_charge.id = customer.commercial_id;
END;

CREATE FUNCTION customer_import_refused(options import_options)
    RETURNS TABLE (line bigint, field text, reason text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT given.*,
               min((staged).line) OVER (PARTITION BY key_value) AS first_line
        FROM customer_import_given(options) AS given
        WHERE NOT (staged).bad)
    SELECT (staged).line,
           problem.field,
           problem.reason
    FROM given
    CROSS JOIN LATERAL (VALUES
        (matches > 1, options.key::text, format('%s customers have this %s.', matches, options.key)),
        (key_value IS NOT NULL AND first_line < (staged).line, options.key::text, format('Line %s has the same %s.', first_line, options.key)),
        (options.key = 'id' AND (staged).id IS NOT NULL AND matches = 0 AND NOT options.keep_ids, 'id',
            format('There is no customer %s; --keep-ids adds one under this id.', (staged).id)),
        (matches = 1 AND changes <> '{}' AND options.on_match = 'fail', options.key::text,
            format('Customer %s is there already, with another %s.', matched, array_to_string(changes, ', '))),
        (commercial IS NOT NULL AND commercial_id IS NULL, 'commercial', format('There is no employee %s.', commercial)),
        (commercial IS NULL AND matches = 0, 'commercial', 'Who is in charge is missing.'),
        (options.own AND matches = 1 AND changes <> '{}' AND options.on_match <> 'skip' AND in_charge <> options.actor, 'commercial',
            format('Customer %s is in the charge of %s.', matched, in_charge)),
        (options.own AND commercial <> options.actor AND (matches = 0 OR 'commercial' = ANY (changes)), 'commercial', 'What you import becomes your own.')
    ) AS problem (found, field, reason)
    WHERE problem.found;
END;

CREATE FUNCTION customer_import_write(options import_options, first_line bigint, last_line bigint) RETURNS import_count
    LANGUAGE sql
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT *
        FROM customer_import_given(options)
        WHERE (staged).line BETWEEN first_line AND last_line
          AND NOT (staged).bad),
    added AS (
        INSERT INTO customer (id, fullname, company, email, phone, address, commercial_id, archived_at, created_at)
        OVERRIDING SYSTEM VALUE
        SELECT coalesce(CASE WHEN options.keep_ids THEN (staged).id END, nextval('customer_id_seq'::regclass)),
               (staged).fullname,
               (staged).company,
               (staged).email,
               (staged).phone,
               (staged).address,
               given.commercial_id,
               (staged).archived_at,
               coalesce((staged).created_at, now())
        FROM given
        WHERE matches = 0
        ORDER BY (staged).line
        RETURNING id),
    updated AS (
        UPDATE customer
        SET fullname      = coalesce((staged).fullname, customer.fullname),
            company       = CASE WHEN 'company' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).company, customer.company) END,
            email         = CASE WHEN 'email' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).email, customer.email) END,
            phone         = CASE WHEN 'phone' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).phone, customer.phone) END,
            address       = CASE WHEN 'address' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).address, customer.address) END,
            commercial_id = CASE WHEN (staged).commercial IS NULL THEN customer.commercial_id ELSE given.commercial_id END
        FROM given
        WHERE customer.id = matched
          AND changes <> '{}'
          AND options.on_match = 'update'
        RETURNING customer.id)
    SELECT (SELECT count(*) FROM added),
           (SELECT count(*) FROM updated),
           count(*) FILTER (WHERE matches = 1 AND changes = '{}'),
           count(*) FILTER (WHERE matches = 1 AND changes <> '{}' AND options.on_match = 'skip')
    FROM given;
END;

CREATE FUNCTION contract_import_given(options import_options)
    RETURNS TABLE (staged contract_import, key_value text, matched uuid, changes text[])
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT staged,
           CASE options.key WHEN 'id' THEN staged.id::text WHEN 'number' THEN staged.number END,
           contract.id,
           CASE WHEN contract.id IS NULL THEN '{}' ELSE array_remove(ARRAY [
               CASE WHEN staged.customer_id <> contract.customer_id THEN 'customer_id' END,
               CASE WHEN staged.total_amount <> contract.total_amount THEN 'total_amount' END,
               CASE WHEN staged.due_on IS DISTINCT FROM contract.due_on AND (staged.due_on IS NOT NULL OR 'due_on' = ANY (staged.empties)) THEN 'due_on' END,
               CASE WHEN staged.signed <> contract.signed THEN 'signed' END
           ], NULL) END
    FROM contract_import AS staged
    LEFT JOIN LATERAL (
        SELECT contract.* FROM contract WHERE options.key = 'id' AND contract.id = staged.id
        UNION ALL
        SELECT contract.* FROM contract WHERE options.key = 'number' AND contract.number = staged.number) AS contract ON true;
END;

CREATE FUNCTION contract_import_refused(options import_options)
    RETURNS TABLE (line bigint, field text, reason text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT given.*,
               min((staged).line) OVER (PARTITION BY key_value) AS first_line
        FROM contract_import_given(options) AS given
        WHERE NOT (staged).bad)
    SELECT (staged).line,
           problem.field,
           problem.reason
    FROM given
    CROSS JOIN LATERAL (VALUES
        (key_value IS NOT NULL AND first_line < (staged).line, options.key::text, format('Line %s has the same %s.', first_line, options.key)),
        (key_value IS NOT NULL AND matched IS NULL AND NOT options.keep_ids, options.key::text,
            format('There is no contract %s; --keep-ids adds one under this %s.', key_value, options.key)),
        (changes <> '{}' AND options.on_match = 'fail', options.key::text,
            format('Contract %s is there already, with another %s.', key_value, array_to_string(changes, ', '))),
        ((staged).signed_at IS NOT NULL AND NOT (staged).signed, 'signed', 'It is not signed, and has a day on which it was.')
    ) AS problem (found, field, reason)
    WHERE problem.found;
END;

CREATE FUNCTION contract_import_write(options import_options, first_line bigint, last_line bigint) RETURNS import_count
    LANGUAGE sql
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT *
        FROM contract_import_given(options)
        WHERE (staged).line BETWEEN first_line AND last_line
          AND NOT (staged).bad),
    added AS (
        INSERT INTO contract (id, number, customer_id, total_amount, due_on, signed_at, sold_by, sold_by_id, cancelled_at, cancel_reason, created_at, updated_at)
        SELECT coalesce(CASE WHEN options.keep_ids THEN (staged).id END, gen_random_uuid()),
               CASE WHEN options.keep_ids THEN (staged).number END,
               (staged).customer_id,
               (staged).total_amount,
               (staged).due_on,
               coalesce((staged).signed_at, CASE WHEN (staged).signed THEN coalesce((staged).created_at, now()) END),
               (staged).sold_by,
               seller.id,
               (staged).cancelled_at,
               (staged).cancel_reason,
               coalesce((staged).created_at, now()),
               now()
        FROM given
        LEFT JOIN employee AS seller ON seller.username = (staged).sold_by
        WHERE matched IS NULL
        ORDER BY (staged).line
        RETURNING id),
    updated AS (
        UPDATE contract
        SET customer_id  = coalesce((staged).customer_id, contract.customer_id),
            total_amount = coalesce((staged).total_amount, contract.total_amount),
            due_on       = CASE WHEN 'due_on' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).due_on, contract.due_on) END,
            signed_at    = CASE
                WHEN (staged).signed IS NULL OR (staged).signed = contract.signed THEN contract.signed_at
                WHEN (staged).signed THEN coalesce((staged).signed_at, now())
            END
        FROM given
        WHERE contract.id = matched
          AND changes <> '{}'
          AND options.on_match = 'update'
        RETURNING contract.id)
    SELECT (SELECT count(*) FROM added),
           (SELECT count(*) FROM updated),
           count(*) FILTER (WHERE matched IS NOT NULL AND changes = '{}'),
           count(*) FILTER (WHERE changes <> '{}' AND options.on_match = 'skip')
    FROM given;
END;

CREATE FUNCTION payment_import_given(options import_options)
    RETURNS TABLE (staged payment_import, matched uuid, changes text[], contract_id uuid)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT staged,
           payment.id,
           CASE WHEN payment.id IS NULL THEN '{}' ELSE array_remove(ARRAY [
               CASE WHEN contract.id <> payment.contract_id THEN 'contract' END,
               CASE WHEN staged.amount <> payment.amount THEN 'amount' END,
               CASE WHEN staged.received_on <> payment.received_on THEN 'received_on' END,
               CASE WHEN staged.method IS NOT NULL AND staged.method IS DISTINCT FROM payment.method THEN 'method' END,
               CASE WHEN staged.reference IS NOT NULL AND staged.reference IS DISTINCT FROM payment.reference THEN 'reference' END
           ], NULL) END,
           contract.id
    FROM payment_import AS staged
    LEFT JOIN payment ON payment.id = staged.id
    LEFT JOIN LATERAL (
        SELECT contract.id FROM contract WHERE contract.id = staged.contract_id
        UNION ALL
        SELECT contract.id FROM contract WHERE staged.contract_id IS NULL AND contract.number = staged.number) AS contract ON true;
END;

CREATE FUNCTION payment_import_refused(options import_options)
    RETURNS TABLE (line bigint, field text, reason text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT given.*,
               min((staged).line) OVER (PARTITION BY (staged).id) AS first_line
        FROM payment_import_given(options) AS given
        WHERE NOT (staged).bad)
    SELECT (staged).line,
           problem.field,
           problem.reason
    FROM given
    CROSS JOIN LATERAL (VALUES
        ((staged).id IS NOT NULL AND first_line < (staged).line, 'id', format('Line %s has the same id.', first_line)),
        (contract_id IS NULL AND coalesce((staged).contract_id::text, (staged).number) IS NOT NULL, 'contract',
            format('There is no contract %s.', coalesce((staged).contract_id::text, (staged).number))),
        (changes <> '{}' AND options.on_match <> 'skip', 'id',
            format('Payment %s is there already, with another %s, and a payment is never changed.', matched, array_to_string(changes, ', ')))
    ) AS problem (found, field, reason)
    WHERE problem.found;
END;

CREATE FUNCTION payment_import_write(options import_options, first_line bigint, last_line bigint) RETURNS import_count
    LANGUAGE sql
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT *
        FROM payment_import_given(options)
        WHERE (staged).line BETWEEN first_line AND last_line
          AND NOT (staged).bad),
    added AS (
        INSERT INTO payment (id, contract_id, amount, received_on, method, reference, recorded_by, recorded_by_id, recorded_at,
                             voided_at, voided_by, voided_by_id, void_reason)
        SELECT coalesce((staged).id, gen_random_uuid()),
               given.contract_id,
               (staged).amount,
               coalesce((staged).received_on, current_date),
               (staged).method,
               (staged).reference,
               coalesce((staged).recorded_by, options.actor),
               CASE WHEN (staged).recorded_by IS NULL THEN options.actor_id ELSE recorder.id END,
               coalesce((staged).recorded_at, now()),
               (staged).voided_at,
               CASE WHEN (staged).voided_at IS NOT NULL THEN coalesce((staged).voided_by, options.actor) END,
               CASE WHEN (staged).voided_at IS NOT NULL AND (staged).voided_by IS NULL THEN options.actor_id ELSE voider.id END,
               (staged).void_reason
        FROM given
        LEFT JOIN employee AS recorder ON recorder.username = (staged).recorded_by
        LEFT JOIN employee AS voider ON voider.username = (staged).voided_by
        WHERE matched IS NULL
        ORDER BY (staged).line
        RETURNING id)
    SELECT (SELECT count(*) FROM added),
           0,
           count(*) FILTER (WHERE matched IS NOT NULL AND changes = '{}'),
           count(*) FILTER (WHERE changes <> '{}')
    FROM given;
END;

CREATE FUNCTION event_import_given(options import_options)
    RETURNS TABLE (staged event_import, matched bigint, changes text[], contract_id uuid, support_id bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT staged,
           event.id,
           CASE WHEN event.id IS NULL THEN '{}' ELSE array_remove(ARRAY [
               CASE WHEN staged.name <> event.name THEN 'name' END,
               CASE WHEN contract.id <> event.contract_id THEN 'contract' END,
               CASE WHEN support.id IS DISTINCT FROM event.support_id AND (staged.support IS NOT NULL OR 'support' = ANY (staged.empties)) THEN 'support' END,
               CASE WHEN staged.start_at IS DISTINCT FROM event.start_at AND staged.start_at IS DISTINCT FROM date_trunc('minute', event.start_at)
                   AND (staged.start_at IS NOT NULL OR 'start' = ANY (staged.empties)) THEN 'start' END,
               CASE WHEN staged.end_at IS DISTINCT FROM event.end_at AND staged.end_at IS DISTINCT FROM date_trunc('minute', event.end_at)
                   AND (staged.end_at IS NOT NULL OR 'end' = ANY (staged.empties)) THEN 'end' END,
               CASE WHEN staged.attendees IS DISTINCT FROM event.attendees AND (staged.attendees IS NOT NULL OR 'attendees' = ANY (staged.empties)) THEN 'attendees' END,
               CASE WHEN staged.location IS DISTINCT FROM event.location AND (staged.location IS NOT NULL OR 'location' = ANY (staged.empties)) THEN 'location' END,
               CASE WHEN staged.note IS DISTINCT FROM event.note AND (staged.note IS NOT NULL OR 'note' = ANY (staged.empties)) THEN 'note' END
           ], NULL) END,
           contract.id,
           support.id
    FROM event_import AS staged
    LEFT JOIN event ON event.id = staged.id
    LEFT JOIN employee AS support ON support.username = staged.support
    LEFT JOIN LATERAL (
        SELECT contract.id FROM contract WHERE contract.id = staged.contract_id
        UNION ALL
        SELECT contract.id FROM contract WHERE staged.contract_id IS NULL AND contract.number = staged.number) AS contract ON true;
END;

CREATE FUNCTION event_import_refused(options import_options)
    RETURNS TABLE (line bigint, field text, reason text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT given.*,
               min((staged).line) OVER (PARTITION BY (staged).id) AS first_line
        FROM event_import_given(options) AS given
        WHERE NOT (staged).bad)
    SELECT (staged).line,
           problem.field,
           problem.reason
    FROM given
    CROSS JOIN LATERAL (VALUES
        ((staged).id IS NOT NULL AND first_line < (staged).line, 'id', format('Line %s has the same id.', first_line)),
        ((staged).id IS NOT NULL AND matched IS NULL AND NOT options.keep_ids, 'id',
            format('There is no event %s; --keep-ids adds one under this id.', (staged).id)),
        (changes <> '{}' AND options.on_match = 'fail', 'id',
            format('Event %s is there already, with another %s.', matched, array_to_string(changes, ', '))),
        (contract_id IS NULL AND coalesce((staged).contract_id::text, (staged).number) IS NOT NULL, 'contract',
            format('There is no contract %s.', coalesce((staged).contract_id::text, (staged).number))),
        ((staged).support IS NOT NULL AND support_id IS NULL, 'support', format('There is no employee %s.', (staged).support))
    ) AS problem (found, field, reason)
    WHERE problem.found;
END;

CREATE FUNCTION event_import_write(options import_options, first_line bigint, last_line bigint) RETURNS import_count
    LANGUAGE sql
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT *
        FROM event_import_given(options)
        WHERE (staged).line BETWEEN first_line AND last_line
          AND NOT (staged).bad),
    added AS (
        INSERT INTO event (id, name, contract_id, support_id, start_at, end_at, attendees, location, note, cancelled_at, cancel_reason, clash_allowed)
        OVERRIDING SYSTEM VALUE
        SELECT coalesce(CASE WHEN options.keep_ids THEN (staged).id END, nextval('event_id_seq'::regclass)),
               (staged).name,
               given.contract_id,
               given.support_id,
               (staged).start_at,
               (staged).end_at,
               (staged).attendees,
               (staged).location,
               (staged).note,
               (staged).cancelled_at,
               (staged).cancel_reason,
               coalesce((staged).clash_allowed, false)
        FROM given
        WHERE matched IS NULL
        ORDER BY (staged).line
        RETURNING id),
    updated AS (
        UPDATE event
        SET name        = coalesce((staged).name, event.name),
            contract_id = coalesce(given.contract_id, event.contract_id),
            support_id  = CASE WHEN 'support' = ANY ((staged).empties) THEN NULL ELSE coalesce(given.support_id, event.support_id) END,
            start_at    = CASE WHEN 'start' = ANY ((staged).empties) THEN NULL WHEN 'start' = ANY (changes) THEN (staged).start_at ELSE event.start_at END,
            end_at      = CASE WHEN 'end' = ANY ((staged).empties) THEN NULL WHEN 'end' = ANY (changes) THEN (staged).end_at ELSE event.end_at END,
            attendees   = CASE WHEN 'attendees' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).attendees, event.attendees) END,
            location    = CASE WHEN 'location' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).location, event.location) END,
            note        = CASE WHEN 'note' = ANY ((staged).empties) THEN NULL ELSE coalesce((staged).note, event.note) END
        FROM given
        WHERE event.id = matched
          AND changes <> '{}'
          AND options.on_match = 'update'
        RETURNING event.id)
    SELECT (SELECT count(*) FROM added),
           (SELECT count(*) FROM updated),
           count(*) FILTER (WHERE matched IS NOT NULL AND changes = '{}'),
           count(*) FILTER (WHERE changes <> '{}' AND options.on_match = 'skip')
    FROM given;
END;

CREATE FUNCTION employee_import_given(options import_options)
    RETURNS TABLE (staged employee_import, key_value text, matched bigint, username text, changes text[])
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT staged,
           CASE options.key WHEN 'id' THEN staged.id::text WHEN 'username' THEN staged.username END,
           employee.id,
           employee.username,
           CASE WHEN employee.id IS NULL THEN '{}' ELSE array_remove(ARRAY [
               CASE WHEN staged.username <> employee.username THEN 'username' END,
               CASE WHEN staged.fullname <> employee.fullname THEN 'fullname' END,
               CASE WHEN staged.role <> employee.role THEN 'role' END
           ], NULL) END
    FROM employee_import AS staged
    LEFT JOIN LATERAL (
        SELECT employee.id, employee.username, employee.fullname, employee.role FROM employee WHERE options.key = 'id' AND employee.id = staged.id
        UNION ALL
        SELECT employee.id, employee.username, employee.fullname, employee.role
        FROM employee
        WHERE options.key = 'username' AND employee.username = staged.username) AS employee ON true;
END;

CREATE FUNCTION employee_import_refused(options import_options)
    RETURNS TABLE (line bigint, field text, reason text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT given.*,
               min((staged).line) OVER (PARTITION BY key_value) AS first_line
        FROM employee_import_given(options) AS given
        WHERE NOT (staged).bad)
    SELECT (staged).line,
           problem.field,
           problem.reason
    FROM given
    CROSS JOIN LATERAL (VALUES
        (key_value IS NOT NULL AND first_line < (staged).line, options.key::text, format('Line %s has the same %s.', first_line, options.key)),
        (options.key = 'id' AND (staged).id IS NOT NULL AND matched IS NULL AND NOT options.keep_ids, 'id',
            format('There is no employee %s; --keep-ids adds one under this id.', (staged).id)),
        (changes <> '{}' AND options.on_match = 'fail', options.key::text,
            format('Employee %s is there already, with another %s.', given.username, array_to_string(changes, ', ')))
    ) AS problem (found, field, reason)
    WHERE problem.found;
END;

CREATE FUNCTION employee_import_write(options import_options, first_line bigint, last_line bigint) RETURNS import_count
    LANGUAGE sql
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT *
        FROM employee_import_given(options)
        WHERE (staged).line BETWEEN first_line AND last_line
          AND NOT (staged).bad),
    added AS (
        INSERT INTO employee (id, username, fullname, role, active, password_hash, password_one_time)
        OVERRIDING SYSTEM VALUE
        SELECT coalesce(CASE WHEN options.keep_ids THEN (staged).id END, nextval('employee_id_seq'::regclass)),
               (staged).username,
               (staged).fullname,
               coalesce((staged).role, 'none'),
               coalesce((staged).active, true),
               options.password_hash,
               true
        FROM given
        WHERE matched IS NULL
        ORDER BY (staged).line
        RETURNING id),
    updated AS (
        UPDATE employee
        SET username = coalesce((staged).username, employee.username),
            fullname = coalesce((staged).fullname, employee.fullname),
            role     = coalesce((staged).role, employee.role)
        FROM given
        WHERE employee.id = matched
          AND changes <> '{}'
          AND options.on_match = 'update'
        RETURNING employee.id)
    SELECT (SELECT count(*) FROM added),
           (SELECT count(*) FROM updated),
           count(*) FILTER (WHERE matched IS NOT NULL AND changes = '{}'),
           count(*) FILTER (WHERE changes <> '{}' AND options.on_match = 'skip')
    FROM given;
END;

-- One path for all of them.

CREATE FUNCTION import_refused_rows(marker regclass, resource text, options import_options)
    RETURNS TABLE (line bigint, field text, reason text)
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    in_schema regnamespace := (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = marker);
BEGIN
    IF options.keep_ids THEN -- nobody else takes the next number until it is set
        EXECUTE format('LOCK TABLE %s.%I IN SHARE ROW EXCLUSIVE MODE', in_schema, resource);
    END IF;
    RETURN QUERY EXECUTE format('
        WITH refused AS MATERIALIZED (SELECT * FROM %1$s.%2$I($1)),
        marked AS (
            UPDATE %1$s.%3$I AS staged
            SET bad = true
            FROM (SELECT DISTINCT line FROM refused) AS refused
            WHERE refused.line = staged.line
              AND NOT staged.bad)
        SELECT refused.line, refused.field, refused.reason
        FROM refused
        ORDER BY refused.line', in_schema, resource || '_import_refused', resource || '_import')
    USING options;
END
$$;

CREATE FUNCTION import_write_rows(in_schema regnamespace, resource text, options import_options, first_line bigint, last_line bigint)
    RETURNS TABLE (line bigint, code text, relation text, rule text, field text, message text, added bigint, updated bigint, unchanged bigint, skipped bigint)
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    middle bigint := (first_line + last_line) / 2;
BEGIN
    BEGIN
        EXECUTE format('SELECT written.added, written.updated, written.unchanged, written.skipped FROM %s.%I($1, $2, $3) AS written',
            in_schema, resource || '_import_write')
        INTO added, updated, unchanged, skipped USING options, first_line, last_line;
    EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
        GET STACKED DIAGNOSTICS
            code = RETURNED_SQLSTATE, relation = TABLE_NAME, rule = CONSTRAINT_NAME, field = COLUMN_NAME, message = MESSAGE_TEXT;
        added := 0;
        updated := 0;
        unchanged := 0;
        skipped := 0;
        EXECUTE format('SELECT %s.change_field($1)', in_schema) INTO field USING field;
        IF first_line = last_line THEN
            line := first_line;
        END IF;
    END;
    IF code IS NULL OR line IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    -- The rest of the rows is good, perhaps: those of each half are tried by themselves.
    RETURN QUERY EXECUTE format('
        SELECT * FROM %1$s.import_write_rows($1, $2, $3, $4, $5)
        UNION ALL
        SELECT * FROM %1$s.import_write_rows($1, $2, $3, $6, $7)', in_schema)
    USING in_schema, resource, options, first_line, middle, middle + 1, last_line;
END
$$;

CREATE FUNCTION import_end_rows(marker regclass, resource text, options import_options) RETURNS bigint
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    in_schema regnamespace := (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = marker);
    counter   text := CASE WHEN resource IN ('employee', 'customer', 'event') THEN pg_get_serial_sequence(format('%s.%I', in_schema, resource), 'id') END;
    removed   bigint;
BEGIN
    EXECUTE format('DELETE FROM %s.%I', in_schema, resource || '_import');
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF options.keep_ids AND counter IS NOT NULL THEN
        EXECUTE format('SELECT setval(%L, held.id) FROM (SELECT max(id) AS id FROM %s.%I) AS held, %s AS counter WHERE held.id > counter.last_value',
            counter, in_schema, resource, counter);
    END IF;
    RETURN removed;
END
$$;

-- With the rights of the owner, so that a server's role can do it by them alone.

CREATE FUNCTION import_refused(resource text, options import_options)
    RETURNS TABLE (line bigint, field text, reason text)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT refused.line, refused.field, refused.reason
    FROM import_refused_rows('change'::regclass, resource, options) AS refused;
END;

CREATE FUNCTION import_write(resource text, options import_options, first_line bigint, last_line bigint)
    RETURNS TABLE (line bigint, code text, relation text, rule text, field text, message text, added bigint, updated bigint, unchanged bigint, skipped bigint)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT written.line, written.code, written.relation, written.rule, written.field, written.message,
           written.added, written.updated, written.unchanged, written.skipped
    FROM pg_class,
         LATERAL import_write_rows(relnamespace::regnamespace, resource, options, first_line, last_line) AS written
    WHERE pg_class.oid = 'change'::regclass;
END;

CREATE FUNCTION import_end(resource text, options import_options) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT import_end_rows('change'::regclass, resource, options);
END;

COMMENT ON FUNCTION import_refused(text, import_options) IS
    'What is wrong with the rows of an import that no rule of the table would say; they are then bad.';
COMMENT ON FUNCTION import_write(text, import_options, bigint, bigint) IS
    'Writes the rows of these lines that are not bad, and returns how many, with a line for each that a rule refuses.';
COMMENT ON FUNCTION import_end(text, import_options) IS
    'Ends an import: its rows are taken away, and where ids were kept, the next one is above them.';
COMMENT ON FUNCTION import_refused_rows(regclass, text, import_options) IS 'Is import_refused, in the schema of this table.';
COMMENT ON FUNCTION import_write_rows(regnamespace, text, import_options, bigint, bigint) IS 'Is import_write, in this schema.';
COMMENT ON FUNCTION import_end_rows(regclass, text, import_options) IS 'Is import_end, in the schema of this table.';

DO
$$
DECLARE
    resource text;
BEGIN
    FOREACH resource IN ARRAY ARRAY ['customer', 'contract', 'payment', 'event', 'employee'] LOOP
        EXECUTE format('
            COMMENT ON FUNCTION %1$s_import_given IS ''The rows that come in, beside what is there already.'';
            COMMENT ON FUNCTION %1$s_import_refused IS ''What is wrong with them that no rule says.'';
            COMMENT ON FUNCTION %1$s_import_write IS ''Writes those of some lines, all or none of them.'';
            REVOKE EXECUTE ON FUNCTION %1$s_import_given, %1$s_import_refused, %1$s_import_write FROM PUBLIC', resource);
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION import_refused(text, import_options), import_write(text, import_options, bigint, bigint), import_end(text, import_options),
    import_refused_rows(regclass, text, import_options), import_write_rows(regnamespace, text, import_options, bigint, bigint),
    import_end_rows(regclass, text, import_options) FROM PUBLIC;
