-- Employees, their sessions and their failed logins.

CREATE TYPE role AS ENUM ('none', 'commercial', 'support', 'administrator');

COMMENT ON TYPE role IS 'What an employee may do; none may only look.';

CREATE TABLE employee (
    id            bigint      GENERATED ALWAYS AS IDENTITY,
    username      text        NOT NULL,
    fullname      text        NOT NULL,
    role          role        NOT NULL DEFAULT 'none',
    password_hash text        NOT NULL,

    CONSTRAINT employee_pkey PRIMARY KEY (id),
    CONSTRAINT employee_username_key UNIQUE (username),
    CONSTRAINT employee_id_role_key UNIQUE (id, role),
    CONSTRAINT employee_username_shape CHECK (username ~ '^[a-z0-9][a-z0-9._-]{1,29}$'),
    CONSTRAINT employee_fullname_line CHECK (is_line(fullname)),
    CONSTRAINT employee_password_hash_argon2id CHECK (password_hash LIKE '$argon2id$%')
);

COMMENT ON TABLE employee IS 'Someone who works at Epic Events and may log in.';
COMMENT ON COLUMN employee.username IS 'Name to log in with, unique.';
COMMENT ON COLUMN employee.fullname IS 'First and last name.';
COMMENT ON COLUMN employee.role IS 'Decides what the employee may change.';
COMMENT ON COLUMN employee.password_hash IS 'argon2id in PHC form; never leaves the service layer.';
COMMENT ON CONSTRAINT employee_pkey ON employee IS 'This employee id is taken.';
COMMENT ON CONSTRAINT employee_username_key ON employee IS 'This username is taken.';
COMMENT ON CONSTRAINT employee_id_role_key ON employee IS
    'This employee id is taken.';
COMMENT ON CONSTRAINT employee_username_shape ON employee IS
    'A username has 2 to 30 characters: a-z, 0-9, and after the first also . _ -';
COMMENT ON CONSTRAINT employee_fullname_line ON employee IS
    'A full name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT employee_password_hash_argon2id ON employee IS
    'A password is stored as an argon2id hash only.';

CREATE TABLE session (
    id          uuid        NOT NULL,
    employee_id bigint      NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL DEFAULT now() + interval '30 minutes',

    CONSTRAINT session_pkey PRIMARY KEY (id),
    CONSTRAINT session_employee_fkey FOREIGN KEY (employee_id) REFERENCES employee (id) ON DELETE CASCADE,
    CONSTRAINT session_ends_after_start CHECK (expires_at > created_at)
);

CREATE INDEX session_employee_id ON session (employee_id);

COMMENT ON TABLE session IS 'A login that is still good. Without its row a token is worth nothing.';
COMMENT ON COLUMN session.id IS 'The jti of the token.';
COMMENT ON COLUMN session.employee_id IS 'Who logged in; the session goes when the employee does.';
COMMENT ON COLUMN session.created_at IS 'When the employee logged in.';
COMMENT ON COLUMN session.expires_at IS 'From this moment the session is over.';
COMMENT ON CONSTRAINT session_pkey ON session IS 'This session exists already.';
COMMENT ON CONSTRAINT session_employee_fkey ON session IS 'A session belongs to an employee.';
COMMENT ON CONSTRAINT session_ends_after_start ON session IS 'A session ends after it starts.';

CREATE TABLE login_failure (
    username text        NOT NULL,
    failures integer     NOT NULL,
    retry_at timestamptz NOT NULL,

    CONSTRAINT login_failure_pkey PRIMARY KEY (username),
    CONSTRAINT login_failure_failures_positive CHECK (failures > 0)
);

COMMENT ON TABLE login_failure IS
    'Wrong passwords in a row for a name, whether or not an employee has it, so that both answer alike.';
COMMENT ON COLUMN login_failure.username IS 'The name that was typed.';
COMMENT ON COLUMN login_failure.failures IS 'Attempts since the last good login; an attempt counts until it proves good.';
COMMENT ON COLUMN login_failure.retry_at IS 'No attempt is looked at before this moment.';
COMMENT ON CONSTRAINT login_failure_pkey ON login_failure IS 'Failed logins are counted once per name.';
COMMENT ON CONSTRAINT login_failure_failures_positive ON login_failure IS 'A failed login is counted from one.';

-- A new role or password ends the sessions made under the old one, whoever changes it.
CREATE FUNCTION employee_sessions_end() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM session WHERE employee_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER employee_sessions_end
    AFTER UPDATE OF role, password_hash ON employee
    FOR EACH ROW
    WHEN (OLD.role <> NEW.role OR OLD.password_hash <> NEW.password_hash)
EXECUTE FUNCTION employee_sessions_end();

COMMENT ON TRIGGER employee_sessions_end ON employee IS
    'A change of role or password ends the sessions of the employee.';

-- One administrator at least. The advisory lock makes those who remove one take turns, so that the second sees what
-- the first did; the row locks do the same under snapshot isolation, where the second then fails to serialize.
CREATE FUNCTION employee_administrator_turn() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('employee_administrator_remains'));
    RETURN NULL;
END
$$;

CREATE TRIGGER employee_administrator_turn
    BEFORE UPDATE OF role OR DELETE ON employee
    FOR EACH STATEMENT
EXECUTE FUNCTION employee_administrator_turn();

COMMENT ON TRIGGER employee_administrator_turn ON employee IS
    'Those who change roles or delete employees take turns.';

CREATE FUNCTION employee_administrator_remains() RETURNS trigger
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

CREATE TRIGGER employee_administrator_remains
    AFTER UPDATE OF role ON employee
    FOR EACH ROW
    WHEN (OLD.role = 'administrator' AND NEW.role <> 'administrator')
EXECUTE FUNCTION employee_administrator_remains();

CREATE TRIGGER employee_administrator_stays
    AFTER DELETE ON employee
    FOR EACH ROW
    WHEN (OLD.role = 'administrator')
EXECUTE FUNCTION employee_administrator_remains();

COMMENT ON TRIGGER employee_administrator_remains ON employee IS
    'The last administrator keeps the role: make another one first (crm employee set-role).';
COMMENT ON TRIGGER employee_administrator_stays ON employee IS
    'The last administrator stays: make another one first (crm employee set-role).';

CREATE VIEW employee_view AS
SELECT id,
       username,
       fullname,
       role
FROM employee;

COMMENT ON VIEW employee_view IS 'An employee as everyone may see it: without the password hash.';
