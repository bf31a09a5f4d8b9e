#!/bin/sh
# Says how much of the statements of service and cli the tests run, whichever package's tests they are. A story runs crm
# as a program of its own: that is the test program again, which notes what it runs in GOCOVERDIR as well.
set -eu
cd "$(dirname "$0")/.."

mkdir -p .tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go test -count=1 -timeout 30m -coverpkg=./service,./cli -coverprofile="$work/profile" ./service ./cli
for package in service cli; do
	{ head -n 1 "$work/profile"; grep "^github.com/epicevents/crm/$package/" "$work/profile"; } >"$work/$package"
	printf '%-8s %s\n' $package "$(go tool cover -func="$work/$package" | awk 'END { print $NF }')"
done
mv "$work/profile" .tools/cover.out
echo "go tool cover -html=.tools/cover.out shows which are not."
