-- name: SchemaVersion :one
SELECT version, dirty
FROM schema_migrations;

-- name: SchemaRequire :one
-- SchemaRequire fails, and with it the transaction that it stands in, unless the schema is at this version; and it stays
-- at it until that transaction ends, for a migration first locks the version's table against readers.
SELECT (1 / count(*))::integer
FROM schema_migrations
WHERE version = @version
  AND NOT dirty;

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
