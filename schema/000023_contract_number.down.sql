DROP VIEW event_view, contract_view, payment_view;
DROP TRIGGER contract_number ON contract;
DROP TRIGGER contract_touch ON contract;
DROP TRIGGER event_touch ON event;
DROP TRIGGER customer_touch ON customer;
DROP FUNCTION contract_number, touch;

CREATE FUNCTION event_touch() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION event_touch IS 'Keeps updated_at of an event.';

CREATE TRIGGER event_touch
    BEFORE UPDATE ON event
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at) -- a program that sets it itself brings it from elsewhere
EXECUTE FUNCTION event_touch();

COMMENT ON TRIGGER event_touch ON event IS 'An event says when it was last changed.';

ALTER TABLE contract
    DROP COLUMN number,
    DROP COLUMN due_on,
    DROP COLUMN status,
    DROP COLUMN updated_at;

DROP FUNCTION number_order, contract_status_of;
DROP TYPE contract_status;

CREATE VIEW contract_view AS
SELECT contract.id,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       customer.commercial_id,
       commercial.username AS commercial,
       commercial.fullname AS commercial_fullname,
       contract.signed,
       contract.total_amount,
       (contract.total_amount - contract.paid_amount)::bigint AS total_due,
       contract.created_at,
       contract.signed_at
FROM contract
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW contract_view IS
    'A contract with its customer and commercial; total_due is the total amount less the payments, in euro cents.';

CREATE VIEW event_view AS
SELECT event.id,
       event.name,
       event.contract_id   AS contract,
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

COMMENT ON VIEW event_view IS 'An event with its customer, its commercial and the support who runs it, if any.';

CREATE VIEW payment_view AS
SELECT id,
       contract_id AS contract,
       amount,
       recorded_by,
       recorded_by_id,
       recorded_at
FROM payment;

COMMENT ON VIEW payment_view IS 'A payment with the contract it pays and who recorded it.';
