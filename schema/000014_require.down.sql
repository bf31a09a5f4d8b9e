DROP FUNCTION require_session(uuid, bigint, role);
DROP FUNCTION require_version(bigint);
