-- What was said, and what is to be done: each about a customer, a contract or an event.

CREATE TABLE note (
    id          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT now(),
    by          text        NOT NULL,
    by_id       bigint,
    customer_id bigint,
    contract_id uuid,
    event_id    bigint,
    text        text        NOT NULL,
    search      text        NOT NULL GENERATED ALWAYS AS (search_text(text, NULL)) STORED,

    CONSTRAINT note_pkey PRIMARY KEY (id),
    CONSTRAINT note_customer_fkey FOREIGN KEY (customer_id) REFERENCES customer (id),
    CONSTRAINT note_contract_fkey FOREIGN KEY (contract_id) REFERENCES contract (id),
    CONSTRAINT note_event_fkey FOREIGN KEY (event_id) REFERENCES event (id),
    CONSTRAINT note_about_one CHECK (num_nonnulls(customer_id, contract_id, event_id) = 1),
    CONSTRAINT note_by_line CHECK (is_line(by)),
    CONSTRAINT note_text_note CHECK (is_note(text))
);

CREATE INDEX note_at ON note (at, id);
CREATE INDEX note_customer_id ON note (customer_id, at);
CREATE INDEX note_contract_id ON note (contract_id, at);
CREATE INDEX note_event_id ON note (event_id, at);
CREATE INDEX note_search ON note USING gin (search gin_trgm_ops);

COMMENT ON TABLE note IS 'What was said: of a customer, a contract or an event. Only added to.';
COMMENT ON COLUMN note.at IS 'When it was written.';
COMMENT ON COLUMN note.by IS 'Username, at that moment, of who wrote it.';
COMMENT ON COLUMN note.by_id IS 'The employee who wrote it, who may have left.';
COMMENT ON COLUMN note.customer_id IS 'The customer it is about, unless it is about a contract or an event.';
COMMENT ON COLUMN note.contract_id IS 'The contract it is about, if it is about one.';
COMMENT ON COLUMN note.event_id IS 'The event it is about, if it is about one.';
COMMENT ON COLUMN note.text IS 'What was said; may have several lines.';
COMMENT ON COLUMN note.search IS 'The text folded.';
COMMENT ON CONSTRAINT note_pkey ON note IS 'This note id is taken.';
COMMENT ON CONSTRAINT note_customer_fkey ON note IS 'The customer of a note exists, and stays.';
COMMENT ON CONSTRAINT note_contract_fkey ON note IS 'The contract of a note exists, and stays.';
COMMENT ON CONSTRAINT note_event_fkey ON note IS 'The event of a note exists, and stays.';
COMMENT ON CONSTRAINT note_about_one ON note IS 'A note is about a customer, a contract or an event: one of them.';
COMMENT ON CONSTRAINT note_by_line ON note IS 'A note names who wrote it.';
COMMENT ON CONSTRAINT note_text_note ON note IS
    'A note has 1 to 10 000 characters in Unicode normal form C, without control characters but the newline.';

-- Where two customers become one, its notes go to the one who stays.
CREATE TRIGGER note_stays
    BEFORE DELETE ON note
    FOR EACH ROW
EXECUTE FUNCTION refuse_row();
CREATE TRIGGER note_stays_as_it_is
    BEFORE UPDATE ON note
    FOR EACH ROW
    WHEN ((OLD.id, OLD.at, OLD.by, OLD.by_id, OLD.contract_id, OLD.event_id, OLD.text)
        IS DISTINCT FROM (NEW.id, NEW.at, NEW.by, NEW.by_id, NEW.contract_id, NEW.event_id, NEW.text))
EXECUTE FUNCTION refuse_row();
COMMENT ON TRIGGER note_stays ON note IS 'A note is never deleted: add another (crm note add).';
COMMENT ON TRIGGER note_stays_as_it_is ON note IS 'A note is never changed: add another (crm note add).';

CREATE TABLE reminder (
    id          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    due_on      date        NOT NULL,
    for_id      bigint      NOT NULL,
    customer_id bigint,
    contract_id uuid,
    event_id    bigint,
    text        text        NOT NULL,
    done_at     timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT reminder_pkey PRIMARY KEY (id),
    CONSTRAINT reminder_for_fkey FOREIGN KEY (for_id) REFERENCES employee (id) ON DELETE CASCADE,
    CONSTRAINT reminder_customer_fkey FOREIGN KEY (customer_id) REFERENCES customer (id),
    CONSTRAINT reminder_contract_fkey FOREIGN KEY (contract_id) REFERENCES contract (id),
    CONSTRAINT reminder_event_fkey FOREIGN KEY (event_id) REFERENCES event (id),
    CONSTRAINT reminder_about_one CHECK (num_nonnulls(customer_id, contract_id, event_id) = 1),
    CONSTRAINT reminder_due_on_year CHECK (extract(year FROM due_on) BETWEEN 1900 AND 2200),
    CONSTRAINT reminder_text_note CHECK (is_note(text))
);

CREATE INDEX reminder_due_on ON reminder (due_on, id);
CREATE INDEX reminder_open ON reminder (for_id, due_on) WHERE done_at IS NULL;
CREATE INDEX reminder_for_id ON reminder (for_id, due_on, id);
CREATE INDEX reminder_customer_id ON reminder (customer_id, due_on);
CREATE INDEX reminder_contract_id ON reminder (contract_id, due_on);
CREATE INDEX reminder_event_id ON reminder (event_id, due_on);
CREATE INDEX reminder_updated_at ON reminder (updated_at);

COMMENT ON TABLE reminder IS 'What is to be done, by whom and when: about a customer, a contract or an event.';
COMMENT ON COLUMN reminder.due_on IS 'The day from which on it is due.';
COMMENT ON COLUMN reminder.for_id IS 'Who is reminded.';
COMMENT ON COLUMN reminder.customer_id IS 'The customer it is about, unless it is about a contract or an event.';
COMMENT ON COLUMN reminder.contract_id IS 'The contract it is about, if it is about one.';
COMMENT ON COLUMN reminder.event_id IS 'The event it is about, if it is about one.';
COMMENT ON COLUMN reminder.text IS 'What is to be done; may have several lines.';
COMMENT ON COLUMN reminder.done_at IS 'When it was done; NULL while it is not.';
COMMENT ON COLUMN reminder.updated_at IS 'When the reminder was last changed.';
COMMENT ON CONSTRAINT reminder_pkey ON reminder IS 'This reminder id is taken.';
COMMENT ON CONSTRAINT reminder_for_fkey ON reminder IS 'Who is reminded exists; whoever is deleted takes their reminders along.';
COMMENT ON CONSTRAINT reminder_customer_fkey ON reminder IS 'The customer of a reminder exists, and stays.';
COMMENT ON CONSTRAINT reminder_contract_fkey ON reminder IS 'The contract of a reminder exists, and stays.';
COMMENT ON CONSTRAINT reminder_event_fkey ON reminder IS 'The event of a reminder exists, and stays.';
COMMENT ON CONSTRAINT reminder_about_one ON reminder IS 'A reminder is about a customer, a contract or an event: one of them.';
COMMENT ON CONSTRAINT reminder_due_on_year ON reminder IS 'A reminder is due between the years 1900 and 2200.';
COMMENT ON CONSTRAINT reminder_text_note ON reminder IS
    'The text of a reminder has 1 to 10 000 characters in Unicode normal form C, without control characters but the newline.';

CREATE TRIGGER reminder_touch
    BEFORE UPDATE ON reminder
    FOR EACH ROW
    WHEN (NEW.updated_at = OLD.updated_at AND
          (OLD.due_on, OLD.for_id, OLD.customer_id, OLD.contract_id, OLD.event_id, OLD.text, OLD.done_at)
          IS DISTINCT FROM (NEW.due_on, NEW.for_id, NEW.customer_id, NEW.contract_id, NEW.event_id, NEW.text, NEW.done_at))
EXECUTE FUNCTION touch();
COMMENT ON TRIGGER reminder_touch ON reminder IS 'A reminder says when it was last changed.';

DO
$$
DECLARE
    resource text;
BEGIN
    FOREACH resource IN ARRAY ARRAY ['note', 'reminder'] LOOP
        EXECUTE format('
            CREATE TRIGGER %1$s_added AFTER INSERT ON %1$s
                REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION record_change();
            CREATE TRIGGER %1$s_changed AFTER UPDATE ON %1$s
                REFERENCING OLD TABLE AS deleted NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION record_change();
            CREATE TRIGGER %1$s_deleted AFTER DELETE ON %1$s
                REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION record_change();
            COMMENT ON TRIGGER %1$s_added ON %1$s IS ''What is added is in the history.'';
            COMMENT ON TRIGGER %1$s_changed ON %1$s IS ''What is changed is in the history.'';
            COMMENT ON TRIGGER %1$s_deleted ON %1$s IS ''What is deleted is in the history.''', resource);
    END LOOP;
END
$$;

CREATE VIEW note_view AS
SELECT note.id,
       note.at,
       note.by,
       note.by_id,
       customer.id         AS customer_id,
       customer.fullname   AS customer,
       contract.id         AS contract,
       contract.number,
       event.id            AS event_id,
       event.name          AS event,
       note.text
FROM note
LEFT JOIN event ON event.id = note.event_id
LEFT JOIN contract ON contract.id = coalesce(note.contract_id, event.contract_id)
JOIN customer ON customer.id = coalesce(note.customer_id, contract.customer_id);

COMMENT ON VIEW note_view IS 'A note with the customer whom it is about, and the contract and the event if it is about these.';

CREATE VIEW reminder_view AS
SELECT reminder.id,
       reminder.due_on,
       reminder.for_id,
       employee.username   AS "for",
       employee.fullname   AS for_fullname,
       customer.id         AS customer_id,
       customer.fullname   AS customer,
       contract.id         AS contract,
       contract.number,
       event.id            AS event_id,
       event.name          AS event,
       reminder.text,
       reminder.done_at,
       reminder.updated_at
FROM reminder
JOIN employee ON employee.id = reminder.for_id
LEFT JOIN event ON event.id = reminder.event_id
LEFT JOIN contract ON contract.id = coalesce(reminder.contract_id, event.contract_id)
JOIN customer ON customer.id = coalesce(reminder.customer_id, contract.customer_id);

COMMENT ON VIEW reminder_view IS 'A reminder with who is reminded, the customer whom it is about, and the contract and the event if it is about these.';

-- They are in the history as the others are.
CREATE OR REPLACE FUNCTION change_field(column_name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE column_name
        WHEN 'commercial_id' THEN 'commercial'
        WHEN 'support_id' THEN 'support'
        WHEN 'for_id' THEN 'for'
        WHEN 'contract_id' THEN 'contract'
        WHEN 'start_at' THEN 'start'
        WHEN 'end_at' THEN 'end'
        ELSE column_name
    END;

CREATE OR REPLACE VIEW change_line AS
SELECT change.xid,
       field.position::bigint AS position,
       change.id,
       change.at,
       change.by,
       change.by_id,
       change.command,
       change.batch,
       change.reason,
       change.resource,
       change.resource_id,
       CASE change.resource
           WHEN 'employee' THEN coalesce(
               (SELECT employee.username FROM employee WHERE employee.id = change.resource_id::bigint),
               change.after ->> 'username', change.before ->> 'username')
           WHEN 'customer' THEN coalesce(
               (SELECT customer.fullname FROM customer WHERE customer.id = change.resource_id::bigint),
               change.after ->> 'fullname', change.before ->> 'fullname')
           WHEN 'contract' THEN coalesce(
               (SELECT contract.number FROM contract WHERE contract.id = change.resource_id::uuid),
               change.after ->> 'number', change.before ->> 'number')
           WHEN 'payment' THEN (
               SELECT contract.number
               FROM payment
               JOIN contract ON contract.id = payment.contract_id
               WHERE payment.id = change.resource_id::uuid)
           WHEN 'event' THEN coalesce(
               (SELECT event.name FROM event WHERE event.id = change.resource_id::bigint),
               change.after ->> 'name', change.before ->> 'name')
           WHEN 'note' THEN left(split_part(coalesce(change.after, change.before) ->> 'text', E'\n', 1), 60)
           WHEN 'reminder' THEN left(split_part(coalesce(
               (SELECT reminder.text FROM reminder WHERE reminder.id = change.resource_id::bigint),
               change.after ->> 'text', change.before ->> 'text'), E'\n', 1), 60)
       END AS name,
       change_field(field.name) AS field,
       CASE
           WHEN field.name IN ('commercial_id', 'support_id', 'for_id') THEN coalesce(
               (SELECT employee.username FROM employee WHERE employee.id = (change.before ->> field.name)::bigint),
               change.before ->> field.name)
           ELSE change_value(field.name, change.before -> field.name)
       END AS before,
       CASE
           WHEN field.name IN ('commercial_id', 'support_id', 'for_id') THEN coalesce(
               (SELECT employee.username FROM employee WHERE employee.id = (change.after ->> field.name)::bigint),
               change.after ->> field.name)
           ELSE change_value(field.name, change.after -> field.name)
       END AS after
FROM change
CROSS JOIN LATERAL jsonb_object_keys(coalesce(change.after, change.before)) WITH ORDINALITY AS field(name, position);
