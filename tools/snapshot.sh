#!/bin/sh
# Builds all that a release is made of into dist/, publishes nothing, and lists the size of each program. The images need
# a Docker engine: without one they are left out, aloud.
set -eu
cd "$(dirname "$0")/.."

images=
if ! docker info >/dev/null 2>&1; then
	echo "No Docker engine answers: the snapshot is without images." >&2
	images=--skip=docker
fi
goreleaser release --snapshot --clean $images
echo
for program in dist/*/crm dist/*/crm.exe; do
	printf '%6.1f MB  %s\n' "$(wc -c <"$program" | awk '{ print $1 / 1000000 }')" "$program"
done
