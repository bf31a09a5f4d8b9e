-- A contract has a number that people can say, a day on which it is due, and a status; and it says when it was last changed.

DROP VIEW event_view, contract_view;

CREATE TYPE contract_status AS ENUM ('draft', 'signed', 'part_paid', 'paid');
COMMENT ON TYPE contract_status IS 'How far a contract has come: drawn up, signed, paid in part, paid.';

CREATE FUNCTION contract_status_of(signed_at timestamptz, total_amount bigint, paid_amount bigint) RETURNS contract_status
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN signed_at IS NULL THEN 'draft'::contract_status
        WHEN paid_amount >= total_amount THEN 'paid'::contract_status
        WHEN paid_amount > 0 THEN 'part_paid'::contract_status
        ELSE 'signed'::contract_status
    END;

COMMENT ON FUNCTION contract_status_of IS 'The status of a contract.';

CREATE FUNCTION number_order(number text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN left(number, 5) || lpad(substr(number, 6), 9, '0');

COMMENT ON FUNCTION number_order IS 'A number of a contract as it is sorted: 2026-10000 comes after 2026-9999.';

ALTER TABLE contract
    ADD COLUMN number text,
    ADD COLUMN due_on date,
    ADD COLUMN status contract_status NOT NULL
        GENERATED ALWAYS AS (contract_status_of(signed_at, total_amount, paid_amount)) STORED,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

-- Those that are there are counted as they came, and were last changed, as far as is known, when they were signed or paid.
UPDATE contract
SET number     = counted.number,
    updated_at = greatest(contract.created_at, contract.signed_at, counted.paid_at)
FROM (
    SELECT contract.id,
           counted.year || '-' || to_char(row_number() OVER (PARTITION BY counted.year ORDER BY contract.created_at, contract.id), 'FM999990000') AS number,
           (SELECT max(recorded_at) FROM payment WHERE contract_id = contract.id) AS paid_at
    FROM contract,
         LATERAL (SELECT to_char(contract.created_at AT TIME ZONE 'Europe/Paris', 'YYYY') AS year) AS counted) AS counted
WHERE counted.id = contract.id;

ALTER TABLE contract
    ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT contract_number_key UNIQUE (number),
    ADD CONSTRAINT contract_number_shape CHECK (number ~ '^[0-9]{4}-([0-9]{4}|[1-9][0-9]{4,8})$'),
    ADD CONSTRAINT contract_due_on_year CHECK (extract(year FROM due_on) BETWEEN 1900 AND 2200);

COMMENT ON COLUMN contract.number IS
    'Number such as 2026-0042: counted from 1 in each year, without gaps, by the database. The year is that in Paris.';
COMMENT ON COLUMN contract.due_on IS 'The day by which it is to be paid, if one was agreed.';
COMMENT ON COLUMN contract.status IS 'How far it has come.';
COMMENT ON COLUMN contract.updated_at IS 'When it, or what is paid of it, was last changed.';
COMMENT ON CONSTRAINT contract_number_key ON contract IS 'This number of a contract is taken.';
COMMENT ON CONSTRAINT contract_number_shape ON contract IS 'The number of a contract is a year and a count, such as 2026-0042.';
COMMENT ON CONSTRAINT contract_due_on_year ON contract IS 'A contract is due between the years 1900 and 2200.';

-- Numbers are given one after the other, until the transaction ends: one that fails leaves no gap.
CREATE FUNCTION contract_number() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    year text := to_char(NEW.created_at AT TIME ZONE 'Europe/Paris', 'YYYY');
    last text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('contract_number'));
    EXECUTE format('
        SELECT number
        FROM %1$I.contract
        WHERE %1$I.number_order(number) BETWEEN $1 || ''-'' AND $1 || ''-999999999''
        ORDER BY %1$I.number_order(number) DESC
        LIMIT 1', TG_TABLE_SCHEMA)
    INTO last USING year;
    NEW.number := year || '-' || to_char(coalesce(substr(last, 6)::bigint, 0) + 1, 'FM999990000');
    RETURN NEW;
END
$$;

CREATE TRIGGER contract_number
    BEFORE INSERT ON contract
    FOR EACH ROW
    WHEN (NEW.number IS NULL)
EXECUTE FUNCTION contract_number();

COMMENT ON TRIGGER contract_number ON contract IS 'A contract gets the next number of its year.';

-- One function says when a row was changed, for events and customers too.
CREATE FUNCTION touch() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION touch IS 'Keeps updated_at.';

CREATE TRIGGER contract_touch
    BEFORE UPDATE ON contract
    FOR EACH ROW
    WHEN ((OLD.customer_id, OLD.total_amount, OLD.paid_amount, OLD.signed_at, OLD.due_on)
        IS DISTINCT FROM (NEW.customer_id, NEW.total_amount, NEW.paid_amount, NEW.signed_at, NEW.due_on))
EXECUTE FUNCTION touch();

DROP TRIGGER event_touch ON event;
DROP FUNCTION event_touch;
CREATE TRIGGER event_touch
    BEFORE UPDATE ON event
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at) -- a program that sets it itself brings it from elsewhere
EXECUTE FUNCTION touch();

CREATE TRIGGER customer_touch
    BEFORE UPDATE ON customer
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at)
EXECUTE FUNCTION touch();

COMMENT ON TRIGGER event_touch ON event IS 'An event says when it was last changed.';
COMMENT ON TRIGGER customer_touch ON customer IS 'A customer says when it was last changed.';
COMMENT ON TRIGGER contract_touch ON contract IS 'A contract says when it was last changed.';

CREATE INDEX contract_number_order ON contract (number_order(number));
CREATE INDEX contract_status ON contract (status, created_at, id);
CREATE INDEX contract_status_last ON contract (status DESC, created_at, id);
CREATE INDEX contract_due_on ON contract (due_on, created_at, id);
CREATE INDEX contract_due_on_last ON contract (due_on DESC NULLS LAST, created_at, id);
CREATE INDEX contract_updated_at ON contract (updated_at);

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
       contract.created_at,
       contract.signed_at,
       contract.updated_at
FROM contract
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW contract_view IS
    'A contract with its customer and commercial; total_due is the total amount less the payments, in euro cents, and days_due the days since it was to be paid, below zero before that, while it is signed and not paid.';

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
       event.updated_at
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id
LEFT JOIN employee AS support ON support.id = event.support_id;

COMMENT ON VIEW event_view IS 'An event with its contract, its customer, its commercial and the support who runs it, if any.';

DROP VIEW payment_view;
CREATE VIEW payment_view AS
SELECT payment.id,
       payment.contract_id AS contract,
       contract.number,
       payment.amount,
       payment.recorded_by,
       payment.recorded_by_id,
       payment.recorded_at
FROM payment
JOIN contract ON contract.id = payment.contract_id;

COMMENT ON VIEW payment_view IS 'A payment with the contract it pays and who recorded it.';
