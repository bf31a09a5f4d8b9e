DROP VIEW event_view;
DROP TRIGGER employee_in_charge ON employee;
DROP TRIGGER employee_in_charge_role ON employee;
DROP FUNCTION employee_in_charge;
DROP TABLE event;
