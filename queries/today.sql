-- name: Today :many
-- Today returns what waits for an employee, or for whoever asks, most pressing kind first and then by day, or in the order of a
-- field. A kind more is a SELECT more in the view.
SELECT kind,
       what,
       day,
       amount,
       command
FROM work_item
WHERE (sqlc.narg('for')::text IS NULL OR "for" = sqlc.narg('for')::text)
  AND (sqlc.narg('for')::text IS NOT NULL OR for_id = @as_employee_id::bigint)
ORDER BY
    CASE WHEN @sort::text = 'kind' THEN kind END,
    CASE WHEN @sort = 'kind:desc' THEN kind END DESC,
    CASE WHEN @sort = 'what' THEN fold(what) END,
    CASE WHEN @sort = 'what:desc' THEN fold(what) END DESC,
    CASE WHEN @sort = 'day' THEN day END,
    CASE WHEN @sort = 'day:desc' THEN day END DESC NULLS LAST,
    CASE WHEN @sort = 'amount' THEN amount END,
    CASE WHEN @sort = 'amount:desc' THEN amount END DESC NULLS LAST,
    CASE WHEN @sort = 'command' THEN command END,
    CASE WHEN @sort = 'command:desc' THEN command END DESC,
    place,
    day,
    command
LIMIT sqlc.narg('row_limit')::bigint;

-- name: TodayCount :one
-- TodayCount counts the rows of Today: a test holds their filters equal.
SELECT count(*)
FROM work_item
WHERE (sqlc.narg('for')::text IS NULL OR "for" = sqlc.narg('for')::text)
  AND (sqlc.narg('for')::text IS NOT NULL OR for_id = @as_employee_id::bigint);
