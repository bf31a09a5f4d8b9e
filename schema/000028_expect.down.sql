DO
$$
DECLARE
    resource text;
BEGIN
    FOREACH resource IN ARRAY ARRAY ['employee', 'customer', 'contract', 'event'] LOOP
        EXECUTE format('DROP TRIGGER %1$s_as_expected ON %1$s', resource);
    END LOOP;
END
$$;

DROP FUNCTION as_expected();
DROP FUNCTION expects(text, text, text);
