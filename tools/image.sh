#!/bin/sh
# Makes the image ghcr.io/epicevents/crm:dev of bin/crm.
set -eu
cd "$(dirname "$0")/.."
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir "$context/.tools"
cp Dockerfile bin/crm "$context"
cp /etc/ssl/certs/ca-certificates.crt "$context/.tools/"
docker build --tag ghcr.io/epicevents/crm:dev "$context"
