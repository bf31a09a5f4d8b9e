-- What is typed as a username or as the name of a token is taken for nothing else: not for an id, and not for a command
-- of a shell. Those that are there already stay as they are, which a constraint would not let them.

CREATE FUNCTION refuse_name() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = '23000', CONSTRAINT = TG_NAME, MESSAGE = trigger_message(TG_RELID, TG_NAME);
END
$$;

CREATE TRIGGER employee_username_letter_add
    BEFORE INSERT ON employee
    FOR EACH ROW
    WHEN (NEW.username !~ '[a-z]')
EXECUTE FUNCTION refuse_name();

CREATE TRIGGER employee_username_letter
    BEFORE UPDATE OF username ON employee
    FOR EACH ROW
    WHEN (NEW.username <> OLD.username AND NEW.username !~ '[a-z]')
EXECUTE FUNCTION refuse_name();

CREATE TRIGGER session_name_plain
    BEFORE INSERT ON session
    FOR EACH ROW
    WHEN (NEW.name ~ '[][$`"''\\!*?{}()<>|&;#~^=%]' OR NEW.name LIKE '-%')
EXECUTE FUNCTION refuse_name();

COMMENT ON TRIGGER employee_username_letter_add ON employee IS
    'A username has a letter in it, because digits alone are an id.';
COMMENT ON TRIGGER employee_username_letter ON employee IS
    'A username has a letter in it, because digits alone are an id.';
COMMENT ON TRIGGER session_name_plain ON session IS
    'The name of a token begins with no hyphen and has none of the characters that mean something to a shell.';
