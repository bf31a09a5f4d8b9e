ALTER TABLE payment
    DROP COLUMN recorded_by_id;

-- Of several counts for a name the highest stays.
DELETE FROM login_failure
WHERE EXISTS (
    SELECT
    FROM login_failure AS other
    WHERE other.username = login_failure.username
      AND (other.failures, other.peer) > (login_failure.failures, login_failure.peer));

ALTER TABLE login_failure
    DROP CONSTRAINT login_failure_peer_length,
    DROP CONSTRAINT login_failure_pkey,
    ADD CONSTRAINT login_failure_pkey PRIMARY KEY (username),
    DROP COLUMN peer;

COMMENT ON CONSTRAINT login_failure_pkey ON login_failure IS 'Failed logins are counted once per name.';
