#!/bin/sh
# Builds the packages .deb and .rpm of each architecture into packages/, the same from the same commit. ARCHS="amd64" for
# less. nfpm is on the PATH.
set -eu
umask 022 # what is made here has its mode in the packages
cd "$(dirname "$0")/.."

# Of a release its number. Between two releases that of the last and the number of commits since, which sorts behind it.
described=$(git describe --tags --match 'v[0-9]*' 2>/dev/null || echo "v0.0.0-$(git rev-list --count HEAD)-g$(git rev-parse --short HEAD)")
VERSION=$(echo "${described#v}" | sed -E 's/-([0-9]+)-g([0-9a-f]+)$/+\1.g\2/; s/-/~/')
SOURCE_DATE_EPOCH=$(git show -s --format=%ct)
MAINTAINER="Epic Events <crm@epicevents.example>"
STAGE=$(mktemp -d)
export VERSION SOURCE_DATE_EPOCH MAINTAINER STAGE
trap 'rm -rf "$STAGE"' EXIT

cli=github.com/epicevents/crm/cli
ldflags="-s -w -X $cli.Version=${described#v} -X $cli.Commit=$(git rev-parse HEAD) -X $cli.Date=$(git show -s --format=%cI)"

# What is the same for all is made by a program of this machine.
CGO_ENABLED=0 go build -trimpath -ldflags "$ldflags" -o "$STAGE/here" .
(
	cd "$STAGE" # there is no crm.toml to be told of
	./here help --man man
	gzip --best --no-name man/*
	for shell in bash zsh fish; do
		./here completion $shell >crm.$shell
	done
)

# Every key with its default, commented out: what nobody set is as the program has it, of whatever version that is.
sed 's/^[a-z_]* = /# &/' crm.toml >"$STAGE/crm.toml"

rm -rf packages
mkdir packages
for ARCH in ${ARCHS:-amd64 arm64}; do
	export ARCH
	CGO_ENABLED=0 GOOS=linux GOARCH=$ARCH go build -trimpath -ldflags "$ldflags" -o "$STAGE/crm" .
	for kind in deb rpm; do
		nfpm package --config deploy/nfpm.yaml --packager $kind --target packages/
	done
done
ls -l packages
