DROP TRIGGER payment_lock ON payment;
DROP FUNCTION payment_lock();
