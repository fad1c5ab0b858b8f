#!/bin/bash
# first-key.sh BUILD DIR - a fresh installation in DIR/state (DIR: absent or
# empty) of three crypto units that hold one master key, not running when this
# returns. Administrator and key parts lie in DIR/ceremony.
set -euo pipefail
umask 077

if [ $# -ne 2 ]; then
	echo "usage: first-key.sh BUILD DIR" >&2
	exit 2
fi
bin=$(cd "$1" && pwd)/bin
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)
daemon=

cleanup() {
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
}
trap cleanup EXIT

mkdir -p "$dir/ceremony/passwords"
"$bin/cryptounitd" init "$dir/state" --units operational=2,recovery=1 \
	>"$dir/init.out"
"$bin/cryptounitd" run "$dir/state" >"$dir/daemon.out" 2>"$dir/daemon.err" &
daemon=$!
for _ in $(seq 1 300); do
	! grep -q ready "$dir/daemon.out" || break
	kill -0 "$daemon" || break
	sleep 0.1
done
grep -q ready "$dir/daemon.out" || {
	cat "$dir/daemon.err" >&2
	exit 1
}
for who in admin one two; do
	openssl rand -hex 16 >"$dir/ceremony/passwords/$who"
done
cp "$here/first-key.yaml" "$dir/ceremony/ceremony.yaml"
"$bin/tke" ceremony run "$dir/ceremony/ceremony.yaml" --state "$dir/state" \
	--transcript "$dir/transcript.md" >"$dir/ceremony.out" || {
	cat "$dir/ceremony.out" >&2
	exit 1
}
kill "$daemon"
wait "$daemon"
daemon=
