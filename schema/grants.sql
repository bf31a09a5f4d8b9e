-- What a role needs that works with crm and owns nothing, as that of a server: all that the operations do, and no more.
-- Nothing is made, dropped or emptied, payments and the history stay as they were recorded, and no hash of a password is read.
--
-- crm db grant ROLE runs this as one transaction, and each migration to the newest schema does again for every role that
-- it was run for. By hand, as the owner: psql -1 -v role=crm_app -v schema=public -f grants.sql

SET LOCAL search_path = :"schema", pg_temp;

-- What an older crm gave, or somebody else, and is not needed.
REVOKE ALL ON SCHEMA :"schema" FROM :"role";
REVOKE ALL ON change, change_line, change_view, contract, contract_import, contract_view, customer, customer_account, customer_import, customer_twin, customer_view, employee, employee_import,
    employee_password, employee_view, event, event_calendar, event_clash, event_import, event_view, login_failure, note, note_view, payment, payment_import, payment_view, reminder, reminder_view, schema_migrations, session, session_view, statement_line, work_item FROM :"role";
REVOKE ALL ON SEQUENCE change_id_seq, customer_id_seq, employee_id_seq, event_id_seq, note_id_seq, reminder_id_seq FROM :"role";

GRANT USAGE ON SCHEMA :"schema" TO :"role";

-- By its columns: so crm knows for whom this was run, also after a restore and a reset, which keep this table.
GRANT SELECT (version, dirty) ON schema_migrations TO :"role";

-- The history is written by its triggers, and changed by nobody. Its rows may be counted.
GRANT SELECT (id) ON change TO :"role";

GRANT SELECT ON change_line, change_view, contract_view, customer_account, customer_twin, customer_view, employee_password, employee_view, event_calendar, event_clash, event_view, note_view, payment_view, reminder_view, session_view, work_item TO :"role";

-- All of an employee but the hash, which is only ever written.
GRANT SELECT (id, username, fullname, role, password_one_time, password_one_time_until, active, last_login_at, updated_at) ON employee TO :"role";
GRANT UPDATE (username, fullname, role, password_hash, password_one_time, active, last_login_at) ON employee TO :"role";
GRANT INSERT, DELETE ON employee TO :"role";

-- To lock a row takes the right to update one column of it, if only its name.
GRANT SELECT, INSERT, DELETE ON session TO :"role";
GRANT UPDATE (name) ON session TO :"role";

GRANT SELECT, INSERT, DELETE ON login_failure TO :"role";
GRANT UPDATE (failures, retry_at, attempted_at) ON login_failure TO :"role";

-- The whole table, for it is locked while the sample data is put in.
GRANT SELECT, INSERT, UPDATE ON customer TO :"role";

-- The sum of the payments is the database's to write.
GRANT SELECT ON contract TO :"role";
GRANT INSERT (id, customer_id, total_amount, created_at, signed_at, due_on, updated_at, cancelled_at, cancel_reason) ON contract TO :"role";
GRANT UPDATE (customer_id, total_amount, signed_at, due_on, updated_at, cancelled_at, cancel_reason) ON contract TO :"role";

GRANT SELECT, INSERT ON payment TO :"role";

GRANT SELECT, INSERT ON event TO :"role";
GRANT UPDATE (name, support_id, start_at, end_at, attendees, location, note, cancelled_at, cancel_reason, clash_allowed) ON event TO :"role";

-- Where rows wait that come in; nobody sees those of another. What becomes of them is for functions of the owner.
GRANT SELECT, INSERT ON contract_import, customer_import, employee_import, event_import, payment_import, statement_line TO :"role";

-- Notes are only added to.
GRANT SELECT, INSERT ON note TO :"role";
GRANT SELECT, INSERT, DELETE ON reminder TO :"role";
GRANT UPDATE (for_id, done_at) ON reminder TO :"role";

-- To read the number that was given last, and not to take or set one.
GRANT SELECT ON SEQUENCE customer_id_seq, event_id_seq, note_id_seq, reminder_id_seq TO :"role";

GRANT EXECUTE ON FUNCTION age_first(integer), age_group(integer), change_field(text), change_value(text, jsonb),
    changed_after(text, timestamp with time zone), changed_ids(text, timestamp with time zone), contract_at(timestamp with time zone),
    contract_status_of(timestamp with time zone, timestamp with time zone, bigint, bigint),
    customer_at(timestamp with time zone), customer_twins(), customers_merge(), customers_reached_by(text, text), dry_run_ends(), employee_at(timestamp with time zone),
    employee_change_password(bigint, text, text), employee_password_is(bigint, text), euros(bigint),
    event_at(timestamp with time zone), event_period(timestamp with time zone, timestamp with time zone),
    event_time(timestamp with time zone, timestamp with time zone),
    event_to_come(timestamp with time zone, timestamp with time zone), expects(text, text, text), fold(text),
    fold_letters(text), history_ids(text, uuid), history_reaches(timestamp with time zone),
    import_end(text, import_options), import_refused(text, import_options),
    import_write(text, import_options, bigint, bigint), is_blank(text),
    is_line(text), is_note(text), is_sample_password(text), lower_letters(text), merge_customers(bigint, bigint, bigint), namesake(text, text), number_order(text), payment_at(timestamp with time zone),
    payment_difference(timestamp with time zone, date),
    plain_letters(text), reconcile_statement(text, bigint), renew_session(uuid, bigint), report_day(date, timestamp with time zone),
    require_session(uuid, bigint, role, text), require_version(bigint),
    search_pattern(text), search_patterns(text),
    search_text(text, text), search_words(text), trigger_message(oid, name), undo_batch(uuid, boolean),
    unrecorded_columns(), void_payment(uuid, text, bigint, text) TO :"role";
