#!/bin/sh
# Sees that this machine has PostgreSQL's programs. Where they are missing it installs them as root, or with Homebrew;
# else it says what to type and fails. No server is started: crm and its tests run their own.
set -eu
cd "$(dirname "$0")/.."

missing=$(go run ./tools/findpostgres)
[ -n "$missing" ] || exit 0
echo "$missing" >&2

has() { command -v "$1" >/dev/null; }

# Debian's package makes and starts a cluster of its own unless this file forbids it; afterwards the file is as it was.
install_with_apt() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get update
	apt-get install -y --no-install-recommends postgresql-common
	settings=/etc/postgresql-common/createcluster.conf
	cp -p "$settings" "$settings.before-crm"
	trap 'mv "$settings.before-crm" "$settings"' EXIT
	echo "create_main_cluster = false" >>"$settings"
	apt-get install -y --no-install-recommends postgresql
}

if [ -n "${CRM_POSTGRES_BIN:-}" ]; then
	exit 1 # nothing else would be used
elif [ "$(id -u)" = 0 ] && has apt-get; then
	install_with_apt
elif [ "$(id -u)" = 0 ] && has dnf; then
	dnf install -y postgresql-server postgresql-contrib
elif [ "$(id -u)" != 0 ] && has brew; then
	brew install postgresql@18
else
	exit 1
fi

missing=$(go run ./tools/findpostgres)
[ -n "$missing" ] || exit 0
echo "$missing" >&2
exit 1
