DROP VIEW customer_view;
DROP TABLE customer;
