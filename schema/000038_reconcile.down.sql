DROP FUNCTION reconcile_statement(text, bigint), statement_decided(), statement_reference(date, bigint, text, bigint), statement_words(text);
DROP TABLE statement_line;
DROP TYPE statement_outcome;
DROP DOMAIN optional_uuid;
