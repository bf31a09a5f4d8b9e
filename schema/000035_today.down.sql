DROP VIEW work_item;
DROP INDEX contract_open;
DROP FUNCTION is_sample_password(text);
