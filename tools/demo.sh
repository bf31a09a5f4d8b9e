#!/bin/sh
# Shows what crm does, in a minute and with nothing to prepare: its own local database, the sample data, an
# administrator's view of the unpaid contracts. Needs bin/crm and PostgreSQL's programs; make demo sees to both.
set -eu
cd "$(dirname "$0")/.."

# show prints a command and runs it.
show() {
	printf '\n$ %s\n' "$1"
	sh -c "$1"
}

# The file holds the defaults, so that no settings of this machine get between.
printf '$ export CRM_CONFIG=crm.toml\n'
export CRM_CONFIG=crm.toml

show "bin/crm db start"
show "echo epic-events-sample | bin/crm auth login --username administrator1 --password-stdin"
show "bin/crm contract list --not-paid-filter"
show "bin/crm contract list --not-paid-filter -o csv"

cat <<'END'

Try next:
  bin/crm contract list --sort total_due:desc --limit 5     # who owes most
  bin/crm contract list --not-signed-filter -o json         # for scripts: exact amounts, stable names
  bin/crm contract list --help                              # every filter, with examples
  bin/crm auth whoami                                       # you are logged in for 30 minutes

The database keeps running, so that the next command is fast. To stop it:
  bin/crm db stop
END
