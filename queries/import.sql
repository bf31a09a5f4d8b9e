-- name: CustomerImportStage :copyfrom
INSERT INTO customer_import (line, bad, empties, id, fullname, company, commercial, email, phone, address, archived_at, created_at)
VALUES (@line, @bad, @empties, @id, @fullname, @company, @commercial, @email, @phone, @address, @archived_at, @created_at);

-- name: ContractImportStage :copyfrom
INSERT INTO contract_import (line, bad, empties, id, number, customer_id, total_amount, due_on, signed, signed_at, sold_by, cancelled_at, cancel_reason, created_at)
VALUES (@line, @bad, @empties, @id, @number, @customer_id, @total_amount, @due_on, @signed, @signed_at, @sold_by, @cancelled_at, @cancel_reason, @created_at);

-- name: PaymentImportStage :copyfrom
INSERT INTO payment_import (line, bad, id, contract_id, number, amount, received_on, method, reference, recorded_by, recorded_at, voided_at, voided_by, void_reason)
VALUES (@line, @bad, @id, @contract_id, @number, @amount, @received_on, @method, @reference, @recorded_by, @recorded_at, @voided_at, @voided_by, @void_reason);

-- name: EventImportStage :copyfrom
INSERT INTO event_import (line, bad, empties, id, name, contract_id, number, support, start_at, end_at, attendees, location, note, cancelled_at, cancel_reason, clash_allowed)
VALUES (@line, @bad, @empties, @id, @name, @contract_id, @number, @support, @start_at, @end_at, @attendees, @location, @note, @cancelled_at, @cancel_reason, @clash_allowed);

-- name: EmployeeImportStage :copyfrom
INSERT INTO employee_import (line, bad, id, username, fullname, role, active)
VALUES (@line, @bad, @id, @username, @fullname, @role, @active);

-- name: ImportRefused :many
-- ImportRefused says what is wrong with the rows that were staged, beyond what the rules of the table say. They are not
-- written.
SELECT line::bigint AS line, field::text AS field, reason::text AS reason
FROM import_refused(@resource, ROW (sqlc.narg('key')::import_key, @on_match::import_on_match, @keep_ids::boolean, sqlc.narg('commercial')::text,
    @as_username::text, @as_employee_id::bigint, @as_own::boolean, sqlc.narg('password_hash')::text)::import_options)
ORDER BY line;

-- name: ImportWrite :many
-- ImportWrite writes the rows of these lines that are not refused, and returns how many, with a row for each line that a rule
-- of the table refuses.
SELECT line::optional_id AS line, code::optional_text AS code, relation::optional_text AS relation, rule::optional_text AS rule,
       field::optional_text AS field, message::optional_text AS message,
       added::bigint AS added, updated::bigint AS updated, unchanged::bigint AS unchanged, skipped::bigint AS skipped
FROM import_write(@resource, ROW (sqlc.narg('key')::import_key, @on_match::import_on_match, @keep_ids::boolean, sqlc.narg('commercial')::text,
    @as_username::text, @as_employee_id::bigint, @as_own::boolean, sqlc.narg('password_hash')::text)::import_options, @first_line, @last_line)
ORDER BY line;

-- name: ImportEnd :one
-- ImportEnd takes the staged rows away and returns their number and the batch of the history.
SELECT import_end(@resource, ROW (sqlc.narg('key')::import_key, @on_match::import_on_match, @keep_ids::boolean, sqlc.narg('commercial')::text,
           @as_username::text, @as_employee_id::bigint, @as_own::boolean, sqlc.narg('password_hash')::text)::import_options)::bigint AS removed,
       current_setting('crm.batch')::uuid AS batch;
