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
# goreleaser takes the commit and its date only from a repository that says where it comes from.
if [ -z "$(git remote)" ]; then
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/epicevents/crm
fi
goreleaser release --snapshot --clean $images
echo
for program in dist/*/crm dist/*/crm.exe; do
	printf '%6.1f MB  %s\n' "$(wc -c <"$program" | awk '{ print $1 / 1000000 }')" "$program"
done
here=$(echo "dist/crm_$(go env GOOS)_$(go env GOARCH)"*/crm)
if [ "$("$here" version -o csv --no-header --fields commit)" != "$(git rev-parse HEAD)" ]; then
	echo "$here does not tell the commit that it is built from." >&2
	exit 1
fi
"$here" version
