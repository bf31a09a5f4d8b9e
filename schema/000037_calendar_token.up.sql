-- A calendar subscribes to the events of an employee by an address with a secret, which opens nothing else.

ALTER TABLE session
    ADD COLUMN calendar boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT session_calendar_reads CHECK (read_only OR NOT calendar);

COMMENT ON COLUMN session.calendar IS 'Whether the secret is that of the address of a calendar, which is good for that calendar and for no operation.';
COMMENT ON CONSTRAINT session_calendar_reads ON session IS 'A calendar changes nothing.';

CREATE OR REPLACE VIEW session_view AS
SELECT id,
       employee_id,
       name,
       read_only,
       created_at,
       expires_at,
       CASE
           WHEN name IS NULL THEN 'login'
           WHEN calendar THEN 'calendar'
           ELSE 'script'
       END AS kind
FROM session
WHERE expires_at > now();
