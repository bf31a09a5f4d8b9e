-- schema_migrations is golang-migrate's and pg_trgm may serve others: both stay.
DROP FUNCTION trigger_message;
DROP FUNCTION search_pattern;
DROP FUNCTION fold;
DROP FUNCTION is_note;
DROP FUNCTION is_line;
DROP FUNCTION is_blank;
