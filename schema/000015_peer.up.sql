-- Failed logins are counted for a name and where they come from, so that whoever guesses from elsewhere keeps nobody out.

ALTER TABLE login_failure
    ADD COLUMN peer text NOT NULL DEFAULT '',
    DROP CONSTRAINT login_failure_pkey,
    ADD CONSTRAINT login_failure_pkey PRIMARY KEY (username, peer),
    ADD CONSTRAINT login_failure_peer_length CHECK (char_length(peer) <= 255);

COMMENT ON COLUMN login_failure.peer IS
    'Where the attempts come from: the account of the system, an address, or the session whose employee changes the password; empty if unknown.';
COMMENT ON CONSTRAINT login_failure_pkey ON login_failure IS 'Failed logins are counted once for a name and where they come from.';
COMMENT ON CONSTRAINT login_failure_peer_length ON login_failure IS 'Where a login comes from has at most 255 characters.';

-- The name that somebody had when a payment was recorded may become somebody else's.
ALTER TABLE payment
    ADD COLUMN recorded_by_id bigint;

COMMENT ON COLUMN payment.recorded_by_id IS
    'Who recorded it, whatever they are called now; no other employee ever gets the id. NULL for payments recorded before this was kept.';
