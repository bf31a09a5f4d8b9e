CREATE FUNCTION rewound(of_rows anyelement, of_resource text, known_at timestamptz) RETURNS SETOF anyelement
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100000 AS
$$
BEGIN
    RETURN QUERY EXECUTE format('
        WITH later AS MATERIALIZED (SELECT * FROM changed_after($1, history_reaches($2)))
        SELECT now.*
        FROM %1$s AS now
        WHERE NOT EXISTS (SELECT FROM later WHERE later.id = now.id::text)
        UNION ALL
        SELECT was.*
        FROM later
        LEFT JOIN %1$s AS now ON now.id::text = later.id AND NOT later.is_whole
        CROSS JOIN LATERAL jsonb_populate_record(now, later.was || jsonb_build_object(''id'', later.id)) AS was
        WHERE later.was IS NOT NULL', pg_typeof(of_rows))
    USING of_resource, known_at;
END
$$;

COMMENT ON FUNCTION rewound(anyelement, text, timestamptz) IS
    'The rows of a table or view as they were known at a time. Columns that the history leaves out are those of now.';

CREATE OR REPLACE FUNCTION employee_at(known_at timestamptz) RETURNS TABLE (id bigint, username text, fullname text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS
$$
    SELECT id, username, fullname FROM employee_view WHERE known_at IS NULL
    UNION ALL
    SELECT id, username, fullname FROM rewound(NULL::employee_view, 'employee', known_at) WHERE known_at IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION customer_at(known_at timestamptz) RETURNS SETOF customer
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM customer WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::customer, 'customer', known_at) WHERE known_at IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION contract_at(known_at timestamptz) RETURNS SETOF contract
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM contract WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::contract, 'contract', known_at) WHERE known_at IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION payment_at(known_at timestamptz) RETURNS SETOF payment
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM payment WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::payment, 'payment', known_at) WHERE known_at IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION event_at(known_at timestamptz) RETURNS SETOF event
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM event WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::event, 'event', known_at) WHERE known_at IS NOT NULL
$$;

COMMENT ON FUNCTION contract_at(timestamptz) IS
    'The contracts as they were known at a time, or are known now (NULL). What is paid then say the payments, and not paid_amount.';

DROP FUNCTION payment_difference(timestamptz, date);
DROP FUNCTION changed_ids(text, timestamptz);
