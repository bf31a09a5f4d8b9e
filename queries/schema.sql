-- name: SchemaVersion :one
SELECT version, dirty
FROM schema_migrations;

-- name: VersionRequire :one
-- VersionRequire fails, and with it the transaction that it stands in, unless the schema is at this version; and it stays
-- at it until that transaction ends. The command is what the history says of what that changes.
SELECT (require_version(@version) AND set_config('crm.command', @command::text, true) IS NOT NULL)::boolean AS good;

-- name: SessionRequire :one
-- SessionRequire is VersionRequire, and fails as well unless the session is good and its employee has the role that the
-- operation was allowed for; neither ends or changes until the transaction does. The history says that they changed what
-- it changes, by this command.
SELECT (require_version(@version) AND require_session(@session_id, @employee_id, @role, @command))::boolean AS good;

-- name: DryRunEnds :one
-- DryRunEnds fails, and with it the transaction that it stands in: what that did before was only tried.
SELECT dry_run_ends();

-- name: RuleMessage :one
-- RuleMessage returns the comment on a constraint: what to tell the user who broke it.
SELECT coalesce(obj_description(pg_constraint.oid, 'pg_constraint'), '')::text
FROM pg_catalog.pg_constraint
JOIN pg_catalog.pg_class ON pg_class.oid = pg_constraint.conrelid
WHERE pg_class.relname = @table_name
  AND pg_constraint.conname = @constraint_name;

-- name: DatabaseClock :one
-- DatabaseClock returns the time of the database's machine, by which sessions end.
SELECT clock_timestamp()::timestamptz AS now;

-- name: SampleHeld :one
-- SampleHeld reports whether the sample data was put into the database, whatever was added since.
SELECT EXISTS (
    SELECT
    FROM contract
    WHERE id = 'ab0469a5-c2ba-4ff7-b9d4-9080df2db07e')::boolean AS held;

-- name: SampleOnly :one
-- SampleOnly reports whether there is nothing but the sample data, untouched, or nothing at all. The sum is that of the sample
-- data; two of its events are some days from the day on which it was put in, and are compared with each other.
SELECT (coalesce(md5(string_agg(line, E'\n' ORDER BY line COLLATE "C")), '') IN ('', '75bc6b278209411d42b2c64cd02119a9'))::boolean AS only_sample
FROM (
    SELECT ROW('employee', username, fullname, role, active)::text AS line
    FROM employee
    UNION ALL
    SELECT ROW('customer', customer.fullname, company, email, phone, address, username, extract(epoch FROM archived_at))::text
    FROM customer
    JOIN employee ON employee.id = commercial_id
    UNION ALL
    SELECT ROW('contract', contract.id, number, coalesce(email, phone), total_amount, extract(epoch FROM signed_at), sold_by, sold_by_id IS NULL, due_on, extract(epoch FROM cancelled_at), cancel_reason)::text
    FROM contract
    JOIN customer ON customer.id = customer_id
    UNION ALL
    SELECT ROW('payment', contract_id, amount, received_on, method, reference, extract(epoch FROM voided_at), voided_by, voided_by_id IS NULL, void_reason)::text
    FROM payment
    UNION ALL
    SELECT ROW('event', event.name, contract_id, username, attendees, location, note, clash_allowed, extract(epoch FROM event.cancelled_at), event.cancel_reason, extract(epoch FROM end_at - start_at),
               CASE
                   WHEN event.name IN ('Salon du livre jeunesse', 'Gala du Ski Club')
                       THEN extract(epoch FROM (start_at AT TIME ZONE 'Europe/Paris') - (
                           SELECT min(first.start_at AT TIME ZONE 'Europe/Paris')
                           FROM event AS first
                           WHERE first.name = 'Salon du livre jeunesse'))
                   ELSE extract(epoch FROM start_at)
               END)::text
    FROM event
    LEFT JOIN employee ON employee.id = support_id
    UNION ALL
    SELECT ROW('note', by, customer_id, contract_id, event_id, text)::text
    FROM note
    UNION ALL
    SELECT ROW('reminder', due_on, username, customer_id, contract_id, event_id, text, done_at)::text
    FROM reminder
    JOIN employee ON employee.id = for_id
) AS everything;
