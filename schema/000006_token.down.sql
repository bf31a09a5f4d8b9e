DROP VIEW session_view;

DELETE FROM session
WHERE name IS NOT NULL;

ALTER TABLE session
    DROP CONSTRAINT session_within_a_year,
    DROP CONSTRAINT session_read_only_token,
    DROP CONSTRAINT session_secret_hash_sha256,
    DROP CONSTRAINT session_token_has_secret,
    DROP CONSTRAINT session_name_key,
    DROP CONSTRAINT session_name_line,
    DROP COLUMN read_only,
    DROP COLUMN secret_hash,
    DROP COLUMN name;

COMMENT ON TABLE session IS 'A login that is still good. Without its row a token is worth nothing.';

ALTER TABLE login_failure
    DROP COLUMN attempted_at;

ALTER TABLE employee
    DROP COLUMN password_one_time;
