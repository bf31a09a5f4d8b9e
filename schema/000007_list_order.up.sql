-- Indexes for the lists: one for each order that rows can come in and be cut off after the first few, however many there
-- are. Where few rows have the same value, the server sorts those by what comes next; where many have, the index goes on
-- with it.

CREATE INDEX customer_fullname ON customer (fold(fullname));
CREATE INDEX customer_company ON customer (fold(company));
CREATE INDEX customer_email ON customer (email);
CREATE INDEX customer_phone ON customer (phone);
CREATE INDEX customer_created_at ON customer (created_at);
CREATE INDEX customer_updated_at ON customer (updated_at);

-- As the view writes what is due: an index is only found by the same expression.
DROP INDEX contract_not_paid;
CREATE INDEX contract_not_paid ON contract (created_at, id) WHERE total_amount - paid_amount > 0;
CREATE INDEX contract_total_due ON contract ((total_amount - paid_amount), created_at, id);

DROP INDEX contract_not_signed;
CREATE INDEX contract_signed ON contract (signed, created_at, id);
CREATE INDEX contract_signed_first ON contract (signed DESC, created_at, id);

CREATE INDEX contract_total_amount ON contract (total_amount);

-- What is absent comes last in either direction, which one index cannot serve.
CREATE INDEX contract_signed_at ON contract (signed_at);
CREATE INDEX contract_signed_at_last ON contract (signed_at DESC NULLS LAST);
CREATE INDEX event_start_at_last ON event (start_at DESC NULLS LAST);
CREATE INDEX event_end_at ON event (end_at);
CREATE INDEX event_end_at_last ON event (end_at DESC NULLS LAST);
CREATE INDEX event_attendees ON event (attendees, id);
CREATE INDEX event_attendees_last ON event (attendees DESC NULLS LAST, id);
CREATE INDEX event_location ON event (fold(location), id);
CREATE INDEX event_location_last ON event (fold(location) DESC NULLS LAST, id);
CREATE INDEX event_name ON event (fold(name));
