#!/bin/sh
# deps.sh GROUP... - install the Debian packages that are missing, aloud.
# Groups: build, test, fuzz, lint, interop. NO_APT=1 lists them and stops instead.
set -eu

build="gcc make softhsm2 libsofthsm2 libp11-dev libp11-kit-dev libssl-dev
 libprotobuf-c-dev protobuf-c-compiler libsqlite3-dev libjansson-dev
 libmicrohttpd-dev libcyaml-dev libcurl4-openssl-dev libyajl-dev
 zlib1g-dev libzstd-dev librdkafka-dev openssl jq
 procps"
test="libcmocka-dev protobuf-compiler curl python3 mandoc shellcheck xxd pkg-config
 liblttng-ust-dev lttng-tools"
fuzz="clang libclang-rt-14-dev"
lint="clang clang-tidy clang-format cppcheck"
interop="python3-venv golang-go maven default-jre-headless rsyslog
 rsyslog-openssl libxml2-utils time"
# the packages of Node's own makers have npm in them, and refuse Debian's
command -v npm >/dev/null 2>&1 || interop="$interop nodejs npm"

want=
for group; do
	case $group in
	build) want="$want $build" ;;
	test) want="$want $test" ;;
	fuzz) want="$want $fuzz" ;;
	lint) want="$want $lint" ;;
	interop) want="$want $interop" ;;
	*) echo "deps.sh: unknown group $group" >&2; exit 2 ;;
	esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "This is not a Debian system: please install yourself" >&2
	echo "what corresponds to:$want" | tr '\n' ' ' >&2
	echo >&2
	exit 0
fi
missing=
for p in $want; do
	s=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)
	[ "$s" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "${NO_APT:-0}" != 0 ]; then
	echo "Missing Debian packages:$missing" >&2
	echo "Fix: apt-get install$missing   (NO_APT is set, so not done here)" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "Missing Debian packages:$missing" >&2
		echo "Fix, as root: apt-get install$missing" >&2
		exit 1
	fi
	sudo=sudo
fi
echo "Installing missing Debian packages:$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq \
	--no-install-recommends $missing >/dev/null
