-- name: SessionEmployee :one
-- SessionEmployee gives the schema's version and, when the session is still good, its employee as of now.
SELECT schema_migrations.version,
       schema_migrations.dirty,
       employee.id,
       employee.username,
       employee.fullname,
       employee.role,
       session.expires_at
FROM schema_migrations
LEFT JOIN session
       ON session.id = @session_id
      AND session.employee_id = @employee_id
      AND session.expires_at > now()
LEFT JOIN employee ON employee.id = session.employee_id;

-- name: LoginAttempt :one
-- LoginAttempt counts a failure before the password is looked at, so that parallel attempts and a client that dies
-- cannot avoid it; SessionAdd takes it back. From the fifth failure on a name has to wait, twice as long each time up
-- to an hour. A day without failures forgets them. Nothing is counted in a schema of another version.
WITH attempt AS (
    INSERT INTO login_failure AS failure (username, failures, retry_at)
    SELECT @username, 1, now()
    FROM schema_migrations
    WHERE schema_migrations.version = @schema_version
      AND NOT schema_migrations.dirty
    ON CONFLICT (username) DO UPDATE
    SET failures = CASE
            WHEN failure.retry_at < now() - interval '1 day' THEN 1
            ELSE failure.failures + 1
        END,
        retry_at = CASE
            WHEN failure.retry_at < now() - interval '1 day' OR failure.failures + 1 < 5 THEN now()
            ELSE now() + least(interval '30 seconds' * 2 ^ least(failure.failures - 4, 7), interval '1 hour')
        END
    WHERE failure.retry_at <= clock_timestamp()
    RETURNING failures
)
SELECT schema_migrations.version,
       schema_migrations.dirty,
       EXISTS (SELECT FROM attempt) AS allowed,
       coalesce(ceil(extract(epoch FROM login_failure.retry_at - now())), 0)::integer AS wait_seconds,
       employee.id,
       employee.password_hash
FROM schema_migrations
LEFT JOIN login_failure ON login_failure.username = @username
LEFT JOIN employee ON employee.username = @username;

-- name: SessionAdd :one
-- SessionAdd starts a session, if the password is still the one that was checked, and clears what is over. The employee
-- is locked first, as by those who change a role and then end the sessions: so neither waits for the other in a circle.
WITH checked AS (
    SELECT employee.id, employee.username
    FROM employee
    WHERE employee.id = @employee_id
      AND employee.password_hash = @password_hash
    FOR KEY SHARE
), forgotten AS (
    DELETE FROM login_failure
    WHERE login_failure.username = (SELECT checked.username FROM checked)
), old AS (
    DELETE FROM login_failure
    WHERE login_failure.username IN (
        SELECT failure.username
        FROM login_failure AS failure
        WHERE failure.retry_at < now() - interval '1 day'
        ORDER BY failure.username
        FOR UPDATE SKIP LOCKED)
), over AS (
    DELETE FROM session
    WHERE EXISTS (SELECT FROM checked)
      AND session.id IN (
          SELECT expired.id
          FROM session AS expired
          WHERE expired.expires_at <= now()
          ORDER BY expired.id
          FOR UPDATE SKIP LOCKED)
)
INSERT INTO session (id, employee_id)
SELECT @id, checked.id
FROM checked
RETURNING expires_at;

-- name: SessionChangePassword :one
-- SessionChangePassword changes the password that was checked, which ends all sessions of the employee. No row when the
-- session is over, or when the password was changed meanwhile.
UPDATE employee
SET password_hash = @password_hash
WHERE employee.id = @employee_id
  AND employee.password_hash = @checked_hash
  AND EXISTS (
      SELECT
      FROM session
      WHERE session.id = @session_id
        AND session.employee_id = @employee_id)
RETURNING employee.id;

-- name: SessionEnd :execrows
DELETE FROM session
WHERE id = @id
  AND employee_id = @employee_id;
