-- A customer may be a person without a company, and be reached in one way only; people are called by their full names.

DROP VIEW event_view, contract_view, customer_view;
DROP INDEX customer_company, customer_email, customer_phone;

ALTER TABLE customer
    ALTER COLUMN company DROP NOT NULL,
    ALTER COLUMN email DROP NOT NULL,
    ALTER COLUMN phone DROP NOT NULL,
    ADD COLUMN address text,
    ADD CONSTRAINT customer_reachable CHECK (email IS NOT NULL OR phone IS NOT NULL),
    ADD CONSTRAINT customer_address_line CHECK (is_line(address));

COMMENT ON COLUMN customer.company IS 'Name of the company, if it is for one.';
COMMENT ON COLUMN customer.email IS 'E-mail address; NULL where only the phone number is known.';
COMMENT ON COLUMN customer.phone IS 'Phone number in E.164 form, such as +33612345678; NULL where only the e-mail address is known.';
COMMENT ON COLUMN customer.address IS 'Postal address.';
COMMENT ON CONSTRAINT customer_reachable ON customer IS 'A customer has an e-mail address or a phone number.';
COMMENT ON CONSTRAINT customer_address_line ON customer IS
    'An address is one line of 1 to 255 characters in Unicode normal form C, without control characters.';

-- What may be empty comes last in either direction, which one index cannot serve.
CREATE INDEX customer_company ON customer (fold(company), id);
CREATE INDEX customer_company_last ON customer (fold(company) DESC NULLS LAST, id);
CREATE INDEX customer_email ON customer (fold(email), id);
CREATE INDEX customer_email_last ON customer (fold(email) DESC NULLS LAST, id);
CREATE INDEX customer_phone ON customer (phone, id);
CREATE INDEX customer_phone_last ON customer (phone DESC NULLS LAST, id);
CREATE INDEX customer_address ON customer (fold(address), id);
CREATE INDEX customer_address_last ON customer (fold(address) DESC NULLS LAST, id);

CREATE INDEX employee_fullname ON employee (fold(fullname));

CREATE VIEW customer_view AS
SELECT customer.id,
       customer.fullname,
       customer.company,
       customer.commercial_id,
       commercial.username AS commercial,
       commercial.fullname AS commercial_fullname,
       customer.email,
       customer.phone,
       customer.address,
       customer.created_at,
       customer.updated_at
FROM customer
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW customer_view IS 'A customer with the commercial in charge.';

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
