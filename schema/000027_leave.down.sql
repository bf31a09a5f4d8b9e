DROP FUNCTION dry_run_ends();
DROP VIEW customer_view, employee_view, employee_password;

DROP TRIGGER employee_leaves ON employee;
DROP FUNCTION employee_leaves();
DROP TRIGGER event_needs_customer ON event;
DROP TRIGGER event_needs_support ON event;
DROP FUNCTION event_needs();
DROP TRIGGER customer_in_business ON customer;
DROP FUNCTION customer_in_business();
DROP TRIGGER employee_administrator_active ON employee;
DROP TRIGGER employee_touch ON employee;
DROP FUNCTION event_to_come(timestamptz, timestamptz);

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

DROP TRIGGER event_touch ON event;
CREATE TRIGGER event_touch
    BEFORE UPDATE ON event
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at)
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER event_touch ON event IS 'An event says when it was last changed.';

DROP TRIGGER customer_touch ON customer;
CREATE TRIGGER customer_touch
    BEFORE UPDATE ON customer
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at)
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER customer_touch ON customer IS 'A customer says when it was last changed.';

ALTER TABLE contract DROP COLUMN customer_is_active;
ALTER TABLE customer DROP COLUMN commercial_is_active, DROP COLUMN is_active, DROP COLUMN archived_at;

CREATE OR REPLACE FUNCTION employee_administrator_remains() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    administrators bigint;
    message        text;
BEGIN
    EXECUTE format('SELECT FROM %I.employee WHERE role = ''administrator'' ORDER BY id FOR KEY SHARE', TG_TABLE_SCHEMA);
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
    BEFORE UPDATE OF role OR DELETE ON employee
    FOR EACH STATEMENT
EXECUTE FUNCTION employee_administrator_turn();
COMMENT ON TRIGGER employee_administrator_turn ON employee IS
    'Those who change roles or delete employees take turns.';

DROP TRIGGER employee_sessions_end ON employee;
CREATE TRIGGER employee_sessions_end
    AFTER UPDATE OF role, password_hash ON employee
    FOR EACH ROW
    WHEN (OLD.role <> NEW.role OR OLD.password_hash <> NEW.password_hash)
EXECUTE FUNCTION employee_sessions_end();
COMMENT ON TRIGGER employee_sessions_end ON employee IS
    'A change of role or password ends the sessions of the employee.';

-- An older crm knows nobody who is inactive: they log in no more for want of a password.
UPDATE employee
SET password_hash = '$argon2id$v=19$m=65536,t=3,p=4$' || replace(gen_random_uuid()::text, '-', '') || '$' || replace(gen_random_uuid()::text, '-', '')
WHERE NOT active;

CREATE OR REPLACE FUNCTION employee_password_is(of_employee bigint, hash text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT
        FROM employee
        WHERE id = of_employee
          AND password_hash = hash
        FOR SHARE);
END;

COMMENT ON FUNCTION employee_password_is(bigint, text) IS
    'Whether this is the hash of the password of the employee; it then stays so until the transaction ends.';

ALTER TABLE employee DROP COLUMN active, DROP COLUMN last_login_at, DROP COLUMN updated_at;

CREATE OR REPLACE FUNCTION touch() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE VIEW employee_password AS
SELECT id,
       username,
       substring(password_hash FROM '^.*[$]')::text AS password_parameters,
       password_one_time,
       password_one_time_until
FROM employee;

COMMENT ON VIEW employee_password IS
    'How the hash of a password is made: its costs and its salt, and not the hash, which leaves the database for nobody.';

CREATE VIEW employee_view AS
SELECT id,
       username,
       fullname,
       role
FROM employee;

COMMENT ON VIEW employee_view IS 'An employee as everyone may see it: without the password hash.';

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
