-- Somebody else was faster: an update may say what it expects of the row, which is what was shown to whoever changes it, or
-- that nothing of it changed since a time. It is compared once the row is locked, so that no change slips between.

CREATE FUNCTION expects(of_resource text, of_id text, expected text) RETURNS boolean
    LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
    IF expected IS NOT NULL THEN
        PERFORM set_config('crm.expects', (expected::jsonb || jsonb_build_object('resource', of_resource, 'id', of_id))::text, true);
    END IF;
    RETURN true;
END
$$;

COMMENT ON FUNCTION expects(text, text, text) IS
    'Lets the updates of a row in this transaction go on only if it is as expected: {"shown": its fields, "unchanged_since": a time}.';

CREATE FUNCTION as_expected() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    expected jsonb := current_setting('crm.expects')::jsonb;
    changed  text;
    same     boolean;
    message  text;
BEGIN
    IF expected ->> 'resource' <> TG_TABLE_NAME OR expected ->> 'id' <> OLD.id::text THEN
        RETURN NEW;
    END IF;
    EXECUTE format('
        SELECT to_jsonb($1) - %1$I.unrecorded_columns() = to_jsonb($2) - %1$I.unrecorded_columns(),
               (SELECT string_agg(format(''%%s was %%s and is %%s now'', %1$I.change_field(key),
                           coalesce(%1$I.change_value(key, shown.value), ''-''), coalesce(%1$I.change_value(key, present.value), ''-'')), '', '' ORDER BY key)
                FROM jsonb_each(to_jsonb(jsonb_populate_record($1, coalesce((
                    SELECT jsonb_object_agg(attname, value)
                    FROM jsonb_each($3 -> ''shown'')
                    JOIN pg_catalog.pg_attribute ON attrelid = $4 AND attnum > 0 AND NOT attisdropped AND %1$I.change_field(attname::text) = key), ''{}'')))) AS shown
                JOIN jsonb_each(to_jsonb($1)) AS present USING (key)
                WHERE shown.value IS DISTINCT FROM present.value),
               %1$I.trigger_message($4, $5)', TG_TABLE_SCHEMA)
    INTO same, changed, message USING OLD, NEW, expected, TG_RELID, TG_NAME;
    IF changed IS NULL AND OLD.updated_at > (expected ->> 'unchanged_since')::timestamptz THEN
        changed := 'it was changed at ' || (to_jsonb(OLD.updated_at) #>> '{}');
    END IF;
    -- What would change nothing is no conflict: it may be this update, sent again because no answer came.
    IF NOT same AND changed IS NOT NULL THEN
        EXECUTE format('
            SELECT $1 || coalesce((
                SELECT format('', by %%s (%%s)'', by, coalesce(command, ''SQL''))
                FROM %I.change_view
                WHERE resource = $2 AND resource_id = $3
                ORDER BY id DESC
                LIMIT 1), '''')', TG_TABLE_SCHEMA)
        INTO changed USING changed, TG_TABLE_NAME, OLD.id::text;
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = format(message, changed);
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION as_expected() IS 'Refuses to change a row that is not as expected.';

DO
$$
DECLARE
    resource text;
BEGIN
    FOREACH resource IN ARRAY ARRAY ['employee', 'customer', 'contract', 'event'] LOOP
        EXECUTE format('
            CREATE TRIGGER %1$s_as_expected BEFORE UPDATE ON %1$s FOR EACH ROW
                WHEN (current_setting(''crm.expects'', true) <> '''') EXECUTE FUNCTION as_expected();
            COMMENT ON TRIGGER %1$s_as_expected ON %1$s IS ''Somebody else was faster, and nothing was changed: %%s.''', resource);
    END LOOP;
END
$$;
