CREATE OR REPLACE FUNCTION change_field(column_name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE column_name
        WHEN 'commercial_id' THEN 'commercial'
        WHEN 'support_id' THEN 'support'
        WHEN 'contract_id' THEN 'contract'
        WHEN 'start_at' THEN 'start'
        WHEN 'end_at' THEN 'end'
        ELSE column_name
    END;

CREATE OR REPLACE VIEW change_line AS
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

DROP VIEW reminder_view, note_view;
DROP TABLE reminder, note;
