-- Row by row again.

CREATE OR REPLACE FUNCTION undo_rows(history regclass, of_batch uuid, dry_run boolean)
    RETURNS TABLE (resource text, resource_id text, name text, undone boolean, reason text)
    LANGUAGE plpgsql SET search_path = '' SET timezone = 'UTC' AS
$$
DECLARE
    home     text;
    touched  record;
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
        FOR touched IN EXECUTE format('
            SELECT line.resource, line.resource_id, max(line.name) AS name
            FROM %s.change_line AS line
            WHERE line.batch = $1
              AND line.resource <> ''schema''
            GROUP BY line.resource, line.resource_id
            ORDER BY max(line.id) DESC', home) USING of_batch
        LOOP
            BEGIN
                EXECUTE format('SELECT %s.undo_row($1, $2, $3, $4)', home) INTO why
                USING history, of_batch, touched.resource, touched.resource_id;
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
            done := done || jsonb_build_object('resource', touched.resource, 'resource_id', touched.resource_id,
                'name', touched.name, 'undone', why IS NULL, 'reason', why);
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

DROP FUNCTION undo_added(regclass, uuid, text, text[]);
