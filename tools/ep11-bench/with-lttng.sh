#!/bin/sh
# with-lttng.sh COMMAND... - run it while an LTTng-UST session records its
# cryptounit:* tracepoints, blocking when the buffers are full (the mode that
# loses nothing, as a ring of ours does). The trace is thrown away.
set -eu
for p in lttng lttng-sessiond; do
	command -v "$p" >/dev/null || {
		echo "with-lttng.sh: no $p; fix: apt-get install lttng-tools" >&2
		exit 3
	}
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/ep11-bench-lttng-XXXXXX")
session=ep11-bench-$$
daemon=
cleanup() {
	lttng destroy "$session" >/dev/null 2>&1 || true
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
	rm -rf "$dir"
}
trap cleanup EXIT
LTTNG_HOME=$dir
export LTTNG_HOME
if ! lttng list >/dev/null 2>&1; then
	lttng-sessiond --no-kernel >"$dir/sessiond" 2>&1 &
	daemon=$!
	n=0
	until lttng list >/dev/null 2>&1; do
		n=$((n + 1))
		[ "$n" -le 100 ] || {
			cat "$dir/sessiond" >&2
			echo "with-lttng.sh: lttng-sessiond does not answer" >&2
			exit 3
		}
		sleep 0.1
	done
fi
{
	lttng create "$session" --output="$dir/trace"
	lttng enable-channel --userspace --session "$session" \
		--blocking-timeout=inf --subbuf-size=1M --num-subbuf=8 calls
	lttng enable-event --userspace --session "$session" --channel calls \
		'cryptounit:*'
	lttng start "$session"
} >"$dir/setup" 2>&1 || {
	cat "$dir/setup" >&2
	exit 3
}
LTTNG_UST_ALLOW_BLOCKING=1 "$@"
