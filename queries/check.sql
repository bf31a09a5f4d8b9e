-- name: Check :many
-- Check returns what should not be, by the place of its rule and then by id, or in the order of a field. A row with a
-- phone number is a finding only if the number is not valid, which is not for SQL to know. Days are those of the calendar
-- in the zone of the session. Of findings that are named, only those are returned, or all others; that two customers may be
-- one is returned only if it is named, for it may be meant.
SELECT finding::text,
       resource::text,
       id::text,
       detail::text,
       phone
FROM (
    SELECT 1 AS place, 'due_below_zero' AS finding, 'contract' AS resource, contract.id::text AS id, NULL::bigint AS number,
           format('%s € of %s € are paid', (paid_amount / 100.0)::numeric(20, 2), (total_amount / 100.0)::numeric(20, 2)) AS detail,
           NULL::phone AS phone
    FROM contract
    WHERE paid_amount > total_amount
    UNION ALL
    SELECT 2, 'sum_mismatch', 'contract', contract.id::text, NULL,
           format('%s € are noted as paid, the payments are %s €', (paid_amount / 100.0)::numeric(20, 2), (coalesce(paid.amount, 0) / 100.0)::numeric(20, 2)),
           NULL
    FROM contract
    LEFT JOIN (
        SELECT contract_id, sum(amount) AS amount
        FROM payment
        WHERE voided_at IS NULL
        GROUP BY contract_id) AS paid ON paid.contract_id = contract.id
    WHERE paid_amount <> coalesce(paid.amount, 0)
    UNION ALL
    SELECT 3, 'paid_unsigned', 'contract', contract.id::text, NULL,
           format('%s € are paid; in charge is %s', (paid_amount / 100.0)::numeric(20, 2), commercial.username),
           NULL
    FROM contract
    JOIN customer ON customer.id = contract.customer_id
    JOIN employee AS commercial ON commercial.id = customer.commercial_id
    WHERE NOT signed
      AND paid_amount > 0
    UNION ALL
    SELECT 4, 'signed_too_early', 'contract', contract.id::text, NULL, 'signed before it was drawn up', NULL
    FROM contract
    WHERE signed_at < created_at
    UNION ALL
    SELECT 5, 'paid_too_early', 'payment', payment.id::text, NULL, format('recorded before contract %s was drawn up', contract.id), NULL
    FROM payment
    JOIN contract ON contract.id = payment.contract_id
    WHERE recorded_at < created_at
    UNION ALL
    SELECT 6, 'event_without_support', 'event', event.id::text, event.id,
           format('%s %s', name, CASE
               WHEN start_at <= now() THEN 'has begun'
               WHEN day = today THEN format('begins today at %s', to_char(start_at, 'HH24:MI'))
               WHEN day = today + 1 THEN format('begins tomorrow, %s', day)
               ELSE format('begins in %s days, on %s', day - today, day)
           END),
           NULL
    FROM event
    CROSS JOIN LATERAL (
        SELECT start_at::date AS day, current_date AS today) AS calendar
    WHERE support_id IS NULL
      AND cancelled_at IS NULL
      AND day <= today + @within_days::integer
      AND greatest(start_at, end_at) >= now()
    UNION ALL
    SELECT 7, 'event_clash', 'event', event_clash.id::text, event_clash.id,
           format('%s, "%s", and event %s, "%s", %s, are both run by %s', event_time(start, "end"), name, other_id, other, event_time(other_start, other_end), support),
           NULL
    FROM event_clash
    WHERE event_to_come(start, "end")
      AND event_to_come(other_start, other_end)
    UNION ALL
    SELECT 7, 'bad_phone', 'customer', customer.id::text, customer.id, format('%s has the phone number %s', fullname, phone), phone
    FROM customer
    WHERE phone IS NOT NULL
    UNION ALL
    SELECT 9, 'username_of_digits', 'employee', employee.id::text, employee.id,
           format('the username %1$s looks like an id: crm employee update %2$s --username', username, employee.id), NULL
    FROM employee
    WHERE username !~ '[a-z]'
    UNION ALL
    -- What differs from the schema that the migrations make is not for SQL to know.
    SELECT 8, unnest(@as_rule_findings::text[]), unnest(@as_rule_resources::text[]), unnest(@as_rule_ids::text[]), NULL, unnest(@as_rule_details::text[]), NULL
    UNION ALL
    SELECT 9, 'sample_password', 'employee', employee_password.id::text, employee_password.id,
           format('%s has the password of the sample data, which everybody can read in the manual', username), NULL
    FROM employee_password
    WHERE is_sample_password(password_parameters)
    UNION ALL
    SELECT 10, 'duplicate_customer', 'customer', twin.customer_id::text, twin.customer_id,
           format('has the same %s as customer %s: crm customer merge %s %s', CASE twin.same
               WHEN 'email' THEN 'e-mail address'
               WHEN 'phone' THEN 'telephone number'
               ELSE 'name and company'
           END, twin.first_id, twin.first_id, twin.customer_id),
           NULL
    FROM (
        SELECT same, customer_id, min(customer_id) OVER (PARTITION BY same, shared) AS first_id
        FROM customer_twins()
        JOIN customer ON customer.id = customer_id
        WHERE 'duplicate_customer' = ANY (@only_findings::text[])
          AND archived_at IS NULL) AS twin
    WHERE twin.customer_id > twin.first_id
) AS checked
WHERE (coalesce(cardinality(@only_findings::text[]), 0) = 0 OR finding = ANY (@only_findings::text[]))
  AND finding <> ALL (coalesce(@except_findings::text[], '{}'))
ORDER BY
    CASE WHEN @sort::text = 'finding' THEN finding END,
    CASE WHEN @sort = 'finding:desc' THEN finding END DESC,
    CASE WHEN @sort = 'resource' THEN resource END,
    CASE WHEN @sort = 'resource:desc' THEN resource END DESC,
    CASE WHEN @sort = 'id' THEN id END,
    CASE WHEN @sort = 'id:desc' THEN id END DESC,
    CASE WHEN @sort = 'detail' THEN detail END,
    CASE WHEN @sort = 'detail:desc' THEN detail END DESC,
    place,
    number,
    id,
    detail;
