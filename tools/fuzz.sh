#!/bin/sh
# Runs each fuzz target for a while (60s unless told), as many at once as there are cores, each on one of them. What a
# target finds lies in testdata/fuzz of its package, and fails go test from then on.
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" = --target ]; then
	package=$2 target=$3 time=$4
	fuzz() { go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel 1 "$package" 2>&1; }
	# Until Go 1.27 the end of the time may count as a failure of the target (golang/go#75804), on a busy machine several
	# times in a row: that is no finding.
	tries=0
	until output=$(fuzz); do
		tries=$((tries + 1))
		if [ "$tries" -ge 8 ] || echo "$output" | grep -q 'Failing input written' ||
			! echo "$output" | grep -q '^ *context deadline exceeded$'; then
			printf '%s %s\n%s\n' "$package" "$target" "$output" >&2
			exit 1
		fi
	done
	printf '%s %s\n%s\n' "$package" "$target" "$(echo "$output" | grep -E '^fuzz:' | tail -n 1)"
	exit
fi

grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' . | sort | sed 's|/[^/]*\.go:func | |' |
	xargs -P "$(getconf _NPROCESSORS_ONLN)" -L1 sh -c 'exec tools/fuzz.sh --target "$2" "$3" "$1"' sh "${1:-60s}"
