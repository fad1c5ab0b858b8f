/* eb_stats.h - samples of time, and the few numbers that are said of them. */
#ifndef EB_STATS_H
#define EB_STATS_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

/* Samples in nanoseconds; a zeroed struct is empty. */
struct eb_samples {
	double *v;
	size_t len, cap;
};
HSA_MUST_USE hsa_rc eb_samples_add(struct eb_samples *s, double ns);
void eb_samples_free(struct eb_samples *s);

/* eb_quantile(s, q) - q from 0 to 1, sorts s; 0 when there are none. */
double eb_quantile(struct eb_samples *s, double q);

uint64_t eb_now(void); /* CLOCK_MONOTONIC, ns */
uint64_t eb_cpu(void); /* processor time of all threads so far, ns */

#endif
