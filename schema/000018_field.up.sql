-- The columns of a view are the fields of its resource: they have the names, and stand in the order, in which crm prints
-- them.

DROP VIEW event_view;
CREATE VIEW event_view AS
SELECT event.id,
       event.name,
       event.contract_id   AS contract,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       event.support_id,
       support.username    AS support,
       customer.commercial_id,
       commercial.username AS commercial,
       event.start_at      AS start,
       event.end_at        AS "end",
       event.attendees,
       event.location,
       event.note
FROM event
JOIN contract ON contract.id = event.contract_id
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id
LEFT JOIN employee AS support ON support.id = event.support_id;

COMMENT ON VIEW event_view IS 'An event with its customer, its commercial and the support who runs it, if any.';

CREATE VIEW payment_view AS
SELECT id,
       contract_id AS contract,
       amount,
       recorded_by,
       recorded_by_id,
       recorded_at
FROM payment;

COMMENT ON VIEW payment_view IS 'A payment with the contract it pays and who recorded it.';

-- What a number or a text means where it is no column: of a parameter that may be NULL, of a sum.
CREATE DOMAIN cents AS bigint;
COMMENT ON DOMAIN cents IS 'An amount of money in euro cents.';

CREATE DOMAIN phone AS text;
COMMENT ON DOMAIN phone IS 'A telephone number in E.164 form, such as +33612345678.';
