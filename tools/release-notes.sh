#!/bin/sh
# Prints what CHANGELOG.md says of a version, given as its tag, such as v1.2.3. Without a section of that version there is
# no release.
set -eu
cd "$(dirname "$0")/.."

notes=$(awk -v heading="## [${1#v}]" 'index($0, "## [") == 1 { within = index($0, heading) == 1; next } within' CHANGELOG.md)
if [ -z "$notes" ]; then
	echo "CHANGELOG.md says nothing of ${1#v}." >&2
	exit 1
fi
printf '%s\n' "$notes"
