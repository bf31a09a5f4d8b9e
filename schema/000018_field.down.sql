DROP DOMAIN cents, phone;
DROP VIEW payment_view, event_view;

CREATE VIEW event_view AS
SELECT event.id,
       event.name,
       event.contract_id,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       event.support_id,
       support.username    AS support,
       customer.commercial_id,
       commercial.username AS commercial,
       event.start_at,
       event.end_at,
       event.attendees,
       event.location,
       event.note
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id
LEFT JOIN employee AS support ON support.id = event.support_id;

COMMENT ON VIEW event_view IS 'An event with its customer, its commercial and the support who runs it, if any.';
