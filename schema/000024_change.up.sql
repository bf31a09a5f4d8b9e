-- What changed, and who changed it. Every row that is added, changed or deleted is written down by one trigger function,
-- whoever does it: an operation of crm names its employee and command at the head of its transaction (require_session);
-- a change by SQL alone is written down as by its user of the database.

CREATE TABLE change (
    id          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    xid         xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at          timestamptz NOT NULL DEFAULT now(),
    by          text        NOT NULL,
    by_id       bigint,
    command     text,
    batch       uuid        NOT NULL,
    undoes      uuid,
    reason      text,
    resource    text        NOT NULL,
    resource_id text        NOT NULL,
    before      jsonb,
    after       jsonb,

    CONSTRAINT change_pkey PRIMARY KEY (id),
    CONSTRAINT change_of_something CHECK (before IS NOT NULL OR after IS NOT NULL),
    CONSTRAINT change_reason_line CHECK (is_line(reason))
);

CREATE INDEX change_xid ON change (xid, id);
CREATE INDEX change_at ON change (at, id);
CREATE INDEX change_resource_id ON change (resource_id, id);
CREATE INDEX change_batch ON change (batch, id);
CREATE INDEX change_undoes ON change (undoes) WHERE undoes IS NOT NULL;

COMMENT ON TABLE change IS 'What changed: one row for each row of a resource that a statement added, changed or deleted. It outlives them.';
COMMENT ON COLUMN change.xid IS 'The transaction that wrote it, by which readers see them in the order of their commits; one of this server, so a restore gives its own.';
COMMENT ON COLUMN change.at IS 'When the transaction began.';
COMMENT ON COLUMN change.by IS 'Username, at that moment, of who did it; sql: and a user of the database where it was not done by crm.';
COMMENT ON COLUMN change.by_id IS 'The employee who did it, who may have left.';
COMMENT ON COLUMN change.command IS 'The command, such as contract sign.';
COMMENT ON COLUMN change.batch IS 'One for all that a run of a command, or a transaction, changed.';
COMMENT ON COLUMN change.undoes IS 'The batch that this took back.';
COMMENT ON COLUMN change.reason IS 'Why it was done, where that was asked.';
COMMENT ON COLUMN change.resource IS 'The table of the row.';
COMMENT ON COLUMN change.resource_id IS 'The id of the row.';
COMMENT ON COLUMN change.before IS 'What the fields that changed were; all fields of a row that was deleted, NULL of one that was added.';
COMMENT ON COLUMN change.after IS 'What the fields that changed became; all fields of a row that was added, NULL of one that was deleted.';
COMMENT ON CONSTRAINT change_pkey ON change IS 'This number of a change is taken.';
COMMENT ON CONSTRAINT change_reason_line ON change IS
    'A reason is one line of 1 to 255 characters in Unicode normal form C, without control characters.';
COMMENT ON CONSTRAINT change_of_something ON change IS 'A change has a before or an after.';

CREATE FUNCTION unrecorded_columns() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY [
        'id',                                                -- beside them, as text
        'password_hash',                                     -- a secret
        'password_one_time_until', 'updated_at',             -- when, which every change says
        'search', 'signed', 'status',                        -- made of other columns
        'commercial_role', 'support_role', 'contract_signed', -- for the keys that hold a rule
        'paid_amount'                                        -- the sum of the payments
    ];

COMMENT ON FUNCTION unrecorded_columns() IS
    'Columns, whatever their table, that the history leaves out: secrets, and what other columns or rows say already.';

-- One for all tables, so that no list of columns can be forgotten. It works on all rows of a statement at once. Times are
-- written in one zone, so that they can be compared.
CREATE FUNCTION record_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC' AS
$$
BEGIN
    IF coalesce(current_setting('crm.batch', true), '') = '' THEN
        PERFORM set_config('crm.batch', gen_random_uuid()::text, true),
                set_config('crm.by', 'sql:' || session_user, true);
    END IF;
    EXECUTE format('
        INSERT INTO %1$I.change (by, by_id, command, batch, undoes, reason, resource, resource_id, before, after)
        SELECT current_setting(''crm.by''),
               nullif(current_setting(''crm.by_id'', true), '''')::bigint,
               nullif(current_setting(''crm.command'', true), ''''),
               current_setting(''crm.batch'')::uuid,
               nullif(current_setting(''crm.undoes'', true), '''')::uuid,
               nullif(current_setting(''crm.reason'', true), ''''),
               $1, changed.id, changed.before, changed.after
        FROM (' || CASE TG_OP
            WHEN 'INSERT' THEN '
                SELECT added.id::text, NULL::jsonb AS before, jsonb_strip_nulls(to_jsonb(added) - %1$I.unrecorded_columns()) AS after
                FROM added'
            WHEN 'DELETE' THEN '
                SELECT deleted.id::text, jsonb_strip_nulls(to_jsonb(deleted) - %1$I.unrecorded_columns()) AS before, NULL::jsonb AS after
                FROM deleted'
            ELSE '
                SELECT coalesce(was.id, became.id)::text AS id,
                       CASE WHEN was.id IS NOT NULL THEN fields.before END AS before,
                       CASE WHEN became.id IS NOT NULL THEN fields.after END AS after
                FROM (SELECT id, to_jsonb(deleted) - %1$I.unrecorded_columns() AS fields FROM deleted) AS was
                FULL JOIN (SELECT id, to_jsonb(added) - %1$I.unrecorded_columns() AS fields FROM added) AS became USING (id)
                CROSS JOIN LATERAL (
                    SELECT jsonb_object_agg(name, was.fields -> name) AS before,
                           jsonb_object_agg(name, became.fields -> name) AS after
                    FROM jsonb_object_keys(coalesce(became.fields, was.fields)) AS name
                    WHERE was.fields -> name IS DISTINCT FROM became.fields -> name) AS fields
                WHERE fields.after IS NOT NULL'
            END || ') AS changed', TG_TABLE_SCHEMA)
    USING TG_TABLE_NAME;
    RETURN NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION record_change() FROM PUBLIC;

COMMENT ON FUNCTION record_change() IS 'Writes down what a statement changed.';

DO
$$
DECLARE
    resource text;
BEGIN
    FOREACH resource IN ARRAY ARRAY ['employee', 'customer', 'contract', 'payment', 'event'] LOOP
        EXECUTE format('
            CREATE TRIGGER %1$s_added AFTER INSERT ON %1$s
                REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION record_change();
            CREATE TRIGGER %1$s_changed AFTER UPDATE ON %1$s
                REFERENCING OLD TABLE AS deleted NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION record_change();
            CREATE TRIGGER %1$s_deleted AFTER DELETE ON %1$s
                REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION record_change();
            COMMENT ON TRIGGER %1$s_added ON %1$s IS ''What is added is in the history.'';
            COMMENT ON TRIGGER %1$s_changed ON %1$s IS ''What is changed is in the history.'';
            COMMENT ON TRIGGER %1$s_deleted ON %1$s IS ''What is deleted is in the history.''', resource);
    END LOOP;
END
$$;

-- Who acts is said where it is required that they may.
DROP FUNCTION require_session(uuid, bigint, role);
CREATE FUNCTION require_session(acting_session uuid, acting_employee bigint, acting_role role, acting_command text) RETURNS boolean
    LANGUAGE plpgsql AS
$$
DECLARE
    acting_username text;
BEGIN
    -- The employee first, as those lock who change a role or a password and then end the sessions: so nobody waits in a
    -- circle. These locks let other writers of the same employee pass. A change of the role, a deletion, and whatever ends
    -- the session wait for this transaction, or this one waits for them and then sees what they did.
    SELECT username INTO acting_username FROM employee WHERE id = acting_employee AND role = acting_role FOR KEY SHARE;
    IF FOUND THEN
        PERFORM FROM session
        WHERE id = acting_session
          AND employee_id = acting_employee
          AND expires_at > clock_timestamp()
        FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'ZC002', MESSAGE = 'The session is over.';
    END IF;
    PERFORM set_config('crm.by', acting_username, true),
            set_config('crm.by_id', acting_employee::text, true),
            set_config('crm.command', acting_command, true),
            set_config('crm.batch', gen_random_uuid()::text, true);
    RETURN true;
END
$$;

COMMENT ON FUNCTION require_session(uuid, bigint, role, text) IS
    'Raises ZC002 unless the session is good and its employee has this role; both then stay so until the transaction ends, and what it changes is written down as done by this command of theirs.';

-- How people and programs read a change: one line a field, under the name that the field has elsewhere.

CREATE FUNCTION change_field(column_name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE column_name
        WHEN 'commercial_id' THEN 'commercial'
        WHEN 'support_id' THEN 'support'
        WHEN 'contract_id' THEN 'contract'
        WHEN 'start_at' THEN 'start'
        WHEN 'end_at' THEN 'end'
        ELSE column_name
    END;

COMMENT ON FUNCTION change_field(text) IS 'The name of the field that shows a column.';

CREATE FUNCTION change_value(column_name text, content jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN content = 'null' THEN NULL
        WHEN column_name LIKE '%amount' THEN round((content #>> '{}')::numeric / 100, 2)::text
        WHEN column_name LIKE '%\_at' THEN to_jsonb(date_trunc('second', (content #>> '{}')::timestamptz)) #>> '{}'
        ELSE content #>> '{}'
    END;

COMMENT ON FUNCTION change_value(text, jsonb) IS
    'A value of the history as text: euros with two decimals, times with the offset of this session.';

-- With the position of each line, after which a reader of all changes may have stopped.
CREATE VIEW change_line AS
SELECT change.xid,
       field.position::bigint AS position,
       change.id,
       change.at,
       change.by,
       change.by_id,
       change.command,
       change.batch,
       change.reason,
       change.resource,
       change.resource_id,
       CASE change.resource
           WHEN 'employee' THEN coalesce(
               (SELECT employee.username FROM employee WHERE employee.id = change.resource_id::bigint),
               change.after ->> 'username', change.before ->> 'username')
           WHEN 'customer' THEN coalesce(
               (SELECT customer.fullname FROM customer WHERE customer.id = change.resource_id::bigint),
               change.after ->> 'fullname', change.before ->> 'fullname')
           WHEN 'contract' THEN coalesce(
               (SELECT contract.number FROM contract WHERE contract.id = change.resource_id::uuid),
               change.after ->> 'number', change.before ->> 'number')
           WHEN 'payment' THEN (
               SELECT contract.number
               FROM payment
               JOIN contract ON contract.id = payment.contract_id
               WHERE payment.id = change.resource_id::uuid)
           WHEN 'event' THEN coalesce(
               (SELECT event.name FROM event WHERE event.id = change.resource_id::bigint),
               change.after ->> 'name', change.before ->> 'name')
       END AS name,
       change_field(field.name) AS field,
       CASE
           WHEN field.name IN ('commercial_id', 'support_id') THEN coalesce(
               (SELECT employee.username FROM employee WHERE employee.id = (change.before ->> field.name)::bigint),
               change.before ->> field.name)
           ELSE change_value(field.name, change.before -> field.name)
       END AS before,
       CASE
           WHEN field.name IN ('commercial_id', 'support_id') THEN coalesce(
               (SELECT employee.username FROM employee WHERE employee.id = (change.after ->> field.name)::bigint),
               change.after ->> field.name)
           ELSE change_value(field.name, change.after -> field.name)
       END AS after
FROM change
CROSS JOIN LATERAL jsonb_object_keys(coalesce(change.after, change.before)) WITH ORDINALITY AS field(name, position);

COMMENT ON VIEW change_line IS
    'The changes, one line for each field: what it is called, what it was and what it became, with the names of the row and of people as they are now.';

CREATE VIEW change_view AS
SELECT id, at, by, by_id, command, batch, reason, resource, resource_id, name, field, before, after
FROM change_line;

COMMENT ON VIEW change_view IS 'The changes, one line for each field.';

CREATE FUNCTION history_ids(of_id text, of_contract uuid) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ARRAY(
        SELECT of_id
        UNION ALL
        SELECT payment.id::text FROM payment WHERE payment.contract_id = of_contract
        UNION ALL
        SELECT event.id::text FROM event WHERE event.contract_id = of_contract);

COMMENT ON FUNCTION history_ids(text, uuid) IS 'The ids whose changes are the history of a row: of a contract, those of its payments and events too.';
