/*
 * tally.h - counts by name, in memory that does not grow: of the names that
 * come when TALLY_MAX are there, only that there were some. A zeroed struct is
 * empty.
 */
#ifndef TALLY_H
#define TALLY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

#define TALLY_MAX 512u
#define TALLY_NAME 200u /* bytes; longer names are cut for this */

struct tally_row {
	char *name;
	uint64_t n, failed, weight;
};
struct tally {
	struct tally_row *row; /* in the order they came; sorted: by count */
	size_t len;
	uint16_t *slot;  /* by hash: index + 1 */
	uint64_t other;  /* counted under no name */
	bool failed_any; /* some row has failed != 0 */
};

/* tally_add(t, name, n, failed, weight) - E_NOMEM. */
HSA_MUST_USE hsa_rc tally_add(struct tally *t, const char *name, uint64_t n,
    uint64_t failed, uint64_t weight);
HSA_MUST_USE hsa_rc tally_merge(struct tally *to, const struct tally *from);
/* tally_sort(t) - most first, then by name; nothing is added after. */
void tally_sort(struct tally *t);
void tally_free(struct tally *t);

#endif
