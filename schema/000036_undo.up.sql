-- A batch may be an import of many rows, and undoing it row by row takes minutes.

CREATE FUNCTION undo_added(history regclass, of_batch uuid, in_resource text, ids text[]) RETURNS text[]
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS
$$
DECLARE
    of_table text;
    id_type  text;
    gone     text[];
BEGIN
    SELECT format('%I.%I', nspname, in_resource), format_type(atttypid, atttypmod) INTO of_table, id_type
    FROM pg_catalog.pg_class AS recorded
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = recorded.relnamespace
    JOIN pg_catalog.pg_class AS of_rows ON of_rows.relnamespace = recorded.relnamespace AND of_rows.relname = in_resource
    JOIN pg_catalog.pg_attribute ON attrelid = of_rows.oid AND attname = 'id'
    WHERE recorded.oid = history;
    -- Whoever changes one of them meanwhile is waited for, and seen by what reads the history next.
    EXECUTE format('SELECT FROM %s WHERE id = ANY ($1::%s[]) ORDER BY id FOR UPDATE', of_table, id_type) USING ids;
    EXECUTE format('
        SELECT array_agg(added.resource_id)
        FROM %1$s AS added
        WHERE added.batch = $1
          AND added.resource = $2
          AND added.resource_id = ANY ($3)
          AND added.before IS NULL
          AND NOT EXISTS (
              SELECT
              FROM %1$s AS other
              WHERE other.resource = added.resource
                AND other.resource_id = added.resource_id
                AND other.id <> added.id)', history)
    INTO ids USING of_batch, in_resource, ids;
    IF in_resource = 'payment' THEN
        EXECUTE format('
            WITH voided AS (
                UPDATE %s
                SET voided_at    = now(),
                    voided_by    = current_setting(''crm.by''),
                    voided_by_id = nullif(current_setting(''crm.by_id'', true), '''')::bigint,
                    void_reason  = $2
                WHERE id = ANY ($1::uuid[]) AND voided_at IS NULL
                RETURNING id)
            SELECT array_agg(id::text) FROM voided', of_table)
        INTO gone USING ids, 'undo of batch ' || left(of_batch::text, 8);
    ELSE
        EXECUTE format('
            WITH deleted AS (DELETE FROM %s WHERE id = ANY ($1::%s[]) RETURNING id)
            SELECT array_agg(id::text) FROM deleted', of_table, id_type)
        INTO gone USING ids;
    END IF;
    RETURN coalesce(gone, '{}');
END
$$;

COMMENT ON FUNCTION undo_added(regclass, uuid, text, text[]) IS
    'Undoes of these rows those that a batch added and nobody has changed since, and returns their ids.';

REVOKE EXECUTE ON FUNCTION undo_added(regclass, uuid, text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION undo_rows(history regclass, of_batch uuid, dry_run boolean)
    RETURNS TABLE (resource text, resource_id text, name text, undone boolean, reason text)
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS
$$
DECLARE
    home     text;
    slice    record;
    touched  jsonb;
    gone     text[];
    by_whom  text;
    why      text;
    rule     text;
    in_table text;
    done     jsonb[];
BEGIN
    -- Two who undo the same do it one after the other.
    PERFORM pg_advisory_xact_lock(hashtext('undo ' || of_batch));
    EXECUTE format('SELECT by FROM %s WHERE undoes = $1 LIMIT 1', history) INTO by_whom USING of_batch;
    IF by_whom IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', MESSAGE = format('This was undone already, by %s.', by_whom);
    END IF;
    SELECT quote_ident(nspname) INTO home
    FROM pg_catalog.pg_class
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = history;
    PERFORM set_config('crm.undoes', of_batch::text, true),
            set_config('crm.reason', 'undo of batch ' || left(of_batch::text, 8), true);
    BEGIN
        FOR slice IN EXECUTE format('
            SELECT min(touched.resource) AS resource,
                   min(touched.resource) = max(touched.resource) AS of_one,
                   array_agg(touched.resource_id) AS ids,
                   array_agg(jsonb_build_object(''resource'', touched.resource, ''resource_id'', touched.resource_id, ''name'', touched.name)
                             ORDER BY touched.n) AS rows
            FROM (
                SELECT line.resource, line.resource_id, max(line.name) AS name, row_number() OVER (ORDER BY max(line.id) DESC) AS n
                FROM %s.change_line AS line
                WHERE line.batch = $1
                  AND line.resource <> ''schema''
                GROUP BY line.resource, line.resource_id) AS touched
            GROUP BY (touched.n - 1) / 500
            ORDER BY (touched.n - 1) / 500', home) USING of_batch
        LOOP
            gone := '{}';
            IF slice.of_one AND cardinality(slice.ids) > 1 THEN
                BEGIN
                    EXECUTE format('SELECT %s.undo_added($1, $2, $3, $4)', home) INTO gone
                    USING history, of_batch, slice.resource, slice.ids;
                EXCEPTION
                    WHEN integrity_constraint_violation OR not_null_violation OR foreign_key_violation OR unique_violation
                        OR check_violation OR exclusion_violation THEN
                        NULL; -- row by row tells which it is, and why
                END;
            END IF;
            FOREACH touched IN ARRAY slice.rows LOOP
                why := NULL;
                IF NOT touched ->> 'resource_id' = ANY (gone) THEN
                    BEGIN
                        EXECUTE format('SELECT %s.undo_row($1, $2, $3, $4)', home) INTO why
                        USING history, of_batch, touched ->> 'resource', touched ->> 'resource_id';
                    EXCEPTION
                        WHEN integrity_constraint_violation OR not_null_violation OR foreign_key_violation OR unique_violation
                            OR check_violation OR exclusion_violation THEN
                            GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME, in_table = TABLE_NAME, why = MESSAGE_TEXT;
                            why := coalesce((
                                SELECT obj_description(pg_constraint.oid, 'pg_constraint')
                                FROM pg_catalog.pg_constraint
                                JOIN pg_catalog.pg_class ON pg_class.oid = conrelid
                                WHERE conname = rule
                                  AND relname = in_table
                                  AND relnamespace = home::regnamespace), why);
                    END;
                END IF;
                done := done || (touched || jsonb_build_object('undone', why IS NULL, 'reason', why));
            END LOOP;
        END LOOP;
        IF dry_run THEN
            RAISE EXCEPTION USING ERRCODE = 'ZC003';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'ZC003' THEN -- all is as it was, but for what is returned
            NULL;
    END;
    RETURN QUERY
        SELECT one.resource, one.resource_id, one.name, one.undone, one.reason
        FROM unnest(done) AS line, jsonb_to_record(line) AS one (resource text, resource_id text, name text, undone boolean, reason text);
END
$$;
