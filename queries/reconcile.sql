-- name: ContractReconcileStage :copyfrom
INSERT INTO statement_line (line, booked_on, amount, label, occurrence, named)
VALUES (@line, @booked_on, @amount, @label, @occurrence, @named);

-- name: ContractReconcile :many
-- ContractReconcile records as payments what the lines that were staged certainly are, and returns what became of each.
SELECT line::bigint AS line,
       date::date AS date,
       amount::cents AS amount,
       label::text AS label,
       occurrence::bigint AS occurrence,
       outcome::statement_outcome AS outcome,
       contract::optional_uuid AS contract,
       number::optional_text AS number,
       customer_id::optional_id AS customer_id,
       customer::optional_text AS customer,
       company::optional_text AS company,
       reference::optional_text AS reference,
       why::text AS why
FROM reconcile_statement(@as_username::text, @as_employee_id::bigint)
ORDER BY line;

-- name: Batch :one
-- Batch returns the batch of the history that this transaction is.
SELECT current_setting('crm.batch')::uuid AS batch;
