-- What waits for somebody, of all kinds in one view. A kind more is a SELECT more, which says for whom it is, what it is in
-- words, since when or when, the amount if there is one, and the command that settles it: in angle brackets stands what only
-- the one who runs it knows. Of what is cancelled, archived or inactive nothing waits.

CREATE FUNCTION is_sample_password(password_parameters text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN password_parameters = '$argon2id$v=19$m=65536,t=3,p=4$t0kVYHxKvDxOsjhXwpr4Hg$';
COMMENT ON FUNCTION is_sample_password(text) IS
    'Whether a hash with these parameters is that of the sample data: the salt is in them, and no other password gets it.';

-- Few contracts are open, and of each commercial they are looked for by customer.
CREATE INDEX contract_open ON contract (customer_id) WHERE status IN ('draft', 'signed', 'part_paid');

CREATE VIEW work_item AS
SELECT 1                 AS place,
       employee.id       AS for_id,
       employee.username AS "for",
       'reminder_due'    AS kind,
       format('%s (%s)', split_part(reminder.text, E'\n', 1), concat_ws(', ', customer.fullname, contract.number, event.name)) AS what,
       reminder.due_on   AS day,
       NULL::bigint      AS amount,
       format('crm reminder done %s', reminder.id) AS command
FROM reminder
JOIN employee ON employee.id = reminder.for_id
LEFT JOIN event ON event.id = reminder.event_id
LEFT JOIN contract ON contract.id = coalesce(reminder.contract_id, event.contract_id)
JOIN customer ON customer.id = coalesce(reminder.customer_id, contract.customer_id)
WHERE employee.active
  AND reminder.done_at IS NULL
  AND reminder.due_on <= current_date
  AND event.cancelled_at IS NULL
  AND contract.cancelled_at IS NULL
  AND customer.archived_at IS NULL
UNION ALL
SELECT 2,
       employee.id,
       employee.username,
       'contract_overdue',
       format('%s is overdue (%s)', contract.number, concat_ws(', ', customer.fullname, customer.company)),
       contract.due_on,
       contract.total_amount - contract.paid_amount,
       format('crm contract add-payment %s --payment %s', contract.number, ((contract.total_amount - contract.paid_amount) / 100.0)::numeric(20, 2))
FROM employee
JOIN customer ON customer.commercial_id = employee.id
JOIN contract ON contract.customer_id = customer.id
WHERE employee.active
  AND customer.archived_at IS NULL
  AND contract.status IN ('signed', 'part_paid')
  AND contract.due_on < current_date
UNION ALL
SELECT 3,
       employee.id,
       employee.username,
       'contract_unsigned',
       format('%s is not signed (%s)', contract.number, concat_ws(', ', customer.fullname, customer.company)),
       contract.created_at::date,
       contract.total_amount,
       format('crm contract sign %s', contract.number)
FROM employee
JOIN customer ON customer.commercial_id = employee.id
JOIN contract ON contract.customer_id = customer.id
WHERE employee.active
  AND customer.archived_at IS NULL
  AND contract.status = 'draft'
  AND contract.created_at < current_date - 13 -- 14 days ago, or earlier
UNION ALL
SELECT 4,
       employee.id,
       employee.username,
       'customer_silent',
       format('nothing was heard of %s', concat_ws(', ', customer.fullname, customer.company, customer.phone)),
       heard.at::date,
       NULL,
       format('crm note add customer %s --text <text>', customer.id)
FROM employee
JOIN customer ON customer.commercial_id = employee.id
CROSS JOIN LATERAL (
    SELECT greatest(customer.created_at, max(sign.at)) AS at
    FROM (
        SELECT max(greatest(
                   contract.created_at,
                   contract.signed_at,
                   (SELECT max(payment.received_on) FROM payment WHERE payment.contract_id = contract.id AND payment.voided_at IS NULL),
                   (SELECT max(greatest(event.start_at, event.end_at, (SELECT max(note.at) FROM note WHERE note.event_id = event.id)))
                    FROM event
                    WHERE event.contract_id = contract.id
                      AND event.cancelled_at IS NULL),
                   (SELECT max(note.at) FROM note WHERE note.contract_id = contract.id),
                   (SELECT max(coalesce(reminder.done_at, reminder.due_on)) FROM reminder WHERE reminder.contract_id = contract.id))) AS at
        FROM contract
        WHERE contract.customer_id = customer.id
        UNION ALL
        SELECT note.at
        FROM note
        WHERE note.customer_id = customer.id
        UNION ALL
        SELECT coalesce(reminder.done_at, reminder.due_on)
        FROM reminder
        WHERE reminder.customer_id = customer.id) AS sign) AS heard
WHERE employee.active
  AND customer.archived_at IS NULL
  AND customer.created_at < current_date - interval '6 months'
  AND heard.at < current_date - interval '6 months'
UNION ALL
SELECT 5,
       employee.id,
       employee.username,
       'event_clash',
       format('%s (%s) clashes with event %s, %s (%s)', event_clash.name, event_time(event_clash.start, event_clash."end"),
              event_clash.other_id, event_clash.other, event_time(event_clash.other_start, event_clash.other_end)),
       greatest(event_clash.start, event_clash.other_start)::date,
       NULL,
       format('crm event update %s --shift <span>', event_clash.id)
FROM event_clash
JOIN employee ON employee.id = event_clash.support_id
WHERE employee.active
  AND event_to_come(event_clash.start, event_clash."end")
  AND event_to_come(event_clash.other_start, event_clash.other_end)
  AND event_clash.start < now() + interval '7 days'
  AND event_clash.other_start < now() + interval '7 days'
UNION ALL
SELECT 6,
       employee.id,
       employee.username,
       'event_incomplete',
       format('%s has no %s (%s)', event.name, concat_ws(' and no ',
              CASE WHEN event.location IS NULL THEN 'place' END,
              CASE WHEN event.end_at IS NULL THEN 'end' END), event_time(event.start_at, event.end_at)),
       event.start_at::date,
       NULL,
       concat_ws(' ', format('crm event update %s', event.id),
              CASE WHEN event.location IS NULL THEN '--location <place>' END,
              CASE WHEN event.end_at IS NULL THEN '--end <time>' END)
FROM employee
JOIN event ON event.support_id = employee.id
WHERE employee.active
  AND event.cancelled_at IS NULL
  AND (event.location IS NULL OR event.end_at IS NULL)
  AND event.start_at >= now()
  AND event.start_at < now() + interval '7 days'
UNION ALL
SELECT 7,
       employee.id,
       employee.username,
       'event_without_support',
       format('%s is run by nobody (%s)', event.name, event_time(event.start_at, event.end_at)),
       event.start_at::date,
       NULL,
       format('crm event set-support %s --username <username>', event.id)
FROM event
JOIN employee ON employee.role = 'administrator'
WHERE employee.active
  AND event.support_id IS NULL
  AND event.cancelled_at IS NULL
  AND event_to_come(event.start_at, event.end_at)
  AND event.start_at < current_date + 31 -- in 30 days, or sooner
UNION ALL
SELECT 8,
       employee.id,
       employee.username,
       'sample_password',
       format('%s has the password of the sample data', employee_password.username),
       NULL,
       NULL,
       CASE employee_password.id
           WHEN employee.id THEN 'crm auth change-password'
           ELSE format('crm employee set-password %s', employee_password.username)
       END
FROM employee_password
JOIN employee ON employee.role = 'administrator'
WHERE employee.active
  AND is_sample_password(employee_password.password_parameters)
UNION ALL
SELECT 9,
       employee.id,
       employee.username,
       'employee_locked',
       format('%s cannot log in until %s', locked.username, to_char(locked.locked_until, 'HH24:MI')),
       locked.locked_until::date,
       NULL,
       format('crm employee unlock %s', locked.username)
FROM employee_view AS locked
JOIN employee ON employee.role = 'administrator'
WHERE employee.active
  AND locked.active
  AND locked.locked_until IS NOT NULL;

COMMENT ON VIEW work_item IS 'What waits for an employee, and the command that settles it.';
