-- A payment locks its contract at once as strongly as its sum will need. The foreign key's own, weaker lock came first:
-- two who then wanted more, such as a payment and a signature, each waited for the other, until one was thrown out.

CREATE FUNCTION payment_lock() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM FROM contract WHERE id = NEW.contract_id FOR NO KEY UPDATE;
    RETURN NEW;
END
$$;

CREATE TRIGGER payment_lock
    BEFORE INSERT ON payment
    FOR EACH ROW
EXECUTE FUNCTION payment_lock();

COMMENT ON TRIGGER payment_lock ON payment IS 'Payments of one contract are recorded one after the other.';
