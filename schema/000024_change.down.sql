DROP FUNCTION history_ids(text, uuid);
DROP VIEW change_view, change_line;
DROP FUNCTION change_value(text, jsonb), change_field(text);

DROP FUNCTION require_session(uuid, bigint, role, text);
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

DO
$$
DECLARE
    resource text;
BEGIN
    FOREACH resource IN ARRAY ARRAY ['employee', 'customer', 'contract', 'payment', 'event'] LOOP
        EXECUTE format('
            DROP TRIGGER %1$s_added ON %1$s;
            DROP TRIGGER %1$s_changed ON %1$s;
            DROP TRIGGER %1$s_deleted ON %1$s', resource);
    END LOOP;
END
$$;

DROP FUNCTION record_change(), unrecorded_columns();
DROP TABLE change;
