-- name: EmployeeList :many
-- EmployeeList returns the employees by id, or in the order of a field: "fullname" or "fullname:desc".
SELECT *
FROM employee_view
WHERE (sqlc.narg('role')::role IS NULL OR role = sqlc.narg('role')::role)
  AND (sqlc.narg('search')::text IS NULL OR search_text(username || ' ' || fullname, NULL) LIKE ALL (search_patterns(sqlc.narg('search')::text)))
ORDER BY
    CASE WHEN @sort::text = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'username' THEN username END,
    CASE WHEN @sort = 'username:desc' THEN username END DESC,
    CASE WHEN @sort = 'fullname' THEN fold(fullname) END,
    CASE WHEN @sort = 'fullname:desc' THEN fold(fullname) END DESC,
    CASE WHEN @sort = 'role' THEN role END,
    CASE WHEN @sort = 'role:desc' THEN role END DESC,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: EmployeeCount :one
-- EmployeeCount counts the rows of EmployeeList: a test holds their filters equal.
SELECT count(*)
FROM employee_view
WHERE (sqlc.narg('role')::role IS NULL OR role = sqlc.narg('role')::role)
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
