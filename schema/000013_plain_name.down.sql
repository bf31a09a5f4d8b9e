DROP TRIGGER session_name_plain ON session;
DROP TRIGGER employee_username_letter ON employee;
DROP TRIGGER employee_username_letter_add ON employee;
DROP FUNCTION refuse_name();
