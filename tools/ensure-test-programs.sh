#!/bin/sh
# Sees that this machine has the programs that the tests drive: the shells that are completed, a pager, jq, groff for the
# manual pages, openssl, sqlite3, and PgBouncer. Where they are missing it installs them as root, or with Homebrew; else it says what to type and fails.
set -eu

PATH=$PATH:/usr/sbin # Debian's place of PgBouncer, which is not in everyone's PATH

missing=
for program in bash zsh fish less jq groff openssl pgbouncer sqlite3; do
	command -v "$program" >/dev/null || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

has() { command -v "$1" >/dev/null; }
debian=$(echo "$missing" | sed 's/groff/groff-base/')
if [ "$(id -u)" = 0 ] && has apt-get; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get update
	# shellcheck disable=SC2086 # one package a word
	apt-get install -y --no-install-recommends $debian
elif [ "$(id -u)" = 0 ] && has dnf; then
	# shellcheck disable=SC2086
	dnf install -y $debian
elif [ "$(id -u)" != 0 ] && has brew; then
	# shellcheck disable=SC2086
	brew install $missing
else
	echo "The tests need$missing. Install them: sudo apt-get install --no-install-recommends$debian" >&2
	exit 1
fi
