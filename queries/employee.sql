-- name: EmployeeList :many
-- EmployeeList returns the employees by id, or in the order of a field: "fullname" or "fullname:desc".
SELECT *
FROM employee_view
WHERE (@inactive::boolean OR active)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('role')::role IS NULL OR role = sqlc.narg('role')::role)
  AND (sqlc.narg('search')::text IS NULL OR search_text(username || ' ' || fullname, NULL) LIKE ALL (search_patterns(sqlc.narg('search')::text)))
ORDER BY
    CASE WHEN @sort::text = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'username' THEN username END,
    CASE WHEN @sort = 'username:desc' THEN username END DESC,
    CASE WHEN @sort = 'fullname' THEN fold(fullname) END,
    CASE WHEN @sort = 'fullname:desc' THEN fold(fullname) END DESC,
    CASE WHEN @sort = 'role' THEN role END,
    CASE WHEN @sort = 'role:desc' THEN role END DESC,
    CASE WHEN @sort = 'active' THEN active END,
    CASE WHEN @sort = 'active:desc' THEN active END DESC,
    CASE WHEN @sort = 'last_login_at' THEN last_login_at END,
    CASE WHEN @sort = 'last_login_at:desc' THEN last_login_at END DESC NULLS LAST,
    CASE WHEN @sort = 'password_one_time' THEN password_one_time END,
    CASE WHEN @sort = 'password_one_time:desc' THEN password_one_time END DESC,
    CASE WHEN @sort = 'locked_until' THEN locked_until END,
    CASE WHEN @sort = 'locked_until:desc' THEN locked_until END DESC NULLS LAST,
    CASE WHEN @sort = 'updated_at' THEN updated_at END,
    CASE WHEN @sort = 'updated_at:desc' THEN updated_at END DESC,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: EmployeeCount :one
-- EmployeeCount counts the rows of EmployeeList: a test holds their filters equal.
SELECT count(*)
FROM employee_view
WHERE (@inactive::boolean OR active)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('role')::role IS NULL OR role = sqlc.narg('role')::role)
  AND (sqlc.narg('search')::text IS NULL OR search_text(username || ' ' || fullname, NULL) LIKE ALL (search_patterns(sqlc.narg('search')::text)));

-- name: EmployeeDetail :one
SELECT *
FROM employee_view
WHERE username = @username;

-- name: EmployeeFind :one
-- EmployeeFind returns the employee who has this id, or else this username.
SELECT *
FROM employee_view
WHERE id = sqlc.narg('id')
   OR username = sqlc.narg('username')
ORDER BY (id = sqlc.narg('id')) DESC
LIMIT 1;

-- name: EmployeeUsernames :many
-- EmployeeUsernames returns every username, to suggest the one that was meant.
SELECT username
FROM employee
ORDER BY username;

-- name: EmployeeAdd :one
-- EmployeeAdd adds an employee whose password somebody else knows, so that it is a one-time password.
INSERT INTO employee (username, fullname, role, password_hash, password_one_time)
VALUES (@username, @fullname, @role::role, @as_password_hash, true)
RETURNING password_one_time_until;

-- name: EmployeeExists :one
SELECT EXISTS (SELECT FROM employee);

-- name: EmployeeAddFirst :one
-- EmployeeAddFirst adds an administrator to a database without employees; no row when it has some.
INSERT INTO employee (username, fullname, role, password_hash)
SELECT @username, @fullname, 'administrator', @password_hash
WHERE NOT EXISTS (SELECT FROM employee)
RETURNING id;

-- name: EmployeeFirstTurn :one
-- EmployeeFirstTurn makes those who add a first administrator wait for each other until their transactions end.
SELECT 1::bigint
FROM (SELECT pg_advisory_xact_lock(hashtext('employee_first'))) AS turn;

-- name: EmployeeUpdate :one
-- EmployeeUpdate changes the given fields, NULL keeps, of the employee who has this id, or else now this username.
UPDATE employee
SET username = coalesce(sqlc.narg('username'), username),
    fullname = coalesce(sqlc.narg('fullname'), fullname)
WHERE id = (
    SELECT found.id
    FROM employee AS found
    WHERE found.id = sqlc.narg('id')
       OR found.username = sqlc.narg('current_username')
    ORDER BY (found.id = sqlc.narg('id')) DESC
    LIMIT 1)
  AND expects('employee', id::text, sqlc.narg('expected')::text)
RETURNING id;

-- name: EmployeeSetRole :one
UPDATE employee
SET role = @role::role
WHERE username = @username
RETURNING id;

-- name: EmployeeSetPassword :one
-- EmployeeSetPassword changes the password, which ends the sessions of the employee and forgets the failed logins. It is a
-- one-time password, unless the actor has chosen it for themselves.
WITH forgotten AS (
    DELETE FROM login_failure
    WHERE login_failure.username = @username
)
UPDATE employee
SET password_hash     = @as_password_hash,
    password_one_time = @one_time OR employee.id IS DISTINCT FROM sqlc.narg('as_employee_id')::bigint
WHERE employee.username = @username
RETURNING password_one_time_until;

-- name: EmployeeDeactivate :one
-- EmployeeDeactivate lets an employee log in no more, nor be put in charge. Triggers refuse it while customers or events to
-- come are in their charge.
UPDATE employee
SET active = false
WHERE username = @username
RETURNING id;

-- name: EmployeeReactivate :one
UPDATE employee
SET active = true
WHERE username = @username
RETURNING id;

-- name: EmployeeHandover :many
-- EmployeeHandover puts one employee in the place of another, for customers who are not archived, for events to come, or
-- for both. Reminders that are not done go along: those about what is handed over, and where it is both, all of them. It
-- returns what that is: of a customer, and of the one whom a reminder is about, what they owe and their next event; of an
-- event what is due of its contract and its start.
WITH moved_customer AS (
    UPDATE customer
    SET commercial_id = (SELECT employee.id FROM employee WHERE employee.username = @successor)
    FROM employee AS predecessor
    WHERE @customers::boolean
      AND predecessor.username = @username
      AND customer.commercial_id = predecessor.id
      AND customer.archived_at IS NULL
    RETURNING customer.id, customer.fullname
), moved_event AS (
    UPDATE event
    SET support_id    = (SELECT employee.id FROM employee WHERE employee.username = @successor),
        clash_allowed = event.clash_allowed AND NOT EXISTS ( -- with an event of the predecessor it is meant, with these it is not
            SELECT
            FROM event AS other
            JOIN employee ON employee.id = other.support_id
            WHERE employee.username = @successor
              AND other.cancelled_at IS NULL
              AND event_period(other.start_at, other.end_at) && event_period(event.start_at, event.end_at))
    FROM employee AS predecessor
    WHERE @events::boolean
      AND predecessor.username = @username
      AND event.support_id = predecessor.id
      AND event.cancelled_at IS NULL
      AND event_to_come(event.start_at, event.end_at)
    RETURNING event.id, event.name, event.contract_id, event.start_at
), moved_reminder AS (
    UPDATE reminder
    SET for_id = (SELECT employee.id FROM employee WHERE employee.username = @successor AND employee.active)
    FROM employee AS predecessor, reminder_view AS about
    WHERE predecessor.username = @username
      AND reminder.for_id = predecessor.id
      AND reminder.done_at IS NULL
      AND about.id = reminder.id
      AND (@customers::boolean AND @events::boolean
          OR about.customer_id IN (SELECT moved_customer.id FROM moved_customer)
          OR about.event_id IN (SELECT moved_event.id FROM moved_event))
    RETURNING reminder.id, reminder.text, reminder.due_on, about.customer_id
), moved AS (
    SELECT 'customer'::text AS resource, moved_customer.id, moved_customer.fullname AS name, moved_customer.id AS customer_id, NULL::date AS due_on
    FROM moved_customer
    UNION ALL
    SELECT 'reminder', moved_reminder.id, moved_reminder.text, moved_reminder.customer_id, moved_reminder.due_on
    FROM moved_reminder
)
SELECT moved.resource,
       moved.id,
       moved.name,
       customer.company,
       (SELECT coalesce(sum(contract_view.total_due), 0)::bigint
        FROM contract_view
        WHERE contract_view.customer_id = moved.customer_id
          AND contract_view.status IN ('signed', 'part_paid'))::cents AS total_due,
       next.start AS next_event,
       moved.due_on
FROM moved
JOIN customer ON customer.id = moved.customer_id
LEFT JOIN LATERAL (
    SELECT event_view.start
    FROM event_view
    WHERE event_view.customer_id = moved.customer_id
      AND event_view.cancelled_at IS NULL
      AND event_to_come(event_view.start, event_view."end")
    ORDER BY event_view.start
    LIMIT 1) AS next ON true
UNION ALL
SELECT 'event',
       moved_event.id,
       moved_event.name,
       contract_view.company,
       contract_view.total_due,
       moved_event.start_at,
       NULL
FROM moved_event
JOIN contract_view ON contract_view.id = moved_event.contract_id
ORDER BY resource, due_on, next_event, id;

-- name: EmployeeUnlock :execrows
-- EmployeeUnlock forgets the failed logins that were counted for an employee's username.
DELETE FROM login_failure
USING employee
WHERE employee.username = @username
  AND login_failure.username = employee.username;

-- name: EmployeeDelete :one
DELETE FROM employee
WHERE username = @username
RETURNING id;
