-- Contracts and their payments. Amounts are euro cents.

CREATE TABLE contract (
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    customer_id  bigint      NOT NULL,
    total_amount bigint      NOT NULL,
    paid_amount  bigint      NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    signed_at    timestamptz,
    signed       boolean     NOT NULL GENERATED ALWAYS AS (signed_at IS NOT NULL) STORED,

    CONSTRAINT contract_pkey PRIMARY KEY (id),
    CONSTRAINT contract_id_signed_key UNIQUE (id, signed),
    CONSTRAINT contract_customer_fkey FOREIGN KEY (customer_id) REFERENCES customer (id),
    CONSTRAINT contract_total_amount_range CHECK (total_amount BETWEEN 0 AND 99999999999),
    CONSTRAINT contract_paid_amount_positive CHECK (paid_amount >= 0),
    -- A negative total is for the range to refuse: of two broken checks the first by name is reported.
    CONSTRAINT contract_not_overpaid CHECK (paid_amount <= greatest(total_amount, 0))
);

CREATE INDEX contract_created_at ON contract (created_at, id);
CREATE INDEX contract_not_signed ON contract (created_at, id) WHERE NOT signed;
CREATE INDEX contract_not_paid ON contract (created_at, id) WHERE paid_amount < total_amount;
CREATE INDEX contract_customer_id ON contract (customer_id);

COMMENT ON TABLE contract IS 'What a customer buys: an amount, signed or not yet, paid or not yet.';
COMMENT ON COLUMN contract.customer_id IS 'The customer who signs and pays.';
COMMENT ON COLUMN contract.total_amount IS 'Total amount in euro cents.';
COMMENT ON COLUMN contract.paid_amount IS 'Sum of the payments in euro cents; kept by a trigger on payment.';
COMMENT ON COLUMN contract.created_at IS 'When the contract was drawn up.';
COMMENT ON COLUMN contract.signed_at IS 'When the customer signed; NULL until then.';
COMMENT ON COLUMN contract.signed IS 'Whether the customer has signed.';
COMMENT ON CONSTRAINT contract_pkey ON contract IS 'This contract id is taken.';
COMMENT ON CONSTRAINT contract_id_signed_key ON contract IS 'This contract id is taken.';
COMMENT ON CONSTRAINT contract_customer_fkey ON contract IS 'A contract belongs to an existing customer.';
COMMENT ON CONSTRAINT contract_total_amount_range ON contract IS
    'A total amount is between 0 and 999 999 999.99 €.';
COMMENT ON CONSTRAINT contract_paid_amount_positive ON contract IS
    'What was paid is never below zero.';
COMMENT ON CONSTRAINT contract_not_overpaid ON contract IS
    'The payments would exceed the total amount.';

CREATE TABLE payment (
    id          uuid        NOT NULL,
    contract_id uuid        NOT NULL,
    amount      bigint      NOT NULL,
    recorded_by text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT payment_pkey PRIMARY KEY (id),
    CONSTRAINT payment_contract_fkey FOREIGN KEY (contract_id) REFERENCES contract (id),
    CONSTRAINT payment_amount_positive CHECK (amount > 0),
    CONSTRAINT payment_recorded_by_line CHECK (is_line(recorded_by))
);

CREATE INDEX payment_contract_id ON payment (contract_id, recorded_at, id);

COMMENT ON TABLE payment IS 'Money received for a contract.';
COMMENT ON COLUMN payment.id IS 'Made by the client, so that a repeated command records it once.';
COMMENT ON COLUMN payment.contract_id IS 'The contract it pays.';
COMMENT ON COLUMN payment.amount IS 'Amount in euro cents.';
COMMENT ON COLUMN payment.recorded_by IS 'Username, at that moment, of who recorded it; that employee may leave.';
COMMENT ON COLUMN payment.recorded_at IS 'When it was recorded.';
COMMENT ON CONSTRAINT payment_pkey ON payment IS 'Another payment has this id already.';
COMMENT ON CONSTRAINT payment_contract_fkey ON payment IS 'A payment belongs to an existing contract.';
COMMENT ON CONSTRAINT payment_amount_positive ON payment IS 'A payment is more than zero.';
COMMENT ON CONSTRAINT payment_recorded_by_line ON payment IS 'A payment names who recorded it.';

-- The sum is kept with the contract, so that the check on it sees every payment, one after the other.
CREATE FUNCTION payment_sum() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE contract SET paid_amount = paid_amount - OLD.amount WHERE id = OLD.contract_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE contract SET paid_amount = paid_amount + NEW.amount WHERE id = NEW.contract_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER payment_sum
    AFTER INSERT OR DELETE ON payment
    FOR EACH ROW
EXECUTE FUNCTION payment_sum();

CREATE TRIGGER payment_sum_update
    AFTER UPDATE OF amount, contract_id ON payment
    FOR EACH ROW
    WHEN (OLD.amount <> NEW.amount OR OLD.contract_id <> NEW.contract_id)
EXECUTE FUNCTION payment_sum();

COMMENT ON TRIGGER payment_sum ON payment IS 'The paid amount of a contract is the sum of its payments.';
COMMENT ON TRIGGER payment_sum_update ON payment IS 'The paid amount of a contract is the sum of its payments.';

CREATE VIEW contract_view AS
SELECT contract.id,
       contract.customer_id,
       customer.fullname   AS customer,
       customer.company,
       customer.commercial_id,
       commercial.username AS commercial,
       contract.signed,
       contract.total_amount,
       (contract.total_amount - contract.paid_amount)::bigint AS total_due,
       contract.created_at,
       contract.signed_at
FROM contract
JOIN customer ON customer.id = contract.customer_id
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

COMMENT ON VIEW contract_view IS
    'A contract with its customer and commercial; total_due is the total amount less the payments, in euro cents.';
