DROP VIEW contract_view;
DROP TABLE payment;
DROP FUNCTION payment_sum;
DROP TABLE contract;
