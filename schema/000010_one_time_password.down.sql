DROP TRIGGER employee_password_one_time ON employee;
DROP FUNCTION employee_password_one_time();

ALTER TABLE employee
    DROP COLUMN password_one_time_until;

COMMENT ON COLUMN employee.password_one_time IS
    'Whether the password was made by crm for the first login: until it is changed, nothing else is allowed.';
