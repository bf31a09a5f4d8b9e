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
          AND (cardinality(search_patterns(sqlc.narg('search')::text)) = 1 OR search LIKE ALL (search_patterns(sqlc.narg('search')::text)))))
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
          AND (cardinality(search_patterns(sqlc.narg('search')::text)) = 1 OR search LIKE ALL (search_patterns(sqlc.narg('search')::text)))));

-- name: CustomerDetail :one
SELECT *
FROM customer_view
WHERE id = @id;

-- name: CustomerAddTurn :one
-- CustomerAddTurn makes those who add a customer with the same e-mail address or telephone number wait for each other until
-- their transactions end.
SELECT 1::bigint
FROM (
    SELECT pg_advisory_xact_lock(least(by_email, by_phone)), pg_advisory_xact_lock(greatest(by_email, by_phone))
    FROM (
        SELECT hashtextextended('customer ' || fold(sqlc.narg('email')::text), 0) AS by_email,
               hashtextextended('customer ' || sqlc.narg('phone')::phone, 0) AS by_phone) AS reach) AS turn;

-- name: CustomersReachedBy :many
-- CustomersReachedBy returns the customers who have the e-mail address or the telephone number, those who are archived too.
SELECT customer_view.id,
       customer_view.fullname,
       customer_view.company,
       customer_view.commercial,
       customer_view.archived_at,
       coalesce(fold(customer_view.email) = fold(sqlc.narg('email')::text), false)::boolean AS has_email,
       coalesce(customer_view.phone = sqlc.narg('phone')::phone, false)::boolean AS has_phone
FROM customer_view
WHERE customer_view.id IN (SELECT customers_reached_by(sqlc.narg('email')::text, sqlc.narg('phone')::phone))
ORDER BY customer_view.id
LIMIT @row_most::bigint;

-- name: CustomerAdd :one
-- CustomerAdd adds a customer in the charge of the commercial; no row where another is reached in the same way, unless
-- that may be.
INSERT INTO customer (fullname, company, email, phone, address, commercial_id)
SELECT @fullname::text, sqlc.narg('company')::text, sqlc.narg('email')::text, sqlc.narg('phone')::phone, sqlc.narg('address')::text,
       @as_commercial_id::bigint
WHERE @allow_duplicate::boolean
   OR NOT EXISTS (SELECT customers_reached_by(sqlc.narg('email')::text, sqlc.narg('phone')::phone))
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

-- name: CustomerMerge :many
-- CustomerMerge gives one customer all that refers to another, who is then deleted, and returns how many rows of each table
-- that was; no row when one of the two does not exist. It is limited to the customers of the commercial.
SELECT row.resource::text AS resource,
       sum(row.moved)::bigint AS moved
FROM merge_customers(@keep_id, @drop_id, sqlc.narg('as_commercial_id')::bigint) AS row
GROUP BY row.resource
ORDER BY row.resource;

-- name: CustomerDuplicates :many
-- CustomerDuplicates returns the customers who share an e-mail address, a telephone number, or name and company with
-- another of those that pass the filters, group by group: those of a group share the same, and have the same first id. Each
-- filter that is NULL lets all pass.
SELECT same::text AS same,
       first_id::bigint AS first_id,
       id,
       fullname,
       company,
       commercial_id,
       commercial,
       commercial_fullname,
       email,
       phone,
       (SELECT count(*) FROM contract WHERE contract.customer_id = found.id) AS contracts,
       archived_at,
       created_at,
       updated_at
FROM (
    SELECT twin.same, customer_view.*,
           min(customer_view.id) OVER (PARTITION BY twin.same, twin.shared) AS first_id,
           count(*) OVER (PARTITION BY twin.same, twin.shared) AS among
    FROM customer_twins() AS twin
    JOIN customer_view ON customer_view.id = twin.customer_id
    WHERE (@archived::boolean OR customer_view.archived_at IS NULL)
      AND (sqlc.narg('commercial_id')::bigint IS NULL OR customer_view.commercial_id = sqlc.narg('commercial_id')::bigint)) AS found
WHERE among > 1
ORDER BY
    CASE WHEN @sort::text = 'same:desc' THEN same END DESC,
    CASE WHEN @sort = 'first_id' THEN first_id END,
    CASE WHEN @sort = 'first_id:desc' THEN first_id END DESC,
    CASE WHEN @sort = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
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
    CASE WHEN @sort = 'contracts' THEN (SELECT count(*) FROM contract WHERE contract.customer_id = found.id) END,
    CASE WHEN @sort = 'contracts:desc' THEN (SELECT count(*) FROM contract WHERE contract.customer_id = found.id) END DESC,
    CASE WHEN @sort = 'archived_at' THEN archived_at END,
    CASE WHEN @sort = 'archived_at:desc' THEN archived_at END DESC NULLS LAST,
    CASE WHEN @sort = 'created_at' THEN created_at END,
    CASE WHEN @sort = 'created_at:desc' THEN created_at END DESC,
    CASE WHEN @sort = 'updated_at' THEN updated_at END,
    CASE WHEN @sort = 'updated_at:desc' THEN updated_at END DESC,
    same,
    first_id,
    id
LIMIT sqlc.narg('row_limit')::bigint;

-- name: CustomerDuplicatesCount :one
-- CustomerDuplicatesCount counts the rows of CustomerDuplicates: a test holds their filters equal.
SELECT count(*)
FROM (
    SELECT twin.same, customer_view.*,
           min(customer_view.id) OVER (PARTITION BY twin.same, twin.shared) AS first_id,
           count(*) OVER (PARTITION BY twin.same, twin.shared) AS among
    FROM customer_twins() AS twin
    JOIN customer_view ON customer_view.id = twin.customer_id
    WHERE (@archived::boolean OR customer_view.archived_at IS NULL)
      AND (sqlc.narg('commercial_id')::bigint IS NULL OR customer_view.commercial_id = sqlc.narg('commercial_id')::bigint)) AS found
WHERE among > 1;

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
