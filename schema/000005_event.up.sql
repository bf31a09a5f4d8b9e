-- Events, each of a signed contract, run by an employee of the support.

CREATE TABLE event (
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    name            text        NOT NULL,
    contract_id     uuid        NOT NULL,
    contract_signed boolean     NOT NULL GENERATED ALWAYS AS (true) STORED,
    support_id      bigint,
    support_role    role        NOT NULL GENERATED ALWAYS AS ('support'::role) STORED,
    start_at        timestamptz,
    end_at          timestamptz,
    attendees       integer,
    location        text,
    note            text,
    search          text        NOT NULL GENERATED ALWAYS AS (fold(name || ' ' || coalesce(location, ''))) STORED,

    CONSTRAINT event_pkey PRIMARY KEY (id),
    CONSTRAINT event_contract_fkey FOREIGN KEY (contract_id, contract_signed) REFERENCES contract (id, signed),
    CONSTRAINT event_support_fkey FOREIGN KEY (support_id, support_role) REFERENCES employee (id, role),
    CONSTRAINT event_name_line CHECK (is_line(name)),
    CONSTRAINT event_end_after_start CHECK (end_at >= start_at),
    CONSTRAINT event_attendees_positive CHECK (attendees >= 0),
    CONSTRAINT event_location_line CHECK (is_line(location)),
    CONSTRAINT event_note_text CHECK (is_note(note))
);

CREATE INDEX event_contract_id ON event (contract_id);
CREATE INDEX event_support_id ON event (support_id, id);
CREATE INDEX event_no_support ON event (id) WHERE support_id IS NULL;
CREATE INDEX event_start_at ON event (start_at);
CREATE INDEX event_search ON event USING gin (search gin_trgm_ops);

COMMENT ON TABLE event IS 'What was sold: a day, a place, guests, and someone of the support who runs it.';
COMMENT ON COLUMN event.name IS 'Name of the event.';
COMMENT ON COLUMN event.contract_id IS 'The signed contract it is part of.';
COMMENT ON COLUMN event.contract_signed IS
    'Always true: with contract_id it points at a contract that is signed and stays so.';
COMMENT ON COLUMN event.support_id IS 'Who runs it; NULL while nobody is assigned.';
COMMENT ON COLUMN event.support_role IS
    'Always support: with support_id it points at an employee who has that role and cannot lose it.';
COMMENT ON COLUMN event.start_at IS 'When it starts.';
COMMENT ON COLUMN event.end_at IS 'When it ends, not before it starts.';
COMMENT ON COLUMN event.attendees IS 'Number of guests.';
COMMENT ON COLUMN event.location IS 'Where it is held.';
COMMENT ON COLUMN event.note IS 'What the support should know; may have several lines.';
COMMENT ON COLUMN event.search IS 'Name and location without case and accents.';
COMMENT ON CONSTRAINT event_pkey ON event IS 'This event id is taken.';
COMMENT ON CONSTRAINT event_contract_fkey ON event IS
    'An event belongs to a signed contract (crm contract sign), which then stays signed.';
COMMENT ON CONSTRAINT event_support_fkey ON event IS
    'An event is run by an employee whose role is support.';
COMMENT ON CONSTRAINT event_name_line ON event IS
    'An event name is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT event_end_after_start ON event IS 'An event does not end before it starts.';
COMMENT ON CONSTRAINT event_attendees_positive ON event IS 'The number of attendees is not below zero.';
COMMENT ON CONSTRAINT event_location_line ON event IS
    'A location is one line of 1 to 255 characters, without control characters.';
COMMENT ON CONSTRAINT event_note_text ON event IS
    'A note has 1 to 10 000 characters, without control characters but the newline.';

-- The foreign keys of customer and event keep an employee in charge in place; this says so with figures. The row is
-- locked before the trigger runs, so nothing can be handed to the employee between the count and the change.
CREATE FUNCTION employee_in_charge() RETURNS trigger
    LANGUAGE plpgsql AS
$$
DECLARE
    customers bigint := (SELECT count(*) FROM customer WHERE commercial_id = OLD.id);
    events    bigint := (SELECT count(*) FROM event WHERE support_id = OLD.id);
BEGIN
    IF customers + events > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = '23000', CONSTRAINT = TG_NAME,
            MESSAGE = format(trigger_message(TG_RELID, TG_NAME), concat_ws(' and ',
                CASE customers
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 customer (crm customer set-commercial)'
                    ELSE customers || ' customers (crm customer set-commercial)'
                END,
                CASE events
                    WHEN 0 THEN NULL
                    WHEN 1 THEN '1 event (crm event set-support)'
                    ELSE events || ' events (crm event set-support)'
                END));
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER employee_in_charge_role
    BEFORE UPDATE OF role ON employee
    FOR EACH ROW
    WHEN (OLD.role <> NEW.role)
EXECUTE FUNCTION employee_in_charge();

CREATE TRIGGER employee_in_charge
    BEFORE DELETE ON employee
    FOR EACH ROW
EXECUTE FUNCTION employee_in_charge();

COMMENT ON TRIGGER employee_in_charge_role ON employee IS 'Replace this employee first: in charge of %s.';
COMMENT ON TRIGGER employee_in_charge ON employee IS 'Replace this employee first: in charge of %s.';

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
