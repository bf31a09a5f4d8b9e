-- What belongs together is seen together: what a customer bought, paid and owes, and one search through everything.

-- An event is found by its note too.
ALTER TABLE event DROP COLUMN search;
ALTER TABLE event
    ADD COLUMN search text NOT NULL
        GENERATED ALWAYS AS (search_text(name || coalesce(' ' || location, '') || coalesce(' ' || note, ''), NULL)) STORED;

COMMENT ON COLUMN event.search IS 'Name, location and note folded.';

CREATE INDEX event_search ON event USING gin (search gin_trgm_ops);

CREATE FUNCTION euros(cents bigint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ltrim(to_char(cents / 100, '9 999 999 990')) || '.' || to_char(cents % 100, 'FM00') || ' €';

COMMENT ON FUNCTION euros IS 'An amount as people read it: 1 234.50 €.';

-- Sums over base tables, which no later change of a view is in the way of.
CREATE VIEW customer_account AS
SELECT customer.id AS customer_id,
       account.bought_amount,
       account.paid_amount,
       account.due_amount,
       account.overdue_amount,
       account.due_since,
       account.draft_amount
FROM customer
CROSS JOIN LATERAL (
    SELECT coalesce(sum(total_amount) FILTER (WHERE is_open), 0)::bigint AS bought_amount,
           coalesce(sum(paid_amount), 0)::bigint AS paid_amount,
           coalesce(sum(due) FILTER (WHERE is_open), 0)::bigint AS due_amount,
           coalesce(sum(due) FILTER (WHERE is_open AND since < current_date), 0)::bigint AS overdue_amount,
           min(since) FILTER (WHERE is_open AND due > 0 AND since <= current_date) AS due_since,
           coalesce(sum(total_amount) FILTER (WHERE status = 'draft'), 0)::bigint AS draft_amount
    FROM (
        SELECT total_amount, paid_amount, is_open, status, total_amount - paid_amount AS due, coalesce(due_on, signed_at::date) AS since
        FROM contract
        WHERE contract.customer_id = customer.id) AS owed) AS account;

COMMENT ON VIEW customer_account IS
    'What a customer bought by contracts that are signed and not cancelled, and paid and owes of it, in euro cents. What is due counts from the day that was agreed, or else from the signature; due_since is the first such day, overdue_amount what was due before today, draft_amount what is not signed.';
