#!/bin/sh
# Before a removal: "remove" says dpkg, 0 says rpm. An upgrade leaves the server running.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl --quiet disable --now crm-backup.timer crm.socket crm.service || true
	fi
	;;
esac
