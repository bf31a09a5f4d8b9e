#!/bin/sh
# Sees that this machine has PgBouncer, which make torture puts between crm and a server. Where it is missing it is
# installed as root; else this says what to type and fails. No pooler is started.
set -eu

has() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

# Debian's package starts a pooler unless a policy forbids it.
install_with_apt() {
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update
	apt-get install -y --no-install-recommends pgbouncer
}

if has pgbouncer; then
	exit 0
elif [ "$(id -u)" = 0 ] && has apt-get; then
	install_with_apt
elif [ "$(id -u)" = 0 ] && has dnf; then
	dnf install -y pgbouncer
else
	echo "PgBouncer is needed. Install it: sudo apt-get install --no-install-recommends pgbouncer" >&2
	exit 1
fi
