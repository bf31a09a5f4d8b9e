#!/bin/sh
# After an installation, and after an upgrade.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers crm.conf
elif ! getent passwd crm >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/crm --shell /usr/sbin/nologin --comment "Server of crm" crm
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# Clients wait in its sockets; and it waits for the database, if that has to be migrated first.
	systemctl --no-block try-restart crm.service
fi
