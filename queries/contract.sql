-- name: ContractList :many
-- ContractList returns the contracts by creation, or in the order of a field; each filter that is NULL lets all pass.
-- The join is for the index on search, and only there when something is searched: otherwise the planner drops it.
SELECT contract_view.*
FROM contract_view
LEFT JOIN (SELECT customer.id AS searched_id, customer.search FROM customer) AS searched ON searched_id = customer_id
WHERE (NOT @not_signed::boolean OR NOT signed)
  AND (NOT @not_paid::boolean OR total_due > 0)
  AND (NOT @signed::boolean OR signed)
  AND (NOT @overdue::boolean OR (status IN ('signed', 'part_paid') AND due_on < current_date))
  AND (CASE WHEN sqlc.narg('status')::contract_status IS NULL THEN status <> 'cancelled' ELSE status = sqlc.narg('status')::contract_status END)
  AND (sqlc.narg('signed_from')::date IS NULL OR signed_at >= sqlc.narg('signed_from')::date)
  AND (sqlc.narg('signed_to')::date IS NULL OR signed_at < sqlc.narg('signed_to')::date + 1)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('number_begins')::text IS NULL OR starts_with(number, sqlc.narg('number_begins')::text))
  AND (sqlc.narg('first_id')::uuid IS NULL OR id BETWEEN sqlc.narg('first_id')::uuid AND sqlc.narg('last_id')::uuid)
  AND (sqlc.narg('search')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('search')::text)
          AND (cardinality(search_patterns(sqlc.narg('search')::text)) = 1 OR search LIKE ALL (search_patterns(sqlc.narg('search')::text)))))
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
    CASE WHEN @sort = 'commercial_fullname' THEN fold(commercial_fullname) END,
    CASE WHEN @sort = 'commercial_fullname:desc' THEN fold(commercial_fullname) END DESC,
    CASE WHEN @sort = 'signed' THEN signed END,
    CASE WHEN @sort = 'signed:desc' THEN signed END DESC,
    CASE WHEN @sort = 'status' THEN status END,
    CASE WHEN @sort = 'status:desc' THEN status END DESC,
    CASE WHEN @sort = 'total_amount' THEN total_amount END,
    CASE WHEN @sort = 'total_amount:desc' THEN total_amount END DESC,
    CASE WHEN @sort = 'total_due' THEN total_due END,
    CASE WHEN @sort = 'total_due:desc' THEN total_due END DESC,
    CASE WHEN @sort = 'due_on' THEN due_on END,
    CASE WHEN @sort = 'due_on:desc' THEN due_on END DESC NULLS LAST,
    CASE WHEN @sort = 'days_due' THEN days_due END,
    CASE WHEN @sort = 'days_due:desc' THEN days_due END DESC NULLS LAST,
    CASE WHEN @sort = 'sold_by' THEN sold_by END,
    CASE WHEN @sort = 'sold_by:desc' THEN sold_by END DESC NULLS LAST,
    CASE WHEN @sort = 'created_at:desc' THEN created_at END DESC,
    CASE WHEN @sort = 'signed_at' THEN signed_at END,
    CASE WHEN @sort = 'signed_at:desc' THEN signed_at END DESC NULLS LAST,
    CASE WHEN @sort = 'updated_at' THEN updated_at END,
    CASE WHEN @sort = 'updated_at:desc' THEN updated_at END DESC,
    CASE WHEN @sort = 'cancelled_at' THEN cancelled_at END,
    CASE WHEN @sort = 'cancelled_at:desc' THEN cancelled_at END DESC NULLS LAST,
    CASE WHEN @sort = 'cancel_reason' THEN fold(cancel_reason) END,
    CASE WHEN @sort = 'cancel_reason:desc' THEN fold(cancel_reason) END DESC NULLS LAST,
    created_at,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: ContractCount :one
-- ContractCount counts and adds up the rows of ContractList: a test holds their filters equal. Of what is cancelled nothing
-- is owed.
SELECT count(*) AS count,
       coalesce(sum(total_amount), 0)::cents AS total_amount,
       coalesce(sum(total_due) FILTER (WHERE cancelled_at IS NULL), 0)::cents AS total_due
FROM contract_view
LEFT JOIN (SELECT customer.id AS searched_id, customer.search FROM customer) AS searched ON searched_id = customer_id
WHERE (NOT @not_signed::boolean OR NOT signed)
  AND (NOT @not_paid::boolean OR total_due > 0)
  AND (NOT @signed::boolean OR signed)
  AND (NOT @overdue::boolean OR (status IN ('signed', 'part_paid') AND due_on < current_date))
  AND (CASE WHEN sqlc.narg('status')::contract_status IS NULL THEN status <> 'cancelled' ELSE status = sqlc.narg('status')::contract_status END)
  AND (sqlc.narg('signed_from')::date IS NULL OR signed_at >= sqlc.narg('signed_from')::date)
  AND (sqlc.narg('signed_to')::date IS NULL OR signed_at < sqlc.narg('signed_to')::date + 1)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('customer_id')::bigint IS NULL OR customer_id = sqlc.narg('customer_id')::bigint)
  AND (sqlc.narg('number_begins')::text IS NULL OR starts_with(number, sqlc.narg('number_begins')::text))
  AND (sqlc.narg('first_id')::uuid IS NULL OR id BETWEEN sqlc.narg('first_id')::uuid AND sqlc.narg('last_id')::uuid)
  AND (sqlc.narg('search')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('search')::text)
          AND (cardinality(search_patterns(sqlc.narg('search')::text)) = 1 OR search LIKE ALL (search_patterns(sqlc.narg('search')::text)))));

-- name: ContractDetail :one
SELECT *
FROM contract_view
WHERE id = @id;

-- name: ContractCandidates :many
-- ContractCandidates returns the first contracts whose ids lie from one to another, which a shortened id may mean, or the
-- one of a number.
SELECT *
FROM contract_view
WHERE id BETWEEN sqlc.narg('first_id')::uuid AND sqlc.narg('last_id')::uuid
   OR number = sqlc.narg('number')::text
ORDER BY id
LIMIT 10;

-- name: ContractAdd :one
-- ContractAdd draws up a contract; no row when there is no such customer.
INSERT INTO contract (id, customer_id, total_amount, due_on)
SELECT @as_id, customer.id, @total_amount, sqlc.narg('due_on')::date
FROM customer
WHERE customer.id = @customer_id
RETURNING id;

-- name: ContractUpdate :one
-- ContractUpdate changes the given fields; NULL keeps, and a field named in clear becomes NULL. It is limited to the
-- customers of the commercial, who neither gets a contract from another's customer nor moves one to it. No row either when
-- the customer to be does not exist.
UPDATE contract
SET total_amount = coalesce(sqlc.narg('total_amount')::cents, contract.total_amount),
    customer_id  = coalesce(sqlc.narg('customer_id'), contract.customer_id),
    due_on       = CASE WHEN 'due' = ANY (@clear::text[]) THEN NULL ELSE coalesce(sqlc.narg('due_on')::date, contract.due_on) END
FROM customer, customer AS target
WHERE contract.id = @id
  AND expects('contract', contract.id::text, sqlc.narg('expected')::text)
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

-- name: ContractUnsign :one
-- ContractUnsign withdraws the signature; the history says why. Triggers and keys refuse it where something is paid or
-- takes place. No reason is a blank one, which is refused: a setting that is empty is one that nobody made.
UPDATE contract
SET signed_at = NULL
FROM (SELECT set_config('crm.reason', coalesce(nullif(@reason::text, ''), ' '), true) AS reason) AS why
WHERE id = @id
  AND why.reason IS NOT NULL
RETURNING id;

-- name: ContractCancel :one
-- ContractCancel reports whether it was this that cancelled: a contract that is cancelled already keeps its day and its
-- reason. It is limited to the customers of the commercial.
UPDATE contract
SET cancelled_at  = coalesce(contract.cancelled_at, now()),
    cancel_reason = coalesce(contract.cancel_reason, @reason::text)
FROM customer
WHERE contract.id = @id
  AND customer.id = contract.customer_id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint)
RETURNING (contract.cancelled_at = now())::boolean AS changed;

-- name: ContractAddPayment :one
-- ContractAddPayment records the payment, once however often it is repeated with the same id, or with the same reference
-- of the bank. No row when it is recorded already, or when the contract is not one of the commercial's customers.
INSERT INTO payment (id, contract_id, amount, received_on, method, reference, recorded_by, recorded_by_id)
SELECT @id,
       contract.id,
       @amount,
       coalesce(sqlc.narg('received_on')::date, current_date),
       sqlc.narg('method')::payment_method,
       sqlc.narg('reference')::text,
       @as_username,
       @as_employee_id::bigint
FROM contract
JOIN customer ON customer.id = contract.customer_id
WHERE contract.id = @contract_id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR customer.commercial_id = sqlc.narg('as_commercial_id')::bigint)
ON CONFLICT DO NOTHING
RETURNING payment.id;

-- name: ContractAddedPayment :one
-- ContractAddedPayment returns what ContractAddPayment recorded, just now or when it was first called: a statement of its
-- own, which sees what another transaction recorded while that one waited for it. No row when the id names a payment of
-- another amount or contract, or when the contract is not one of the commercial's customers.
SELECT payment_view.*
FROM payment_view
WHERE payment_view.contract = @contract_id
  AND payment_view.amount = @amount
  AND (payment_view.id = @id
       OR (payment_view.reference = sqlc.narg('reference')::text
           AND payment_view.voided_at IS NULL
           AND NOT EXISTS (SELECT FROM payment WHERE payment.id = @id)))
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL
       OR payment_view.commercial_id = sqlc.narg('as_commercial_id')::bigint);

-- name: ContractSums :one
-- ContractSums returns what is paid of a contract, and how its customer is reached.
SELECT contract.paid_amount,
       customer.phone AS customer_phone,
       customer.email AS customer_email
FROM contract
JOIN customer ON customer.id = contract.customer_id
WHERE contract.id = @id;
