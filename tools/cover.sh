#!/bin/sh
# Says how much of the statements of service and cli the tests run, whichever package's tests they are. A story runs crm
# as a program of its own: that is the test program again, which notes what it ran in the same folder. Under go test,
# which has a folder of its own for that, it would be lost.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p .tools "$work/ran"
chmod 755 "$work" && chmod 777 "$work/ran" # root's tests run crm as others too
export GOCOVERDIR="$work/ran"
for package in internal/value service cli; do
	go test -c -cover -coverpkg=./service,./cli/... -o "$work/$package.test" "./$package"
	(cd $package && "$work/$package.test" -test.timeout 30m -test.gocoverdir "$GOCOVERDIR")
done
go tool covdata textfmt -i "$GOCOVERDIR" -o .tools/cover.out
go tool covdata percent -i "$GOCOVERDIR"
echo "What is not run: go tool cover -html .tools/cover.out"
