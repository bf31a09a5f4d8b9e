-- name: CustomerList :many
-- CustomerList returns the customers by id, or in the order of a field; each filter that is NULL lets all pass. The
-- join is for the index on search, which has the company too, and only there when something is searched: otherwise the
-- planner drops it.
SELECT customer_view.*
FROM customer_view
LEFT JOIN (
    SELECT customer.id AS searched_id, customer.search, fold(customer.company) AS folded_company
    FROM customer) AS searched ON searched_id = id
WHERE (sqlc.narg('id_begins')::text IS NULL OR starts_with(id::text, sqlc.narg('id_begins')::text))
  AND (@archived::boolean OR archived_at IS NULL)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('company')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('company')::text)
          AND folded_company LIKE ALL (search_patterns(sqlc.narg('company')::text))))
  AND (sqlc.narg('search')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('search')::text)
          AND search LIKE ALL (search_patterns(sqlc.narg('search')::text))))
ORDER BY
    CASE WHEN @sort::text = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'fullname' THEN fold(fullname) END,
    CASE WHEN @sort = 'fullname:desc' THEN fold(fullname) END DESC,
    CASE WHEN @sort = 'company' THEN fold(company) END,
    CASE WHEN @sort = 'company:desc' THEN fold(company) END DESC NULLS LAST,
    CASE WHEN @sort = 'commercial' THEN commercial END,
    CASE WHEN @sort = 'commercial:desc' THEN commercial END DESC,
    CASE WHEN @sort = 'commercial_fullname' THEN fold(commercial_fullname) END,
    CASE WHEN @sort = 'commercial_fullname:desc' THEN fold(commercial_fullname) END DESC,
    CASE WHEN @sort = 'email' THEN fold(email) END,
    CASE WHEN @sort = 'email:desc' THEN fold(email) END DESC NULLS LAST,
    CASE WHEN @sort = 'phone' THEN phone END,
    CASE WHEN @sort = 'phone:desc' THEN phone END DESC NULLS LAST,
    CASE WHEN @sort = 'address' THEN fold(address) END,
    CASE WHEN @sort = 'address:desc' THEN fold(address) END DESC NULLS LAST,
    CASE WHEN @sort = 'archived_at' THEN archived_at END,
    CASE WHEN @sort = 'archived_at:desc' THEN archived_at END DESC NULLS LAST,
    CASE WHEN @sort = 'created_at' THEN created_at END,
    CASE WHEN @sort = 'created_at:desc' THEN created_at END DESC,
    CASE WHEN @sort = 'updated_at' THEN updated_at END,
    CASE WHEN @sort = 'updated_at:desc' THEN updated_at END DESC,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: CustomerCount :one
-- CustomerCount counts the rows of CustomerList: a test holds their filters equal.
SELECT count(*)
FROM customer_view
LEFT JOIN (
    SELECT customer.id AS searched_id, customer.search, fold(customer.company) AS folded_company
    FROM customer) AS searched ON searched_id = id
WHERE (sqlc.narg('id_begins')::text IS NULL OR starts_with(id::text, sqlc.narg('id_begins')::text))
  AND (@archived::boolean OR archived_at IS NULL)
  AND (sqlc.narg('changed_since')::timestamptz IS NULL OR updated_at >= sqlc.narg('changed_since')::timestamptz)
  AND (sqlc.narg('commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('commercial_id')::bigint)
  AND (sqlc.narg('commercial')::text IS NULL OR commercial = sqlc.narg('commercial')::text)
  AND (sqlc.narg('company')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('company')::text)
          AND folded_company LIKE ALL (search_patterns(sqlc.narg('company')::text))))
  AND (sqlc.narg('search')::text IS NULL OR (
          search LIKE search_pattern(sqlc.narg('search')::text)
          AND search LIKE ALL (search_patterns(sqlc.narg('search')::text))));

-- name: CustomerDetail :one
SELECT *
FROM customer_view
WHERE id = @id;

-- name: CustomerAdd :one
-- CustomerAdd adds a customer in the charge of the commercial.
INSERT INTO customer (fullname, company, email, phone, address, commercial_id)
VALUES (@fullname, sqlc.narg('company'), sqlc.narg('email'), sqlc.narg('phone')::phone, sqlc.narg('address'), @as_commercial_id)
RETURNING id;

-- name: CustomerAdded :one
-- CustomerAdded returns the customer that this connection added last.
SELECT *
FROM customer_view
WHERE id = currval(pg_get_serial_sequence('customer', 'id'));

-- name: CustomerUpdate :one
-- CustomerUpdate changes the given fields; NULL keeps, and a field named in clear becomes NULL. It is limited to the
-- customers of the commercial, and to a row that is as expected.
UPDATE customer
SET fullname   = coalesce(sqlc.narg('fullname'), fullname),
    company    = CASE WHEN 'company' = ANY (@clear::text[]) THEN NULL ELSE coalesce(sqlc.narg('company'), company) END,
    email      = CASE WHEN 'email' = ANY (@clear) THEN NULL ELSE coalesce(sqlc.narg('email'), email) END,
    phone      = CASE WHEN 'phone' = ANY (@clear) THEN NULL ELSE coalesce(sqlc.narg('phone')::phone, phone) END,
    address    = CASE WHEN 'address' = ANY (@clear) THEN NULL ELSE coalesce(sqlc.narg('address'), address) END
WHERE id = @id
  AND expects('customer', id::text, sqlc.narg('expected')::text)
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('as_commercial_id')::bigint)
RETURNING id;

-- name: CustomerSetCommercial :one
-- CustomerSetCommercial hands the customer over; no row when either of the two does not exist.
UPDATE customer
SET commercial_id = employee.id
FROM employee
WHERE customer.id = @id
  AND employee.username = @commercial
RETURNING customer.id;

-- name: CustomerArchive :one
-- CustomerArchive takes a customer out of the lists; one who is archived already keeps the day. It is limited to the
-- customers of the commercial. A trigger refuses it while a contract is open or an event is to come.
UPDATE customer
SET archived_at = coalesce(archived_at, now())
WHERE id = @id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('as_commercial_id')::bigint)
RETURNING (archived_at = now())::boolean AS changed;

-- name: CustomerRestore :one
-- CustomerRestore is the way back. It is limited to the customers of the commercial.
UPDATE customer
SET archived_at = NULL
WHERE id = @id
  AND (sqlc.narg('as_commercial_id')::bigint IS NULL OR commercial_id = sqlc.narg('as_commercial_id')::bigint)
RETURNING id;

-- name: CustomersHeld :one
-- CustomersHeld counts the customers, for whoever is about to delete them all.
SELECT count(*)
FROM customer;

-- name: CustomerSums :one
SELECT bought_amount, paid_amount, due_amount, overdue_amount, due_since, draft_amount
FROM customer_account
WHERE customer_id = @id;

-- name: CustomerContracts :many
-- CustomerContracts returns the contracts of a customer, the cancelled ones too, the newest first.
SELECT *
FROM contract_view
WHERE customer_id = @customer_id
ORDER BY created_at DESC, id
LIMIT sqlc.narg('row_limit')::bigint;
