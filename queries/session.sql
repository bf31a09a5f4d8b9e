-- name: SessionEmployee :one
-- SessionEmployee returns the version of the schema and, when the session is still good, its employee as of now. The hash
-- of the secret is that in a token for scripts; NULL for a login, whose token is signed and says when it ends. The clock of
-- the database decides. The secret of a calendar opens no session.
SELECT schema_migrations.version,
       schema_migrations.dirty,
       employee.id,
       employee.username,
       employee.fullname,
       employee.role,
       coalesce(employee.password_one_time, false)::boolean AS password_one_time,
       session.name,
       coalesce(session.read_only, false)::boolean AS read_only,
       session.expires_at
FROM schema_migrations
LEFT JOIN session
       ON session.id = @session_id
      AND session.employee_id = @employee_id
      AND coalesce(session.secret_hash, '') = coalesce(sqlc.narg('secret_hash')::bytea, '')
      AND NOT session.calendar
      AND session.expires_at > now()
      AND coalesce(sqlc.narg('token_expires_at')::timestamptz > now(), true)
LEFT JOIN employee ON employee.id = session.employee_id;

-- name: LoginAttempt :one
-- LoginAttempt counts a failure before the password is looked at, so that parallel attempts and a client that dies
-- cannot avoid it; SessionAdd takes it back. From the fifth failure on a name has to wait where they came from, twice as
-- long each time up to an hour. A day without failures forgets them. Failures that came from elsewhere make the name
-- slower and no more, or else whoever guesses could keep its owner out; those of a password change are no logins. What is
-- to pause for them is counted once it has paused, or many right logins at once would be taken for failures while they
-- wait. Nothing is counted in a schema of another version.
WITH elsewhere AS (
    SELECT CASE
               WHEN @paused::boolean OR @peer::text LIKE 'session %' THEN 0
               ELSE least(100 * coalesce(sum(other.failures), 0), 5000)
           END::integer AS pause
    FROM login_failure AS other
    WHERE other.username = @username
      AND other.peer <> @peer
      AND other.peer NOT LIKE 'session %'
      AND other.retry_at > now() - interval '1 day'
), attempt AS (
    INSERT INTO login_failure AS failure (username, peer, failures, retry_at)
    SELECT @username, @peer, 1, now()
    FROM schema_migrations
    CROSS JOIN elsewhere
    WHERE schema_migrations.version = @schema_version
      AND NOT schema_migrations.dirty
      AND elsewhere.pause = 0
    ON CONFLICT (username, peer) DO UPDATE
    SET failures = CASE
            WHEN failure.retry_at < now() - interval '1 day' THEN 1
            ELSE failure.failures + 1
        END,
        retry_at = CASE
            WHEN failure.retry_at < now() - interval '1 day' OR failure.failures + 1 < 5 THEN now()
            ELSE now() + least(interval '30 seconds' * 2 ^ least(failure.failures - 4, 7), interval '1 hour')
        END,
        attempted_at = now()
    WHERE failure.retry_at <= clock_timestamp()
    RETURNING failures
)
SELECT schema_migrations.version,
       schema_migrations.dirty,
       EXISTS (SELECT FROM attempt) AS allowed,
       coalesce(ceil(extract(epoch FROM login_failure.retry_at - now())), 0)::integer AS wait_seconds,
       elsewhere.pause AS pause_milliseconds,
       coalesce(login_failure.attempted_at > now() - interval '3 seconds', false)::boolean AS recent,
       employee_password.id,
       employee_password.password_parameters,
       coalesce(employee_password.password_one_time, false)::boolean AS password_one_time,
       coalesce(employee_password.password_one_time_until <= now(), false)::boolean AS password_over
FROM schema_migrations
CROSS JOIN elsewhere
LEFT JOIN login_failure
       ON login_failure.username = @username
      AND login_failure.peer = @peer
LEFT JOIN employee_password ON employee_password.username = @username;

-- name: SessionAdd :one
-- SessionAdd starts a session, if this is the hash of the employee's password, and clears what is over. The employee is
-- locked first, as by those who change a role and then end the sessions: so neither waits for the other in a circle. A
-- change of the password that is under way is waited for, or it waits and then ends this session too.
WITH checked AS (
    UPDATE employee
    SET last_login_at = now()
    WHERE employee.id = @employee_id
      AND employee.active
      AND employee_password_is(employee.id, @password_hash)
    RETURNING employee.id, employee.username
), forgotten AS (
    DELETE FROM login_failure
    WHERE login_failure.username = (SELECT checked.username FROM checked)
      AND login_failure.peer = @peer
), old AS (
    DELETE FROM login_failure
    WHERE (login_failure.username, login_failure.peer) IN (
        SELECT failure.username, failure.peer
        FROM login_failure AS failure
        WHERE failure.retry_at < now() - interval '1 day'
        ORDER BY failure.username, failure.peer
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
), added AS (
    INSERT INTO session (id, employee_id, idle, expires_at, limit_at)
    SELECT @id,
           checked.id,
           sqlc.arg('idle_seconds')::bigint * interval '1 second',
           now() + sqlc.arg('idle_seconds')::bigint * interval '1 second',
           now() + sqlc.arg('limit_seconds')::bigint * interval '1 second'
    FROM checked
    RETURNING created_at, limit_at
)
SELECT added.created_at, added.limit_at, checked.username
FROM added
CROSS JOIN checked;

-- name: SessionRenew :one
-- SessionRenew puts off the end of a login that is used, and reports whether it did: not where nothing can be written.
SELECT CASE
           WHEN NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean
               THEN renew_session(@session_id, @employee_id) IS NOT NULL
           ELSE false
       END::boolean AS renewed;

-- name: SessionChangePassword :one
-- SessionChangePassword changes the password that has this hash, which ends all sessions of the employee. No row when it
-- has another.
SELECT changed::bigint AS id
FROM employee_change_password(@employee_id, @checked_hash, @password_hash) AS changed
WHERE changed IS NOT NULL;

-- name: SessionPasswordIs :one
-- SessionPasswordIs reports whether this is the hash of the employee's password.
SELECT employee_password_is(@employee_id, @password_hash);

-- name: SessionEnd :execrows
DELETE FROM session
WHERE id = @id
  AND employee_id = @employee_id;

-- name: AuthSessions :many
-- AuthSessions returns the logins of an employee that are good now, or those of everyone, and which of them this is.
SELECT session_view.id,
       employee_id,
       employee.username AS employee,
       employee.fullname AS employee_fullname,
       (session_view.id = @as_session_id)::boolean AS current,
       created_at,
       expires_at
FROM session_view
JOIN employee ON employee.id = employee_id
WHERE name IS NULL
  AND CASE
          WHEN @everyone::boolean THEN true
          WHEN sqlc.narg('username')::text IS NULL THEN employee_id = @as_employee_id
          ELSE employee.username = sqlc.narg('username')::text
      END
ORDER BY
    CASE WHEN @sort::text = 'id' THEN session_view.id END,
    CASE WHEN @sort = 'id:desc' THEN session_view.id END DESC,
    CASE WHEN @sort = 'employee' THEN employee.username END,
    CASE WHEN @sort = 'employee:desc' THEN employee.username END DESC,
    CASE WHEN @sort = 'employee_fullname' THEN fold(employee.fullname) END,
    CASE WHEN @sort = 'employee_fullname:desc' THEN fold(employee.fullname) END DESC,
    CASE WHEN @sort = 'current' THEN session_view.id = @as_session_id END,
    CASE WHEN @sort = 'current:desc' THEN session_view.id = @as_session_id END DESC,
    CASE WHEN @sort = 'created_at:desc' THEN created_at END DESC,
    CASE WHEN @sort = 'expires_at' THEN expires_at END,
    CASE WHEN @sort = 'expires_at:desc' THEN expires_at END DESC,
    created_at,
    session_view.id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: AuthSessionsCount :one
-- AuthSessionsCount counts the rows of AuthSessions: a test holds their filters equal.
SELECT count(*)
FROM session_view
JOIN employee ON employee.id = employee_id
WHERE name IS NULL
  AND CASE
          WHEN @everyone::boolean THEN true
          WHEN sqlc.narg('username')::text IS NULL THEN employee_id = @as_employee_id
          ELSE employee.username = sqlc.narg('username')::text
      END;

-- name: AuthSessionsRevoke :execrows
-- AuthSessionsRevoke ends the login of an id, which is as_own_id's where that is not NULL; or those of an employee; or all.
DELETE FROM session
USING employee
WHERE employee.id = employee_id
  AND name IS NULL
  AND CASE
          WHEN sqlc.narg('id')::uuid IS NOT NULL THEN
              session.id = sqlc.narg('id')::uuid
              AND (sqlc.narg('as_own_id')::bigint IS NULL OR employee_id = sqlc.narg('as_own_id')::bigint)
          WHEN @everyone::boolean THEN true
          WHEN sqlc.narg('username')::text IS NULL THEN employee_id = @as_employee_id
          ELSE employee.username = sqlc.narg('username')::text
      END;

-- name: AuthTokenList :many
-- AuthTokenList returns the tokens of an employee that are good now, or those of everyone, by name, or in the order of a
-- field.
SELECT session_view.id,
       employee_id,
       employee.username AS employee,
       employee.fullname AS employee_fullname,
       name::text AS name,
       kind,
       read_only,
       created_at,
       expires_at
FROM session_view
JOIN employee ON employee.id = employee_id
WHERE name IS NOT NULL
  AND CASE
          WHEN @everyone::boolean THEN true
          WHEN sqlc.narg('username')::text IS NULL THEN employee_id = @as_employee_id
          ELSE employee.username = sqlc.narg('username')::text
      END
ORDER BY
    CASE WHEN @sort::text = 'id' THEN session_view.id END,
    CASE WHEN @sort = 'id:desc' THEN session_view.id END DESC,
    CASE WHEN @sort = 'employee' THEN employee.username END,
    CASE WHEN @sort = 'employee:desc' THEN employee.username END DESC,
    CASE WHEN @sort = 'employee_fullname' THEN fold(employee.fullname) END,
    CASE WHEN @sort = 'employee_fullname:desc' THEN fold(employee.fullname) END DESC,
    CASE WHEN @sort = 'name:desc' THEN name END DESC,
    CASE WHEN @sort = 'kind' THEN kind END,
    CASE WHEN @sort = 'kind:desc' THEN kind END DESC,
    CASE WHEN @sort = 'read_only' THEN read_only END,
    CASE WHEN @sort = 'read_only:desc' THEN read_only END DESC,
    CASE WHEN @sort = 'created_at' THEN created_at END,
    CASE WHEN @sort = 'created_at:desc' THEN created_at END DESC,
    CASE WHEN @sort = 'expires_at' THEN expires_at END,
    CASE WHEN @sort = 'expires_at:desc' THEN expires_at END DESC,
    name,
    session_view.id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: AuthTokenListCount :one
-- AuthTokenListCount counts the rows of AuthTokenList: a test holds their filters equal.
SELECT count(*)
FROM session_view
JOIN employee ON employee.id = employee_id
WHERE name IS NOT NULL
  AND CASE
          WHEN @everyone::boolean THEN true
          WHEN sqlc.narg('username')::text IS NULL THEN employee_id = @as_employee_id
          ELSE employee.username = sqlc.narg('username')::text
      END;

-- name: AuthTokenForget :execrows
-- AuthTokenForget clears the tokens of an employee that are over, so that their names are free.
DELETE FROM session
WHERE employee_id = @as_employee_id
  AND name IS NOT NULL
  AND expires_at <= now();

-- name: AuthTokenTurn :one
-- AuthTokenTurn waits for a change of the employee's password or role that is under way, which may end the session, and
-- makes the next one wait, so that it ends the new token too.
SELECT id
FROM employee
WHERE id = @id
FOR SHARE;

-- name: AuthTokenCreate :one
-- AuthTokenCreate adds a token, if the login that asks for it is still good.
INSERT INTO session (id, employee_id, name, secret_hash, read_only, calendar, expires_at)
SELECT @id,
       login.employee_id,
       @name::text,
       @secret_hash::bytea,
       @read_only,
       @calendar,
       now() + sqlc.arg('seconds')::bigint * interval '1 second'
FROM session AS login
WHERE login.id = @login_id
RETURNING id, name::text AS name, read_only, created_at, expires_at;

-- name: AuthTokenRevoke :execrows
-- AuthTokenRevoke ends the token of a name, or all tokens, of an employee or of everyone.
DELETE FROM session
USING employee
WHERE employee.id = employee_id
  AND name IS NOT NULL
  AND (sqlc.narg('name')::text IS NULL OR name = sqlc.narg('name')::text)
  AND CASE
          WHEN @everyone::boolean THEN true
          WHEN sqlc.narg('username')::text IS NULL THEN employee_id = @as_employee_id
          ELSE employee.username = sqlc.narg('username')::text
      END;

-- name: CalendarEmployee :one
-- CalendarEmployee returns the version of the schema and, when there is a calendar of this secret, whose events it has: only
-- a commercial and a support have any.
SELECT schema_migrations.version,
       schema_migrations.dirty,
       employee.id,
       employee.fullname,
       employee.role
FROM schema_migrations
LEFT JOIN session
       ON session.id = @session_id
      AND session.secret_hash = @secret_hash
      AND session.calendar
      AND session.expires_at > now()
LEFT JOIN employee
       ON employee.id = session.employee_id
      AND employee.active
      AND employee.role IN ('commercial', 'support');
