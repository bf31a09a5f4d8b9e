DROP FUNCTION import_refused(text, import_options), import_write(text, import_options, bigint, bigint), import_end(text, import_options);
DROP FUNCTION import_refused_rows(regclass, text, import_options), import_end_rows(regclass, text, import_options),
    import_write_rows(regnamespace, text, import_options, bigint, bigint);
DROP FUNCTION customer_import_write, contract_import_write, payment_import_write, event_import_write, employee_import_write;
DROP FUNCTION customer_import_refused, contract_import_refused, payment_import_refused, event_import_refused, employee_import_refused;
DROP FUNCTION customer_import_given, contract_import_given, payment_import_given, event_import_given, employee_import_given;
DROP TABLE customer_import, contract_import, payment_import, event_import, employee_import;
DROP TYPE import_count, import_options, import_on_match, import_key;

CREATE OR REPLACE FUNCTION refuse_name() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = trigger_message(TG_RELID, TG_NAME);
END
$$;

CREATE OR REPLACE FUNCTION employee_password_one_time() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP = 'UPDATE' OR NEW.password_one_time_until IS NULL OR NOT NEW.password_one_time THEN -- else it is a copy
        NEW.password_one_time_until = CASE WHEN NEW.password_one_time THEN now() + interval '7 days' END;
    END IF;
    RETURN NEW;
END
$$;
