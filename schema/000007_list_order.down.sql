DROP INDEX customer_fullname, customer_company, customer_email, customer_phone, customer_created_at, customer_updated_at,
    contract_not_paid, contract_total_due, contract_signed, contract_signed_first, contract_total_amount,
    contract_signed_at, contract_signed_at_last,
    event_start_at_last, event_end_at, event_end_at_last, event_attendees, event_attendees_last, event_location,
    event_location_last, event_name;

CREATE INDEX contract_not_signed ON contract (created_at, id) WHERE NOT signed;
CREATE INDEX contract_not_paid ON contract (created_at, id) WHERE paid_amount < total_amount;
