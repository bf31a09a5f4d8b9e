-- Those who are gone stay where they were: a customer is archived, an employee deactivated. Both come back the same way.

DROP VIEW customer_view, employee_view;

-- The later of two changes always has the later time, so that what was read can be told from what came since.
CREATE OR REPLACE FUNCTION touch() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    NEW.updated_at := greatest(now(), OLD.updated_at + interval '1 microsecond');
    RETURN NEW;
END
$$;

-- What is written again as it is was not changed.
DROP TRIGGER event_touch ON event;
CREATE TRIGGER event_touch
    BEFORE UPDATE ON event
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at -- a program that sets it itself brings it from elsewhere
        AND (OLD.name, OLD.contract_id, OLD.support_id, OLD.start_at, OLD.end_at, OLD.attendees, OLD.location, OLD.note, OLD.cancelled_at, OLD.cancel_reason)
            IS DISTINCT FROM
            (NEW.name, NEW.contract_id, NEW.support_id, NEW.start_at, NEW.end_at, NEW.attendees, NEW.location, NEW.note, NEW.cancelled_at, NEW.cancel_reason))
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER event_touch ON event IS 'An event says when it was last changed.';

CREATE FUNCTION event_to_come(start_at timestamptz, end_at timestamptz) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN start_at IS NULL OR event_period(start_at, end_at) && tstzrange(now(), NULL);

COMMENT ON FUNCTION event_to_come IS 'Whether an event is not over: one without a start is still to be planned.';

-- Employees.

ALTER TABLE employee
    ADD COLUMN active boolean NOT NULL DEFAULT true,
    ADD COLUMN last_login_at timestamptz,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD CONSTRAINT employee_id_active_key UNIQUE (id, active);

COMMENT ON COLUMN employee.active IS 'Whether they may log in and be put in charge; who left is not, and stays where they were.';
COMMENT ON COLUMN employee.last_login_at IS 'When they last logged in.';
COMMENT ON COLUMN employee.updated_at IS 'When the employee was last changed.';
COMMENT ON CONSTRAINT employee_id_active_key ON employee IS 'This employee id is taken.';

CREATE TRIGGER employee_touch
    BEFORE UPDATE ON employee
    FOR EACH ROW
    WHEN ((OLD.username, OLD.fullname, OLD.role, OLD.active, OLD.password_one_time)
        IS DISTINCT FROM (NEW.username, NEW.fullname, NEW.role, NEW.active, NEW.password_one_time))
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER employee_touch ON employee IS 'An employee says when they were last changed.';

DROP TRIGGER employee_sessions_end ON employee;
CREATE TRIGGER employee_sessions_end
    AFTER UPDATE OF role, password_hash, active ON employee
    FOR EACH ROW
    WHEN (OLD.role <> NEW.role OR OLD.password_hash <> NEW.password_hash OR OLD.active AND NOT NEW.active)
EXECUTE FUNCTION employee_sessions_end();
COMMENT ON TRIGGER employee_sessions_end ON employee IS
    'A change of role or password ends the sessions of the employee, and so does it when they are deactivated.';

-- The administrator who remains is an active one.

CREATE OR REPLACE FUNCTION employee_administrator_remains() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    administrators bigint;
    message        text;
BEGIN
    EXECUTE format('SELECT FROM %I.employee WHERE role = ''administrator'' AND active ORDER BY id FOR KEY SHARE', TG_TABLE_SCHEMA);
    GET DIAGNOSTICS administrators = ROW_COUNT;
    IF administrators = 0 THEN
        EXECUTE format('SELECT %I.trigger_message($1, $2)', TG_TABLE_SCHEMA) INTO message USING TG_RELID, TG_NAME;
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = message;
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER employee_administrator_turn ON employee;
CREATE TRIGGER employee_administrator_turn
    BEFORE UPDATE OF role, active OR DELETE ON employee
    FOR EACH STATEMENT
EXECUTE FUNCTION employee_administrator_turn();
COMMENT ON TRIGGER employee_administrator_turn ON employee IS
    'Those who change roles, or deactivate or delete employees, take turns.';

CREATE TRIGGER employee_administrator_active
    AFTER UPDATE OF active ON employee
    FOR EACH ROW
    WHEN (OLD.role = 'administrator' AND OLD.active AND NOT NEW.active)
EXECUTE FUNCTION employee_administrator_remains();
COMMENT ON TRIGGER employee_administrator_active ON employee IS
    'The last administrator stays active: make another one first (crm employee set-role).';

-- Nobody logs in who is inactive: to a login it is as if there were no such employee.

DROP VIEW employee_password;
CREATE VIEW employee_password AS
SELECT id,
       username,
       substring(password_hash FROM '^.*[$]')::text AS password_parameters,
       password_one_time,
       password_one_time_until
FROM employee
WHERE active;

COMMENT ON VIEW employee_password IS
    'How the hash of the password of an active employee is made: its costs and its salt, and not the hash, which leaves the database for nobody.';

-- It locks nothing: whoever needs it to stay so locks the employee, and asks again where they waited for that.
CREATE OR REPLACE FUNCTION employee_password_is(of_employee bigint, hash text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM employee
        WHERE id = of_employee
          AND active
          AND password_hash = hash);
END;

COMMENT ON FUNCTION employee_password_is(bigint, text) IS 'Whether this is the hash of the password of the employee, who is active.';

CREATE VIEW employee_view AS
SELECT employee.id,
       employee.username,
       employee.fullname,
       employee.role,
       employee.active,
       employee.last_login_at,
       employee.password_one_time,
       locked.until AS locked_until,
       employee.updated_at
FROM employee
CROSS JOIN LATERAL (
    SELECT max(login_failure.retry_at) AS until
    FROM login_failure
    WHERE login_failure.username = employee.username
      AND login_failure.peer NOT LIKE 'session %'
      AND login_failure.retry_at > now()) AS locked;

COMMENT ON VIEW employee_view IS
    'An employee as everyone may see it: without the password hash, and with the time until which wrong passwords keep the username from logging in somewhere.';

-- Customers.

ALTER TABLE customer
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN is_active boolean NOT NULL GENERATED ALWAYS AS (archived_at IS NULL) STORED,
    ADD COLUMN commercial_is_active boolean GENERATED ALWAYS AS (CASE WHEN archived_at IS NULL THEN true END) STORED,
    ADD CONSTRAINT customer_id_active_key UNIQUE (id, is_active),
    ADD CONSTRAINT customer_commercial_active_fkey FOREIGN KEY (commercial_id, commercial_is_active) REFERENCES employee (id, active);

ALTER TABLE contract
    ADD COLUMN customer_is_active boolean
        GENERATED ALWAYS AS (CASE WHEN contract_status_of(signed_at, cancelled_at, total_amount, paid_amount) IN ('draft', 'signed', 'part_paid') THEN true END) STORED,
    ADD CONSTRAINT contract_customer_active_fkey FOREIGN KEY (customer_id, customer_is_active) REFERENCES customer (id, is_active);

DROP TRIGGER customer_touch ON customer;
CREATE TRIGGER customer_touch
    BEFORE UPDATE ON customer
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at
        AND (OLD.fullname, OLD.company, OLD.commercial_id, OLD.email, OLD.phone, OLD.address, OLD.archived_at)
            IS DISTINCT FROM (NEW.fullname, NEW.company, NEW.commercial_id, NEW.email, NEW.phone, NEW.address, NEW.archived_at))
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER customer_touch ON customer IS 'A customer says when it was last changed.';

CREATE INDEX customer_archived_at ON customer (archived_at, id);
CREATE INDEX customer_archived_at_last ON customer (archived_at DESC NULLS LAST, id);

COMMENT ON COLUMN customer.archived_at IS 'When the customer was archived; NULL while there is business with them.';
COMMENT ON COLUMN customer.is_active IS 'Whether there is business with them: not archived.';
COMMENT ON COLUMN customer.commercial_is_active IS
    'True, or NULL of an archived customer: with commercial_id it points at an employee who is active and stays so.';
COMMENT ON COLUMN contract.customer_is_active IS
    'True while it is open, not signed or not paid; else NULL: with customer_id it points at a customer who is not archived.';
COMMENT ON CONSTRAINT customer_id_active_key ON customer IS 'This customer id is taken.';
COMMENT ON CONSTRAINT customer_commercial_active_fkey ON customer IS
    'A customer is in the charge of an employee who is active; an archived one may stay with who left (crm customer set-commercial).';
COMMENT ON CONSTRAINT contract_customer_active_fkey ON contract IS
    'The customer of a contract that is not signed or not paid is not archived (crm customer restore).';

CREATE OR REPLACE FUNCTION unrecorded_columns() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY [
        'id',                                                  -- beside them, as text
        'password_hash',                                       -- a secret
        'password_one_time_until', 'updated_at',               -- when, which every change says
        'last_login_at',                                       -- no change of the employee
        'search', 'signed', 'status', 'is_open', 'is_active',  -- made of other columns
        'commercial_role', 'commercial_is_active', 'support_role', -- for the keys that hold a rule
        'contract_signed', 'contract_is_open', 'customer_is_active',
        'paid_amount'                                          -- the sum of the payments
    ];

CREATE FUNCTION customer_in_business() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    contracts bigint;
    events    bigint;
    message   text;
BEGIN
    EXECUTE format('
        SELECT (SELECT count(*) FROM %1$I.contract WHERE customer_id = $1 AND customer_is_active),
               (SELECT count(*)
                FROM %1$I.event
                JOIN %1$I.contract ON contract.id = event.contract_id
                WHERE contract.customer_id = $1
                  AND event.cancelled_at IS NULL
                  AND %1$I.event_to_come(event.start_at, event.end_at)),
               %1$I.trigger_message($2, $3)', TG_TABLE_SCHEMA)
    INTO contracts, events, message USING OLD.id, TG_RELID, TG_NAME;
    IF contracts + events > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME,
            MESSAGE = format(message, concat_ws(' and ',
                CASE contracts
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 contract that is not signed or not paid'
                    ELSE contracts || ' contracts that are not signed or not paid'
                END || format(' (crm contract list --customer-id %s)', OLD.id),
                CASE events
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 event to come'
                    ELSE events || ' events to come'
                END || format(' (crm event list --customer-id %s)', OLD.id)));
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION customer_in_business IS 'Says with figures what keeps a customer from being archived.';

-- The row is locked before the trigger runs, and what is open or to come locks it too: neither slips past the other.
CREATE TRIGGER customer_in_business
    BEFORE UPDATE OF archived_at ON customer
    FOR EACH ROW
    WHEN (OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL)
EXECUTE FUNCTION customer_in_business();
COMMENT ON TRIGGER customer_in_business ON customer IS 'Settle first what is open of this customer: %s.';

CREATE FUNCTION event_needs() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    there   bigint;
    message text;
BEGIN
    IF TG_ARGV[0] = 'customer' THEN
        EXECUTE format('
            SELECT
            FROM %1$I.contract
            JOIN %1$I.customer ON customer.id = contract.customer_id
            WHERE contract.id = $1
              AND customer.is_active
            FOR KEY SHARE OF customer', TG_TABLE_SCHEMA)
        USING NEW.contract_id;
    ELSE
        EXECUTE format('SELECT FROM %I.employee WHERE id = $1 AND active FOR KEY SHARE', TG_TABLE_SCHEMA)
        USING NEW.support_id;
    END IF;
    GET DIAGNOSTICS there = ROW_COUNT;
    IF there = 0 THEN
        EXECUTE format('SELECT %I.trigger_message($1, $2)', TG_TABLE_SCHEMA) INTO message USING TG_RELID, TG_NAME;
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = message;
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION event_needs IS 'Refuses an event to come without those whom it needs.';

CREATE TRIGGER event_needs_customer
    BEFORE INSERT OR UPDATE OF contract_id, start_at, end_at, cancelled_at ON event
    FOR EACH ROW
    WHEN (NEW.cancelled_at IS NULL AND event_to_come(NEW.start_at, NEW.end_at) AND NEW.contract_id IS NOT NULL)
EXECUTE FUNCTION event_needs('customer');
CREATE TRIGGER event_needs_support
    BEFORE INSERT OR UPDATE OF support_id, start_at, end_at, cancelled_at ON event
    FOR EACH ROW
    WHEN (NEW.cancelled_at IS NULL AND event_to_come(NEW.start_at, NEW.end_at) AND NEW.support_id IS NOT NULL)
EXECUTE FUNCTION event_needs('support');
COMMENT ON TRIGGER event_needs_customer ON event IS 'The customer of an event to come is not archived (crm customer restore).';
COMMENT ON TRIGGER event_needs_support ON event IS 'An event to come is run by an employee who is active (crm event set-support).';

CREATE FUNCTION employee_leaves() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    customers bigint;
    events    bigint;
    message   text;
BEGIN
    EXECUTE format('
        SELECT (SELECT count(*) FROM %1$I.customer WHERE commercial_id = $1 AND archived_at IS NULL),
               (SELECT count(*)
                FROM %1$I.event
                WHERE support_id = $1
                  AND cancelled_at IS NULL
                  AND %1$I.event_to_come(start_at, end_at)),
               %1$I.trigger_message($2, $3)', TG_TABLE_SCHEMA)
    INTO customers, events, message USING OLD.id, TG_RELID, TG_NAME;
    IF customers + events > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME,
            MESSAGE = format(message, concat_ws(' and ',
                CASE customers
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 customer'
                    ELSE customers || ' customers'
                END,
                CASE events
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 event to come'
                    ELSE events || ' events to come'
                END));
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION employee_leaves IS 'Says with figures what keeps an employee from being deactivated.';

CREATE TRIGGER employee_leaves
    BEFORE UPDATE OF active ON employee
    FOR EACH ROW
    WHEN (OLD.active AND NOT NEW.active)
EXECUTE FUNCTION employee_leaves();
COMMENT ON TRIGGER employee_leaves ON employee IS 'Hand over first what is in the charge of this employee: %s (crm employee handover).';

-- Archived customers keep an employee too, from another role and from being deleted.
CREATE OR REPLACE FUNCTION employee_in_charge() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    customers bigint;
    archived  bigint;
    events    bigint;
    message   text;
BEGIN
    EXECUTE format('
        SELECT (SELECT count(*) FROM %1$I.customer WHERE commercial_id = $1),
               (SELECT count(*) FROM %1$I.customer WHERE commercial_id = $1 AND archived_at IS NOT NULL),
               (SELECT count(*) FROM %1$I.event WHERE support_id = $1 AND cancelled_at IS NULL),
               %1$I.trigger_message($2, $3)', TG_TABLE_SCHEMA)
    INTO customers, archived, events, message USING OLD.id, TG_RELID, TG_NAME;
    IF customers + events > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME,
            MESSAGE = format(message, concat_ws(' and ',
                CASE customers
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 customer' || CASE archived WHEN 0 THEN '' ELSE ', who is archived' END || ' (crm customer set-commercial)'
                    ELSE customers || ' customers' || CASE archived WHEN 0 THEN '' ELSE ', ' || archived || ' of them archived' END
                        || ' (crm customer set-commercial)'
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
       customer.archived_at,
       customer.created_at,
       customer.updated_at
FROM customer
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW customer_view IS 'A customer with the commercial in charge.';

-- What is tried and not kept, in the same way as it would be done, ends with this.
CREATE FUNCTION dry_run_ends() RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'ZC003', MESSAGE = 'A dry run keeps nothing.';
END
$$;

COMMENT ON FUNCTION dry_run_ends() IS 'Raises ZC003, so that the transaction that tried something is rolled back.';
