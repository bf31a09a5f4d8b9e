DROP VIEW employee_view;
DROP TABLE login_failure;
DROP TABLE session;
DROP TABLE employee;
DROP FUNCTION employee_administrator_remains;
DROP FUNCTION employee_administrator_turn;
DROP FUNCTION employee_sessions_end;
DROP TYPE role;
