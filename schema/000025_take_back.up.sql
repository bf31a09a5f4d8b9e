-- What was done can be taken back: a payment is voided, a contract or an event cancelled, a signature withdrawn. Nothing
-- of it goes: the row stays, and says when, by whom and why.

DROP VIEW payment_view, event_view, contract_view;

-- Payments say when the money came, how, and under which reference of the bank.

CREATE TYPE payment_method AS ENUM ('transfer', 'card', 'cheque', 'cash', 'other');
COMMENT ON TYPE payment_method IS 'How money comes.';

ALTER TABLE payment
    ADD COLUMN received_on date,
    ADD COLUMN method payment_method,
    ADD COLUMN reference text,
    ADD COLUMN voided_at timestamptz,
    ADD COLUMN voided_by text,
    ADD COLUMN voided_by_id bigint,
    ADD COLUMN void_reason text;

ALTER TABLE payment DISABLE TRIGGER payment_changed;
UPDATE payment SET received_on = (recorded_at AT TIME ZONE 'Europe/Paris')::date;
ALTER TABLE payment ENABLE TRIGGER payment_changed;

ALTER TABLE payment
    ALTER COLUMN received_on SET DEFAULT current_date,
    ALTER COLUMN received_on SET NOT NULL,
    ADD CONSTRAINT payment_received_on_year CHECK (extract(year FROM received_on) BETWEEN 1900 AND 2200),
    ADD CONSTRAINT payment_reference_line CHECK (is_line(reference)),
    ADD CONSTRAINT payment_voided_whole CHECK (num_nulls(voided_at, voided_by, void_reason) IN (0, 3)),
    ADD CONSTRAINT payment_voided_by_line CHECK (is_line(voided_by)),
    ADD CONSTRAINT payment_void_reason_line CHECK (is_line(void_reason));

-- The same reference of the bank again is the same payment, unless that was voided.
CREATE UNIQUE INDEX payment_reference_key ON payment (contract_id, amount, reference) WHERE voided_at IS NULL;
DROP INDEX payment_contract_id;
CREATE INDEX payment_contract_id ON payment (contract_id, received_on, recorded_at, id);
CREATE INDEX payment_received_on ON payment (received_on, recorded_at, id);
CREATE INDEX payment_changed_at ON payment (greatest(recorded_at, voided_at));

COMMENT ON COLUMN payment.received_on IS 'The day on which the money came.';
COMMENT ON COLUMN payment.method IS 'How it came, if that was said.';
COMMENT ON COLUMN payment.reference IS 'Reference of the bank or of the cheque, if there is one.';
COMMENT ON COLUMN payment.voided_at IS 'When it was voided; NULL while it counts.';
COMMENT ON COLUMN payment.voided_by IS 'Username, at that moment, of who voided it.';
COMMENT ON COLUMN payment.voided_by_id IS 'The employee who voided it, who may have left.';
COMMENT ON COLUMN payment.void_reason IS 'Why it was voided.';
COMMENT ON CONSTRAINT payment_received_on_year ON payment IS 'A payment is received between the years 1900 and 2200.';
COMMENT ON CONSTRAINT payment_reference_line ON payment IS
    'A reference is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT payment_voided_whole ON payment IS 'A void payment says by whom it was voided, and why.';
COMMENT ON CONSTRAINT payment_voided_by_line ON payment IS 'A void payment names who voided it.';
COMMENT ON CONSTRAINT payment_void_reason_line ON payment IS
    'A reason is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON INDEX payment_reference_key IS 'A payment of this amount with this reference is recorded for the contract already.';

CREATE OR REPLACE FUNCTION payment_sum() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS
$$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.voided_at IS NULL THEN
        EXECUTE format('UPDATE %I.contract SET paid_amount = paid_amount - $1 WHERE id = $2', TG_TABLE_SCHEMA)
        USING OLD.amount, OLD.contract_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.voided_at IS NULL THEN
        EXECUTE format('UPDATE %I.contract SET paid_amount = paid_amount + $1 WHERE id = $2', TG_TABLE_SCHEMA)
        USING NEW.amount, NEW.contract_id;
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER payment_sum_update ON payment;
CREATE TRIGGER payment_sum_void
    AFTER UPDATE OF voided_at ON payment
    FOR EACH ROW
    WHEN ((OLD.voided_at IS NULL) <> (NEW.voided_at IS NULL))
EXECUTE FUNCTION payment_sum();
COMMENT ON TRIGGER payment_sum_void ON payment IS 'The paid amount of a contract is the sum of its payments that are not void.';
COMMENT ON TRIGGER payment_sum ON payment IS 'The paid amount of a contract is the sum of its payments that are not void.';
COMMENT ON COLUMN contract.paid_amount IS 'Sum of the payments that are not void in euro cents; kept by a trigger on payment.';

CREATE FUNCTION refuse_row() RETURNS trigger
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

COMMENT ON FUNCTION refuse_row IS 'Refuses what a trigger says.';

CREATE TRIGGER payment_stays
    BEFORE DELETE ON payment
    FOR EACH ROW
EXECUTE FUNCTION refuse_row();
CREATE TRIGGER payment_stays_as_it_is
    BEFORE UPDATE ON payment
    FOR EACH ROW
    WHEN ((OLD.id, OLD.contract_id, OLD.amount, OLD.received_on, OLD.method, OLD.reference, OLD.recorded_by, OLD.recorded_by_id, OLD.recorded_at)
        IS DISTINCT FROM
        (NEW.id, NEW.contract_id, NEW.amount, NEW.received_on, NEW.method, NEW.reference, NEW.recorded_by, NEW.recorded_by_id, NEW.recorded_at))
EXECUTE FUNCTION refuse_row();
CREATE TRIGGER payment_received
    BEFORE INSERT ON payment
    FOR EACH ROW
    WHEN (NEW.received_on > current_date)
EXECUTE FUNCTION refuse_row();
COMMENT ON TRIGGER payment_stays ON payment IS 'A payment is never deleted: void it (crm payment void).';
COMMENT ON TRIGGER payment_stays_as_it_is ON payment IS 'A payment is never changed: void it (crm payment void), and record another.';
COMMENT ON TRIGGER payment_received ON payment IS 'A payment is received today or was before: it is recorded when it is there.';

CREATE FUNCTION void_payment(of_payment uuid, by_username text, by_employee bigint, why text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    UPDATE payment
    SET voided_at    = now(),
        voided_by    = by_username,
        voided_by_id = by_employee,
        void_reason  = why
    WHERE id = of_payment
      AND voided_at IS NULL
    RETURNING id;
END;

COMMENT ON FUNCTION void_payment(uuid, text, bigint, text) IS 'Voids a payment that is not void, which is all that may be done with one.';

REVOKE EXECUTE ON FUNCTION void_payment(uuid, text, bigint, text) FROM PUBLIC;

-- Contracts may be cancelled, and say who sold them.

ALTER TABLE contract DROP COLUMN status;
DROP FUNCTION contract_status_of(timestamptz, bigint, bigint);
DROP TYPE contract_status;
CREATE TYPE contract_status AS ENUM ('draft', 'signed', 'part_paid', 'paid', 'cancelled');
COMMENT ON TYPE contract_status IS 'How far a contract has come: drawn up, signed, paid in part, paid; or cancelled.';

CREATE FUNCTION contract_status_of(signed_at timestamptz, cancelled_at timestamptz, total_amount bigint, paid_amount bigint) RETURNS contract_status
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN cancelled_at IS NOT NULL THEN 'cancelled'::contract_status
        WHEN signed_at IS NULL THEN 'draft'::contract_status
        WHEN paid_amount >= total_amount THEN 'paid'::contract_status
        WHEN paid_amount > 0 THEN 'part_paid'::contract_status
        ELSE 'signed'::contract_status
    END;

COMMENT ON FUNCTION contract_status_of IS 'The status of a contract.';

ALTER TABLE contract
    ADD COLUMN sold_by text,
    ADD COLUMN sold_by_id bigint,
    ADD COLUMN cancelled_at timestamptz,
    ADD COLUMN cancel_reason text,
    ADD COLUMN status contract_status NOT NULL
        GENERATED ALWAYS AS (contract_status_of(signed_at, cancelled_at, total_amount, paid_amount)) STORED,
    ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS (signed_at IS NOT NULL AND cancelled_at IS NULL) STORED;

CREATE INDEX contract_status ON contract (status, created_at, id);
CREATE INDEX contract_status_last ON contract (status DESC, created_at, id);
CREATE INDEX contract_sold_by ON contract (sold_by, created_at, id);
CREATE INDEX contract_sold_by_last ON contract (sold_by DESC NULLS LAST, created_at, id);

-- Who is in charge now is the best that is known of those that are signed.
ALTER TABLE contract DISABLE TRIGGER contract_changed;
UPDATE contract
SET sold_by    = commercial.username,
    sold_by_id = commercial.id
FROM customer
JOIN employee AS commercial ON commercial.id = customer.commercial_id
WHERE customer.id = contract.customer_id
  AND contract.signed_at IS NOT NULL;
ALTER TABLE contract ENABLE TRIGGER contract_changed;

ALTER TABLE contract
    ADD CONSTRAINT contract_id_open_key UNIQUE (id, is_open),
    ADD CONSTRAINT contract_sold_by_line CHECK (is_line(sold_by)),
    ADD CONSTRAINT contract_sold_when_signed CHECK ((sold_by IS NULL) = (signed_at IS NULL)),
    ADD CONSTRAINT contract_cancelled_whole CHECK ((cancelled_at IS NULL) = (cancel_reason IS NULL)),
    ADD CONSTRAINT contract_cancel_reason_line CHECK (is_line(cancel_reason)),
    ADD CONSTRAINT contract_cancelled_unpaid CHECK (cancelled_at IS NULL OR paid_amount = 0),
    ADD CONSTRAINT contract_cancelled_unsigned CHECK (signed_at <= cancelled_at);

COMMENT ON COLUMN contract.sold_by IS 'Username, at that moment, of the commercial in charge when it was signed.';
COMMENT ON COLUMN contract.sold_by_id IS 'The commercial in charge when it was signed, who may have left.';
COMMENT ON COLUMN contract.cancelled_at IS 'When it was cancelled; NULL while it is good.';
COMMENT ON COLUMN contract.cancel_reason IS 'Why it was cancelled.';
COMMENT ON COLUMN contract.status IS 'How far it has come.';
COMMENT ON COLUMN contract.is_open IS 'Whether it is signed and not cancelled, so that events can take place.';
COMMENT ON CONSTRAINT contract_id_open_key ON contract IS 'This contract id is taken.';
COMMENT ON CONSTRAINT contract_sold_by_line ON contract IS 'A contract names who sold it.';
COMMENT ON CONSTRAINT contract_sold_when_signed ON contract IS 'A contract is sold by somebody when it is signed, and not before.';
COMMENT ON CONSTRAINT contract_cancelled_whole ON contract IS 'A cancelled contract says why.';
COMMENT ON CONSTRAINT contract_cancel_reason_line ON contract IS
    'A reason is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT contract_cancelled_unpaid ON contract IS
    'A cancelled contract has no payments: those that it has are voided first (crm payment void).';
COMMENT ON CONSTRAINT contract_cancelled_unsigned ON contract IS 'A cancelled contract is signed by nobody.';

CREATE FUNCTION contract_sold() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    IF NEW.signed_at IS NULL THEN
        NEW.sold_by := NULL;
        NEW.sold_by_id := NULL;
    ELSIF NEW.sold_by IS NULL THEN
        EXECUTE format('
            SELECT commercial.username, commercial.id
            FROM %1$I.customer
            JOIN %1$I.employee AS commercial ON commercial.id = customer.commercial_id
            WHERE customer.id = $1', TG_TABLE_SCHEMA)
        INTO NEW.sold_by, NEW.sold_by_id USING NEW.customer_id;
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION contract_sold IS 'Keeps who sold a contract.';

CREATE TRIGGER contract_sold
    BEFORE INSERT OR UPDATE OF signed_at ON contract
    FOR EACH ROW
EXECUTE FUNCTION contract_sold();
COMMENT ON TRIGGER contract_sold ON contract IS 'A contract is sold by the commercial in charge when it is signed.';

CREATE TRIGGER contract_stays_signed
    BEFORE UPDATE OF signed_at ON contract
    FOR EACH ROW
    WHEN (NEW.signed_at IS NULL AND OLD.signed_at IS NOT NULL AND OLD.paid_amount > 0)
EXECUTE FUNCTION refuse_row();
COMMENT ON TRIGGER contract_stays_signed ON contract IS
    'A contract of which something is paid stays signed: void its payments first (crm payment void).';

CREATE TRIGGER contract_cancelled
    BEFORE UPDATE ON contract
    FOR EACH ROW
    WHEN (OLD.cancelled_at IS NOT NULL AND NEW.cancelled_at IS NOT NULL
        AND (OLD.customer_id, OLD.total_amount, OLD.due_on, OLD.cancelled_at, OLD.cancel_reason)
            IS DISTINCT FROM (NEW.customer_id, NEW.total_amount, NEW.due_on, NEW.cancelled_at, NEW.cancel_reason))
EXECUTE FUNCTION refuse_row();
COMMENT ON TRIGGER contract_cancelled ON contract IS 'A cancelled contract is changed no more.';

DROP TRIGGER contract_touch ON contract;
CREATE TRIGGER contract_touch
    BEFORE UPDATE ON contract
    FOR EACH ROW
    WHEN ((OLD.customer_id, OLD.total_amount, OLD.paid_amount, OLD.signed_at, OLD.due_on, OLD.cancelled_at)
        IS DISTINCT FROM (NEW.customer_id, NEW.total_amount, NEW.paid_amount, NEW.signed_at, NEW.due_on, NEW.cancelled_at))
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER contract_touch ON contract IS 'A contract says when it was last changed.';

-- A cancelled event stays with its contract, and frees it and its support.

ALTER TABLE event
    ADD COLUMN cancelled_at timestamptz,
    ADD COLUMN cancel_reason text,
    ADD COLUMN contract_is_open boolean GENERATED ALWAYS AS (CASE WHEN cancelled_at IS NULL THEN true END) STORED,
    ADD CONSTRAINT event_cancelled_whole CHECK ((cancelled_at IS NULL) = (cancel_reason IS NULL)),
    ADD CONSTRAINT event_cancel_reason_line CHECK (is_line(cancel_reason)),
    ADD CONSTRAINT event_contract_open_fkey FOREIGN KEY (contract_id, contract_is_open) REFERENCES contract (id, is_open);

COMMENT ON COLUMN event.cancelled_at IS 'When it was cancelled; NULL while it is to take place, or did.';
COMMENT ON COLUMN event.cancel_reason IS 'Why it was cancelled.';
COMMENT ON COLUMN event.contract_is_open IS
    'True, or NULL of a cancelled event: with contract_id it points at a contract that is signed and stays so, and is not cancelled.';
COMMENT ON CONSTRAINT event_cancelled_whole ON event IS 'A cancelled event says why.';
COMMENT ON CONSTRAINT event_cancel_reason_line ON event IS
    'A reason is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT event_contract_open_fkey ON event IS
    'An event belongs to a contract that is not cancelled; it is cancelled before its contract is (crm event cancel).';

CREATE OR REPLACE FUNCTION unrecorded_columns() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY [
        'id',                                                  -- beside them, as text
        'password_hash',                                       -- a secret
        'password_one_time_until', 'updated_at',               -- when, which every change says
        'search', 'signed', 'status', 'is_open',               -- made of other columns
        'commercial_role', 'support_role', 'contract_signed', 'contract_is_open', -- for the keys that hold a rule
        'paid_amount'                                          -- the sum of the payments
    ];

CREATE TRIGGER event_cancelled
    BEFORE UPDATE ON event
    FOR EACH ROW
    WHEN (OLD.cancelled_at IS NOT NULL AND NEW.cancelled_at IS NOT NULL
        AND (OLD.name, OLD.contract_id, OLD.support_id, OLD.start_at, OLD.end_at, OLD.attendees, OLD.location, OLD.note, OLD.cancelled_at, OLD.cancel_reason)
            IS DISTINCT FROM
            (NEW.name, NEW.contract_id, NEW.support_id, NEW.start_at, NEW.end_at, NEW.attendees, NEW.location, NEW.note, NEW.cancelled_at, NEW.cancel_reason))
EXECUTE FUNCTION refuse_row();
COMMENT ON TRIGGER event_cancelled ON event IS 'A cancelled event is changed no more.';

ALTER TABLE event DROP CONSTRAINT event_support_fkey;
ALTER TABLE event DROP COLUMN support_role;
ALTER TABLE event
    ADD COLUMN support_role role GENERATED ALWAYS AS (CASE WHEN cancelled_at IS NULL THEN 'support'::role END) STORED,
    ADD CONSTRAINT event_support_fkey FOREIGN KEY (support_id, support_role) REFERENCES employee (id, role),
    ADD CONSTRAINT event_support_exists_fkey FOREIGN KEY (support_id) REFERENCES employee (id);

COMMENT ON COLUMN event.support_role IS
    'Support, or NULL of a cancelled event: with support_id it points at an employee who has that role and cannot lose it.';
COMMENT ON CONSTRAINT event_support_fkey ON event IS 'An event is run by an employee whose role is support.';
COMMENT ON CONSTRAINT event_support_exists_fkey ON event IS
    'An employee who was to run an event that was cancelled is named in it, and is not deleted.';

CREATE OR REPLACE FUNCTION employee_in_charge() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    customers bigint;
    events    bigint;
    message   text;
BEGIN
    EXECUTE format('
        SELECT (SELECT count(*) FROM %1$I.customer WHERE commercial_id = $1),
               (SELECT count(*) FROM %1$I.event WHERE support_id = $1 AND cancelled_at IS NULL),
               %1$I.trigger_message($2, $3)', TG_TABLE_SCHEMA)
    INTO customers, events, message USING OLD.id, TG_RELID, TG_NAME;
    IF customers + events > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME,
            MESSAGE = format(message, concat_ws(' and ',
                CASE customers
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 customer (crm customer set-commercial)'
                    ELSE customers || ' customers (crm customer set-commercial)'
                END,
                CASE events
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 event (crm event set-support)'
                    ELSE events || ' events (crm event set-support)'
                END));
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE VIEW contract_view AS
SELECT contract.id,
       contract.number,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       customer.commercial_id,
       commercial.username AS commercial,
       commercial.fullname AS commercial_fullname,
       contract.signed,
       contract.status,
       contract.total_amount,
       (contract.total_amount - contract.paid_amount)::bigint AS total_due,
       contract.due_on,
       (CASE WHEN contract.status IN ('signed', 'part_paid') THEN current_date - contract.due_on END)::integer AS days_due,
       contract.sold_by_id,
       contract.sold_by,
       contract.created_at,
       contract.signed_at,
       contract.updated_at,
       contract.cancelled_at,
       contract.cancel_reason
FROM contract
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW contract_view IS
    'A contract with its customer and commercial; total_due is the total amount less the payments that are not void, in euro cents, and days_due the days since it was to be paid, below zero before that, while it is signed and not paid.';

CREATE VIEW event_view AS
SELECT event.id,
       event.name,
       event.contract_id   AS contract,
       contract.number,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       event.support_id,
       support.username    AS support,
       support.fullname    AS support_fullname,
       customer.commercial_id,
       commercial.username AS commercial,
       commercial.fullname AS commercial_fullname,
       event.start_at      AS start,
       event.end_at        AS "end",
       event.attendees,
       event.location,
       event.note,
       event.cancelled_at,
       event.cancel_reason,
       event.updated_at
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id
LEFT JOIN employee AS support ON support.id = event.support_id;

COMMENT ON VIEW event_view IS 'An event with its contract, its customer, its commercial and the support who runs it, if any.';

CREATE VIEW payment_view AS
SELECT payment.id,
       payment.contract_id AS contract,
       contract.number,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       customer.commercial_id,
       commercial.username AS commercial,
       payment.amount,
       payment.received_on,
       payment.method,
       payment.reference,
       payment.recorded_by,
       payment.recorded_by_id,
       payment.recorded_at,
       payment.voided_at,
       payment.voided_by,
       payment.void_reason
FROM payment
JOIN contract ON contract.id = payment.contract_id
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW payment_view IS 'A payment with the contract it pays, its customer and commercial, and who recorded it.';

-- In the history too: what is known of before is as good as that.
INSERT INTO change (by, command, batch, resource, resource_id, after)
SELECT 'sql:' || session_user, 'db migrate', gen_random_uuid(), 'schema', '25', jsonb_build_object(
           'history', 'begins here',
           'contract.sold_by', 'of those that are signed: who is in charge now',
           'payment.received_on', 'of those that are there: the day in Paris on which they were recorded')
WHERE EXISTS (SELECT FROM employee);

-- A batch is undone row by row, the last first: what was added goes, what was changed becomes what it was. A row that is no
-- longer as the batch left it is kept, and so is one that a rule keeps; each says why.
CREATE FUNCTION undo_row(history regclass, of_batch uuid, in_resource text, of_id text) RETURNS text
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS
$$
DECLARE
    of_table text;
    id_type  text;
    found    jsonb; -- the row as it is now
    found_by jsonb; -- what the batch found, NULL of a row that it added
    left_by  jsonb; -- what the batch left, NULL of a row that it deleted
    was      jsonb; -- the fields that it changed, as it found them
    columns  text;
    last_id  bigint;
    differs  boolean;
    later    text;
BEGIN
    SELECT format('%I.%I', nspname, in_resource), format_type(atttypid, atttypmod) INTO of_table, id_type
    FROM pg_catalog.pg_class AS recorded
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = recorded.relnamespace
    JOIN pg_catalog.pg_class AS of_rows ON of_rows.relnamespace = recorded.relnamespace AND of_rows.relname = in_resource
    JOIN pg_catalog.pg_attribute ON attrelid = of_rows.oid AND attname = 'id'
    WHERE recorded.oid = history;
    EXECUTE format('SELECT to_jsonb(r) FROM %s AS r WHERE r.id = $1::%s FOR UPDATE', of_table, id_type) INTO found USING of_id;
    EXECUTE format('
        SELECT (array_agg(before ORDER BY id))[1], (array_agg(after ORDER BY id DESC))[1], max(id)
        FROM %s
        WHERE batch = $1 AND resource = $2 AND resource_id = $3', history)
    INTO found_by, left_by, last_id USING of_batch, in_resource, of_id;
    EXECUTE format('
        SELECT EXISTS (
                   SELECT
                   FROM (
                       SELECT DISTINCT ON (field.key) field.key, field.value
                       FROM %1$s AS change
                       CROSS JOIN LATERAL jsonb_each(change.before) AS field
                       WHERE change.resource = $1 AND change.resource_id = $2 AND change.id > $3
                       ORDER BY field.key, change.id) AS was
                   WHERE $4 -> was.key IS DISTINCT FROM was.value),
               (SELECT format(''%%s (%%s)'', by, coalesce(command, ''SQL''))
                FROM %1$s
                WHERE resource = $1 AND resource_id = $2 AND id > $3
                ORDER BY id DESC
                LIMIT 1)', history)
    INTO differs, later USING in_resource, of_id, last_id, found;
    IF differs OR (found IS NULL) <> (left_by IS NULL) THEN
        RETURN format('changed since by %s', coalesce(later, 'somebody'));
    END IF;
    IF found_by IS NULL AND left_by IS NULL THEN
        RETURN NULL;
    END IF;
    IF found_by IS NULL AND in_resource = 'payment' THEN
        EXECUTE format('
            UPDATE %s
            SET voided_at    = now(),
                voided_by    = current_setting(''crm.by''),
                voided_by_id = nullif(current_setting(''crm.by_id'', true), '''')::bigint,
                void_reason  = $2
            WHERE id = $1::uuid AND voided_at IS NULL', of_table)
        USING of_id, 'undo of batch ' || left(of_batch::text, 8);
        RETURN NULL;
    END IF;
    IF found_by IS NULL THEN
        EXECUTE format('DELETE FROM %s WHERE id = $1::%s', of_table, id_type) USING of_id;
        RETURN NULL;
    END IF;
    IF left_by IS NULL AND in_resource = 'employee' THEN
        RETURN 'who was deleted does not come back, for their password is gone';
    END IF;
    EXECUTE format('
        SELECT jsonb_object_agg(key, value), string_agg(quote_ident(key), '', '' ORDER BY key)
        FROM (
            SELECT DISTINCT ON (field.key) field.key, field.value
            FROM %s AS change
            CROSS JOIN LATERAL jsonb_each(change.before) AS field
            WHERE change.batch = $1 AND change.resource = $2 AND change.resource_id = $3
            ORDER BY field.key, change.id) AS was', history)
    INTO was, columns USING of_batch, in_resource, of_id;
    IF left_by IS NULL THEN
        EXECUTE format('
            INSERT INTO %1$s (id, %2$s) OVERRIDING SYSTEM VALUE
            SELECT $2::%3$s, %2$s
            FROM jsonb_populate_record(NULL::%1$s, $1)', of_table, columns, id_type)
        USING was, of_id;
    ELSE
        EXECUTE format('
            UPDATE %1$s AS now
            SET (%2$s) = (SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1))
            WHERE now.id = $2::%3$s', of_table, columns, id_type)
        USING was, of_id;
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION undo_row(regclass, uuid, text, text) IS 'Undoes what a batch did to a row, or returns why that is kept.';

CREATE FUNCTION undo_rows(history regclass, of_batch uuid, dry_run boolean)
    RETURNS TABLE (resource text, resource_id text, name text, undone boolean, reason text)
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS
$$
DECLARE
    home     text;
    touched  record;
    by_whom  text;
    why      text;
    rule     text;
    in_table text;
    done     jsonb[];
BEGIN
    -- Two who undo the same do it one after the other.
    PERFORM pg_advisory_xact_lock(hashtext('undo ' || of_batch));
    EXECUTE format('SELECT by FROM %s WHERE undoes = $1 LIMIT 1', history) INTO by_whom USING of_batch;
    IF by_whom IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', MESSAGE = format('This was undone already, by %s.', by_whom);
    END IF;
    SELECT quote_ident(nspname) INTO home
    FROM pg_catalog.pg_class
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = history;
    PERFORM set_config('crm.undoes', of_batch::text, true),
            set_config('crm.reason', 'undo of batch ' || left(of_batch::text, 8), true);
    BEGIN
        FOR touched IN EXECUTE format('
            SELECT line.resource, line.resource_id, max(line.name) AS name
            FROM %s.change_line AS line
            WHERE line.batch = $1
              AND line.resource <> ''schema''
            GROUP BY line.resource, line.resource_id
            ORDER BY max(line.id) DESC', home) USING of_batch
        LOOP
            BEGIN
                EXECUTE format('SELECT %s.undo_row($1, $2, $3, $4)', home) INTO why
                USING history, of_batch, touched.resource, touched.resource_id;
            EXCEPTION
                WHEN integrity_constraint_violation OR not_null_violation OR foreign_key_violation OR unique_violation
                    OR check_violation OR exclusion_violation THEN
                    GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME, in_table = TABLE_NAME, why = MESSAGE_TEXT;
                    why := coalesce((
                        SELECT obj_description(pg_constraint.oid, 'pg_constraint')
                        FROM pg_catalog.pg_constraint
                        JOIN pg_catalog.pg_class ON pg_class.oid = conrelid
                        WHERE conname = rule
                          AND relname = in_table
                          AND relnamespace = home::regnamespace), why);
            END;
            done := done || jsonb_build_object('resource', touched.resource, 'resource_id', touched.resource_id,
                'name', touched.name, 'undone', why IS NULL, 'reason', why);
        END LOOP;
        IF dry_run THEN
            RAISE EXCEPTION USING ERRCODE = 'ZC003';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'ZC003' THEN -- all is as it was, but for what is returned
            NULL;
    END;
    RETURN QUERY
        SELECT one.resource, one.resource_id, one.name, one.undone, one.reason
        FROM unnest(done) AS line, jsonb_to_record(line) AS one (resource text, resource_id text, name text, undone boolean, reason text);
END
$$;

COMMENT ON FUNCTION undo_rows(regclass, uuid, boolean) IS
    'Undoes a batch as far as it can, or only tries; returns of each row whether it is undone, and else why not.';

CREATE FUNCTION undo_batch(of_batch uuid, dry_run boolean)
    RETURNS TABLE (resource text, resource_id text, name text, undone boolean, reason text)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT undo_rows.resource, undo_rows.resource_id, undo_rows.name, undo_rows.undone, undo_rows.reason
    FROM undo_rows('change'::regclass, of_batch, dry_run);
END;

COMMENT ON FUNCTION undo_batch(uuid, boolean) IS 'Is undo_rows, with the rights of the owner.';

REVOKE EXECUTE ON FUNCTION undo_batch(uuid, boolean), undo_rows(regclass, uuid, boolean), undo_row(regclass, uuid, text, text) FROM PUBLIC;
