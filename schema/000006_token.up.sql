-- Passwords for one login, and tokens for scripts: sessions with a name that last longer.

ALTER TABLE employee
    ADD COLUMN password_one_time boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN employee.password_one_time IS
    'Whether the password was made by crm for the first login: until it is changed, nothing else is allowed.';

ALTER TABLE session
    ADD COLUMN name        text,
    ADD COLUMN secret_hash bytea,
    ADD COLUMN read_only   boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT session_name_line CHECK (is_line(name)),
    ADD CONSTRAINT session_name_key UNIQUE (employee_id, name),
    ADD CONSTRAINT session_token_has_secret CHECK ((name IS NULL) = (secret_hash IS NULL)),
    ADD CONSTRAINT session_secret_hash_sha256 CHECK (octet_length(secret_hash) = 32),
    ADD CONSTRAINT session_read_only_token CHECK (name IS NOT NULL OR NOT read_only),
    ADD CONSTRAINT session_within_a_year CHECK (expires_at <= created_at + interval '366 days');

COMMENT ON TABLE session IS
    'A login or a token for scripts that is still good. Without its row a token is worth nothing.';
COMMENT ON COLUMN session.name IS 'What the token is for; NULL for a login.';
COMMENT ON COLUMN session.secret_hash IS
    'SHA-256 of the secret in the token, which is stored nowhere; NULL for a login, whose token is signed.';
COMMENT ON COLUMN session.read_only IS 'Whether the token may change nothing.';
COMMENT ON CONSTRAINT session_name_line ON session IS
    'The name of a token is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT session_name_key ON session IS 'You have a token of this name: revoke it first.';
COMMENT ON CONSTRAINT session_token_has_secret ON session IS 'A token has a name and a secret, a login has neither.';
COMMENT ON CONSTRAINT session_secret_hash_sha256 ON session IS 'A secret is stored as its SHA-256 only.';
COMMENT ON CONSTRAINT session_read_only_token ON session IS 'Only a token can be read-only.';
COMMENT ON CONSTRAINT session_within_a_year ON session IS 'A token lasts a year at most.';

ALTER TABLE login_failure
    ADD COLUMN attempted_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN login_failure.attempted_at IS
    'When the last attempt was counted; it may still be under way, and prove good.';

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
