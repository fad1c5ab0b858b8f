/*
 * hist.h - how a number is distributed, in memory that does not grow: each
 * power of two has 32 buckets, so that a quantile is at most 1/32 above the
 * true one; least, most and sum are exact. A zeroed struct is empty.
 */
#ifndef HIST_H
#define HIST_H
#include <stdint.h>

#define HIST_STEPS 32u /* buckets a power of two */
#define HIST_BUCKETS (60u * HIST_STEPS)

struct hist {
	uint64_t n, least, most;
	uint64_t sum; /* stops at UINT64_MAX */
	uint64_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t v);
/* hist_at(h, per_mille) - a value that at least so many of 1,000 do not
 * exceed: 500 is the median. 0 when empty. */
uint64_t hist_at(const struct hist *h, unsigned int per_mille);
void hist_merge(struct hist *to, const struct hist *from);

#endif
