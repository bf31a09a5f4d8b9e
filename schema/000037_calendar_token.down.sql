DROP VIEW session_view;
CREATE VIEW session_view AS
SELECT id,
       employee_id,
       name,
       read_only,
       created_at,
       expires_at
FROM session
WHERE expires_at > now();

COMMENT ON VIEW session_view IS 'The logins and tokens that are good now: without the hash of the secret.';

-- Without the column its secret would be that of a token for scripts.
DELETE FROM session WHERE calendar;
ALTER TABLE session DROP COLUMN calendar;
