-- A one-time password ends after a week, so that one that was never used does not log in for ever.

ALTER TABLE employee
    ADD COLUMN password_one_time_until timestamptz;

COMMENT ON COLUMN employee.password_one_time IS
    'Whether the password was set by somebody else: until its owner has chosen another, nothing else is allowed.';
COMMENT ON COLUMN employee.password_one_time_until IS
    'From this moment the one-time password logs in no more; NULL where the employee has chosen the password.';

-- Those that are there already end a week after the migration: when they were made was not kept.
UPDATE employee
SET password_one_time_until = now() + interval '7 days'
WHERE password_one_time;

CREATE FUNCTION employee_password_one_time() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP = 'UPDATE' OR NEW.password_one_time_until IS NULL OR NOT NEW.password_one_time THEN -- else it is a copy
        NEW.password_one_time_until = CASE WHEN NEW.password_one_time THEN now() + interval '7 days' END;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER employee_password_one_time
    BEFORE INSERT OR UPDATE OF password_hash, password_one_time ON employee
    FOR EACH ROW
EXECUTE FUNCTION employee_password_one_time();

COMMENT ON TRIGGER employee_password_one_time ON employee IS 'A one-time password ends after 7 days.';
