#!/bin/sh
# Runs each fuzz target for a while (60s unless told), one after the other. What it finds lies in testdata/fuzz of the
# package, and fails go test from then on.
set -eu
cd "$(dirname "$0")/.."

grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' . | sort | sed 's|/[^/]*\.go:func | |' | while read -r package target; do
	echo "$package $target"
	output=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "${1:-60s}" -fuzzminimizetime 10x "$package" 2>&1) || {
		echo "$output" >&2
		exit 1
	}
	echo "$output" | grep -E '^fuzz:' | tail -n 1
done
