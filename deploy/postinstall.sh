#!/bin/sh
# After an installation, and after an upgrade.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers crm.conf
elif ! getent passwd crm >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/crm --shell /usr/sbin/nologin --comment "Server of crm" crm
fi
if [ -d /run/systemd/system ]; then
	# A systemd that does not answer says so, and is no reason to fail: an .rpm could not be removed then.
	systemctl daemon-reload || true
	# Clients wait in its sockets; and it waits for the database, if that has to be migrated first.
	systemctl --no-block try-restart crm.service || true
fi
