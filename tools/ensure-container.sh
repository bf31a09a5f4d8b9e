#!/bin/bash
# Sees to a Docker engine and a PostgreSQL image for the tests, and prints the settings that they need:
#
#	eval "$(tools/ensure-container.sh)"
#
# What is there is used as it is: an engine that answers and has the image, or can pull it. Otherwise a script that
# prepares both may be named by $CRM_CONTAINER_SETUP or lie in ../shared/ci. Failing that, on Debian as root, the engine
# is installed and started, and an image built from Debian's packages. What was started stays, for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "ensure-container: $*" >&2; }
image=${CRM_TEST_POSTGRES_IMAGE:-postgres:18.4} # the default is dbtest's

if docker info >/dev/null 2>&1 && { docker image inspect "$image" || timeout 300 docker pull "$image"; } >/dev/null 2>&1; then
	echo "export CRM_TEST_POSTGRES_IMAGE=$image"
	exit
fi
setup=${CRM_CONTAINER_SETUP:-../shared/ci/postgres-container.sh}
if [ -x "$setup" ]; then
	say "no engine with $image: running $setup"
	exec "$setup"
fi
[ -z "${CRM_CONTAINER_SETUP:-}" ] || { say "CRM_CONTAINER_SETUP=$setup is not a program"; exit 1; }
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	say "no Docker engine answers that has $image or can pull it. Start one, or run this as root on Debian."
	exit 1
fi

image=crm-test-postgres:debian
say "no engine with a PostgreSQL image: preparing $image from Debian's packages"
export DEBIAN_FRONTEND=noninteractive
if ! command -v dockerd >/dev/null || ! command -v debootstrap >/dev/null; then
	apt-get update >&2
	apt-get install -y --no-install-recommends docker.io debootstrap >&2
fi
if ! docker info >/dev/null 2>&1; then
	setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &
	for _ in {1..60}; do
		if docker info >/dev/null 2>&1; then break; fi
		sleep 1
	done
	docker info >/dev/null || { tail -n 20 /var/log/dockerd.log >&2; say "dockerd does not start"; exit 1; }
	say "started dockerd, process $(cat /var/run/docker.pid)"
fi
if ! docker image inspect "$image" >/dev/null 2>&1; then
	root=$(mktemp -d)
	trap 'rm -rf --one-file-system "$root"' EXIT
	# shellcheck disable=SC1091 # it is Debian's
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt's own format
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $release" | head -n 1)
	quietly() { "$@" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }; }
	quietly debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$mirror"
	cp /etc/resolv.conf /etc/hosts "$root/etc/"
	cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # starts no server in there
	chmod +x "$root/usr/sbin/policy-rc.d"
	quietly chroot "$root" apt-get update
	quietly chroot "$root" apt-get install -y --no-install-recommends postgresql-common
	echo "create_main_cluster = false" >>"$root/etc/postgresql-common/createcluster.conf"
	quietly chroot "$root" apt-get install -y --no-install-recommends postgresql
	install -m 755 tools/container-entrypoint.sh "$root/entrypoint"
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root.log"
	tar -C "$root" -c . | docker import --change 'ENTRYPOINT ["/entrypoint"]' --change 'EXPOSE 5432' - "$image" >&2
fi
echo "export CRM_TEST_POSTGRES_IMAGE=$image"
# Where the machine is itself a container, testcontainers looks for what it started at the gateway. The engine is here.
echo "export TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1"
