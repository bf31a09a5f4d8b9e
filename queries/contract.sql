-- name: ContractList :many
-- ContractList returns the contracts by creation, or in the order of a field; each filter that is NULL lets all pass.
-- The join is for the index on search, and only there when something is searched: otherwise the planner drops it.
SELECT contract_view.*
FROM contract_view
LEFT JOIN (SELECT customer.id AS searched_id, customer.search FROM customer) AS searched ON searched_id = customer_id
WHERE (NOT @not_signed::boolean OR NOT signed)
  AND (NOT @not_paid::boolean OR total_due > 0)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('search')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('search')::text)
          AND search LIKE ALL (search_patterns(sqlc.narg('search')::text))))
ORDER BY
    CASE WHEN @sort::text = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'customer' THEN fold(customer) END,
    CASE WHEN @sort = 'customer:desc' THEN fold(customer) END DESC,
    CASE WHEN @sort = 'company' THEN fold(company) END,
    CASE WHEN @sort = 'company:desc' THEN fold(company) END DESC NULLS LAST,
    CASE WHEN @sort = 'commercial' THEN commercial END,
    CASE WHEN @sort = 'commercial:desc' THEN commercial END DESC,
    CASE WHEN @sort = 'commercial_fullname' THEN fold(commercial_fullname) END,
    CASE WHEN @sort = 'commercial_fullname:desc' THEN fold(commercial_fullname) END DESC,
    CASE WHEN @sort = 'signed' THEN signed END,
    CASE WHEN @sort = 'signed:desc' THEN signed END DESC,
    CASE WHEN @sort = 'total_amount' THEN total_amount END,
    CASE WHEN @sort = 'total_amount:desc' THEN total_amount END DESC,
    CASE WHEN @sort = 'total_due' THEN total_due END,
    CASE WHEN @sort = 'total_due:desc' THEN total_due END DESC,
    CASE WHEN @sort = 'created_at:desc' THEN created_at END DESC,
    CASE WHEN @sort = 'signed_at' THEN signed_at END,
    CASE WHEN @sort = 'signed_at:desc' THEN signed_at END DESC NULLS LAST,
    created_at,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: ContractCount :one
-- ContractCount counts the rows of ContractList: a test holds their filters equal.
SELECT count(*)
FROM contract_view
LEFT JOIN (SELECT customer.id AS searched_id, customer.search FROM customer) AS searched ON searched_id = customer_id
WHERE (NOT @not_signed::boolean OR NOT signed)
  AND (NOT @not_paid::boolean OR total_due > 0)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('search')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('search')::text)
          AND search LIKE ALL (search_patterns(sqlc.narg('search')::text))));

-- name: ContractDetail :one
SELECT *
FROM contract_view
WHERE id = @id;

-- name: ContractCandidates :many
-- ContractCandidates returns the first contracts whose ids lie from one to another: those that a shortened id may mean.
SELECT *
FROM contract_view
WHERE id BETWEEN @first_id AND @last_id
ORDER BY id
LIMIT 10;

-- name: ContractAdd :one
-- ContractAdd draws up a contract; no row when there is no such customer.
INSERT INTO contract (id, customer_id, total_amount)
SELECT @as_id, customer.id, @total_amount
FROM customer
WHERE customer.id = @customer_id
RETURNING id;

-- name: ContractUpdate :one
-- ContractUpdate changes the given fields; NULL keeps. It is limited to the customers of the commercial, who neither
-- gets a contract from another's customer nor moves one to it. No row either when the customer to be does not exist.
UPDATE contract
SET total_amount = coalesce(sqlc.narg('total_amount')::cents, contract.total_amount),
    customer_id  = coalesce(sqlc.narg('customer_id'), contract.customer_id)
FROM customer, customer AS target
WHERE contract.id = @id
  AND customer.id = contract.customer_id
  AND target.id = coalesce(sqlc.narg('customer_id'), contract.customer_id)
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR (customer.commercial_id, target.commercial_id)
        = (sqlc.narg('as_commercial_id')::bigint, sqlc.narg('as_commercial_id')::bigint))
RETURNING contract.id;

-- name: ContractSign :one
-- ContractSign reports whether it was this that signed: a contract that is signed already keeps its date. It is limited
-- to the customers of the commercial.
UPDATE contract
SET signed_at = coalesce(contract.signed_at, now())
FROM customer
WHERE contract.id = @id
  AND customer.id = contract.customer_id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint)
RETURNING (contract.signed_at = now())::boolean AS changed;

-- name: ContractAddPayment :one
-- ContractAddPayment records the payment, once however often it is repeated with the same id. No row when the id already
-- names a payment, or when the contract is not one of the commercial's customers.
INSERT INTO payment (id, contract_id, amount, recorded_by, recorded_by_id)
SELECT @id, contract.id, @amount, @as_username, @as_employee_id::bigint
FROM contract
JOIN customer ON customer.id = contract.customer_id
WHERE contract.id = @contract_id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint)
ON CONFLICT (id) DO NOTHING
RETURNING payment.id;

-- name: ContractAddedPayment :one
-- ContractAddedPayment returns what ContractAddPayment recorded, just now or when it was first called: a statement of its
-- own, which sees what another transaction recorded while that one waited for it. No row when the id names a payment of
-- another amount or contract, or when the contract is not one of the commercial's customers.
SELECT payment_view.*
FROM payment_view
JOIN contract ON contract.id = payment_view.contract
JOIN customer ON customer.id = contract.customer_id
WHERE payment_view.id = @id
  AND payment_view.contract = @contract_id
  AND payment_view.amount = @amount
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint);

-- name: ContractPayments :many
-- ContractPayments returns the payments of a contract by their time, or in the order of a field.
SELECT *
FROM payment_view
WHERE contract = @contract_id
ORDER BY
    CASE WHEN @sort::text = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'amount' THEN amount END,
    CASE WHEN @sort = 'amount:desc' THEN amount END DESC,
    CASE WHEN @sort = 'recorded_by' THEN recorded_by END,
    CASE WHEN @sort = 'recorded_by:desc' THEN recorded_by END DESC,
    CASE WHEN @sort = 'recorded_by_id' THEN recorded_by_id END,
    CASE WHEN @sort = 'recorded_by_id:desc' THEN recorded_by_id END DESC NULLS LAST,
    CASE WHEN @sort = 'recorded_at:desc' THEN recorded_at END DESC,
    recorded_at,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: ContractPaymentsCount :one
-- ContractPaymentsCount counts the rows of ContractPayments: a test holds their filters equal.
SELECT count(*)
FROM payment_view
WHERE contract = @contract_id;
