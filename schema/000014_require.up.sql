-- What a writing transaction begins with: what was checked a round trip earlier still holds, and holds until it ends.
-- Each refusal has a code of its own, so that no other fault of the server is taken for it.

CREATE FUNCTION require_version(needed bigint) RETURNS boolean
    LANGUAGE plpgsql AS
$$
BEGIN
    -- A migration first locks the table against readers, so the version stays until this transaction ends.
    PERFORM FROM schema_migrations WHERE version = needed AND NOT dirty;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ZC001', MESSAGE = 'The schema is at another version.';
    END IF;
    RETURN true;
END
$$;

COMMENT ON FUNCTION require_version(bigint) IS
    'Raises ZC001 unless the schema is at this version; it then stays at it until the transaction ends.';

CREATE FUNCTION require_session(acting_session uuid, acting_employee bigint, acting_role role) RETURNS boolean
    LANGUAGE plpgsql AS
$$
BEGIN
    -- The employee first, as those lock who change a role or a password and then end the sessions: so nobody waits in a
    -- circle. These locks let other writers of the same employee pass. A change of the role, a deletion, and whatever ends
    -- the session wait for this transaction, or this one waits for them and then sees what they did.
    PERFORM FROM employee WHERE id = acting_employee AND role = acting_role FOR KEY SHARE;
    IF FOUND THEN
        PERFORM FROM session
        WHERE id = acting_session
          AND employee_id = acting_employee
          AND expires_at > clock_timestamp()
        FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ZC002', MESSAGE = 'The session is over.';
    END IF;
    RETURN true;
END
$$;

COMMENT ON FUNCTION require_session(uuid, bigint, role) IS
    'Raises ZC002 unless the session is good and its employee has this role; both then stay so until the transaction ends.';
