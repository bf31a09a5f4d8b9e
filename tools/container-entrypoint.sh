#!/bin/sh
# The entry point of the image that ensure-container.sh builds: as in the official one, a new cluster is made in $PGDATA
# for $POSTGRES_USER with $POSTGRES_PASSWORD, and the arguments are the server's, after the word postgres.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
export PATH

as_postgres() { exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

mkdir -p "$PGDATA" /var/run/postgresql
chown postgres:postgres "$PGDATA" /var/run/postgresql
printf '%s\n' "$POSTGRES_PASSWORD" >/run/password
chown postgres /run/password
(as_postgres initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=/run/password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8)
rm /run/password
echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
as_postgres "$@" -c listen_addresses='*'
