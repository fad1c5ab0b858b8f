/*
 * host_target.h - targets: sets of units under 64-bit numbers (ep11-host-api
 * 5). Not for several threads: the library's lock is held around every call.
 */
#ifndef HOST_TARGET_H
#define HOST_TARGET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

#define HOST_TARGETS_MAX 4096u

/* Bit n: unit n of the library, in the order in which they were found. */
typedef uint64_t host_units;

struct host_targets {
	struct {
		uint32_t serial; /* 0: free */
		host_units units;
	} * slot;
	size_t cap;
	uint32_t serial; /* of the last one made; numbers do not come back */
};

/*
 * host_target_new(t, number, units) - E_FULL beyond HOST_TARGETS_MAX, E_NOMEM.
 * host_target_find(t, number) - its units; NULL: none, or no longer. Flags
 * that callers or into it (XCP_TGTFL_*) make no difference.
 * host_target_drop(t, number), host_targets_free(t).
 */
HSA_MUST_USE hsa_rc host_target_new(
    struct host_targets *t, uint64_t *number, host_units units);
host_units *host_target_find(const struct host_targets *t, uint64_t number);
void host_target_drop(struct host_targets *t, uint64_t number);
void host_targets_free(struct host_targets *t);

#endif
