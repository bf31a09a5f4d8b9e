CREATE OR REPLACE FUNCTION employee_sessions_end() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM session WHERE employee_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION employee_administrator_turn() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('employee_administrator_remains'));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION employee_administrator_remains() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM FROM employee WHERE role = 'administrator' ORDER BY id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = trigger_message(TG_RELID, TG_NAME);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION employee_in_charge() RETURNS trigger
    LANGUAGE plpgsql AS
$$
DECLARE
    customers bigint := (SELECT count(*) FROM customer WHERE commercial_id = OLD.id);
    events    bigint := (SELECT count(*) FROM event WHERE support_id = OLD.id);
BEGIN
    IF customers + events > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME,
            MESSAGE = format(trigger_message(TG_RELID, TG_NAME), concat_ws(' and ',
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

CREATE OR REPLACE FUNCTION payment_sum() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE contract SET paid_amount = paid_amount - OLD.amount WHERE id = OLD.contract_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE contract SET paid_amount = paid_amount + NEW.amount WHERE id = NEW.contract_id;
    END IF;
    RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION payment_sum() TO PUBLIC;

CREATE OR REPLACE FUNCTION payment_lock() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM FROM contract WHERE id = NEW.contract_id FOR NO KEY UPDATE;
    RETURN NEW;
END
$$;

DROP FUNCTION employee_change_password(bigint, text, text);
DROP FUNCTION employee_password_is(bigint, text);
DROP VIEW employee_password;
