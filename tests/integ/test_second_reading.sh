#!/bin/sh
# test_second_reading.sh - damaged events, which `hsa validate` and a reading of
# the same rules by somebody else (tests/kat/read_events.py) must judge alike.
# MUTATIONS=10000 in each of two profiles, SEED=1.
set -eu
build=${CU_BUILD:-build}
exec python3 tests/kat/compare_events.py "$build/bin/hsa" \
	"${MUTATIONS:-10000}" "${SEED:-1}"
