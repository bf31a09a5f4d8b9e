-- What crm knew at a time: the rows of today, rewound by the changes since. Reports read their rows from these functions,
-- whether of now (NULL) or of then, so that each is one query.

CREATE FUNCTION history_reaches(known_at timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS
$$
DECLARE
    begins timestamptz;
BEGIN
    SELECT at INTO begins
    FROM change_line
    WHERE resource = 'schema' AND resource_id = '25' AND at > known_at
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', MESSAGE = format('What was known then is not written down: the history begins at %s.', to_char(begins, 'YYYY-MM-DD HH24:MI'));
    END IF;
    RETURN known_at;
END
$$;

COMMENT ON FUNCTION history_reaches(timestamptz) IS 'The time, unless the history begins later.';

-- The first change after that time which deleted the row has all of it; of one that is still there, each field was what the
-- first change of it says. A row that was added since was not there.
CREATE FUNCTION changed_after(of_resource text, known_at timestamptz) RETURNS TABLE (id text, was jsonb, is_whole boolean)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' ROWS 10000
BEGIN ATOMIC
    WITH later AS (
        SELECT change.resource_id,
               change.id,
               change.before,
               change.after,
               min(change.id) OVER of_row AS first,
               min(change.id) FILTER (WHERE change.after IS NULL) OVER of_row AS deletion
        FROM change
        WHERE change.resource = of_resource
          AND change.at > known_at
        WINDOW of_row AS (PARTITION BY change.resource_id))
    SELECT later.resource_id,
           CASE
               WHEN bool_or(later.id = later.first AND later.before IS NULL) THEN NULL
               ELSE coalesce(jsonb_object_agg(field.key, field.value ORDER BY later.id DESC) FILTER (WHERE field.key IS NOT NULL), '{}')
           END,
           bool_or(later.deletion IS NOT NULL)
    FROM later
    LEFT JOIN LATERAL jsonb_each(later.before) AS field ON true
    WHERE later.deletion IS NULL
       OR later.id <= later.deletion
    GROUP BY later.resource_id;
END;

COMMENT ON FUNCTION changed_after(text, timestamptz) IS
    'The rows that were changed after a time, each with what its fields were before, or with the whole row if it is gone; without anything if it was not there.';

REVOKE EXECUTE ON FUNCTION changed_after(text, timestamptz) FROM PUBLIC;

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

CREATE FUNCTION employee_at(known_at timestamptz) RETURNS TABLE (id bigint, username text, fullname text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS
$$
    SELECT id, username, fullname FROM employee_view WHERE known_at IS NULL
    UNION ALL
    SELECT id, username, fullname FROM rewound(NULL::employee_view, 'employee', known_at) WHERE known_at IS NOT NULL
$$;

CREATE FUNCTION customer_at(known_at timestamptz) RETURNS SETOF customer
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM customer WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::customer, 'customer', known_at) WHERE known_at IS NOT NULL
$$;

CREATE FUNCTION contract_at(known_at timestamptz) RETURNS SETOF contract
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM contract WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::contract, 'contract', known_at) WHERE known_at IS NOT NULL
$$;

CREATE FUNCTION payment_at(known_at timestamptz) RETURNS SETOF payment
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM payment WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::payment, 'payment', known_at) WHERE known_at IS NOT NULL
$$;

CREATE FUNCTION event_at(known_at timestamptz) RETURNS SETOF event
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS
$$
    SELECT * FROM event WHERE known_at IS NULL
    UNION ALL
    SELECT * FROM rewound(NULL::event, 'event', known_at) WHERE known_at IS NOT NULL
$$;

COMMENT ON FUNCTION employee_at(timestamptz) IS 'The employees as they were known at a time, or are known now (NULL).';
COMMENT ON FUNCTION customer_at(timestamptz) IS 'The customers as they were known at a time, or are known now (NULL).';
COMMENT ON FUNCTION contract_at(timestamptz) IS
    'The contracts as they were known at a time, or are known now (NULL). What is paid then say the payments, and not paid_amount.';
COMMENT ON FUNCTION payment_at(timestamptz) IS 'The payments as they were known at a time, or are known now (NULL).';
COMMENT ON FUNCTION event_at(timestamptz) IS 'The events as they were known at a time, or are known now (NULL).';

-- Rows are grouped by the first day of their age, which is in order, and the group is then called by its name.
CREATE FUNCTION age_first(days integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN days < 0 THEN -1
        WHEN days <= 30 THEN 0
        WHEN days <= 60 THEN 31
        WHEN days <= 90 THEN 61
        ELSE 91
    END;

COMMENT ON FUNCTION age_first(integer) IS 'The first of the days that are one group in a report.';

CREATE FUNCTION age_group(first_day integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE first_day
        WHEN -1 THEN 'not due'
        WHEN 0 THEN '0-30'
        WHEN 31 THEN '31-60'
        WHEN 61 THEN '61-90'
        ELSE 'over 90'
    END;

COMMENT ON FUNCTION age_group(integer) IS 'The name of the group of days that begins with this one.';

CREATE FUNCTION report_day(as_of date, known_at timestamptz) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(as_of, known_at::date, current_date);

COMMENT ON FUNCTION report_day(date, timestamptz) IS 'The day at whose end a report is made: the one that is asked for, that of what was known, or today.';

-- What is computed and may be NULL, such as what a row of a report is grouped by, if it is.
CREATE DOMAIN optional_text AS text;
COMMENT ON DOMAIN optional_text IS 'A text that may be absent.';
CREATE DOMAIN optional_id AS bigint;
COMMENT ON DOMAIN optional_id IS 'An id that may be absent.';
