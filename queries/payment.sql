-- name: PaymentList :many
-- PaymentList returns the payments by the day on which they came, or in the order of a field; each filter that is NULL lets
-- all pass.
SELECT *
FROM payment_view
WHERE (@voided::boolean OR voided_at IS NULL)
  AND (sqlc.narg('received_from')::date IS NULL OR received_on >= sqlc.narg('received_from')::date)
  AND (sqlc.narg('received_to')::date IS NULL OR received_on <= sqlc.narg('received_to')::date)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR greatest(recorded_at, voided_at) >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('recorded_by')::text IS NULL OR recorded_by = sqlc.narg('recorded_by')::text)
  AND (sqlc.narg('method')::payment_method IS NULL OR method = sqlc.narg('method')::payment_method)
ORDER BY
    CASE WHEN @sort::text = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'number' THEN number_order(number) END,
    CASE WHEN @sort = 'number:desc' THEN number_order(number) END DESC,
    CASE WHEN @sort = 'customer' THEN fold(customer) END,
    CASE WHEN @sort = 'customer:desc' THEN fold(customer) END DESC,
    CASE WHEN @sort = 'company' THEN fold(company) END,
    CASE WHEN @sort = 'company:desc' THEN fold(company) END DESC NULLS LAST,
    CASE WHEN @sort = 'commercial' THEN commercial END,
    CASE WHEN @sort = 'commercial:desc' THEN commercial END DESC,
    CASE WHEN @sort = 'amount' THEN amount END,
    CASE WHEN @sort = 'amount:desc' THEN amount END DESC,
    CASE WHEN @sort = 'method' THEN method END,
    CASE WHEN @sort = 'method:desc' THEN method END DESC NULLS LAST,
    CASE WHEN @sort = 'reference' THEN reference END,
    CASE WHEN @sort = 'reference:desc' THEN reference END DESC NULLS LAST,
    CASE WHEN @sort = 'recorded_by' THEN recorded_by END,
    CASE WHEN @sort = 'recorded_by:desc' THEN recorded_by END DESC,
    CASE WHEN @sort = 'recorded_at' THEN recorded_at END,
    CASE WHEN @sort = 'recorded_at:desc' THEN recorded_at END DESC,
    CASE WHEN @sort = 'voided_at' THEN voided_at END,
    CASE WHEN @sort = 'voided_at:desc' THEN voided_at END DESC NULLS LAST,
    CASE WHEN @sort = 'voided_by' THEN voided_by END,
    CASE WHEN @sort = 'voided_by:desc' THEN voided_by END DESC NULLS LAST,
    CASE WHEN @sort = 'void_reason' THEN fold(void_reason) END,
    CASE WHEN @sort = 'void_reason:desc' THEN fold(void_reason) END DESC NULLS LAST,
    CASE WHEN @sort = 'received_on:desc' THEN received_on END DESC,
    received_on,
    recorded_at,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: PaymentCount :one
-- PaymentCount counts and adds up the rows of PaymentList: a test holds their filters equal. What is void adds nothing.
SELECT count(*) AS count,
       coalesce(sum(amount) FILTER (WHERE voided_at IS NULL), 0)::cents AS amount
FROM payment_view
WHERE (@voided::boolean OR voided_at IS NULL)
  AND (sqlc.narg('received_from')::date IS NULL OR received_on >= sqlc.narg('received_from')::date)
  AND (sqlc.narg('received_to')::date IS NULL OR received_on <= sqlc.narg('received_to')::date)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR greatest(recorded_at, voided_at) >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('contract_id')::uuid IS NULL OR contract = sqlc.narg('contract_id')::uuid)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('recorded_by')::text IS NULL OR recorded_by = sqlc.narg('recorded_by')::text)
  AND (sqlc.narg('method')::payment_method IS NULL OR method = sqlc.narg('method')::payment_method);

-- name: PaymentDetail :one
SELECT *
FROM payment_view
WHERE id = @id;

-- name: PaymentCandidates :many
-- PaymentCandidates returns the first payments whose ids lie from one to another, which a shortened id may mean.
SELECT id
FROM payment_view
WHERE id BETWEEN @first_id::uuid AND @last_id::uuid
ORDER BY id
LIMIT 10;

-- name: PaymentVoid :one
-- PaymentVoid reports whether it was this that voided: a void payment keeps its day and its reason. A commercial voids what
-- they recorded themselves today for one of their customers; no row for another.
SELECT (CASE
            WHEN payment_view.voided_at IS NULL THEN void_payment(payment_view.id, @as_username, @as_employee_id, @reason) IS NOT NULL
            ELSE false
        END)::boolean AS changed
FROM payment_view
WHERE id = @id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR ((commercial_id, recorded_by_id) = (sqlc.narg('as_commercial_id')::bigint, sqlc.narg('as_commercial_id')::bigint)
           AND recorded_at >= current_date));
