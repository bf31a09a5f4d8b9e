#!/bin/sh
# Runs each fuzz target for a while (60s unless told), one after the other. What it finds lies in testdata/fuzz of the
# package, and fails go test from then on.
set -eu
cd "$(dirname "$0")/.."

fuzz() { go test -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 10x "$1" 2>&1; }

grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' . | sort | sed 's|/[^/]*\.go:func | |' | while read -r package target; do
	echo "$package $target"
	# Until Go 1.27 the end of the time may count as a failure of the target (golang/go#75804): that is no finding.
	output=$(fuzz "$package" "$target" "${1:-60s}") || {
		echo "$output" | grep -q 'context deadline exceeded' && ! echo "$output" | grep -q 'Failing input written' &&
			output=$(fuzz "$package" "$target" "${1:-60s}")
	} || {
		echo "$output" >&2
		exit 1
	}
	echo "$output" | grep -E '^fuzz:' | tail -n 1
done
