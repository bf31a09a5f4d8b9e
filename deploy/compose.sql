-- The role of crm serve in compose.yaml, which owns nothing: crm db grant says what it may do.
CREATE ROLE crm_server LOGIN PASSWORD 'crm';
