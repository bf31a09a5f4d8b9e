-- A login ends when it is not used for a while, and at a limit however much it is used.

ALTER TABLE session
    ADD COLUMN idle     interval    NOT NULL DEFAULT interval '30 minutes',
    ADD COLUMN limit_at timestamptz NOT NULL DEFAULT now() + interval '10 hours',
    ADD CONSTRAINT session_idle_positive CHECK (idle >= interval '1 minute');

COMMENT ON COLUMN session.idle IS 'How long a login may go unused; of no meaning for a token.';
COMMENT ON COLUMN session.limit_at IS 'When a login ends, however much it is used; of no meaning for a token.';
COMMENT ON COLUMN session.expires_at IS 'From this moment the session is over; the use of a login puts it off.';
COMMENT ON CONSTRAINT session_idle_positive ON session IS 'A login may go unused for a minute at least.';

-- Who holds the row is about to end it, or has just renewed it: neither is waited for.
CREATE FUNCTION renew_session(of_session uuid, of_employee bigint) RETURNS timestamptz
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    UPDATE session
    SET expires_at = least(clock_timestamp() + session.idle, session.limit_at)
    WHERE session.id = (
        SELECT used.id
        FROM session AS used
        WHERE used.id = of_session
          AND used.employee_id = of_employee
          AND used.name IS NULL
          AND used.expires_at > clock_timestamp()
          AND used.expires_at <= least(clock_timestamp() + used.idle, used.limit_at) - interval '1 minute'
        FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING expires_at;
END;

COMMENT ON FUNCTION renew_session IS
    'Puts off the end of a login that is good, at most once a minute, and returns the new one; else NULL.';

REVOKE EXECUTE ON FUNCTION renew_session(uuid, bigint) FROM PUBLIC;
