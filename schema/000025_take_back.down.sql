DROP FUNCTION undo_batch(uuid, boolean), undo_rows(regclass, uuid, boolean), undo_row(regclass, uuid, text, text);
DROP VIEW payment_view, event_view, contract_view;

DROP TRIGGER event_cancelled ON event;
ALTER TABLE event DROP CONSTRAINT event_support_fkey, DROP CONSTRAINT event_support_exists_fkey, DROP COLUMN support_role;
ALTER TABLE event ADD COLUMN support_role role NOT NULL GENERATED ALWAYS AS ('support'::role) STORED;
ALTER TABLE event ADD CONSTRAINT event_support_fkey FOREIGN KEY (support_id, support_role) REFERENCES employee (id, role);
COMMENT ON COLUMN event.support_role IS
    'Always support: with support_id it points at an employee who has that role and cannot lose it.';
COMMENT ON CONSTRAINT event_support_fkey ON event IS
    'An event is run by an employee whose role is support.';
ALTER TABLE event DROP COLUMN contract_is_open, DROP COLUMN cancelled_at, DROP COLUMN cancel_reason;

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
               (SELECT count(*) FROM %1$I.event WHERE support_id = $1),
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

DROP TRIGGER contract_touch ON contract;
CREATE TRIGGER contract_touch
    BEFORE UPDATE ON contract
    FOR EACH ROW
    WHEN ((OLD.customer_id, OLD.total_amount, OLD.paid_amount, OLD.signed_at, OLD.due_on)
        IS DISTINCT FROM (NEW.customer_id, NEW.total_amount, NEW.paid_amount, NEW.signed_at, NEW.due_on))
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER contract_touch ON contract IS 'A contract says when it was last changed.';

DROP TRIGGER contract_cancelled ON contract;
DROP TRIGGER contract_stays_signed ON contract;
DROP TRIGGER contract_sold ON contract;
DROP FUNCTION contract_sold();
ALTER TABLE contract DROP COLUMN status, DROP COLUMN is_open, DROP COLUMN sold_by, DROP COLUMN sold_by_id, DROP COLUMN cancelled_at, DROP COLUMN cancel_reason;
DROP FUNCTION contract_status_of(timestamptz, timestamptz, bigint, bigint);
DROP TYPE contract_status;
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
ALTER TABLE contract ADD COLUMN status contract_status NOT NULL
    GENERATED ALWAYS AS (contract_status_of(signed_at, total_amount, paid_amount)) STORED;
COMMENT ON COLUMN contract.status IS 'How far it has come.';
CREATE INDEX contract_status ON contract (status, created_at, id);
CREATE INDEX contract_status_last ON contract (status DESC, created_at, id);

DROP FUNCTION void_payment(uuid, text, bigint, text);
DROP TRIGGER payment_received ON payment;
DROP TRIGGER payment_stays_as_it_is ON payment;
DROP TRIGGER payment_stays ON payment;
DROP FUNCTION refuse_row();
DROP TRIGGER payment_sum_void ON payment;
DELETE FROM payment WHERE voided_at IS NOT NULL;
CREATE OR REPLACE FUNCTION payment_sum() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS
$$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        EXECUTE format('UPDATE %I.contract SET paid_amount = paid_amount - $1 WHERE id = $2', TG_TABLE_SCHEMA)
        USING OLD.amount, OLD.contract_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        EXECUTE format('UPDATE %I.contract SET paid_amount = paid_amount + $1 WHERE id = $2', TG_TABLE_SCHEMA)
        USING NEW.amount, NEW.contract_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER payment_sum_update
    AFTER UPDATE OF amount, contract_id ON payment
    FOR EACH ROW
    WHEN (OLD.amount <> NEW.amount OR OLD.contract_id <> NEW.contract_id)
EXECUTE FUNCTION payment_sum();
COMMENT ON TRIGGER payment_sum ON payment IS 'The paid amount of a contract is the sum of its payments.';
COMMENT ON TRIGGER payment_sum_update ON payment IS 'The paid amount of a contract is the sum of its payments.';
COMMENT ON COLUMN contract.paid_amount IS 'Sum of the payments in euro cents; kept by a trigger on payment.';
DROP INDEX payment_changed_at, payment_contract_id;
CREATE INDEX payment_contract_id ON payment (contract_id, recorded_at, id);
ALTER TABLE payment DROP COLUMN received_on, DROP COLUMN method, DROP COLUMN reference,
    DROP COLUMN voided_at, DROP COLUMN voided_by, DROP COLUMN voided_by_id, DROP COLUMN void_reason;
DROP TYPE payment_method;

CREATE OR REPLACE FUNCTION unrecorded_columns() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY [
        'id',                                                -- beside them, as text
        'password_hash',                                     -- a secret
        'password_one_time_until', 'updated_at',             -- when, which every change says
        'search', 'signed', 'status',                        -- made of other columns
        'commercial_role', 'support_role', 'contract_signed', -- for the keys that hold a rule
        'paid_amount'                                        -- the sum of the payments
    ];

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
