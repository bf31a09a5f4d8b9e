#!/bin/sh
# After a removal. What the administrator made stays: /etc/crm with the key, /var/lib/crm with the backups, and the
# account crm, whose they are.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
