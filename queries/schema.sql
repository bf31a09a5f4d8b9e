-- name: SchemaVersion :one
SELECT version, dirty
FROM schema_migrations;

-- name: VersionRequire :one
-- VersionRequire fails, and with it the transaction that it stands in, unless the schema is at this version; and it stays
-- at it until that transaction ends.
SELECT require_version(@version);

-- name: SessionRequire :one
-- SessionRequire is VersionRequire, and fails as well unless the session is good and its employee has the role that the
-- operation was allowed for; neither ends or changes until the transaction does.
SELECT (require_version(@version) AND require_session(@session_id, @employee_id, @role))::boolean AS good;

-- name: RuleMessage :one
-- RuleMessage gives the comment on a constraint: what to tell the user who broke it.
SELECT coalesce(obj_description(pg_constraint.oid, 'pg_constraint'), '')::text
FROM pg_catalog.pg_constraint
JOIN pg_catalog.pg_class ON pg_class.oid = pg_constraint.conrelid
WHERE pg_class.relname = @table_name
  AND pg_constraint.conname = @constraint_name;

-- name: DatabaseClock :one
-- DatabaseClock gives the time of the database's machine, by which sessions end.
SELECT clock_timestamp()::timestamptz AS now;
