-- Two entries of one customer are found, told where one is added, and made one.

-- Each of these indexes has all that a reader of who shares something needs, so that no row is read for it.
DROP INDEX customer_email;
CREATE INDEX customer_email ON customer (fold(email), id) INCLUDE (email);

CREATE FUNCTION namesake(fullname text, company text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN fold(fullname) || coalesce(', ' || fold(company), '');

COMMENT ON FUNCTION namesake(text, text) IS 'Name and company folded, which are the same of two entries of one customer.';

-- By a hash, for the two are together longer than an index takes.
CREATE INDEX customer_namesake ON customer (hashtextextended(namesake(fullname, company), 0), id) INCLUDE (fullname, company);

CREATE VIEW customer_twin AS
SELECT 'email'::text AS same, email.shared, email.customer_id
FROM (
    SELECT customer.id AS customer_id, fold(customer.email) AS shared, count(*) OVER (PARTITION BY fold(customer.email)) AS among
    FROM customer
    WHERE customer.email IS NOT NULL) AS email
WHERE email.among > 1
UNION ALL
SELECT 'phone', phone.shared, phone.customer_id
FROM (
    SELECT customer.id AS customer_id, customer.phone AS shared, count(*) OVER (PARTITION BY customer.phone) AS among
    FROM customer
    WHERE customer.phone IS NOT NULL) AS phone
WHERE phone.among > 1
UNION ALL
SELECT 'name', name.shared::text, name.customer_id
FROM (
    SELECT customer.id AS customer_id, hashtextextended(namesake(customer.fullname, customer.company), 0) AS shared,
           count(*) OVER (PARTITION BY hashtextextended(namesake(customer.fullname, customer.company), 0)) AS among
    FROM customer) AS name
WHERE name.among > 1;

COMMENT ON VIEW customer_twin IS
    'The customers who share an e-mail address, a telephone number, or name and company with another, archived ones too; what they share is the same text for all of them, and else means nothing.';

-- The planner cannot know how few they are, and takes what it reads in an index for as dear as if it were computed.
CREATE FUNCTION customer_twins() RETURNS SETOF customer_twin
    LANGUAGE sql STABLE ROWS 100 SET enable_seqscan = off
BEGIN ATOMIC
    SELECT customer_twin.same, customer_twin.shared, customer_twin.customer_id
    FROM customer_twin;
END;

COMMENT ON FUNCTION customer_twins() IS 'The rows of customer_twin, read from indexes.';

CREATE FUNCTION customers_reached_by(of_email text, of_phone text) RETURNS SETOF bigint
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT customer.id
    FROM customer
    WHERE fold(customer.email) = fold(of_email)
       OR customer.phone = of_phone;
END;

COMMENT ON FUNCTION customers_reached_by(text, text) IS
    'The customers who have the e-mail address, whatever its case, or the telephone number.';

-- What is never changed may go to another customer all the same, with all that there is of the first.
CREATE FUNCTION customers_merge() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('crm.merges', true), '') <> '' OR coalesce(current_setting('crm.undoes', true), '') <> '';

COMMENT ON FUNCTION customers_merge() IS
    'Whether this transaction makes one customer of two, or undoes something, which may be that.';

DROP TRIGGER contract_cancelled ON contract;
CREATE TRIGGER contract_cancelled
    BEFORE UPDATE ON contract
    FOR EACH ROW
    WHEN (OLD.cancelled_at IS NOT NULL AND NEW.cancelled_at IS NOT NULL
        AND ((OLD.total_amount, OLD.due_on, OLD.cancelled_at, OLD.cancel_reason)
                IS DISTINCT FROM (NEW.total_amount, NEW.due_on, NEW.cancelled_at, NEW.cancel_reason)
            OR OLD.customer_id <> NEW.customer_id AND NOT customers_merge()))
EXECUTE FUNCTION refuse_row();
COMMENT ON TRIGGER contract_cancelled ON contract IS 'A cancelled contract is changed no more.';

CREATE FUNCTION merge_rows(of_table regclass, kept_id bigint, gone_id bigint, of_commercial bigint)
    RETURNS TABLE (resource text, moved bigint)
    LANGUAGE plpgsql SET search_path = '' AS
$$
DECLARE
    there    bigint;
    archived bigint[];
    refers   record;
BEGIN
    -- The customers first, in the order of their ids: so two who merge do not wait in a circle. Whatever is added to a
    -- customer locks them too: it is there now and moves, or waits and then finds nobody.
    EXECUTE format('
        SELECT count(*), array_agg(id) FILTER (WHERE archived_at IS NOT NULL)
        FROM (
            SELECT id, archived_at
            FROM %s
            WHERE id IN ($1, $2)
              AND ($3 IS NULL OR commercial_id = $3)
            ORDER BY id
            FOR UPDATE) AS locked', of_table)
    INTO there, archived USING kept_id, gone_id, of_commercial;
    IF there < 2 THEN
        RETURN;
    END IF;
    IF archived = ARRAY [kept_id] THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000',
            MESSAGE = format('Customer %s is archived and customer %s is not: restore the first (crm customer restore %1$s), or keep the other.', kept_id, gone_id);
    END IF;
    PERFORM set_config('crm.merges', format('%s into %s', gone_id, kept_id), true),
            set_config('crm.reason', format('merge of customer %s into %s', gone_id, kept_id), true);
    -- Everything that refers to a customer, also what a later migration adds.
    FOR refers IN
        SELECT DISTINCT conrelid::regclass AS in_table, of_rows.relname::text AS name, referring.attname
        FROM pg_catalog.pg_constraint
        JOIN pg_catalog.pg_class AS of_rows ON of_rows.oid = conrelid
        CROSS JOIN LATERAL unnest(conkey, confkey) AS key (referring, referred)
        JOIN pg_catalog.pg_attribute AS referring ON referring.attrelid = conrelid AND referring.attnum = key.referring
        JOIN pg_catalog.pg_attribute AS referred ON referred.attrelid = confrelid AND referred.attnum = key.referred
        WHERE contype = 'f'
          AND confrelid = of_table
          AND referred.attname = 'id'
        ORDER BY name, referring.attname
    LOOP
        EXECUTE format('UPDATE %1$s SET %2$I = $1 WHERE %2$I = $2', refers.in_table, refers.attname) USING kept_id, gone_id;
        resource := refers.name;
        GET DIAGNOSTICS moved = ROW_COUNT;
        RETURN NEXT;
    END LOOP;
    EXECUTE format('
        UPDATE %1$s AS kept
        SET company = coalesce(kept.company, gone.company),
            email   = coalesce(kept.email, gone.email),
            phone   = coalesce(kept.phone, gone.phone),
            address = coalesce(kept.address, gone.address)
        FROM %1$s AS gone
        WHERE kept.id = $1
          AND gone.id = $2', of_table)
    USING kept_id, gone_id;
    EXECUTE format('DELETE FROM %s WHERE id = $1', of_table) USING gone_id;
END
$$;

COMMENT ON FUNCTION merge_rows(regclass, bigint, bigint, bigint) IS
    'Gives one customer all that refers to another, fills what they lack, and deletes the other; of a commercial, both are in their charge. Returns what was moved, one row for each table that refers to customers; none where one of the two is not there.';

CREATE FUNCTION merge_customers(kept_id bigint, gone_id bigint, of_commercial bigint)
    RETURNS TABLE (resource text, moved bigint)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT merge_rows.resource, merge_rows.moved
    FROM merge_rows('customer'::regclass, kept_id, gone_id, of_commercial);
END;

COMMENT ON FUNCTION merge_customers(bigint, bigint, bigint) IS 'Is merge_rows, with the rights of the owner.';

REVOKE EXECUTE ON FUNCTION merge_customers(bigint, bigint, bigint), merge_rows(regclass, bigint, bigint, bigint) FROM PUBLIC;
