DROP FUNCTION renew_session;
ALTER TABLE session DROP CONSTRAINT session_idle_positive, DROP COLUMN limit_at, DROP COLUMN idle;
COMMENT ON COLUMN session.expires_at IS 'From this moment the session is over.';
