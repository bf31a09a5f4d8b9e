#!/bin/sh
# Sees to the PostgreSQL that the tests will use, and says which it is. Only programs of this machine are installed here.
set -eu
cd "$(dirname "$0")/.."

case "${CRM_TEST_POSTGRES:-}" in
local) tools/ensure-postgres.sh ;;
'') tools/ensure-postgres.sh || echo "Without them the tests try a container." >&2 ;;
esac
echo "The tests use $(go run ./tools/testserver)." >&2
