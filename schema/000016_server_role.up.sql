-- The server works as a role that owns nothing (grants.sql). What it may not do itself, these functions do for it. They
-- look at nothing that the session may have put in their way, such as a temporary table of the same name: the search
-- path is empty, and tables are named with their schema, or were when the function was made.

-- What a login needs of a password, which is not its hash.
CREATE VIEW employee_password AS
SELECT id,
       username,
       substring(password_hash FROM '^.*[$]')::text AS password_parameters,
       password_one_time,
       password_one_time_until
FROM employee;

COMMENT ON VIEW employee_password IS
    'How the hash of a password is made: its costs and its salt, and not the hash, which leaves the database for nobody.';

CREATE FUNCTION employee_password_is(of_employee bigint, hash text) RETURNS boolean
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

CREATE FUNCTION employee_change_password(of_employee bigint, checked_hash text, new_hash text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    UPDATE employee
    SET password_hash     = new_hash,
        password_one_time = false
    WHERE id = of_employee
      AND password_hash = checked_hash
    RETURNING id;
END;

COMMENT ON FUNCTION employee_change_password(bigint, text, text) IS
    'Changes a password that the employee knows to one that they have chosen; NULL unless the first hash is that of now.';

REVOKE EXECUTE ON FUNCTION employee_password_is(bigint, text), employee_change_password(bigint, text, text) FROM PUBLIC;

-- The sum of a contract is written by nobody else: with the rights of the owner.
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

REVOKE EXECUTE ON FUNCTION payment_sum() FROM PUBLIC;

-- These do what whoever changes the row may do as well, and need no more.
CREATE OR REPLACE FUNCTION payment_lock() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    EXECUTE format('SELECT FROM %I.contract WHERE id = $1 FOR NO KEY UPDATE', TG_TABLE_SCHEMA)
    USING NEW.contract_id;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION employee_sessions_end() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    EXECUTE format('DELETE FROM %I.session WHERE employee_id = $1', TG_TABLE_SCHEMA)
    USING NEW.id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION employee_administrator_turn() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('employee_administrator_remains'));
    RETURN NULL;
END
$$;

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
