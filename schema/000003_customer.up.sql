-- Customers, each in the charge of a commercial.

CREATE TABLE customer (
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    fullname        text        NOT NULL,
    company         text        NOT NULL,
    commercial_id   bigint      NOT NULL,
    commercial_role role        NOT NULL GENERATED ALWAYS AS ('commercial'::role) STORED,
    email           text        NOT NULL,
    phone           text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    search          text        NOT NULL GENERATED ALWAYS AS (fold(fullname || ' ' || company || ' ' || email)) STORED,

    CONSTRAINT customer_pkey PRIMARY KEY (id),
    CONSTRAINT customer_commercial_fkey FOREIGN KEY (commercial_id, commercial_role) REFERENCES employee (id, role),
    CONSTRAINT customer_fullname_line CHECK (is_line(fullname)),
    CONSTRAINT customer_company_line CHECK (is_line(company)),
    CONSTRAINT customer_email_shape CHECK (email ~ '^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$' AND is_line(email)),
    CONSTRAINT customer_phone_e164 CHECK (phone ~ '^\+[1-9][0-9]{5,14}$')
);

CREATE INDEX customer_commercial_id ON customer (commercial_id, id);
CREATE INDEX customer_search ON customer USING gin (search gin_trgm_ops);

COMMENT ON TABLE customer IS 'Someone who buys events, or may.';
COMMENT ON COLUMN customer.fullname IS 'First and last name of the contact.';
COMMENT ON COLUMN customer.company IS 'Name of the company.';
COMMENT ON COLUMN customer.commercial_id IS 'The commercial in charge.';
COMMENT ON COLUMN customer.commercial_role IS
    'Always commercial: with commercial_id it points at an employee who has that role and cannot lose it.';
COMMENT ON COLUMN customer.email IS 'E-mail address.';
COMMENT ON COLUMN customer.phone IS 'Phone number in E.164 form, such as +33612345678.';
COMMENT ON COLUMN customer.created_at IS 'When the customer was added.';
COMMENT ON COLUMN customer.updated_at IS 'When the customer was last changed.';
COMMENT ON COLUMN customer.search IS 'Name, company and e-mail without case and accents.';
COMMENT ON CONSTRAINT customer_pkey ON customer IS 'This customer id is taken.';
COMMENT ON CONSTRAINT customer_commercial_fkey ON customer IS
    'A customer is in the charge of an employee whose role is commercial.';
COMMENT ON CONSTRAINT customer_fullname_line ON customer IS
    'A full name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT customer_company_line ON customer IS
    'A company name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT customer_email_shape ON customer IS
    'An e-mail address has one @, a dot in its domain and no spaces.';
COMMENT ON CONSTRAINT customer_phone_e164 ON customer IS
    'A phone number is stored in its international form, such as +33612345678.';

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
