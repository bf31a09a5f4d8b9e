#!/usr/bin/env bash
# Prints the folder of ical.js, for NODE_PATH: a parser of iCalendar that nobody of crm wrote. It comes from npm.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.2.1
folder=$PWD/.tools/icaljs@$version
if [ ! -d "$folder/node_modules/ical.js" ]; then
	command -v npm >/dev/null || {
		echo "npm and node are needed: sudo apt-get install --no-install-recommends npm" >&2
		exit 1
	}
	npm install --silent --no-fund --no-audit --no-save --ignore-scripts --prefix "$folder" "ical.js@$version" >&2
fi
echo "$folder/node_modules"
