DROP FUNCTION merge_customers(bigint, bigint, bigint), merge_rows(regclass, bigint, bigint, bigint);

DROP TRIGGER contract_cancelled ON contract;
CREATE TRIGGER contract_cancelled
    BEFORE UPDATE ON contract
    FOR EACH ROW
    WHEN (OLD.cancelled_at IS NOT NULL AND NEW.cancelled_at IS NOT NULL
        AND (OLD.customer_id, OLD.total_amount, OLD.due_on, OLD.cancelled_at, OLD.cancel_reason)
            IS DISTINCT FROM (NEW.customer_id, NEW.total_amount, NEW.due_on, NEW.cancelled_at, NEW.cancel_reason))
EXECUTE FUNCTION refuse_row();
COMMENT ON TRIGGER contract_cancelled ON contract IS 'A cancelled contract is changed no more.';

DROP FUNCTION customers_merge(), customers_reached_by(text, text), customer_twins();
DROP VIEW customer_twin;
DROP INDEX customer_namesake, customer_email;
DROP FUNCTION namesake(text, text);
CREATE INDEX customer_email ON customer (fold(email), id);
