DROP VIEW event_view, contract_view, customer_view;
DROP INDEX customer_company, customer_company_last, customer_email, customer_email_last, customer_phone, customer_phone_last,
    customer_address, customer_address_last, employee_fullname;

-- What may not be empty before gets what shows that it is not known.
UPDATE customer
SET company = coalesce(company, '-'),
    email   = coalesce(email, 'unknown@unknown.invalid'),
    phone   = coalesce(phone, '+33000000000')
WHERE company IS NULL
   OR email IS NULL
   OR phone IS NULL;

ALTER TABLE customer
    DROP CONSTRAINT customer_reachable,
    DROP COLUMN address,
    ALTER COLUMN company SET NOT NULL,
    ALTER COLUMN email SET NOT NULL,
    ALTER COLUMN phone SET NOT NULL;

COMMENT ON COLUMN customer.company IS 'Name of the company.';
COMMENT ON COLUMN customer.email IS 'E-mail address.';
COMMENT ON COLUMN customer.phone IS 'Phone number in E.164 form, such as +33612345678.';

CREATE INDEX customer_company ON customer (fold(company));
CREATE INDEX customer_email ON customer (fold(email));
CREATE INDEX customer_phone ON customer (phone);

CREATE VIEW customer_view AS
SELECT customer.id,
       customer.fullname,
       customer.company,
       customer.commercial_id,
       commercial.username AS commercial,
       customer.email,
       customer.phone,
       customer.created_at,
       customer.updated_at
FROM customer
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW customer_view IS 'A customer with the username of the commercial in charge.';

CREATE VIEW contract_view AS
SELECT contract.id,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       customer.commercial_id,
       commercial.username AS commercial,
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
       customer.commercial_id,
       commercial.username AS commercial,
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
