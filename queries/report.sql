-- name: ReportReceivables :many
-- ReportReceivables adds up what is due of contracts that are signed and not cancelled, by age, customer, commercial. The
-- age is in days since the contract was to be paid, else since it was signed.
--
-- As every report, it adds up rows as they were known at a time, or are now; what a row is not grouped by is NULL. It groups
-- by ids, and then looks up the names of few groups, and not of each row; a join that what is asked for does not need is on
-- a condition that the planner sees to be false. Days and months are those of the calendar in the
-- zone of the session.
SELECT age_group(summed.age)::optional_text AS age,
       summed.customer_id::optional_id AS customer_id,
       customer.fullname::optional_text AS customer,
       customer.company::optional_text AS company,
       commercial.username::optional_text AS commercial,
       commercial.fullname::optional_text AS commercial_fullname,
       summed.contracts,
       summed.total_due,
       summed.oldest_days
FROM (
    SELECT CASE WHEN 'age' = ANY (@by::text[]) THEN age_first(owed.days) END AS age,
           CASE WHEN 'customer' = ANY (@by::text[]) THEN owed.customer_id END AS customer_id,
           CASE WHEN 'commercial' = ANY (@by::text[]) THEN customer.commercial_id END AS commercial_id,
           count(*) AS contracts,
           sum(owed.due)::cents AS total_due,
           max(owed.days)::integer AS oldest_days
    FROM (
        SELECT contract.customer_id,
               contract.total_amount - contract.paid_amount - CASE
                   WHEN sqlc.narg('known_at')::timestamptz IS NULL AND sqlc.narg('of_day')::date IS NULL THEN 0
                   ELSE coalesce(difference.amount, 0)
               END AS due,
               report_day(sqlc.narg('of_day')::date, sqlc.narg('known_at')::timestamptz) - coalesce(contract.due_on, contract.signed_at::date) AS days
        FROM contract_at(sqlc.narg('known_at')::timestamptz) AS contract
        LEFT JOIN (
            SELECT changed.contract_id::uuid AS contract_id, sum(changed.amount)::bigint AS amount
            FROM payment_difference(sqlc.narg('known_at')::timestamptz, sqlc.narg('of_day')::date) AS changed
            GROUP BY 1) AS difference ON difference.contract_id = contract.id
        WHERE contract.cancelled_at IS NULL
          AND contract.signed_at IS NOT NULL
          AND (sqlc.narg('of_day')::date IS NULL OR contract.signed_at < sqlc.narg('of_day')::date + 1)) AS owed
    LEFT JOIN customer_at(sqlc.narg('known_at')::timestamptz) AS customer ON customer.id = owed.customer_id AND 'commercial' = ANY (@by::text[])
    WHERE owed.due > 0
    GROUP BY 1, 2, 3) AS summed
LEFT JOIN customer_at(sqlc.narg('known_at')::timestamptz) AS customer ON customer.id = summed.customer_id
LEFT JOIN employee_at(sqlc.narg('known_at')::timestamptz) AS commercial ON commercial.id = summed.commercial_id
ORDER BY summed.age, summed.total_due DESC, summed.customer_id, summed.commercial_id;

-- name: ReportRevenue :many
-- ReportRevenue adds up contracts that are signed and not cancelled, by month, commercial, customer: the month in which
-- they were signed, the commercial who sold them.
SELECT to_char(summed.month, 'YYYY-MM')::optional_text AS month,
       summed.customer_id::optional_id AS customer_id,
       customer.fullname::optional_text AS customer,
       customer.company::optional_text AS company,
       coalesce(seller.username, summed.sold_by)::optional_text AS commercial,
       coalesce(seller.fullname, summed.sold_by)::optional_text AS commercial_fullname,
       summed.contracts,
       summed.total_amount
FROM (
    SELECT CASE WHEN 'month' = ANY (@by::text[]) THEN date_trunc('month', contract.signed_at) END AS month,
           CASE WHEN 'customer' = ANY (@by::text[]) THEN contract.customer_id END AS customer_id,
           CASE WHEN 'commercial' = ANY (@by::text[]) THEN contract.sold_by_id END AS sold_by_id,
           max(contract.sold_by) FILTER (WHERE 'commercial' = ANY (@by::text[])) AS sold_by,
           count(*) AS contracts,
           sum(contract.total_amount)::cents AS total_amount
    FROM contract_at(sqlc.narg('known_at')::timestamptz) AS contract
    WHERE contract.cancelled_at IS NULL
      AND contract.signed_at IS NOT NULL
      AND (sqlc.narg('from_day')::date IS NULL OR contract.signed_at >= sqlc.narg('from_day')::date)
      AND (sqlc.narg('to_day')::date IS NULL OR contract.signed_at < sqlc.narg('to_day')::date + 1)
      AND (sqlc.narg('of_day')::date IS NULL OR contract.signed_at < sqlc.narg('of_day')::date + 1)
    GROUP BY 1, 2, 3) AS summed
LEFT JOIN customer_at(sqlc.narg('known_at')::timestamptz) AS customer ON customer.id = summed.customer_id
LEFT JOIN employee_at(sqlc.narg('known_at')::timestamptz) AS seller ON seller.id = summed.sold_by_id
ORDER BY summed.month, summed.total_amount DESC, summed.customer_id, summed.sold_by_id;

-- name: ReportReceipts :many
-- ReportReceipts adds up payments that are not void, by month, method, commercial, customer: the month in which they were
-- received.
SELECT to_char(summed.month, 'YYYY-MM')::optional_text AS month,
       summed.method::optional_text AS method,
       summed.customer_id::optional_id AS customer_id,
       customer.fullname::optional_text AS customer,
       customer.company::optional_text AS company,
       commercial.username::optional_text AS commercial,
       commercial.fullname::optional_text AS commercial_fullname,
       summed.payments,
       summed.amount
FROM (
    SELECT CASE WHEN 'month' = ANY (@by::text[]) THEN date_trunc('month', payment.received_on::timestamp) END AS month,
           CASE WHEN 'method' = ANY (@by::text[]) THEN payment.method END AS method,
           CASE WHEN 'customer' = ANY (@by::text[]) THEN contract.customer_id END AS customer_id,
           CASE WHEN 'commercial' = ANY (@by::text[]) THEN customer.commercial_id END AS commercial_id,
           count(*) AS payments,
           sum(payment.amount)::cents AS amount
    FROM payment_at(sqlc.narg('known_at')::timestamptz) AS payment
    LEFT JOIN contract_at(sqlc.narg('known_at')::timestamptz) AS contract ON contract.id = payment.contract_id AND @by::text[] && '{customer,commercial}'
    LEFT JOIN customer_at(sqlc.narg('known_at')::timestamptz) AS customer ON customer.id = contract.customer_id AND 'commercial' = ANY (@by::text[])
    WHERE payment.voided_at IS NULL
      AND (sqlc.narg('from_day')::date IS NULL OR payment.received_on >= sqlc.narg('from_day')::date)
      AND (sqlc.narg('to_day')::date IS NULL OR payment.received_on <= sqlc.narg('to_day')::date)
      AND (sqlc.narg('of_day')::date IS NULL OR payment.received_on <= sqlc.narg('of_day')::date)
    GROUP BY 1, 2, 3, 4) AS summed
LEFT JOIN customer_at(sqlc.narg('known_at')::timestamptz) AS customer ON customer.id = summed.customer_id
LEFT JOIN employee_at(sqlc.narg('known_at')::timestamptz) AS commercial ON commercial.id = summed.commercial_id
ORDER BY summed.month, summed.amount DESC, summed.method, summed.customer_id, summed.commercial_id;

-- name: ReportWorkload :many
-- ReportWorkload counts events that are not cancelled, by month, support: the month in which they begin, who runs them.
SELECT to_char(summed.month, 'YYYY-MM')::optional_text AS month,
       support.username::optional_text AS support,
       support.fullname::optional_text AS support_fullname,
       summed.events,
       summed.attendees
FROM (
    SELECT CASE WHEN 'month' = ANY (@by::text[]) THEN date_trunc('month', event.start_at) END AS month,
           CASE WHEN 'support' = ANY (@by::text[]) THEN event.support_id END AS support_id,
           count(*) AS events,
           coalesce(sum(event.attendees), 0)::bigint AS attendees
    FROM event_at(sqlc.narg('known_at')::timestamptz) AS event
    WHERE event.cancelled_at IS NULL
      AND (sqlc.narg('from_day')::date IS NULL OR event.start_at >= sqlc.narg('from_day')::date)
      AND (sqlc.narg('to_day')::date IS NULL OR event.start_at < sqlc.narg('to_day')::date + 1)
    GROUP BY 1, 2) AS summed
LEFT JOIN employee_at(sqlc.narg('known_at')::timestamptz) AS support ON support.id = summed.support_id
ORDER BY summed.month, summed.events DESC, summed.attendees DESC, summed.support_id;

-- name: ReportPipeline :many
-- ReportPipeline adds up contracts that are drawn up and neither signed nor cancelled, by age, customer, commercial. The age
-- is in days since they were drawn up.
SELECT age_group(summed.age)::optional_text AS age,
       summed.customer_id::optional_id AS customer_id,
       customer.fullname::optional_text AS customer,
       customer.company::optional_text AS company,
       commercial.username::optional_text AS commercial,
       commercial.fullname::optional_text AS commercial_fullname,
       summed.contracts,
       summed.total_amount,
       summed.oldest_days
FROM (
    SELECT CASE WHEN 'age' = ANY (@by::text[]) THEN age_first(waiting.days) END AS age,
           CASE WHEN 'customer' = ANY (@by::text[]) THEN waiting.customer_id END AS customer_id,
           CASE WHEN 'commercial' = ANY (@by::text[]) THEN customer.commercial_id END AS commercial_id,
           count(*) AS contracts,
           sum(waiting.total_amount)::cents AS total_amount,
           max(waiting.days)::integer AS oldest_days
    FROM (
        SELECT contract.customer_id,
               contract.total_amount,
               report_day(sqlc.narg('of_day')::date, sqlc.narg('known_at')::timestamptz) - contract.created_at::date AS days
        FROM contract_at(sqlc.narg('known_at')::timestamptz) AS contract
        WHERE contract.cancelled_at IS NULL
          AND (contract.signed_at IS NULL OR contract.signed_at >= sqlc.narg('of_day')::date + 1)
          AND (sqlc.narg('of_day')::date IS NULL OR contract.created_at < sqlc.narg('of_day')::date + 1)) AS waiting
    LEFT JOIN customer_at(sqlc.narg('known_at')::timestamptz) AS customer ON customer.id = waiting.customer_id AND 'commercial' = ANY (@by::text[])
    GROUP BY 1, 2, 3) AS summed
LEFT JOIN customer_at(sqlc.narg('known_at')::timestamptz) AS customer ON customer.id = summed.customer_id
LEFT JOIN employee_at(sqlc.narg('known_at')::timestamptz) AS commercial ON commercial.id = summed.commercial_id
ORDER BY summed.age, summed.total_amount DESC, summed.customer_id, summed.commercial_id;
