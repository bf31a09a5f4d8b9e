-- What was known at a time is the rows of now but for those that were changed since, and these as they were. The two parts
-- stand in the functions themselves, which the planner puts into a report: so it reads the rows of now as it reads a table,
-- and writes none of them aside. NOT IN, because it is a filter: an anti-join of so many rows may become a sort of them all.

CREATE FUNCTION changed_ids(of_resource text, known_at timestamptz) RETURNS TABLE (id text)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' ROWS 1000
BEGIN ATOMIC
    SELECT DISTINCT change.resource_id
    FROM change
    WHERE change.resource = of_resource
      AND change.at > known_at;
END;

COMMENT ON FUNCTION changed_ids(text, timestamptz) IS 'The ids of the rows that were changed after a time.';

REVOKE EXECUTE ON FUNCTION changed_ids(text, timestamptz) FROM PUBLIC;

DO
$do$
DECLARE
    resource text;
    id_type  text;
    of_table text;
    columns  text;
BEGIN
    FOR resource, id_type, of_table, columns IN
        VALUES ('employee', 'bigint', 'employee_view', 'id, username, fullname'),
               ('customer', 'bigint', 'customer', '*'),
               ('contract', 'uuid', 'contract', '*'),
               ('payment', 'uuid', 'payment', '*'),
               ('event', 'bigint', 'event', '*')
    LOOP
        EXECUTE format($function$
            CREATE OR REPLACE FUNCTION %1$s_at(known_at timestamptz) RETURNS %5$s
                LANGUAGE sql STABLE PARALLEL SAFE ROWS %6$s AS
            $body$
                SELECT %4$s FROM %3$s WHERE known_at IS NULL
                UNION ALL
                SELECT %4$s
                FROM %3$s
                WHERE known_at IS NOT NULL
                  AND %3$s.id NOT IN (SELECT later.id::%2$s FROM changed_ids('%1$s', history_reaches(known_at)) AS later)
                UNION ALL
                SELECT %7$s
                FROM changed_after('%1$s', history_reaches(known_at)) AS later
                LEFT JOIN %3$s AS now ON now.id = later.id::%2$s
                CROSS JOIN LATERAL jsonb_populate_record(CASE WHEN NOT later.is_whole THEN now END, later.was || %8$s) AS was
                WHERE known_at IS NOT NULL
                  AND later.was IS NOT NULL
            $body$ $function$,
            resource, id_type, of_table, columns,
            CASE columns WHEN '*' THEN 'SETOF ' || resource ELSE 'TABLE (id bigint, username text, fullname text)' END,
            CASE resource WHEN 'employee' THEN 1000 ELSE 100000 END,
            CASE columns WHEN '*' THEN 'was.*' ELSE 'was.id, was.username, was.fullname' END,
            CASE resource
                WHEN 'contract' THEN $$jsonb_build_object('id', later.id, 'paid_amount', coalesce(now.paid_amount, 0))$$
                ELSE $$jsonb_build_object('id', later.id)$$
            END);
    END LOOP;
END
$do$;

COMMENT ON FUNCTION contract_at(timestamptz) IS
    'The contracts as they were known at a time, or are known now (NULL). What is paid is always that of now: payment_difference says what was paid then.';

DROP FUNCTION rewound(anyelement, text, timestamptz);

-- What a contract was paid then is what it is paid now, but for the few payments that were received or changed since. To add
-- up all payments of all contracts takes ten times as long.
CREATE FUNCTION payment_difference(known_at timestamptz, of_day date) RETURNS TABLE (contract_id uuid, amount bigint)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 AS
$$
    SELECT payment.contract_id, -payment.amount
    FROM payment
    WHERE payment.voided_at IS NULL
      AND payment.received_on > of_day
    UNION ALL
    SELECT payment.contract_id, -payment.amount
    FROM changed_ids('payment', history_reaches(known_at)) AS later
    JOIN payment ON payment.id = later.id::uuid
    WHERE known_at IS NOT NULL
      AND payment.voided_at IS NULL
      AND (of_day IS NULL OR payment.received_on <= of_day)
    UNION ALL
    SELECT was.contract_id, was.amount
    FROM changed_after('payment', history_reaches(known_at)) AS later
    LEFT JOIN payment AS now ON now.id = later.id::uuid AND NOT later.is_whole
    CROSS JOIN LATERAL jsonb_populate_record(now, later.was || jsonb_build_object('id', later.id)) AS was
    WHERE known_at IS NOT NULL
      AND later.was IS NOT NULL
      AND was.voided_at IS NULL
      AND (of_day IS NULL OR was.received_on <= of_day)
$$;

COMMENT ON FUNCTION payment_difference(timestamptz, date) IS
    'What was paid of contracts as it was known at a time (NULL: now) and until a day (NULL: ever), less what is paid now: several amounts a contract.';
